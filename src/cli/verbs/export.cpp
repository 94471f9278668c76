// `export`: accepted records of a time as CSV or JSON lines, read from the log itself, so that it needs no node and lets it alone.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>
#include <unordered_set>

#include "broker/history.h"
#include "cli/chosen_records.h"
#include "cli/effects.h"
#include "cli/import/csv.h"
#include "cli/import/rows.h"
#include "cli/interrupt.h"
#include "cli/process/paths.h"
#include "cli/verb.h"
#include "cli/verbs/seen_database.h"
#include "cli/verbs/verbs.h"
#include "cli/words.h"
#include "disk/posix_disk.h"
#include "record/erased.h"

namespace forebay::cli {
namespace {

constexpr std::size_t written_at_once = 64_KiB;

/// Standard output, or a file that gets its name when it is whole.
class Sink {
  public:
    Sink(Terminal& terminal, std::string path) : terminal_(terminal), path_(std::move(path)) {}
    ~Sink() {
        if (descriptor_ < 0) return;
        ::close(descriptor_);
        ::unlink(unfinished().c_str());
    }
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;

    Result<void, std::string> open() {
        if (path_.empty()) return {};
        if (::access(path_.c_str(), F_OK) == 0) return Failure{path_ + " is there already; remove it, or name another file"};
        descriptor_ = ::open(unfinished().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (descriptor_ < 0) return Failure{unfinished() + ": " + std::strerror(errno)};
        return {};
    }
    Result<void, std::string> put(std::string_view text) {
        pending_ += text;
        return pending_.size() < written_at_once ? Result<void, std::string>() : write();
    }
    Result<void, std::string> close() {
        TRY(write());
        if (descriptor_ < 0) return {};
        if (::fsync(descriptor_) != 0 || ::rename(unfinished().c_str(), path_.c_str()) != 0)
            return Failure{path_ + ": " + std::strerror(errno)};
        ::close(std::exchange(descriptor_, -1));
        return {};
    }

  private:
    std::string unfinished() const { return path_ + ".part"; }
    Result<void, std::string> write() {
        if (descriptor_ < 0) {
            terminal_.result(pending_);
            pending_.clear();
            return terminal_.is_readable() ? Result<void, std::string>() : Failure{std::string("nobody reads any more")};
        }
        std::string_view left = pending_;
        while (!left.empty()) {
            auto n = ::write(descriptor_, left.data(), left.size());
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return Failure{path_ + ": " + std::strerror(errno)};
            left.remove_prefix(static_cast<std::size_t>(n));
        }
        pending_.clear();
        return {};
    }

    Terminal& terminal_;
    std::string path_, pending_;
    int descriptor_ = -1;
};

/// What was done for a record, for the column or member `_effects`.
json::Value effects_json(const std::vector<EffectState>& states) {
    auto out = json::Value::array();
    for (const auto& state : states) {
        json::Value effect;
        effect.set("effect", state.effect).set("state", state.state);
        if (state.row) effect.set("attempts", state.row->attempts).set("at", to_rfc3339(state.row->at)).set("worker", state.row->worker);
        if (state.row && !state.row->error.empty()) effect.set("error", state.row->error);
        out.push(std::move(effect));
    }
    return out;
}

class Export {
  public:
    Export(Invocation& invocation, const Configuration& configuration) : invocation_(invocation), configuration_(configuration) {}

    int run() {
        if (!invocation_.globals().node.empty())
            return invocation_.misused("export reads the log itself; run it on the machine that has it");
        auto chosen = chosen_by(invocation_);
        if (!chosen) return chosen.error();
        chosen_ = std::move(*chosen);
        auto format = invocation_.value("format").value_or("csv");
        if (format != "csv" && format != "jsonl") return invocation_.misused("--format must be csv or jsonl");
        is_csv_ = format == "csv";
        if (int code = read_fields(); code != exit_code::done) return code;
        return write_all();
    }

  private:
    Terminal& terminal() { return invocation_.terminal(); }
    int complaint(const std::string& what) {
        terminal().complain(what);
        return exit_code::io;
    }

    int read_fields() {
        if (auto given = invocation_.value("fields")) {
            for (std::size_t at = 0; at <= given->size();) {
                auto comma = std::min(given->find(',', at), given->size());
                fields_.push_back(given->substr(at, comma - at));
                if (fields_.back().empty() || is_of_export(fields_.back()) || !named_.insert(fields_.back()).second)
                    return invocation_.misused("--fields must be names of fields with commas between them, each once");
                at = comma + 1;
            }
            return exit_code::done;
        }
        has_others_ = true;
        for (const auto& endpoint : configuration_.endpoints)
            if (chosen_.endpoint.empty() || endpoint.name == chosen_.endpoint)
                for (const auto& field : endpoint.fields)
                    if (named_.insert(field.name).second) fields_.push_back(field.name);
        return exit_code::done;
    }

