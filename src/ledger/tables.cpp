// The ledger's rows inside one transaction: made, noted, looked up.
#include <algorithm>
#include <cctype>

#include "ledger/ledger.h"
#include "ledger/rows.h"

namespace forebay::ledger {
namespace {

constexpr std::int64_t schema_version = 1;
constexpr std::size_t error_bytes_max = 1024;

constexpr const char* create[] = {
    "CREATE TABLE IF NOT EXISTS forebay_schema (version INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS forebay_records (id TEXT PRIMARY KEY, endpoint TEXT NOT NULL, received_at INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS forebay_effects (record TEXT NOT NULL, effect TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT "
    "NULL, "
    "first_at INTEGER NOT NULL, at INTEGER NOT NULL, next_at INTEGER, worker TEXT NOT NULL, answer TEXT NOT NULL, error TEXT NOT NULL, "
    "PRIMARY KEY (record, effect)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS forebay_search (kind TEXT NOT NULL, value TEXT NOT NULL, record TEXT NOT NULL, "
    "PRIMARY KEY (kind, value, record)) WITHOUT ROWID",
};

db::Value optional_time(const std::optional<Timestamp>& at) { return at ? db::Value(at->ms) : db::Value(std::monostate{}); }

/// Cut at a character's border, so that it stays UTF-8.
std::string shortened(std::string text, std::size_t most) {
    if (text.size() <= most) return text;
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
    text.resize(most);
    return text;
}

Result<void, db::Error> note_search(db::WriteTransaction& transaction, const record::Envelope& envelope, const std::string& id,
                                    const std::vector<SearchField>& search) {
    for (auto& field : search) {
        auto value = search_value(field.kind, envelope.fields[field.field].text());
        if (value.empty()) continue;
        TRY(transaction.execute("INSERT INTO forebay_search (kind, value, record) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                                {field.kind, value, id}));
    }
    return {};
}

Result<void, db::Error> note_record(db::WriteTransaction& transaction, const record::Envelope& envelope, const std::string& id,
                                    const std::vector<SearchField>& search) {
    TRY_ASSIGN(auto added,
               transaction.execute("INSERT INTO forebay_records (id, endpoint, received_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                                   {id, envelope.endpoint, envelope.received_at.ms}));
    if (added == 0) return {};
    return note_search(transaction, envelope, id, search);
}

Result<std::optional<Effect>, db::Error> look_up_in_state(db::ReadTransaction& transaction, const Uuid& id, std::string_view effect,
                                                          std::string_view state) {
    TRY_ASSIGN(auto rows, transaction.query(std::string(select_effects) + " WHERE record = ? AND effect = ? AND state = ?",
                                            {to_text(id), std::string(effect), std::string(state)}));
    if (rows.empty()) return std::optional<Effect>{};
    return std::optional<Effect>(effect_of(rows[0]));
}

}  // namespace

std::vector<SearchField> usual_search_fields() { return {{"email", "email"}, {"phone", "phone"}}; }

std::string search_value(std::string_view kind, std::string_view text) {
    std::string value;
    for (char c : text) {
        auto byte = static_cast<unsigned char>(c);
        if (kind == "phone" ? std::isdigit(byte) : !std::isspace(byte)) value += static_cast<char>(std::tolower(byte));
    }
    return value;
}

Effect effect_of(const db::Row& row) {
    Effect effect{db::text_of(row[0]),
                  db::text_of(row[1]),
                  db::text_of(row[2]),
                  static_cast<std::uint32_t>(db::integer_of(row[3])),
                  {db::integer_of(row[4])},
                  {db::integer_of(row[5])},
                  {},
                  db::text_of(row[7]),
                  db::text_of(row[8]),
                  db::text_of(row[9])};
    if (!std::holds_alternative<std::monostate>(row[6])) effect.next_at = Timestamp{db::integer_of(row[6])};
    return effect;
}

Result<void, db::Error> prepare(db::WriteTransaction& transaction) {
    for (auto* sql : create) TRY(transaction.execute(sql));
    TRY_ASSIGN(auto versions, transaction.query("SELECT version FROM forebay_schema"));
    if (versions.empty()) {
        TRY(transaction.execute("INSERT INTO forebay_schema (version) VALUES (?)", {schema_version}));
        return {};
    }
    auto found = db::integer_of(versions[0][0]);
    if (found <= schema_version) return {};
    return Failure{
        db::Error{db::ErrorKind::dependency, 0,
                  "the ledger's tables have version " + std::to_string(found) + ", this program knows " + std::to_string(schema_version)}};
}

Result<std::optional<Effect>, db::Error> look_up(db::ReadTransaction& transaction, const Uuid& id, std::string_view effect) {
    return look_up_in_state(transaction, id, effect, "done");
}

Result<std::optional<Effect>, db::Error> look_up_retry(db::ReadTransaction& transaction, const Uuid& id, std::string_view effect) {
    return look_up_in_state(transaction, id, effect, "retrying");
}

Result<void, db::Error> note(db::WriteTransaction& transaction, const record::Envelope& envelope, const Effect& effect,
                             const std::vector<SearchField>& search) {
    auto id = to_text(envelope.id);
    TRY(note_record(transaction, envelope, id, search));
    TRY(transaction.execute(
        "INSERT INTO forebay_effects (record, effect, state, attempts, first_at, at, next_at, worker, answer, error) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (record, effect) DO UPDATE SET state = excluded.state, attempts = "
        "excluded.attempts, "
        "at = excluded.at, next_at = excluded.next_at, worker = excluded.worker, answer = excluded.answer, error = excluded.error "
        "WHERE forebay_effects.state <> 'done'",
        {id, effect.effect, effect.state, static_cast<std::int64_t>(effect.attempts), effect.at.ms, effect.at.ms,
         optional_time(effect.next_at), effect.worker, effect.answer, shortened(effect.error, error_bytes_max)}));
    return {};
}

}  // namespace forebay::ledger
