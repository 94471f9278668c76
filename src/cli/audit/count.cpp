#include "cli/audit/count.h"

#include <algorithm>

#include "cli/words.h"
#include "http/message.h"
#include "intake/intake.h"
#include "ledger/ledger.h"

namespace forebay::cli {
namespace {

using ledger::Balance;
using Kind = AuditDifference::Kind;

constexpr int looks = 3;
constexpr std::size_t rows_a_page = 2000;
constexpr std::size_t ids_at_once = 200;
/// How far the moment in an id may be from the one in its envelope.
constexpr Duration id_slack = 5s;

/// The lowest version 7 id of a moment.
Uuid lowest_id(Timestamp at) {
    Uuid id;
    for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<unsigned char>(static_cast<std::uint64_t>(at.ms) >> (8 * (5 - i)));
    return id;
}

Timestamp hour_of(Timestamp at) { return {at.ms - at.ms % Duration(1h).count()}; }

}  // namespace

std::string_view Audited::verdict() const {
    if (!gaps.empty()) return "incomplete";
    return difference() == 0 ? "balanced" : "mismatch";
}

void Audited::add_earlier(Audited&& other) {
    earlier.add(other.total);
    differences.insert(differences.begin(), std::make_move_iterator(other.differences.begin()),
                       std::make_move_iterator(other.differences.end()));
    gaps.insert(gaps.end(), std::make_move_iterator(other.gaps.begin()), std::make_move_iterator(other.gaps.end()));
}

AuditCount::AuditCount(AdminClient& admin, const Configuration& configuration, const AuditTable* table)
    : admin_(admin), configuration_(configuration), table_(table), ledgers_(configuration) {
    learn_effects();
}

void AuditCount::learn_effects() {
    for (const auto& worker : configuration_.workers) {
        if (worker.handler == HandlerKind::program) continue;
        auto at = static_cast<std::size_t>(std::find(queues_.begin(), queues_.end(), worker.queue) - queues_.begin());
        if (at == queues_.size()) queues_.push_back(worker.queue);
        if (at >= Balance::queues_max) continue;
        bool stores = table_ != nullptr && std::find(table_->workers.begin(), table_->workers.end(), &worker) != table_->workers.end();
        effects_[worker.name] = {std::uint32_t{1} << at, stores};
    }
    if (queues_.size() > Balance::queues_max) gap("only " + std::to_string(Balance::queues_max) + " queues with workers can be audited");
}

Audited AuditCount::run(const AuditRange& range) {
    read_accepted(range);
    balance_.sort();
    read_queues();
    read_ledgers(range);
    ask_ledgers_about_doubts();
    for (int look = 1; look < looks && !has_failed_ && has_missing(); ++look) {
        read_queues();
        ask_ledgers_about_doubts();
    }
    if (table_ != nullptr) read_rows(range);
    // What a source did not say would be called missing.
    if (!has_failed_) sum_up();
    out_.is_counted = !has_failed_;
    out_.total.accepted = balance_.size();
    return std::move(out_);
}

void AuditCount::fail(const std::string& what) {
    gap(what);
    has_failed_ = true;
}

void AuditCount::gap(const std::string& what) {
    if (std::find(out_.gaps.begin(), out_.gaps.end(), what) == out_.gaps.end()) out_.gaps.push_back(what);
}

void AuditCount::read_accepted(const AuditRange& range) {
    std::string cursor;
    do {
        auto page = admin_.get("/api/audit/accepted" +
                               query_of({{"from", std::to_string(range.from.ms)}, {"to", std::to_string(range.to.ms)}, {"after", cursor}}));
        if (!page) return fail(page.error().what);
        if (!take_accepted(*page)) return;
        cursor = (*page)["next"].text();
    } while (!cursor.empty());
}

std::uint32_t AuditCount::bit_of(const std::string& queue) const {
    auto at = static_cast<std::size_t>(std::find(queues_.begin(), queues_.end(), queue) - queues_.begin());
    return at < std::min<std::size_t>(queues_.size(), Balance::queues_max) ? std::uint32_t{1} << at : 0;
}

bool AuditCount::take_accepted(const json::Value& page) {
    for (const auto& damage : page["damage"].elements()) gap("the log is damaged: " + damage.text());
    if (auto begins = page["log_begins"].integer()) log_begins_ = Timestamp{*begins};
    for (const auto& group : page["accepted"].elements()) {
        if (group["queue"].text() == intake::quarantine_queue) continue;
        auto line = balance_.line({{group["hour"].integer().value_or(0)}, group["endpoint"].text()});
        auto pending = bit_of(group["queue"].text());
        bool has_room = line.has_value();
        for (const auto& text : group["ids"].elements())
            if (auto id = parse_uuid(text.text()); has_room && id) has_room = balance_.accept({*id, pending, *line, 0});
        if (has_room) continue;
        fail("more than " + grouped(Balance::ids_max) + " records were accepted: choose a shorter time");
        return false;
    }
    return true;
}

void AuditCount::read_queues() {
    if (has_failed_) return;
    auto answer = admin_.get("/api/queues");
    if (!answer) return fail(answer.error().what);
    const auto& queues = (*answer)["queues"].elements();
    std::set<std::string> dead;
    for (const auto& queue : queues) dead.insert(queue["settings"]["dead_letter"].text());
    for (const auto& queue : queues) {
        auto messages =
            queue["ready"].integer().value_or(0) + queue["in_flight"].integer().value_or(0) + queue["delayed"].integer().value_or(0);
        const auto& name = queue["name"].text();
        if (messages > 0 && name != intake::quarantine_queue) read_queue(name, dead.contains(name));
    }
}

void AuditCount::read_queue(const std::string& name, bool is_dead_letters) {
    std::string after;
    do {
        auto page = admin_.get("/api/audit/waiting/" + http::percent_encode(name) + query_of({{"after", after}}));
        if (!page) return fail(page.error().what);
        for (const auto& text : (*page)["ids"].elements())
            if (auto id = parse_uuid(text.text()))
                if (auto* entry = balance_.find(*id)) entry->facts |= is_dead_letters ? Balance::in_dead_letters : Balance::waiting;
        after = (*page)["next"].text();
    } while (!after.empty());
}

void AuditCount::read_ledgers(const AuditRange& range) {
    if (has_failed_) return;
    bool is_cut = false;
    auto follow = [&](const ledger::FollowUp& follow_up) {
        if (auto* entry = balance_.find(follow_up.record)) entry->pending |= bit_of(follow_up.target);
    };
    auto problems = ledgers_.visit(range.from, range.to, follow, [&](const ledger::EffectState& state) {
        auto* entry = balance_.find(state.record);
        if (entry != nullptr) return apply(*entry, state);
        is_cut = is_cut || (log_begins_ && state.received_at < *log_begins_);
    });
    for (const auto& problem : problems) fail(problem);
    if (is_cut) gap("the log begins at " + to_rfc3339(*log_begins_) + "; the ledger has records from before, which cannot be counted");
}

void AuditCount::apply(Balance::Entry& entry, const ledger::EffectState& state) {
    if (state.is_erased) entry.facts |= Balance::is_erased;
    if (state.state == "dead") entry.facts |= Balance::noted_dead;
    bool is_once_more = ledger::split_effect(state.effect).second > 0;  // then the effect itself is done
    if (state.state == "discarded" && !is_once_more) entry.facts |= Balance::is_discarded;
    auto effect = effects_.find(state.effect);
    if (effect == effects_.end() || !is_finished(state.state)) return;
    entry.pending &= ~effect->second.queue;
    if (effect->second.stores && state.state == "done") entry.facts |= Balance::is_stored;
}

void AuditCount::ask_ledgers(std::span<Balance::Entry* const> entries) {
    std::vector<Uuid> ids;
    for (const auto* entry : entries) ids.push_back(entry->id);
    auto states = ledgers_.states_of(ids);
    if (!states) return fail(states.error());
    for (auto* entry : entries) {
        entry->facts &= static_cast<std::uint16_t>(~Balance::noted_dead);
        for (const auto& state : (*states)[entry->id]) apply(*entry, state);
    }
}

void AuditCount::ask_ledgers_about(const std::function<bool(const Balance::Entry&)>& is_doubtful) {
    std::vector<Balance::Entry*> some;
    auto ask = [&] {
        if (!some.empty() && !has_failed_) ask_ledgers(some);
        some.clear();
    };
    balance_.each([&](Balance::Entry& entry) {
        if (is_doubtful(entry)) some.push_back(&entry);
        if (some.size() == ids_at_once) ask();
    });
    ask();
}

/// One process of a worker may have noted as dead what another has done since, and a record that was readmitted was received
/// before the range.
void AuditCount::ask_ledgers_about_doubts() {
    ask_ledgers_about([](const Balance::Entry& entry) {
        return (entry.facts & Balance::noted_dead) || Balance::verdict_of(entry) == ledger::Verdict::missing;
    });
}

bool AuditCount::has_missing() {
    bool found = false;
    balance_.each([&](Balance::Entry& entry) { found = found || Balance::verdict_of(entry) == ledger::Verdict::missing; });
    return found;
}

void AuditCount::read_rows(const AuditRange& range) {
    if (has_failed_) return;
    const auto& options = table_->database->options;
    if (!db::is_there(options)) return;  // if it is gone the ledger has said so
    auto reader = db::open_reader(options);
    if (!reader) return fail(db::place_of(options) + " cannot be read: " + reader.error().what);
    ledger::IdColumn column(options.driver, table_->table, table_->id_column);
    auto learnt = (*reader)->read([&](db::ReadTransaction& t) { return column.learn(t); });
    if (!learnt) return fail("table " + table_->table + " cannot be read: " + learnt.error().what);
    read_rows_by_time(**reader, column, range);
    read_rows_by_id(**reader, column);
    // A row may have been written since the ledger was read.
    ask_ledgers_about([](const Balance::Entry& entry) { return (entry.facts & Balance::has_row) && !(entry.facts & Balance::is_stored); });
}

void AuditCount::read_rows_by_time(db::Reader& reader, ledger::IdColumn& column, const AuditRange& range) {
    auto first = lowest_id(range.from - id_slack), end = lowest_id(range.to + id_slack);
    std::optional<db::Value> after;
    do {
        ledger::IdColumn::Page page;
        auto read = reader.read([&](db::ReadTransaction& t) -> Result<void, db::Error> {
            TRY_ASSIGN(page, column.between(t, first, end, after, rows_a_page));
            return {};
        });
        if (!read) return fail("table " + table_->table + " cannot be read: " + read.error().what);
        for (const auto& row : page.rows) {
            bool is_in_range = row.id.version() == 7 && row.id.time() >= range.from && row.id.time() < range.to;
            if (take_row(row) || !is_in_range || is_explained(row.id)) continue;
            ledger::Line line{hour_of(row.id.time()), ""};
            out_.lines[line].rows += static_cast<std::uint64_t>(row.rows);
            out_.lines[line].row_errors += 1;
            differs({Kind::row_surplus, row.id, line});
        }
        after = page.after;
    } while (after);
}

/// Those whose ids tell no time, and those that should have been seen.
void AuditCount::read_rows_by_id(db::Reader& reader, ledger::IdColumn& column) {
    std::vector<Uuid> ids;
    auto look = [&] {
        auto read = reader.read([&](db::ReadTransaction& t) -> Result<void, db::Error> {
            TRY_ASSIGN(auto rows, column.of(t, ids));
            for (const auto& row : rows) take_row(row);
            return {};
        });
        if (!read) fail("table " + table_->table + " cannot be read: " + read.error().what);
        ids.clear();
    };
    balance_.each([&](Balance::Entry& entry) {
        bool is_unseen = !(entry.facts & Balance::has_row) && ((entry.facts & Balance::is_stored) || entry.id.version() != 7);
        if (!is_unseen) return;
        ids.push_back(entry.id);
        if (ids.size() == ledger::IdColumn::ids_at_once) look();
    });
    if (!ids.empty()) look();
}

bool AuditCount::take_row(const ledger::IdRows& row) {
    auto* entry = balance_.find(row.id);
    if (entry == nullptr) return false;
    entry->facts |= Balance::has_row;
    if (row.rows > 1) entry->facts |= Balance::has_rows;
    return true;
}

/// A row of a record that was not accepted in the range is explained by its effect.
bool AuditCount::is_explained(const Uuid& id) {
    auto found = ledgers_.states_of({&id, 1});
    if (!found) {
        fail(found.error());
        return true;
    }
    const auto& states = (*found)[id];
    return std::any_of(states.begin(), states.end(), [&](const ledger::EffectState& state) {
        auto effect = effects_.find(state.effect);
        return effect != effects_.end() && effect->second.stores && state.state == "done";
    });
}

void AuditCount::sum_up() {
    balance_.each([&](Balance::Entry& entry) {
        const auto& line = balance_.lines()[entry.line];
        auto& counts = out_.lines[line];
        auto verdict = Balance::verdict_of(entry);
        counts.add(verdict);
        if (verdict == ledger::Verdict::missing) {
            AuditDifference missing{Kind::missing, entry.id, line};
            for (std::size_t i = 0; i < queues_.size() && i < Balance::queues_max; ++i)
                if (entry.pending & (std::uint32_t{1} << i)) missing.queues.push_back(queues_[i]);
            differs(std::move(missing));
        }
        if (table_ != nullptr) sum_row(entry, line, counts);
    });
    for (const auto& [line, counts] : out_.lines) out_.total.add(counts);
    std::sort(out_.differences.begin(), out_.differences.end(),
              [](const auto& a, const auto& b) { return std::tie(a.line, a.id) < std::tie(b.line, b.id); });
}

void AuditCount::sum_row(const Balance::Entry& entry, const ledger::Line& line, ledger::Counts& counts) {
    bool is_stored = entry.facts & Balance::is_stored, has_row = entry.facts & Balance::has_row, has_rows = entry.facts & Balance::has_rows;
    counts.rows += (has_row ? 1 : 0) + (has_rows ? 1 : 0);
    if (entry.facts & Balance::is_erased) return;  // its row went with it, or stays as the person's wish was
    auto note = [&](Kind kind) {
        counts.row_errors += 1;
        differs({kind, entry.id, line});
    };
    if (is_stored && !has_row) note(Kind::row_missing);
    if (!is_stored && has_row) note(Kind::row_surplus);
    if (has_rows) note(Kind::row_doubled);
}

void AuditCount::differs(AuditDifference difference) {
    if (out_.differences.size() < Audited::differences_max) out_.differences.push_back(std::move(difference));
}

}  // namespace forebay::cli