    int write_all() {
        auto disk = disk::PosixDisk::open_existing(store_path(configuration_.node.data_dir));
        if (!disk.ok()) return complaint("there is no log: " + disk.error().text());
        if (invocation_.has("effects")) complain_of_gone(configuration_, terminal());
        Sink sink(terminal(), invocation_.value("out").value_or(""));
        if (auto opened = sink.open(); !opened) return complaint(opened.error());
        CatchInterrupt catching;
        std::optional<std::string> failure;
        auto put = [&](std::string_view text) {
            if (auto done = sink.put(text); !done && !failure) failure = done.error();
        };
        if (is_csv_) put(heading());
        broker::HistoryQuery query;
        query.from = chosen_.from;
        query.to = chosen_.to;
        auto visited = broker::visit_accepted(**disk, query, [&](const broker::AcceptedRecord& accepted) {
            auto record = record::decode(accepted.body, accepted.message_id, accepted.sent_at);
            if (!record.ok() || record::is_erased(*record) || !chosen_.take(*record) || !is_first(record->id))
                return !CatchInterrupt::came();
            auto text = row_of(*record, accepted.queue);
            if (!text) failure = text.error();
            if (text) put(*text);
            records_ += 1;
            return !failure && !CatchInterrupt::came();
        });
        if (!visited.ok()) return complaint("the log cannot be read: " + visited.error().text());
        if (CatchInterrupt::came()) return complaint("stopped behind " + counted(records_, "record"));
        if (!failure)
            if (auto closed = sink.close(); !closed) failure = closed.error();
        if (failure) return complaint(*failure);
        for (const auto& damage : visited->damage) terminal().complain("records may be missing: " + damage);
        terminal().talk(counted(records_, "record") + ".");
        return visited->damage.empty() ? exit_code::done : exit_code::check_failed;
    }

    /// A record that was replayed is in the log again. Eight bytes of an id, of which far more are random, tell it from others.
    bool is_first(const Uuid& id) { return seen_.insert(std::hash<Uuid>{}(id)).second; }

    std::string heading() const {
        std::string out = "_record,_endpoint,_received_at";
        for (const auto& field : fields_) {
            out += ',';
            append_cell(out, field);
        }
        if (has_others_) out += ",_other";
        out += ",_value,_currency";
        return out + (invocation_.has("effects") ? ",_effects\n" : "\n");
    }

    Result<std::optional<json::Value>, std::string> effects_of_record(const record::Envelope& record, std::string_view queue) {
        if (!invocation_.has("effects")) return std::optional<json::Value>();
        if (!ledger_) ledger_.emplace(ledger_sources(configuration_));
        auto story = ledger_->timeline(record.id);
        if (!story) return Failure{story.error().what};
        auto came_to = std::string(queue);
        for (const auto& endpoint : configuration_.endpoints)
            if (endpoint.name == record.endpoint) came_to = endpoint.queue;
        return std::optional(effects_json(states_of(configuration_, came_to, *story ? (*story)->effects : std::vector<ledger::Effect>())));
    }

    Result<std::string, std::string> row_of(const record::Envelope& record, std::string_view queue) {
        TRY_ASSIGN(auto effects, effects_of_record(record, queue));
        return is_csv_ ? csv_row(record, effects) : json_row(record, effects);
    }

    std::string csv_row(const record::Envelope& record, const std::optional<json::Value>& effects) const {
        std::string out = to_text(record.id);
        auto add = [&](std::string_view text) {
            out += ',';
            append_cell(out, text);
        };
        add(record.endpoint);
        add(to_rfc3339(record.received_at));
        for (const auto& field : fields_) {
            const auto& value = record.fields[field];
            auto text = value.is_string() || value.is_number() ? value.text() : value.is_null() ? "" : json::to_text(value);
            add(guarded(text));
        }
        if (has_others_) {
            json::Value others = json::Value::object();
            for (const auto& [name, value] : record.fields.members())
                if (!named_.contains(name)) others.set(name, value);
            add(others.members().empty() ? "" : json::to_text(others));
        }
        add(record.value);
        add(record.currency);
        if (effects) {
            std::string text;
            for (const auto& effect : effects->elements())
                text += (text.empty() ? "" : "; ") + effect["effect"].text() + " " + effect["state"].text();
            add(text);
        }
        return out + "\n";
    }

    std::string json_row(const record::Envelope& record, const std::optional<json::Value>& effects) const {
        json::Value out;
        out.set("_record", to_text(record.id)).set("_endpoint", record.endpoint).set("_received_at", to_rfc3339(record.received_at));
        for (const auto& [name, value] : record.fields.members())
            if (has_others_ || named_.contains(name)) out.set(name, value);
        if (!record.value.empty()) out.set("_value", json::Value::number(record.value)).set("_currency", record.currency);
        if (effects) out.set("_effects", *effects);
        return json::to_text(out) + "\n";
    }

    Invocation& invocation_;
    const Configuration& configuration_;
    ChosenRecords chosen_;
    bool is_csv_ = true;
    std::vector<std::string> fields_;
    std::set<std::string> named_;
    bool has_others_ = false;  ///< fields that have no column of their own are written too
    std::optional<ledger::Ledger> ledger_;
    std::unordered_set<std::uint64_t> seen_;
    std::uint64_t records_ = 0;
};

}  // namespace

int run_export(Invocation& invocation) {
    auto configuration = invocation.configuration();
    if (!configuration) return exit_code::configuration;
    return Export(invocation, *configuration).run();
}

}  // namespace forebay::cli
