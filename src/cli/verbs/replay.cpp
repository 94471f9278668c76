// `replay`: runs an effect for the accepted records of a range that lack it, or once more for those that have it (--again).
// Says first, with counts and money, what it would do; what still waits in a queue is left to its worker.
#include <algorithm>
#include <thread>

#include "cli/replay_account.h"
#include "cli/similar.h"
#include "cli/verb.h"
#include "cli/verbs/verbs.h"
#include "cli/where.h"
#include "cli/words.h"
#include "ledger/ledger.h"

namespace forebay::cli {
namespace {

constexpr std::size_t ids_a_request = 100;
constexpr std::string_view moment_example = " is no moment, such as 2026-09-19, \"2026-09-19 08:00\" or 2h (ago)";

class Replay {
  public:
    Replay(Invocation& invocation, const Configuration& configuration)
        : invocation_(invocation), configuration_(configuration), admin_(invocation) {}

    int run() {
        if (int code = read_wish(); code != exit_code::done) return code;
        auto account = count_replay(invocation_, configuration_, wish_);
        if (!account) return account.error();
        if (invocation_.has("dry-run")) return report(*account);
        if (int code = refuse_unsettled(*account); code != exit_code::done) return code;
        if (account->records.empty()) return report(*account);
        if (!terminal().wants_json()) terminal().talk(preview(*account));
        if (!invocation_.is_agreed(question(*account))) return exit_code::done;
        auto reason = invocation_.reason();
        if (reason.empty()) return invocation_.misused("a replay needs --reason");
        return send(*account, reason);
    }

  private:
    Terminal& terminal() { return invocation_.terminal(); }

    // ---- what is wished

    int read_wish() {
        std::string missing;
        auto needs = [&](const char* option) {
            if (!invocation_.has(option)) missing += (missing.empty() ? "--" : " and --") + std::string(option);
        };
        needs("from");
        needs("effect");
        if (!invocation_.has("dry-run") && !terminal().can_ask()) needs("reason");
        if (!missing.empty()) return invocation_.misused("replay needs " + missing + (invocation_.has("effect") ? "" : " (or --queue)"));
        if (int code = read_range(); code != exit_code::done) return code;
        wish_.again = invocation_.has("again");
        wish_.endpoint = invocation_.value("endpoint").value_or("");
        if (int code = read_names(); code != exit_code::done) return code;
        auto where = read_where(invocation_, configuration_);
        if (!where) return where.error();
        wish_.where = *where;
        return read_rate();
    }

    int read_range() {
        auto now = invocation_.world().clock.wall();
        auto from = *invocation_.value("from");
        auto to = invocation_.value("to");
        auto begin = parse_moment(from, now), end = to ? parse_moment(*to, now) : now;
        if (!begin) return invocation_.misused("--from " + from + std::string(moment_example));
        if (!end) return invocation_.misused("--to " + *to + std::string(moment_example));
        if (*begin >= *end) return invocation_.misused("--from must be before --to");
        wish_.from = *begin;
        if (to) wish_.to = end;
        return exit_code::done;
    }

    int read_names() {
        std::vector<std::string> endpoints, effects;
        for (const auto& endpoint : configuration_.endpoints) endpoints.push_back(endpoint.name);
        for (const auto& worker : configuration_.workers)
            if (worker.handler != HandlerKind::program) effects.push_back(worker.name);
        bool is_known = wish_.endpoint.empty() || std::find(endpoints.begin(), endpoints.end(), wish_.endpoint) != endpoints.end();
        if (!is_known) return refuse_name("endpoint", wish_.endpoint, endpoints);
        auto effect = *invocation_.value("effect");
        if (std::find(effects.begin(), effects.end(), effect) == effects.end()) return refuse_name("effect", effect, effects);
        wish_.worker = configuration_.find_worker(effect);
        return exit_code::done;
    }

    int refuse_name(const std::string& what, const std::string& name, const std::vector<std::string>& known) {
        auto meant = nearest(name, known);
        std::string hint = meant.empty() ? "" : "; did you mean \"" + meant + "\"?";
        if (hint.empty() && !known.empty()) {
            for (const auto& one : known) hint += (hint.empty() ? "; there are " : ", ") + one;
        }
        return invocation_.misused("there is no " + what + " \"" + name + "\"" + hint);
    }

