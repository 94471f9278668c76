// `drain`: the whole node out of service for a deploy, and when it is safe to stop it.
#include <algorithm>
#include <set>
#include <thread>

#include "cli/admin_client.h"
#include "cli/interrupt.h"
#include "cli/process/paths.h"
#include "cli/verb.h"
#include "cli/verbs/pauses.h"
#include "cli/verbs/seen_process.h"
#include "cli/verbs/verbs.h"
#include "cli/words.h"

namespace forebay::cli {
namespace {

constexpr Duration within_usual = 60s, look_after = 500ms;
/// A balancer that has left sends nothing for so long.
constexpr int quiet_looks = 4;

class Drain {
  public:
    Drain(Invocation& invocation, Duration within)
        : invocation_(invocation), configuration_(invocation.whatever_is_configured()), admin_(invocation), within_(within) {}

    int run() {
        auto answer = admin_.post("/api/drain",
                                  json::Value().set("reason", invocation_.value("reason").value_or("")).set("by", who_asks(invocation_)));
        if (!answer) return failed(invocation_, answer.error());
        auto pause = pause_of((*answer)["drained"]).value_or(worker::Pause{});
        if ((*answer)["already"].boolean())
            terminal().talk("The node is being drained already, for " + pause_text(pause, invocation_.world().clock.wall()) + ".");
        terminal().talk(
            "/readyz is 503 now, so the balancer goes elsewhere; posts that come all the same are taken. Workers finish what they have.");
        return wait();
    }

  private:
    Terminal& terminal() { return invocation_.terminal(); }

    int wait() {
        CatchInterrupt catching;
        std::vector<std::string> left;
        for (Duration waited{}; waited <= within_ && !CatchInterrupt::came(); waited += look_after) {
            auto looked = look();
            if (!looked) return failed(invocation_, looked.error());
            left = std::move(*looked);
            if (left.empty()) return tell_done();
            terminal().progress(listed(left));
            if (waited + look_after <= within_) std::this_thread::sleep_for(look_after);
        }
        terminal().progress("");
        return tell_left(left);
    }

    int tell_done() {
        terminal().progress("");
        if (terminal().wants_json())
            terminal().result_json(json::Value().set("drained", true).set("in_hand", json::Value::array()));
        else
            terminal().result("nothing in hand: forebay is drained; stop it now\n");
        terminal().talk("Or put it back into service: forebay drain --undo");
        return exit_code::done;
    }

    int tell_left(const std::vector<std::string>& left) {
        if (terminal().wants_json()) {
            auto list = json::Value::array();
            for (const auto& one : left) list.push(one);
            terminal().result_json(json::Value().set("drained", false).set("in_hand", std::move(list)));
        }
        terminal().complain("not drained yet: " + listed(left));
        terminal().talk("It stays out of service. Look again: forebay drain. Put it back: forebay drain --undo");
        return exit_code::try_again;
    }

    static std::string listed(const std::vector<std::string>& all) {
        std::string out;
        for (const auto& one : all) out += (out.empty() ? "" : "; ") + one;
        return out;
    }

    /// What is still in hand.
    Result<std::vector<std::string>, AdminError> look() {
        std::vector<std::string> left;
        TRY_ASSIGN(auto node, admin_.get("/api/node"));
        look_at_posts(node, left);
        TRY_ASSIGN(auto queues, admin_.get("/api/queues"));
        look_at_programs(queues["queues"], left);
        if (invocation_.globals().node.empty()) look_at_workers(left);
        return left;
    }

    void look_at_posts(const json::Value& node, std::vector<std::string>& left) {
        auto accepted = node["accepted"].integer().value_or(0);
        looks_without_posts_ = accepted == accepted_ ? looks_without_posts_ + 1 : 0;
        if (accepted_ >= 0 && accepted > accepted_)
            left.push_back("posts still come (" + counted(static_cast<std::uint64_t>(accepted - accepted_), "record") +
                           " since the last look): the balancer has not left yet");
        else if (looks_without_posts_ < quiet_looks)
            left.emplace_back("waiting whether posts still come");
        accepted_ = accepted;
    }

    /// What a program has in hand only its queue knows.
    void look_at_programs(const json::Value& queues, std::vector<std::string>& left) {
        std::set<std::string> of_programs;
        for (const auto& worker : configuration_.workers)
            if (worker.handler == HandlerKind::program && !worker.queue.empty()) of_programs.insert(worker.queue);
        for (const auto& queue : queues.elements()) {
            auto in_flight = static_cast<std::uint64_t>(queue["in_flight"].integer().value_or(0));
            if (in_flight > 0 && of_programs.contains(queue["name"].text()))
                left.push_back(counted(in_flight, "message") + " of " + queue["name"].text() + " in flight");
        }
    }

    void look_at_workers(std::vector<std::string>& left) {
        auto answer = invocation_.world().control(control_path(configuration_.node.data_dir), {});
        if (!answer) return;  // no parent, no workers of it
        std::string busy;
        for (const auto& seen : with_standings(answer->processes, configuration_.node.data_dir))
            if (seen.process.pid != 0 && is_ours(seen) && !(seen.standing && seen.standing->is_quiet))
                busy += (busy.empty() ? "" : ", ") + seen.process.name;
        if (!busy.empty()) left.push_back(busy + (busy.find(',') == std::string::npos ? " has" : " have") + " records in hand");
    }

    bool is_ours(const SeenProcess& seen) const {
        const auto* worker = configuration_.find_worker(seen.process.worker);
        return worker != nullptr && worker->handler != HandlerKind::program;
    }

    Invocation& invocation_;
    Configuration configuration_;
    AdminClient admin_;
    Duration within_;
    std::int64_t accepted_ = -1;
    int looks_without_posts_ = 0;
};

}  // namespace

int undrain(Invocation& invocation) {
    auto& terminal = invocation.terminal();
    if (invocation.has("dry-run")) {
        terminal.result("Would put the node back into service.\n");
        return exit_code::done;
    }
    auto body = json::Value().set("reason", invocation.value("reason").value_or("")).set("by", who_asks(invocation));
    auto answer = AdminClient(invocation).post("/api/undrain", body);
    if (!answer) return failed(invocation, answer.error());
    auto was = pause_of((*answer)["was"]);
    if (terminal.wants_json())
        terminal.result_json(json::Value().set("in_service", true).set("was_drained", was.has_value()));
    else if (was)
        terminal.result("The node is in service again. It was drained for " + pause_text(*was, invocation.world().clock.wall()) + ".\n");
    else
        terminal.result("The node is in service; nobody drained it.\n");
    return exit_code::done;
}

int run_drain(Invocation& invocation) {
    auto& terminal = invocation.terminal();
    auto within = invocation.value("within") ? parse_duration(*invocation.value("within")) : std::optional(within_usual);
    if (!within) return invocation.misused("--within must be a time such as 60s or 5m");
    if (invocation.has("undo")) return undrain(invocation);
    if (invocation.has("dry-run")) {
        terminal.result("Would take the node out of service: /readyz 503, workers finish what they have in hand. Nothing is stopped.\n");
        return exit_code::done;
    }
    if (!invocation.is_agreed("drain this node?")) return exit_code::done;
    return Drain(invocation, *within).run();
}

}  // namespace forebay::cli
