// `audit`: whether every accepted record is accounted for, by the hour, and whether the rows in the database agree. Exit code 0:
// balanced. 1: it is not. 4: it cannot be told.
#include <algorithm>

#include "cli/audit/repair.h"
#include "cli/similar.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "cli/verbs/verbs.h"
#include "cli/words.h"

namespace forebay::cli {
namespace {

using Kind = AuditDifference::Kind;

constexpr std::size_t ids_shown = 20;
constexpr Duration usual_range = 24h;

std::string_view name_of(Kind kind) {
    switch (kind) {
        case Kind::missing:
            return "missing";
        case Kind::row_missing:
            return "row_missing";
        case Kind::row_surplus:
            return "row_surplus";
        case Kind::row_doubled:
            return "row_doubled";
    }
    return "";
}

Timestamp hour_of(Timestamp at) { return {at.ms - at.ms % Duration(1h).count()}; }

json::Value to_json(const ledger::Counts& counts) {
    json::Value out;
    out.set("accepted", counts.accepted).set("settled", counts.settled).set("open", counts.open).set("dead", counts.dead);
    out.set("discarded", counts.discarded).set("erased", counts.erased).set("missing", counts.missing);
    return out.set("difference", counts.difference());
}

/// Whether the word stands in the text by itself.
bool has_word(std::string_view text, std::string_view word) {
    auto is_part = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
    for (auto at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
        bool begins = at == 0 || !is_part(text[at - 1]);
        auto end = at + word.size();
        if (begins && (end == text.size() || !is_part(text[end]))) return true;
    }
    return false;
}

class Audit {
  public:
    Audit(Invocation& invocation, const Configuration& configuration)
        : invocation_(invocation), configuration_(configuration), admin_(invocation) {}

    int run() {
        if (int code = read_range(); code != exit_code::done) return code;
        if (int code = read_table(); code != exit_code::done) return code;
        if (invocation_.has("reason") && !invocation_.has("repair")) return invocation_.misused("--reason is for --repair");
        if (invocation_.has("dry-run") && !invocation_.has("repair")) return invocation_.misused("--dry-run is for --repair");
        auto unsettled = unsettled_before();
        std::vector<Audited> earlier;
        for (const auto& range : unsettled) earlier.push_back(count(range));
        auto audited = count(range_);
        for (auto& one : earlier) audited.add_earlier(std::move(one));
        if (!terminal().wants_json()) print(audited);
        return end(audited);
    }

  private:
    Terminal& terminal() { return invocation_.terminal(); }

    int read_range() {
        auto now = invocation_.world().clock.wall();
        auto since = invocation_.value("since"), from = invocation_.value("from"), to = invocation_.value("to");
        if (since && (from || to)) return invocation_.misused("--since goes up to now: it goes without --from and --to");
        if (to && !from) return invocation_.misused("--to needs --from");
        auto first = since ? since : from;
        auto begin = first ? parse_moment(*first, now) : std::optional(now - usual_range);
        auto end = to ? parse_moment(*to, now) : std::optional(now);
        if (!begin) return no_moment(since ? "--since" : "--from", *first);
        if (!end) return no_moment("--to", *to);
        // Hours are counted whole: only those can be told to be settled.
        range_ = {from ? *begin : hour_of(*begin), std::min(*end, now)};
        name_ = since ? *since : first ? "total" : "24h";
        if (range_.from >= range_.to) return invocation_.misused("the time to audit must begin before it ends, and before now");
        return exit_code::done;
    }

    int no_moment(const std::string& option, const std::string& text) {
        return invocation_.misused(option + " " + text + " is no moment, such as 2026-09-19, \"2026-09-19 08:00\" or 24h (ago)");
    }