    int read_rate() {
        auto given = invocation_.value("rate");
        if (!given) return exit_code::done;
        auto rate = intake::parse_rate(*given);
        if (!rate) return invocation_.misused("--rate must be a rate such as 50/s: " + rate.error());
        per_second_ = rate->per_second;
        return exit_code::done;
    }

    // ---- what is told

    /// While the worker has not got to the end of the range, what it has yet to do would look as if it were missing (D17).
    int refuse_unsettled(const ReplayAccount& account) {
        auto late = unsettled_note(account);
        if (late.empty()) return exit_code::done;
        terminal().complain(late);
        return exit_code::try_again;
    }

    std::string unsettled_note(const ReplayAccount& account) const {
        if (account.to > wish_.from && (!account.unsettled || *account.unsettled >= account.to)) return {};
        auto oldest = to_rfc3339(*account.unsettled);
        auto out = wish_.worker->name + " has yet to take a record of " + oldest + " out of its queue. Try again when it has";
        return *account.unsettled > wish_.from ? out + ", or end the range before it: --to " + oldest : out;
    }

    std::string preview(const ReplayAccount& account) const {
        const auto& name = wish_.worker->name;
        auto out = counted(account.in_range.records, "record") + " in range" + account.in_range.money.in_brackets();
        if (account.later > 0)
            out += ", which ends at " + to_rfc3339(account.to) + ": " + counted(account.later, "record") + " that came later wait";
        out += ".  " + name + ": done " + grouped(account.done.records);
        for (auto [what, count] : {std::pair{"skipped", &account.skipped},
                                   {"discarded", &account.discarded},
                                   {"waiting", &account.waiting},
                                   {"retrying", &account.retrying},
                                   {"dead", &account.dead}})
            if (count->records > 0) out += ", " + std::string(what) + " " + grouped(count->records) + count->money.in_brackets();
        out += ", missing " + grouped(account.missing.records) + account.missing.money.in_brackets() + ".\n";
        out += wish_.again ? again_text(account)
                           : "Would run " + name + " for " + amount(account) + ".  Nothing already done would be run again.";
        if (account.dead.records > 0)
            out += "\n" + grouped(account.dead.records) + " dead: replay leaves them. See: forebay dead ls; forebay dead retry --effect " +
                   name;
        return out;
    }

    static std::string amount(const ReplayAccount& account) {
        return counted(account.to_run.records, "record") + account.to_run.money.in_brackets();
    }

    std::string again_text(const ReplayAccount& account) const {
        const auto& name = wish_.worker->name;
        auto effect = ledger::effect_name(name, account.again);
        auto out = account.done.records == 0 ? "None of them has " + name + " done: nothing to run once more."
                                             : "Would run " + name + " ONCE MORE for " + amount(account) + ", although it is done, as " +
                                                   effect + ": " + what_again_does();
        if (auto have = account.done.records - account.to_run.records; have > 0)
            out += "\n" + counted(have, "record") + " had " + effect + " asked for before: left out.";
        if (account.missing.records > 0)
            out += "\n" + counted(account.missing.records, "record") + " without " + name + ": a replay without --again runs it.";
        return out;
    }

    std::string what_again_does() const {
        if (wish_.worker->handler != HandlerKind::sql) return "what its command did is done a second time.";
        const auto& table = wish_.worker->sql.table;
        if (!table.empty()) return "a row that is in " + table + " stays as it is, one that is gone is written.";
        return "its statement is run a second time; one that may not meet its own row makes a dead letter.";
    }

    std::string question(const ReplayAccount& account) const {
        return "Run " + wish_.worker->name + (wish_.again ? " once more for " : " for ") + counted(account.records.size(), "record") + "?";
    }

    std::string command() const {
        std::string out = "forebay replay";
        for (auto option : {"from", "to", "endpoint", "where", "effect", "rate"}) {
            auto value = invocation_.value(option);
            bool is_plain = value && value->find_first_of(" '\"$`\\()<>|&;*?[]") == std::string::npos;
            if (value) out += std::string(" --") + option + (is_plain ? " " + *value : " " + in_shell_quotes(*value));
        }
        return out + (wish_.again ? " --again" : "") + " --reason \"…\"";
    }

