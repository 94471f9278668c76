// `replay`: runs an effect for the accepted records of a range that lack it. Says first, with counts, what it
// would do; what is done already is never run again, and what still waits in a queue is left to its worker.
#include <algorithm>
#include <set>
#include <thread>

#include "cli/admin_client.h"
#include "cli/effects.h"
#include "cli/similar.h"
#include "cli/verb.h"
#include "cli/verbs/seen_database.h"
#include "cli/verbs/verbs.h"
#include "cli/words.h"
#include "http/message.h"

namespace forebay::cli {
namespace {

constexpr std::size_t page = 1000;
constexpr std::size_t ids_a_request = 100;
/// Messages that are told from missing records by looking at them; with a longer backlog replay waits.
constexpr std::size_t waiting_max = 100'000;

struct Wish {
    Timestamp from, to;
    std::string endpoint;
    const WorkerConfiguration* worker = nullptr;
    double per_second = 0;  ///< 0 = as fast as it goes
};

/// The records of the range, by what is known of the effect.
struct Account {
    std::uint64_t in_range = 0, done = 0, waiting = 0;
    std::vector<std::string> missing;
};

class Replay {
  public:
    Replay(Invocation& invocation, const Configuration& configuration)
        : invocation_(invocation), configuration_(configuration), admin_(invocation) {}

    int run() {
        if (int code = read_wish(); code != exit_code::done) return code;
        auto account = count();
        if (!account) return account.error();
        if (invocation_.has("dry-run") || account->missing.empty()) return report(*account);
        if (!terminal().wants_json()) terminal().talk(preview(*account));
        if (!invocation_.is_agreed("Run " + wish_.worker->name + " for " + counted(account->missing.size(), "record") + "?"))
            return exit_code::done;
        auto reason = invocation_.reason();
        if (reason.empty()) return invocation_.misused("a replay needs --reason");
        return send(*account, reason);
    }

  private:
    Terminal& terminal() { return invocation_.terminal(); }

    int read_wish() {
        auto now = invocation_.world().clock.wall();
        if (invocation_.has("again"))
            return invocation_.misused("--again is not in this version: an effect that is done is never run again");
        auto from = invocation_.value("from"), to = invocation_.value("to"), effect = invocation_.value("effect");
        if (!from) return invocation_.misused("replay needs --from");
        if (!effect) return invocation_.misused("replay needs --effect");
        auto begin = parse_moment(*from, now), end = to ? parse_moment(*to, now) : now;
        if (!begin) return invocation_.misused("--from " + *from + " is no moment, such as 2026-09-19, \"2026-09-19 08:00\" or 2h (ago)");
        if (!end) return invocation_.misused("--to " + *to + " is no moment, such as 2026-09-19, \"2026-09-19 08:00\" or 2h (ago)");
        if (*begin >= *end) return invocation_.misused("--from must be before --to");
        wish_ = {*begin, *end, invocation_.value("endpoint").value_or(""), configuration_.find_worker(*effect), 0};
        if (wish_.worker == nullptr || wish_.worker->handler == HandlerKind::program) return refuse_effect(*effect);
        return read_rate();
    }

    int refuse_effect(const std::string& effect) {
        std::vector<std::string> known;
        for (const auto& worker : configuration_.workers)
            if (worker.handler != HandlerKind::program) known.push_back(worker.name);
        auto meant = nearest(effect, known);
        return invocation_.misused("there is no effect \"" + effect + "\"" + (meant.empty() ? "" : "; did you mean \"" + meant + "\"?"));
    }

    int read_rate() {
        auto given = invocation_.value("rate");
        if (!given) return exit_code::done;
        auto rate = intake::parse_rate(*given);
        if (!rate) return invocation_.misused("--rate must be a rate such as 50/s: " + rate.error());
        wish_.per_second = rate->per_second;
        return exit_code::done;
    }

    /// Whether records that came to `queue` at `endpoint` must have the effect.
    bool concerns(const json::Value& record) const {
        auto queue = record["queue"].text();
        for (const auto& endpoint : configuration_.endpoints)
            if (endpoint.name == record["endpoint"].text()) queue = endpoint.queue;
        auto effects = effects_of(configuration_, queue);
        return std::find(effects.begin(), effects.end(), wish_.worker) != effects.end();
    }

    Result<std::vector<std::string>, int> ids_in_range() {
        std::set<std::string> seen;
        std::vector<std::string> ids;
        std::string cursor;
        do {
            auto answer = admin_.get("/api/records" + query_of({{"from", std::to_string(wish_.from.ms)},
                                                                {"to", std::to_string(wish_.to.ms)},
                                                                {"endpoint", wish_.endpoint},
                                                                {"after", cursor},
                                                                {"max", std::to_string(page)}}));
            if (!answer) return Failure{failed(invocation_, answer.error())};
            for (const auto& record : (*answer)["records"].elements())
                if (concerns(record) && seen.insert(record["id"].text()).second) ids.push_back(record["id"].text());
            cursor = (*answer)["next"].text();
        } while (!cursor.empty());
        return ids;
    }

