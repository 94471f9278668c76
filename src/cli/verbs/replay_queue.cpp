// `replay --queue Q`: every message that was sent to a queue in a range, sent to it again.
#include <algorithm>
#include <array>
#include <thread>

#include "base/digest.h"
#include "cli/admin_client.h"
#include "cli/similar.h"
#include "cli/verb.h"
#include "cli/verbs/verbs.h"
#include "cli/words.h"
#include "http/message.h"
#include "intake/endpoint.h"

namespace forebay::cli {
namespace {

constexpr std::size_t looked_at_once = 1000, sent_at_once = 100;

std::uint64_t count_of(const json::Value& value) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(value.integer().value_or(0), 0));
}

class QueueReplay {
  public:
    explicit QueueReplay(Invocation& invocation) : invocation_(invocation), admin_(invocation), queue_(*invocation.value("queue")) {}

    int run() {
        if (int code = read_wish(); code != exit_code::done) return code;
        if (int code = find_queue(); code != exit_code::done) return code;
        auto found = walk(looked_at_once, true, {});
        if (!found) return found.error();
        if (invocation_.has("dry-run") || found->messages == 0) return report(*found);
        auto text = counted(found->messages, "message") + " (" + about_size(found->bytes) + ")";
        terminal().talk("The log has " + text + " that went to " + queue_ + " then. Each is sent again, whether it was worked on or not.");
        if (!invocation_.is_agreed("Send " + text + " to " + queue_ + " again?")) return exit_code::done;
        auto reason = invocation_.reason();
        if (reason.empty()) return invocation_.misused("a replay needs --reason");
        auto sent = walk(batch_size(), false, reason);
        if (!sent) return sent.error();
        if (terminal().wants_json())
            terminal().result_json(json::Value().set("queue", queue_).set("sent", sent->messages));
        else
            terminal().result("Sent " + counted(sent->messages, "message") + " to " + queue_ + " again.\n");
        return exit_code::done;
    }

  private:
    struct Walked {
        std::uint64_t messages = 0, bytes = 0;
    };
    Terminal& terminal() { return invocation_.terminal(); }

    int read_wish() {
        for (auto option : {"effect", "endpoint", "where", "again"})
            if (invocation_.has(option))
                return invocation_.misused("--" + std::string(option) + " does not go with --queue, which sends every message again");
        std::string missing;
        if (!invocation_.has("from")) missing = "--from";
        if (!invocation_.has("reason") && !invocation_.has("dry-run") && !terminal().can_ask())
            missing += missing.empty() ? "--reason" : " and --reason";
        if (!missing.empty()) return invocation_.misused("replay needs " + missing);
        auto now = invocation_.world().clock.wall();
        auto from = parse_moment(*invocation_.value("from"), now), to = parse_moment(invocation_.value("to").value_or("0s"), now);
        if (!from || !to) return invocation_.misused("--from and --to are moments, such as 2026-09-19, \"2026-09-19 08:00\" or 2h (ago)");
        if (*from >= *to) return invocation_.misused("--from must be before --to");
        from_ = *from;
        to_ = std::min(*to, now);
        if (auto given = invocation_.value("rate")) {
            auto rate = intake::parse_rate(*given);
            if (!rate) return invocation_.misused("--rate must be a rate such as 50/s: " + rate.error());
            per_second_ = rate->per_second;
        }
        return exit_code::done;
    }

    int find_queue() {
        auto answer = admin_.get("/api/queues");
        if (!answer) return failed(invocation_, answer.error());
        std::vector<std::string> names;
        for (const auto& queue : (*answer)["queues"].elements()) names.push_back(queue["name"].text());
        if (std::find(names.begin(), names.end(), queue_) != names.end()) return exit_code::done;
        auto meant = nearest(queue_, names);
        terminal().complain("there is no queue \"" + queue_ + "\"" + (meant.empty() ? "" : "; did you mean \"" + meant + "\"?"));
        return exit_code::data;
    }

    std::size_t batch_size() const {
        return per_second_ > 0 ? std::clamp<std::size_t>(static_cast<std::size_t>(per_second_), 1, sent_at_once) : sent_at_once;
    }

    Result<Walked, int> walk(std::size_t most, bool dry_run, const std::string& reason) {
        std::array<unsigned char, 8> random{};
        invocation_.world().entropy.fill(random);
        json::Value wish;
        wish.set("from", from_.ms).set("to", to_.ms).set("max", most).set("dry_run", dry_run).set("reason", reason);
        wish.set("run", to_hex(random));
        Walked walked;
        for (;;) {
            auto answer = admin_.post("/api/queues/" + http::percent_encode(queue_) + "/replay", wish);
            if (!answer) {
                terminal().complain("after " + counted(walked.messages, "message") + ": " + answer.error().what);
                return Failure{int{answer.error().exit_code}};
            }
            auto messages = count_of((*answer)["messages"]);
            walked.messages += messages;
            walked.bytes += count_of((*answer)["bytes"]);
            terminal().progress((dry_run ? "looked at " : "sent ") + counted(walked.messages, "message"));
            if ((*answer)["next"].is_null()) break;
            wish.set("after", (*answer)["next"]);
            if (!dry_run && per_second_ > 0)
                std::this_thread::sleep_for(std::chrono::duration<double>(static_cast<double>(messages) / per_second_));
        }
        terminal().progress("");
        return walked;
    }

    int report(const Walked& found) {
        if (terminal().wants_json())
            terminal().result_json(json::Value().set("queue", queue_).set("messages", found.messages).set("bytes", found.bytes));
        else
            terminal().result("Would send " + counted(found.messages, "message") + " (" + about_size(found.bytes) + ") to " + queue_ +
                              " again, whether they were worked on or not.\n");
        return exit_code::done;
    }

    Invocation& invocation_;
    AdminClient admin_;
    std::string queue_;
    Timestamp from_, to_;
    double per_second_ = 0;
};

}  // namespace

int run_replay_queue(Invocation& invocation) { return QueueReplay(invocation).run(); }

}  // namespace forebay::cli