    int read_table() {
        auto against = invocation_.value("against"), table = invocation_.value("table");
        if (!against && !table && !invocation_.has("id-column")) return exit_code::done;
        if (!against || !table) return invocation_.misused("--against DB and --table T go together");
        auto name = against->starts_with("db.") ? against->substr(3) : *against;
        const auto* database = configuration_.find_database(name);
        if (database == nullptr) {
            std::vector<std::string> known;
            for (const auto& one : configuration_.databases) known.push_back(one.name);
            auto meant = nearest(name, known);
            return invocation_.misused("there is no database " + in_quotes(name) +
                                       (meant.empty() ? "" : "; did you mean " + in_quotes(meant) + "?"));
        }
        table_ = {database, *table, invocation_.value("id-column").value_or("id"), {}};
        std::vector<std::string> tables;
        for (const auto& worker : configuration_.workers) {
            if (worker.handler != HandlerKind::sql || worker.database != name) continue;
            tables.push_back(worker.sql.table);
            if (worker.sql.table == *table || has_word(worker.sql.statement, *table)) table_.workers.push_back(&worker);
        }
        if (!table_.workers.empty()) return exit_code::done;
        auto meant = nearest(*table, tables);
        return invocation_.misused("no sql worker writes a table " + in_quotes(*table) + " in database " + name +
                                   (meant.empty() ? "" : "; did you mean " + in_quotes(meant) + "?"));
    }

    /// Hours before the range in which something was open, dead or wrong when they were counted last: who counts up to now counts
    /// them again, so that the journal need not keep them for ever.
    std::vector<AuditRange> unsettled_before() {
        std::vector<AuditRange> ranges;
        if (invocation_.has("from")) return ranges;
        auto kept = admin_.get("/api/audit");
        if (!kept) return ranges;  // what the node does not say, counting will tell
        for (const auto& hour : (*kept)["unsettled"].elements()) {
            Timestamp begin{hour.integer().value_or(0)};
            if (begin + 1h > range_.from) continue;
            if (!ranges.empty() && ranges.back().to == begin)
                ranges.back().to = begin + 1h;
            else
                ranges.push_back({begin, begin + 1h});
        }
        return ranges;
    }

    Audited count(const AuditRange& range) {
        auto audited = AuditCount(admin_, configuration_, table_.database == nullptr ? nullptr : &table_).run(range);
        tell_node(range, audited);
        return audited;
    }

    /// The node keeps it: for `status`, for the metrics, and so that the journal knows what it may forget.
    void tell_node(const AuditRange& range, const Audited& audited) {
        auto hours = json::Value::array();
        for (const auto& [line, counts] : audited.lines)
            hours.push(to_json(counts).set("hour", line.hour.ms).set("endpoint", line.endpoint));
        json::Value found;
        found.set("from", range.from.ms).set("to", range.to.ms).set("verdict", audited.verdict()).set("hours", std::move(hours));
        if (!audited.gaps.empty()) found.set("why", audited.gaps[0]);
        auto told = admin_.post("/api/audit", found);
        if (!told && audited.gaps.empty()) terminal().complain("the result was not kept: " + told.error().what);
    }

    std::string hour_text(Timestamp hour) const {
        auto text = to_rfc3339(hour);
        return range_.to - range_.from > 25h || hour < hour_of(range_.from) ? text.substr(0, 10) + " " + text.substr(11, 5)
                                                                            : text.substr(11, 5);
    }

    void print(const Audited& audited) {
        if (audited.is_counted) terminal().result(table_of(audited) + earlier_line(audited));
        for (const auto& gap : audited.gaps) terminal().complain(gap);
        if (!audited.is_counted)
            terminal().result("INCOMPLETE  " + counted(audited.total.accepted, "record") +
                              " read as accepted; what became of them cannot be told\n");
        auto shown = std::min(audited.differences.size(), ids_shown);
        for (std::size_t i = 0; i < shown; ++i) terminal().result(sentence(audited.differences[i]) + "\n");
        if (auto more = audited.differences.size() - shown; more > 0)
            terminal().result("… and " + grouped(more) + " more: --json has all\n");
    }

    /// Which of the columns that are usually nothing but zeros are there.
    struct Columns {
        bool endpoint, discarded, erased, missing, rows;
    };

