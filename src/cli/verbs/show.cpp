// `show ID`: one record, what it holds and what was done for it.
#include <algorithm>

#include "base/digest.h"
#include "cli/admin_client.h"
#include "cli/effects.h"
#include "cli/mask.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "cli/verbs/seen_database.h"
#include "cli/verbs/verbs.h"
#include "cli/words.h"

namespace forebay::cli {
namespace {

struct Record {
    std::string id, endpoint, queue;
    Timestamp received_at;
    json::Value envelope;  ///< null when the node does not answer or has forgotten it
    std::vector<ledger::Effect> effects;
};

std::string raw_of(const json::Value& envelope) {
    const auto& encoded = envelope["raw_base64"].text();
    return encoded.empty() ? envelope["raw"].text() : from_base64(encoded).value_or("");
}

class Look {
  public:
    Look(Invocation& invocation, const Configuration& configuration)
        : invocation_(invocation), configuration_(configuration), ledger_(ledger_sources(configuration)) {}

    /// The record, or after a complaint the exit code.
    Result<Record, int> record() {
        TRY_ASSIGN(auto id, whole_id(invocation_.word(0)));
        Record record;
        record.id = to_text(id);
        auto story = ledger_.timeline(id);
        if (!story) return complaint(story.error().what, exit_code::io);
        if (*story) take(record, **story);
        AdminClient admin(invocation_);
        auto logged = admin.get("/api/records/" + record.id);
        if (logged)
            take(record, *logged);
        else if (!*story)
            return complaint(logged.error().what, logged.error().exit_code);
        else
            invocation_.terminal().talk("Only what the ledger knows: " + logged.error().what);
        return record;
    }

  private:
    Failure<int> complaint(const std::string& what, int code) {
        invocation_.terminal().complain(what);
        return Failure{code};
    }

    Result<Uuid, int> whole_id(const std::string& text) {
        if (auto id = parse_uuid(text)) return *id;
        auto stories = ledger_.find(text, 2);
        if (!stories) return complaint(stories.error().what, exit_code::io);
        if (stories->size() > 1) return complaint("more than one record begins with " + text + ": forebay find " + text, exit_code::data);
        auto id = stories->empty() ? std::nullopt : parse_uuid(stories->front().id);
        if (!id) return complaint("no record that a worker has had in hand begins with " + text + "; write the whole id", exit_code::data);
        return *id;
    }

    void take(Record& record, ledger::Story& story) const {
        record.endpoint = story.endpoint;
        record.received_at = story.received_at;
        record.effects = std::move(story.effects);
        for (const auto& endpoint : configuration_.endpoints)
            if (endpoint.name == record.endpoint) record.queue = endpoint.queue;
    }

    static void take(Record& record, const json::Value& logged) {
        record.endpoint = logged["endpoint"].text();
        record.queue = logged["queue"].text();
        if (auto at = parse_timestamp(logged["received_at"].text())) record.received_at = *at;
        record.envelope = logged["envelope"];
    }

