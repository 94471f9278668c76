#include "ledger/states.h"

#include <algorithm>

#include "db/dialect.h"

namespace forebay::ledger {
namespace {

/// Rows of select_states. An id that is none is nobody's record.
std::vector<EffectState> states_in(const db::Rows& rows) {
    std::vector<EffectState> out;
    for (const auto& row : rows)
        if (auto id = parse_uuid(db::text_of(row[0])))
            out.push_back({*id, {db::integer_of(row[1])}, db::text_of(row[3]), db::text_of(row[4]), !db::is_null(row[2])});
    return out;
}

std::optional<Uuid> id_in(const db::Value& value) {
    if (const auto* blob = std::get_if<db::Blob>(&value)) {
        Uuid id;
        if (blob->bytes.size() != id.bytes.size()) return std::nullopt;
        std::copy(blob->bytes.begin(), blob->bytes.end(), id.bytes.begin());
        return id;
    }
    return parse_uuid(db::text_of(value));
}

/// Rows of id, count. A row without an id of ours is the user's own.
std::vector<IdRows> rows_in(const db::Rows& rows) {
    std::vector<IdRows> out;
    for (const auto& row : rows)
        if (auto id = id_in(row[0])) out.push_back({*id, db::integer_of(row[1])});
    return out;
}

constexpr std::string_view select_states =
    "SELECT r.id, r.received_at, r.erased_at, e.effect, e.state FROM forebay_records r LEFT JOIN forebay_effects e ON e.record = r.id ";

}  // namespace

Result<bool, db::Error> has_ledger(db::ReadTransaction& t) {
    TRY_ASSIGN(auto rows, t.query(db::table_query(t.driver()), {std::string("forebay_effects")}));
    return !rows.empty();
}

Result<StatesPage, db::Error> states_between(db::ReadTransaction& t, const StatesFrom& from, Timestamp to, std::size_t max) {
    TRY_ASSIGN(auto rows,
               t.query(std::string(select_states) + "WHERE r.received_at >= ? AND r.received_at < ? AND (r.received_at > ? OR r.id >= ?) "
                                                    "ORDER BY r.received_at, r.id LIMIT ?",
                       {from.received_at.ms, to.ms, from.received_at.ms, from.record, static_cast<std::int64_t>(max)}));
    StatesPage page{states_in(rows), std::nullopt};
    if (rows.size() == max) page.next = StatesFrom{{db::integer_of(rows.back()[1])}, db::text_of(rows.back()[0])};
    return page;
}

Result<FollowUpsPage, db::Error> follow_ups_between(db::ReadTransaction& t, const StatesFrom& from, Timestamp to, std::size_t max) {
    TRY_ASSIGN(auto rows, t.query("SELECT r.id, r.received_at, o.target FROM forebay_records r JOIN forebay_outbox o ON o.record = r.id "
                                  "WHERE r.received_at >= ? AND r.received_at < ? AND (r.received_at > ? OR r.id >= ?) "
                                  "ORDER BY r.received_at, r.id LIMIT ?",
                                  {from.received_at.ms, to.ms, from.received_at.ms, from.record, static_cast<std::int64_t>(max)}));
    FollowUpsPage page;
    for (const auto& row : rows)
        if (auto id = parse_uuid(db::text_of(row[0]))) page.follow_ups.push_back({*id, db::text_of(row[2])});
    if (rows.size() == max) page.next = StatesFrom{{db::integer_of(rows.back()[1])}, db::text_of(rows.back()[0])};
    return page;
}

Result<std::vector<EffectState>, db::Error> states_of(db::ReadTransaction& t, std::span<const Uuid> records) {
    constexpr std::size_t keys_at_once = 256;
    std::vector<EffectState> out;
    while (!records.empty()) {
        auto some = records.first(std::min(records.size(), keys_at_once));
        std::vector<std::string> keys;
        for (const auto& id : some) keys.push_back(to_text(id));
        TRY_ASSIGN(auto rows, t.query_keys(std::string(select_states) + "WHERE r.id IN (?)", {}, keys));
        auto states = states_in(rows);
        out.insert(out.end(), std::make_move_iterator(states.begin()), std::make_move_iterator(states.end()));
        records = records.subspan(some.size());
    }
    return out;
}

IdColumn::IdColumn(db::Driver driver, std::string_view table, std::string_view column)
    : table_(db::quoted(driver, table)), column_(db::quoted(driver, column)) {}

db::Value IdColumn::value_of(const Uuid& id) const {
    if (is_binary_) return db::Blob{std::string(id.bytes.begin(), id.bytes.end())};
    return to_text(id);
}

Result<void, db::Error> IdColumn::learn(db::ReadTransaction& t) {
    TRY_ASSIGN(auto rows, t.query("SELECT " + column_ + " FROM " + table_ + " LIMIT 1"));
    is_binary_ = !rows.empty() && std::holds_alternative<db::Blob>(rows[0][0]);
    return {};
}

Result<IdColumn::Page, db::Error> IdColumn::between(db::ReadTransaction& t, const Uuid& first, const Uuid& end,
                                                    const std::optional<db::Value>& after, std::size_t max) {
    TRY_ASSIGN(auto rows, t.query("SELECT " + column_ + ", COUNT(*) FROM " + table_ + " WHERE " + column_ + (after ? " > ?" : " >= ?") +
                                      " AND " + column_ + " < ? GROUP BY " + column_ + " ORDER BY " + column_ + " LIMIT ?",
                                  {after ? *after : value_of(first), value_of(end), static_cast<std::int64_t>(max)}));
    Page page{rows_in(rows), std::nullopt};
    if (rows.size() == max) page.after = rows.back()[0];
    return page;
}

Result<std::vector<IdRows>, db::Error> IdColumn::of(db::ReadTransaction& t, std::span<const Uuid> ids) {
    if (ids.empty()) return std::vector<IdRows>{};
    std::string places;
    std::vector<db::Value> values;
    // Filled up with the last one, so that there is one statement to prepare.
    for (std::size_t i = 0; i < ids_at_once; ++i) {
        places += i == 0 ? "?" : ", ?";
        values.push_back(value_of(ids[std::min(i, ids.size() - 1)]));
    }
    TRY_ASSIGN(auto rows,
               t.query("SELECT " + column_ + ", COUNT(*) FROM " + table_ + " WHERE " + column_ + " IN (" + places + ") GROUP BY " + column_,
                       values));
    return rows_in(rows);
}

}  // namespace forebay::ledger