    static std::string in_shell_quotes(const std::string& text) {
        std::string out = "'";
        for (char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
        return out + "'";
    }

    json::Value to_json(const ReplayAccount& account) const {
        json::Value out, money = json::Value::object();
        out.set("effect", wish_.worker->name).set("from", to_rfc3339(wish_.from)).set("to", to_rfc3339(account.to));
        for (auto [what, count] : {std::pair{"in_range", &account.in_range},
                                   {"done", &account.done},
                                   {"skipped", &account.skipped},
                                   {"discarded", &account.discarded},
                                   {"waiting", &account.waiting},
                                   {"retrying", &account.retrying},
                                   {"dead", &account.dead},
                                   {"missing", &account.missing},
                                   {"to_run", &account.to_run}}) {
            out.set(what, count->records);
            money.set(what, count->money.to_json());
        }
        if (wish_.again) out.set("again", account.again);
        return out.set("money", std::move(money));
    }

    int report(const ReplayAccount& account) {
        auto late = unsettled_note(account);
        if (terminal().wants_json()) {
            auto ids = json::Value::array();
            for (const auto& record : account.records) ids.push(to_text(record.id));
            terminal().result_json(to_json(account).set("ids", std::move(ids)).set("not_yet", late.empty() ? json::Value() : late));
            return exit_code::done;
        }
        terminal().result(preview(account) + "\n");
        if (!late.empty())
            terminal().result("Not yet: " + late + "\n");
        else if (!account.records.empty())
            terminal().result("Run it:  " + command() + "\n");
        return exit_code::done;
    }

    // ---- what is done

    json::Value request(const ReplayAccount& account, std::size_t begin, std::size_t end, const std::string& reason) const {
        auto ids = json::Value::array();
        for (auto i = begin; i < end; ++i) ids.push(to_text(account.records[i].id));
        json::Value out;
        out.set("ids", std::move(ids)).set("queue", wish_.worker->queue).set("effect", wish_.worker->name).set("reason", reason);
        out.set("from", account.records[begin].sent_at.ms).set("to", account.records[end - 1].sent_at.ms + 1);
        if (wish_.again) out.set("again", account.again);
        return out;
    }

    void tell_progress(std::uint64_t sent, std::size_t all) {
        terminal().progress("sent " + grouped(sent) + " of " + counted(all, "record") + " (" + std::to_string(sent * 100 / all) + " %)");
    }

    int stopped(std::uint64_t sent, const std::string& why, int code) {
        terminal().progress("");
        terminal().complain("after " + counted(sent, "record") + ": " + why + "\nThe same command goes on from there.");
        return code;
    }

    int send(const ReplayAccount& account, const std::string& reason) {
        std::uint64_t sent = 0;
        std::size_t step = ids_a_request;
        if (per_second_ > 0) step = std::clamp<std::size_t>(static_cast<std::size_t>(per_second_), 1, ids_a_request);
        for (std::size_t at = 0; at < account.records.size(); at += step) {
            auto end = std::min(at + step, account.records.size());
            auto answer = admin_.post("/api/replay", request(account, at, end, reason));
            if (!answer) return stopped(sent, answer.error().what, answer.error().exit_code);
            sent += static_cast<std::uint64_t>((*answer)["sent"].integer().value_or(0));
            if (const auto& why = (*answer)["refused"].text(); !why.empty()) return stopped(sent, why, exit_code::try_again);
            tell_progress(sent, account.records.size());
            if (per_second_ > 0 && end < account.records.size())
                std::this_thread::sleep_for(std::chrono::duration<double>(static_cast<double>(end - at) / per_second_));
        }
        terminal().progress("");
        if (terminal().wants_json())
            terminal().result_json(to_json(account).set("sent", sent));
        else
            terminal().result("Sent " + counted(sent, "record") + " to " + wish_.worker->queue + " for " +
                              ledger::effect_name(wish_.worker->name, account.again) + ".\n");
        if (sent == account.records.size()) return exit_code::done;
        terminal().complain(counted(account.records.size() - sent, "record") + " could not be found in the log any more");
        return exit_code::check_failed;
    }

    Invocation& invocation_;
    const Configuration& configuration_;
    AdminClient admin_;
    ReplayWish wish_;
    double per_second_ = 0;  ///< 0 = as fast as it goes
};

}  // namespace

int run_replay(Invocation& invocation) {
    if (invocation.has("queue")) return run_replay_queue(invocation);
    auto configuration = invocation.configuration();
    if (!configuration) return exit_code::configuration;
    return Replay(invocation, *configuration).run();
}

}  // namespace forebay::cli