    Invocation& invocation_;
    const Configuration& configuration_;
    ledger::Ledger ledger_;
};

json::Value to_json(const EffectState& state) {
    json::Value out;
    out.set("effect", state.effect).set("state", state.state);
    if (!state.row) return out;
    out.set("first_at", to_rfc3339(state.row->first_at));
    out.set("attempts", state.row->attempts).set("at", to_rfc3339(state.row->at)).set("worker", state.row->worker);
    if (state.row->next_at) out.set("next_at", to_rfc3339(*state.row->next_at));
    if (!state.row->answer.empty()) out.set("answer", state.row->answer);
    if (!state.row->error.empty()) out.set("error", state.row->error);
    return out;
}

std::string effect_table(const std::vector<EffectState>& states, Timestamp now, const Terminal& terminal) {
    Table table({"EFFECT", "STATE", ">ATTEMPTS", "AT", "BY", "ANSWER"});
    for (const auto& state : states) {
        bool is_done = state.state == "done";
        Cell name_of_state{state.state, is_done ? Colour::good : state.state == "dead" ? Colour::bad : Colour::warn};
        if (!state.row)
            table.add({state.effect, name_of_state, "0", "-", "-", ""});
        else
            table.add({state.effect, name_of_state, std::to_string(state.row->attempts), moment_text(state.row->at, now), state.row->worker,
                       is_done ? state.row->answer : state.row->error});
    }
    return table.text(terminal);
}

/// `23:34:14.193`, with the day before it where it is another.
std::string exact_moment(Timestamp at, Timestamp now) { return moment_text(at, now) + "." + to_rfc3339(at).substr(20, 3); }

/// What happened to it, one line each, in the order in which it did.
std::string timeline_of(const Record& record, const std::vector<EffectState>& states, Timestamp now) {
    std::vector<std::pair<Timestamp, std::string>> events;
    std::string came;
    if (!record.envelope.is_null()) {
        const auto& type = record.envelope["raw_type"].text();
        came = (type.empty() ? "" : type + ", ") + counted(raw_of(record.envelope).size(), "byte");
    }
    events.emplace_back(record.received_at, "accepted" + (came.empty() ? "" : "  " + came));
    if (!record.queue.empty()) events.emplace_back(record.received_at, "queued  " + record.queue);
    for (const auto& state : states) {
        if (!state.row) continue;
        const auto& row = *state.row;
        if (row.attempts > 1 || row.first_at < row.at) events.emplace_back(row.first_at, state.effect + "  first attempt");
        events.emplace_back(row.at, state.effect + "  " + state.state + "  " + row.worker +
                                        (row.attempts > 1 ? "  " + counted(row.attempts, "attempt") : "") +
                                        (row.error.empty() ? "" : "  " + row.error));
        if (row.next_at) events.emplace_back(*row.next_at, state.effect + "  next attempt");
    }
    std::stable_sort(events.begin(), events.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::string out;
    for (const auto& [at, what] : events) out += printable(exact_moment(at, now) + "  " + what) + "\n";
    return out;
}

std::string fields_text(const json::Value& fields) {
    std::string out;
    std::size_t width = 0;
    for (const auto& [name, value] : fields.members()) width = std::max(width, width_of(name));
    for (const auto& [name, value] : fields.members())
        out += "  " + printable(name) + std::string(width - width_of(name) + 2, ' ') +
               printable(value.is_string() ? value.text() : json::to_text(value)) + "\n";
    return out;
}

std::string head_of(const Record& record, const std::vector<EffectState>& states, Timestamp now) {
    std::string out = "RECORD " + record.id + "  " + record.endpoint + "  accepted " + moment_text(record.received_at, now) + "  " +
                      summary_of(states, record.received_at, now);
    if (!record.queue.empty()) out += "  queue " + record.queue;
    for (const auto& flag : record.envelope["flags"].elements()) out += "  " + flag.text();
    return printable(out) + "\n";
}

}  // namespace

int run_show(Invocation& invocation) {
    auto& terminal = invocation.terminal();
    auto configuration = invocation.configuration();
    if (!configuration) return exit_code::configuration;
    complain_of_gone(*configuration, terminal);
    auto record = Look(invocation, *configuration).record();
    if (!record) return record.error();
    if (invocation.has("raw")) {
        if (record->envelope.is_null()) return exit_code::unreachable;
        terminal.result(raw_of(record->envelope));
        return exit_code::done;
    }
    auto now = invocation.world().clock.wall();
    auto states = states_of(*configuration, record->queue, record->effects);
    auto masks = invocation.has("reveal") ? std::vector<std::string>() : configuration->admin.mask;
    auto fields = mask_fields(record->envelope["fields"], masks);
    if (terminal.wants_json()) {
        auto effects = json::Value::array();
        for (const auto& state : states) effects.push(to_json(state));
        json::Value out;
        out.set("id", record->id)
            .set("endpoint", record->endpoint)
            .set("queue", record->queue)
            .set("received_at", to_rfc3339(record->received_at));
        out.set("fields", std::move(fields)).set("flags", record->envelope["flags"]).set("effects", std::move(effects));
        terminal.result_json(out);
        return exit_code::done;
    }
    terminal.result(head_of(*record, states, now));
    if (!invocation.has("effects")) terminal.result(fields_text(fields));
    terminal.result(effect_table(states, now, terminal));
    if (!invocation.has("effects"))
        terminal.result(terminal.painted("TIMELINE", Colour::heading) + "\n" + timeline_of(*record, states, now));
    return exit_code::done;
}

}  // namespace forebay::cli