    /// The ids of the records that are in the worker's queue now.
    Result<std::set<std::string>, int> ids_waiting() {
        std::set<std::string> ids;
        std::string after;
        std::size_t looked_at = 0;
        for (;;) {
            auto answer = admin_.get("/api/queues/" + http::percent_encode(wish_.worker->queue) + "/peek" +
                                     query_of({{"max", std::to_string(page)}, {"after", after}}));
            if (!answer) return Failure{failed(invocation_, answer.error())};
            const auto& messages = (*answer)["messages"].elements();
            for (const auto& message : messages) {
                auto record = record::decode(message["body"].text(), Uuid{}, Timestamp{});
                if (record) ids.insert(to_text(record->id));
                after = message["sequence"].text();
            }
            looked_at += messages.size();
            if (messages.size() < page) return ids;
            if (looked_at < waiting_max) continue;
            terminal().complain("more than " + grouped(waiting_max) + " messages wait in " + wish_.worker->queue +
                                ": they are not missing. Try again when it is shorter");
            return Failure{exit_code::try_again};
        }
    }

    Result<Account, int> count() {
        // The queue is read before the ledger: what its worker finishes meanwhile is counted as done or waiting, never as missing.
        TRY_ASSIGN(auto ids, ids_in_range());
        TRY_ASSIGN(auto waiting, ids_waiting());
        complain_of_gone(configuration_, terminal());
        ledger::Ledger ledger(ledger_sources(configuration_));
        auto missing = ledger.missing(ids, wish_.worker->name);
        if (!missing) {
            terminal().complain(missing.error().what);
            return Failure{exit_code::io};
        }
        Account account;
        account.in_range = ids.size();
        account.done = ids.size() - missing->size();
        for (auto& id : *missing) {
            if (waiting.contains(id))
                ++account.waiting;
            else
                account.missing.push_back(std::move(id));
        }
        return account;
    }

    std::string preview(const Account& account) const {
        const auto& name = wish_.worker->name;
        return counted(account.in_range, "record") + " in range.  " + name + ": done " + grouped(account.done) + ", waiting " +
               grouped(account.waiting) + ", missing " + grouped(account.missing.size()) + ".\n" + "Would run " + name + " for " +
               counted(account.missing.size(), "record") + ".  Nothing already done would be run again.";
    }

    std::string command() const {
        std::string out = "forebay replay";
        for (auto option : {"from", "to", "endpoint", "effect", "rate"}) {
            auto value = invocation_.value(option);
            if (value) out += std::string(" --") + option + (value->find(' ') == std::string::npos ? " " + *value : " \"" + *value + "\"");
        }
        return out + " --reason \"…\"";
    }

    json::Value to_json(const Account& account) const {
        json::Value out;
        out.set("effect", wish_.worker->name).set("from", to_rfc3339(wish_.from)).set("to", to_rfc3339(wish_.to));
        return out.set("in_range", account.in_range)
            .set("done", account.done)
            .set("waiting", account.waiting)
            .set("missing", account.missing.size());
    }

    int report(const Account& account) {
        if (terminal().wants_json()) {
            auto ids = json::Value::array();
            for (const auto& id : account.missing) ids.push(id);
            terminal().result_json(to_json(account).set("ids", std::move(ids)));
            return exit_code::done;
        }
        terminal().result(preview(account) + "\n");
        if (!account.missing.empty()) terminal().result("Run it:  " + command() + "\n");
        return exit_code::done;
    }

    int send(const Account& account, const std::string& reason) {
        std::uint64_t sent = 0;
        std::size_t step = ids_a_request;
        if (wish_.per_second > 0) step = std::clamp<std::size_t>(static_cast<std::size_t>(wish_.per_second), 1, ids_a_request);
        for (std::size_t at = 0; at < account.missing.size(); at += step) {
            auto ids = json::Value::array();
            auto end = std::min(at + step, account.missing.size());
            for (auto i = at; i < end; ++i) ids.push(account.missing[i]);
            auto answer = admin_.post("/api/replay", json::Value()
                                                         .set("ids", std::move(ids))
                                                         .set("queue", wish_.worker->queue)
                                                         .set("effect", wish_.worker->name)
                                                         .set("reason", reason));
            if (!answer) {
                terminal().complain("after " + counted(sent, "record") + ": " + answer.error().what);
                return answer.error().exit_code;
            }
            sent += static_cast<std::uint64_t>((*answer)["sent"].integer().value_or(0));
            terminal().detail(1, "sent " + grouped(sent) + " of " + grouped(account.missing.size()));
            if (wish_.per_second > 0 && end < account.missing.size())
                std::this_thread::sleep_for(std::chrono::duration<double>(static_cast<double>(end - at) / wish_.per_second));
        }
        if (terminal().wants_json())
            terminal().result_json(to_json(account).set("sent", sent));
        else
            terminal().result("Sent " + counted(sent, "record") + " to " + wish_.worker->queue + " for " + wish_.worker->name + ".\n");
        return sent == account.missing.size() ? exit_code::done : exit_code::check_failed;
    }

    Invocation& invocation_;
    const Configuration& configuration_;
    AdminClient admin_;
    Wish wish_;
};

}  // namespace

int run_replay(Invocation& invocation) {
    auto configuration = invocation.configuration();
    if (!configuration) return exit_code::configuration;
    return Replay(invocation, *configuration).run();
}

}  // namespace forebay::cli