    std::string table_of(const Audited& audited) {
        const auto& total = audited.total;
        bool has_endpoints = std::any_of(audited.lines.begin(), audited.lines.end(),
                                         [&](const auto& line) { return line.first.endpoint != audited.lines.begin()->first.endpoint; });
        Columns columns{has_endpoints, total.discarded > 0, total.erased > 0, total.missing > 0, table_.database != nullptr};
        std::vector<std::string> headings = {"hour (UTC)"};
        if (columns.endpoint) headings.emplace_back("endpoint");
        headings.insert(headings.end(), {">accepted", ">settled", ">open", ">dead"});
        if (columns.discarded) headings.emplace_back(">discarded");
        if (columns.erased) headings.emplace_back(">erased");
        if (columns.missing) headings.emplace_back(">missing");
        if (columns.rows) headings.push_back(">rows in " + table_.table);
        headings.insert(headings.end(), {">difference", ""});
        Table table(headings);
        for (const auto& [line, counts] : audited.lines) table.add(row(columns, hour_text(line.hour), line.endpoint, counts, {""}));
        table.add(row(columns, name_, "", total, word_for(audited)));
        return table.text(terminal());
    }

    static std::string earlier_line(const Audited& audited) {
        const auto& all = audited.earlier;
        if (all.accepted + all.difference() == 0) return {};
        std::string out = "before that, in hours not settled when they were counted last: accepted " + grouped(all.accepted) +
                          " = settled " + grouped(all.settled) + " + open " + grouped(all.open) + " + dead " + grouped(all.dead);
        for (const auto& [name, n] : {std::pair("discarded", all.discarded), {"erased", all.erased}, {"missing", all.missing}})
            if (n > 0) out += std::string(" + ") + name + " " + grouped(n);
        return out + "\n";
    }

    static Cell word_for(const Audited& audited) {
        if (!audited.gaps.empty()) return {"INCOMPLETE", Colour::warn};
        return audited.is_balanced() ? Cell("BALANCED", Colour::good) : Cell("NOT BALANCED", Colour::bad);
    }

    static std::vector<Cell> row(const Columns& columns, const std::string& name, const std::string& endpoint, const ledger::Counts& counts,
                                 Cell word) {
        std::vector<Cell> cells = {name};
        if (columns.endpoint) cells.emplace_back(endpoint.empty() ? "-" : endpoint);
        for (auto n : {counts.accepted, counts.settled, counts.open, counts.dead}) cells.emplace_back(grouped(n));
        if (columns.discarded) cells.emplace_back(grouped(counts.discarded));
        if (columns.erased) cells.emplace_back(grouped(counts.erased));
        if (columns.missing) cells.emplace_back(grouped(counts.missing), counts.missing > 0 ? Colour::bad : Colour::plain);
        if (columns.rows) cells.emplace_back(grouped(counts.rows));
        cells.emplace_back(grouped(counts.difference()), counts.difference() > 0 ? Colour::bad : Colour::plain);
        cells.push_back(std::move(word));
        return cells;
    }

    std::string sentence(const AuditDifference& difference) const {
        auto of = (difference.line.endpoint.empty() ? "" : " of " + difference.line.endpoint) + " " + hour_text(difference.line.hour);
        auto text = to_text(difference.id) + of + ": ";
        switch (difference.kind) {
            case Kind::missing: {
                std::string queues;
                for (const auto& queue : difference.queues) queues += (queues.empty() ? "" : ", ") + queue;
                return text + "missing: it was put on " + queues + ", is in no queue, and no worker has finished with it";
            }
            case Kind::row_missing:
                return text + "noted as done, and there is no row in " + table_.table;
            case Kind::row_surplus:
                return text + "a row in " + table_.table + " that no effect explains";
            case Kind::row_doubled:
                return text + "more than one row in " + table_.table;
        }
        return text;
    }

