#include "ledger/outbox.h"

#include "db/dialect.h"

namespace forebay::ledger {
namespace {

const std::vector<std::string> key_columns = {"record", "effect", "target"};

Result<void, db::Error> insert(db::WriteTransaction& transaction, std::string_view effect, const std::vector<OutboxKey>& follow_ups,
                               const db::Value& sent_at) {
    db::Rows rows;
    for (auto& one : follow_ups) rows.push_back({one.record, std::string(effect), one.target, sent_at});
    TRY(transaction.execute_many(
        db::insert_or_keep(transaction.driver(), "forebay_outbox", {"record", "effect", "target", "sent_at"}, key_columns), rows));
    return {};
}

}  // namespace

Result<void, db::Error> add_to_outbox(db::WriteTransaction& transaction, std::string_view effect,
                                      const std::vector<OutboxKey>& follow_ups) {
    if (follow_ups.empty()) return {};
    return insert(transaction, effect, follow_ups, std::monostate{});
}

Result<std::set<OutboxKey>, db::Error> sent_of(db::ReadTransaction& transaction, std::string_view effect,
                                               const std::vector<std::string>& records) {
    TRY_ASSIGN(auto rows, transaction.query_keys(
                              "SELECT record, target FROM forebay_outbox WHERE effect = ? AND sent_at IS NOT NULL AND record IN (?)",
                              {std::string(effect)}, records));
    std::set<OutboxKey> sent;
    for (auto& row : rows) sent.insert({db::text_of(row[0]), db::text_of(row[1])});
    return sent;
}

Result<void, db::Error> mark_sent(db::WriteTransaction& transaction, std::string_view effect, const std::vector<OutboxKey>& follow_ups,
                                  Timestamp now) {
    if (follow_ups.empty()) return {};
    db::Rows rows;
    for (auto& one : follow_ups) rows.push_back({now.ms, one.record, std::string(effect), one.target});
    TRY_ASSIGN(auto marked,
               transaction.execute_many("UPDATE forebay_outbox SET sent_at = ? WHERE record = ? AND effect = ? AND target = ?", rows));
    if (marked == static_cast<std::int64_t>(rows.size())) return {};
    return insert(transaction, effect, follow_ups, now.ms);
}

}  // namespace forebay::ledger
