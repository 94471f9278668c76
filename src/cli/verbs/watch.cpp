// `watch`: what is accepted and what becomes of it, as it happens, a line each.
#include <algorithm>
#include <deque>
#include <map>
#include <thread>

#include "cli/admin_client.h"
#include "cli/chosen_records.h"
#include "cli/effects.h"
#include "cli/interrupt.h"
#include "cli/mask.h"
#include "cli/verb.h"
#include "cli/verbs/seen_database.h"
#include "cli/verbs/verbs.h"
#include "cli/words.h"

namespace forebay::cli {
namespace {

constexpr Duration look_every = 500ms;
constexpr std::size_t page = 1000;
/// Records whose effects are waited for, the newest; and how many of them are looked up at once.
constexpr std::size_t followed_max = 10'000, looked_up_at_once = 200;
constexpr std::size_t fields_characters = 100;

struct Followed {
    std::string id, endpoint, queue;
    std::map<std::string, std::string> told;  ///< effect -> what was said of it last
};

class Watch {
  public:
    Watch(Invocation& invocation, const Configuration& configuration, ChosenRecords chosen)
        : invocation_(invocation),
          configuration_(configuration),
          chosen_(std::move(chosen)),
          admin_(invocation),
          ledger_(ledger_sources(configuration)),
          since_(invocation.world().clock.wall()) {}

    int run() {
        CatchInterrupt catching;
        bool is_there = false;
        while (!CatchInterrupt::came() && terminal().is_readable()) {
            auto looked = look();
            if (!looked && !is_there && !has_begun_) return failed(invocation_, looked.error());
            if (looked.ok() != is_there && has_begun_)
                terminal().talk(looked ? "The node is back." : "The node is away: " + looked.error().what);
            has_begun_ = true;
            is_there = looked.ok();
            follow();
            terminal().flush();
            if (!looked || !*looked) std::this_thread::sleep_for(look_every);
        }
        return exit_code::done;
    }

  private:
    Terminal& terminal() { return invocation_.terminal(); }

    /// Whether there is more at once.
    Result<bool, AdminError> look() {
        auto query = cursor_.empty() ? query_of({{"from", std::to_string(since_.ms)}, {"max", std::to_string(page)}})
                                     : query_of({{"after", cursor_}, {"max", std::to_string(page)}});
        auto answer = admin_.get("/api/watch" + query);
        if (!answer) return Failure{answer.error()};
        for (const auto& record : (*answer)["records"].elements()) tell(record);
        if (!(*answer)["cursor"].text().empty()) cursor_ = (*answer)["cursor"].text();
        return (*answer)["more"].boolean();
    }

    record::Envelope envelope_of(const json::Value& record) const {
        record::Envelope envelope;
        envelope.id = parse_uuid(record["id"].text()).value_or(Uuid{});
        envelope.endpoint = record["endpoint"].text();
        envelope.received_at = parse_timestamp(record["received_at"].text()).value_or(Timestamp{});
        envelope.fields = record["fields"];
        for (const auto& flag : record["flags"].elements()) envelope.flags.push_back(flag.text());
        return envelope;
    }

    void tell(const json::Value& record) {
        auto envelope = envelope_of(record);
        if (!chosen_.take(envelope)) return;
        auto fields = mask_fields(envelope.fields, configuration_.admin.mask);
        if (terminal().wants_json()) {
            line(json::Value()
                     .set("event", "accepted")
                     .set("at", record["received_at"])
                     .set("id", record["id"])
                     .set("endpoint", record["endpoint"])
                     .set("fields", std::move(fields))
                     .set("flags", record["flags"]));
        } else {
            std::string text;
            for (const auto& [name, value] : fields.members())
                text += "  " + name + " " + (value.is_string() ? value.text() : json::to_text(value));
            line(envelope.received_at, record["id"].text(), record["endpoint"].text() + "  accepted" + shortened(text, fields_characters));
        }
        Followed followed{record["id"].text(), envelope.endpoint, record["queue"].text(), {}};
        for (const auto& endpoint : configuration_.endpoints)
            if (endpoint.name == envelope.endpoint) followed.queue = endpoint.queue;
        followed_.push_back(std::move(followed));
        if (followed_.size() > followed_max) followed_.pop_front();
    }

    /// Looks up some of those that are not settled, the others the next time.
    void follow() {
        for (auto left = std::min(followed_.size(), looked_up_at_once); left > 0; --left) {
            auto one = std::move(followed_.front());
            followed_.pop_front();
            auto story = ledger_.timeline(*parse_uuid(one.id));
            bool is_settled = story && *story && tell_changes(one, **story);
            if (!is_settled) followed_.push_back(std::move(one));
        }
    }

    /// True when nothing more can come.
    bool tell_changes(Followed& one, const ledger::Story& story) {
        bool is_settled = true;
        for (const auto& state : states_of(configuration_, one.queue, story.effects)) {
            is_settled = is_settled && (state.state == "done" || state.state == "skipped");
            if (!state.row) continue;
            auto said = state.state + " " + std::to_string(state.row->attempts);
            if (std::exchange(one.told[state.effect], said) == said) continue;
            tell_effect(one, state, story.received_at);
        }
        return is_settled;
    }

    void tell_effect(const Followed& one, const EffectState& state, Timestamp received_at) {
        const auto& row = *state.row;
        if (terminal().wants_json()) {
            json::Value out;
            out.set("event", "effect").set("at", to_rfc3339(row.at)).set("id", one.id).set("endpoint", one.endpoint);
            out.set("effect", state.effect).set("state", state.state).set("attempts", row.attempts).set("worker", row.worker);
            if (!row.error.empty()) out.set("error", row.error);
            return line(out);
        }
        auto text =
            one.endpoint + "  " + state.effect + " " + state.state + "  " + row.worker + "  after " + age_text(row.at - received_at);
        if (row.attempts > 1) text += "  " + counted(row.attempts, "attempt");
        if (!row.error.empty()) text += "  " + row.error;
        line(row.at, one.id, text);
    }

    void line(const json::Value& value) { terminal().result(json::to_text(value) + "\n"); }
    void line(Timestamp at, const std::string& id, const std::string& text) {
        terminal().result(printable(moment_text(at, invocation_.world().clock.wall()) + "  " + id + "  " + text) + "\n");
    }

    Invocation& invocation_;
    const Configuration& configuration_;
    ChosenRecords chosen_;
    AdminClient admin_;
    ledger::Ledger ledger_;
    Timestamp since_;
    std::string cursor_;
    bool has_begun_ = false;
    std::deque<Followed> followed_;
};

}  // namespace

int run_watch(Invocation& invocation) {
    auto configuration = invocation.configuration();
    if (!configuration) return exit_code::configuration;
    auto chosen = chosen_by(invocation);
    if (!chosen) return chosen.error();
    complain_of_gone(*configuration, invocation.terminal());
    return Watch(invocation, *configuration, std::move(*chosen)).run();
}

}  // namespace forebay::cli