    json::Value report(const Audited& audited) const {
        json::Value out;
        out.set("verdict", audited.verdict()).set("from", to_rfc3339(range_.from)).set("to", to_rfc3339(range_.to));
        auto hours = json::Value::array();
        for (const auto& [line, counts] : audited.lines) {
            auto hour = json::Value().set("hour", to_rfc3339(line.hour)).set("endpoint", line.endpoint);
            hours.push(with_counts(std::move(hour), counts));
        }
        auto total = json::Value::object();
        if (audited.is_counted) out.set("total", with_counts(std::move(total), audited.total));
        if (audited.earlier.accepted > 0) out.set("earlier", with_counts(json::Value::object(), audited.earlier));
        auto differences = json::Value::array();
        for (const auto& difference : audited.differences)
            differences.push(json::Value()
                                 .set("id", to_text(difference.id))
                                 .set("what", name_of(difference.kind))
                                 .set("hour", to_rfc3339(difference.line.hour))
                                 .set("endpoint", difference.line.endpoint));
        auto gaps = json::Value::array();
        for (const auto& gap : audited.gaps) gaps.push(gap);
        return out.set("hours", std::move(hours)).set("differences", std::move(differences)).set("gaps", std::move(gaps));
    }

    json::Value with_counts(json::Value out, const ledger::Counts& counts) const {
        for (auto& [name, value] : to_json(counts).members()) out.set(name, std::move(value));
        if (table_.database != nullptr) out.set("rows", counts.rows);
        return out;
    }

    /// The exit code, after what --repair asks for.
    int end(const Audited& audited) {
        auto result = report(audited);
        int code = !audited.gaps.empty() ? exit_code::cannot_tell : audited.is_balanced() ? exit_code::done : exit_code::check_failed;
        if (invocation_.has("repair")) code = repair(audited, code, result);
        if (terminal().wants_json()) terminal().result_json(result);
        return code;
    }

    int repair(const Audited& audited, int code, json::Value& result) {
        if (code == exit_code::done) return code;
        if (code == exit_code::cannot_tell) {
            terminal().complain("nothing is repaired while it cannot be told what is missing");
            return code;
        }
        auto orders = orders_for(audited, configuration_, table_.database == nullptr ? nullptr : &table_);
        if (!orders) {
            terminal().complain(orders.error());
            return exit_code::cannot_tell;
        }
        auto wanted = size_of(*orders);
        auto others = std::count_if(audited.differences.begin(), audited.differences.end(), [](const auto& difference) {
            return difference.kind == Kind::row_surplus || difference.kind == Kind::row_doubled;
        });
        if (others > 0)
            terminal().talk("Not repaired: " + counted(static_cast<std::uint64_t>(others), "row") + " too many in " + table_.table + ".");
        result.set("to_queue", wanted);
        if (invocation_.has("dry-run")) {
            if (!terminal().wants_json()) terminal().result("Would queue " + counted(wanted, "record") + " again.\n");
            return code;
        }
        if (wanted == 0 || !invocation_.is_agreed("Queue " + counted(wanted, "record") + " again?")) return code;
        auto reason = invocation_.reason();
        if (reason.empty()) return invocation_.misused("--repair needs --reason");
        auto repaired = send(admin_, *orders, reason);
        result.set("queued", repaired.sent);
        if (!terminal().wants_json()) terminal().result("Queued " + counted(repaired.sent, "record") + " again.\n");
        if (repaired.error) return failed(invocation_, *repaired.error);
        bool is_whole = repaired.sent == wanted && others == 0;
        return is_whole && !invocation_.has("fail-on-mismatch") ? exit_code::done : exit_code::check_failed;
    }

    Invocation& invocation_;
    const Configuration& configuration_;
    AdminClient admin_;
    AuditRange range_;
    std::string name_;  ///< of the whole range, in the last line
    AuditTable table_;
};

}  // namespace

int run_audit(Invocation& invocation) {
    auto configuration = invocation.configuration();
    if (!configuration) return exit_code::configuration;
    return Audit(invocation, *configuration).run();
}

}  // namespace forebay::cli
