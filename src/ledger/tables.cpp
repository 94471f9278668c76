// The ledger's rows inside one transaction: made, noted, looked up.
#include <algorithm>
#include <cctype>

#include "base/digest.h"
#include "db/dialect.h"
#include "ledger/ledger.h"
#include "ledger/rows.h"

namespace forebay::ledger {
namespace {

constexpr std::size_t error_bytes_max = 1024;
constexpr std::size_t cause_bytes_max = 200;
constexpr std::size_t search_bytes_max = 320;
constexpr std::size_t sha_bytes = 16;

db::Value optional_time(const std::optional<Timestamp>& at) { return at ? db::Value(at->ms) : db::Value(std::monostate{}); }

/// Cut at a character's border, so that it stays UTF-8.
std::string shortened(std::string text, std::size_t most) {
    if (text.size() <= most) return text;
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
    text.resize(most);
    return text;
}

db::Value text_or_null(const std::string& text) { return text.empty() ? db::Value(std::monostate{}) : db::Value(text); }

std::string body_sha_of(const record::Envelope& envelope) { return to_hex(sha256(envelope.raw)).substr(0, 2 * sha_bytes); }

db::Error poison(std::string what) {
    db::Error error;
    error.kind = db::ErrorKind::poison;
    error.what = std::move(what);
    return error;
}

/// Everything of one note_all; each step is one round trip. Rows go in the order of their keys: so an index takes them at its end.
class Noting {
  public:
    Noting(db::WriteTransaction& transaction, std::span<const Entry> entries, const Known& known) : t_(transaction), known_(known) {
        std::vector<std::pair<std::string, const Entry*>> by_id;
        for (auto& entry : entries) by_id.emplace_back(to_text(entry.envelope->id), &entry);
        std::sort(by_id.begin(), by_id.end());
        for (auto& [id, entry] : by_id) {
            ids_.push_back(std::move(id));
            entries_.push_back(entry);
        }
    }

    Result<std::set<std::string>, db::Error> run(const std::vector<SearchField>& search) {
        TRY(note_records(search));
        TRY(insert_new_effects());
        TRY(update_old_effects());
        TRY(note_dead());
        return std::move(erased_);
    }

  private:
    Result<void, db::Error> note_records(const std::vector<SearchField>& search) {
        db::Rows records, words;
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            auto& envelope = *entries_[i]->envelope;
            records.push_back({ids_[i], envelope.endpoint, envelope.received_at.ms, text_or_null(envelope.value),
                               text_or_null(envelope.currency), body_sha_of(envelope)});
        }
        for (auto& field : search)
            for (std::size_t i = 0; i < entries_.size(); ++i)
                if (auto value = search_value(field.kind, entries_[i]->envelope->fields[field.field].text()); !value.empty())
                    words.push_back({field.kind, value, ids_[i]});
        static const std::vector<std::string> columns = {"id", "endpoint", "received_at", "value", "currency", "body_sha"};
        TRY_ASSIGN(auto added, t_.execute_many(db::insert_or_keep(t_.driver(), "forebay_records", columns, {"id"}), records));
        if (added < static_cast<std::int64_t>(records.size())) TRY(look_at_old(records));
        if (added == 0) return {};
        std::erase_if(words, [&](const db::Row& word) { return erased_.contains(db::text_of(word[2])); });
        TRY(t_.execute_many(db::insert_or_keep(t_.driver(), "forebay_search", {"kind", "value", "record"}, {"kind", "value", "record"}),
                            words));
        return {};
    }

    Result<void, db::Error> look_at_old(const db::Rows& records) {
        TRY_ASSIGN(auto rows, t_.query_keys("SELECT id, body_sha, erased_at FROM forebay_records WHERE id IN (?)", {}, ids_));
        std::map<std::string, std::string> there;
        for (auto& row : rows) {
            there[db::text_of(row[0])] = db::text_of(row[1]);
            if (!db::is_null(row[2])) erased_.insert(db::text_of(row[0]));
        }
        for (auto& record : records) {
            auto& sha = there[db::text_of(record[0])];
            if (!sha.empty() && sha != db::text_of(record[5]))
                return Failure{poison("the record " + db::text_of(record[0]) + " is in the ledger with another body")};
        }
        return {};
    }

    Result<void, db::Error> insert_new_effects() {
        db::Rows rows;
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            if (known_.contains(ids_[i]) || erased_.contains(ids_[i])) continue;
            auto& effect = entries_[i]->effect;
            rows.push_back({ids_[i], effect.effect, effect.state, static_cast<std::int64_t>(effect.attempts), effect.at.ms, effect.at.ms,
                            optional_time(effect.next_at), effect.worker, effect.answer, shortened(effect.error, error_bytes_max)});
        }
        auto inserted = t_.execute_many(
            "INSERT INTO forebay_effects (record, effect, state, attempts, first_at, at, next_at, worker, answer, error) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows);
        if (inserted) return {};
        auto error = inserted.error();
        if (error.is_duplicate) error.kind = db::ErrorKind::conflict;  // another process noted it since we looked
        return Failure{error};
    }

    Result<void, db::Error> update_old_effects() {
        db::Rows rows;
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            auto known = known_.find(ids_[i]);
            if (known == known_.end() || known->second.state == "done" || erased_.contains(ids_[i])) continue;
            auto& effect = entries_[i]->effect;
            rows.push_back({effect.state, static_cast<std::int64_t>(effect.attempts), effect.at.ms, optional_time(effect.next_at),
                            effect.worker, effect.answer, shortened(effect.error, error_bytes_max), ids_[i], effect.effect});
        }
        TRY_ASSIGN(auto changed, t_.execute_many("UPDATE forebay_effects SET state = ?, attempts = ?, at = ?, next_at = ?, worker = ?, "
                                                 "answer = ?, error = ? WHERE record = ? AND effect = ? AND state <> 'done'",
                                                 rows));
        // A row that says the same already may count as unchanged, so only a row that was settled meanwhile is asked for.
        if (changed == static_cast<std::int64_t>(rows.size())) return {};
        return refuse_settled_meanwhile();
    }

    Result<void, db::Error> refuse_settled_meanwhile() {
        TRY_ASSIGN(auto now, rows_of(t_, ids_, entries_.front()->effect.effect));
        for (auto& [id, row] : now) {
            auto before = known_.find(id);
            bool was_open = before != known_.end() && before->second.state != "done";
            if (!was_open || row.state != "done") continue;
            auto& mine = entry_of(id).effect;
            if (mine.state == "done" && mine.worker == row.worker && mine.at.ms == row.at.ms) continue;
            db::Error error;
            error.kind = db::ErrorKind::conflict;
            error.what = "the effect " + row.effect + " of " + id + " was settled by " + row.worker + " meanwhile";
            return Failure{error};
        }
        return {};
    }

    const Entry& entry_of(const std::string& id) const {
        auto at = std::find(ids_.begin(), ids_.end(), id);
        return *entries_[static_cast<std::size_t>(at - ids_.begin())];
    }

    Result<void, db::Error> note_dead() {
        db::Rows gone, dead;
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            auto& effect = entries_[i]->effect;
            auto known = known_.find(ids_[i]);
            if (erased_.contains(ids_[i]) || (known != known_.end() && known->second.state == "done")) continue;
            if (known != known_.end() && known->second.state == "dead") gone.push_back({ids_[i], effect.effect});
            if (effect.state == "dead") dead.push_back({ids_[i], effect.effect, effect.at.ms, shortened(effect.error, cause_bytes_max)});
        }
        TRY(t_.execute_many("DELETE FROM forebay_dead WHERE record = ? AND effect = ?", gone));
        TRY(t_.execute_many(db::insert_or_keep(t_.driver(), "forebay_dead", {"record", "effect", "at", "cause"}, {"record", "effect"}),
                            dead));
        return {};
    }

    db::WriteTransaction& t_;
    const Known& known_;
    std::vector<std::string> ids_;         ///< ascending
    std::vector<const Entry*> entries_{};  ///< of these ids
    std::set<std::string> erased_;
};

Result<std::optional<Effect>, db::Error> look_up_in_state(db::ReadTransaction& transaction, const Uuid& id, std::string_view effect,
                                                          std::string_view state) {
    TRY_ASSIGN(auto rows, rows_of(transaction, {to_text(id)}, effect));
    if (rows.empty() || rows.begin()->second.state != state) return std::optional<Effect>{};
    return std::optional<Effect>(std::move(rows.begin()->second));
}

}  // namespace

std::vector<SearchField> usual_search_fields() {
    return {{"email", "email"}, {"phone", "phone"}, {"reference", "reference"}, {"ref", "reference"}};
}

std::string search_value(std::string_view kind, std::string_view text) {
    std::string value;
    for (char c : text) {
        auto byte = static_cast<unsigned char>(c);
        if (kind == "phone" ? std::isdigit(byte) : !std::isspace(byte)) value += static_cast<char>(std::tolower(byte));
    }
    // The column has 320 characters, which no address passes.
    return value.size() <= search_bytes_max ? value : std::string();
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

Result<Known, db::Error> rows_of(db::ReadTransaction& transaction, const std::vector<std::string>& ids, std::string_view effect) {
    auto sql = std::string(select_effects) + " WHERE effect = ? AND record IN (?)";
    TRY_ASSIGN(auto rows, transaction.query_keys(sql, {std::string(effect)}, ids));
    Known known;
    for (auto& row : rows) {
        auto found = effect_of(row);
        auto id = found.record;
        known.emplace(std::move(id), std::move(found));
    }
    return known;
}

Result<std::optional<Effect>, db::Error> look_up(db::ReadTransaction& transaction, const Uuid& id, std::string_view effect) {
    return look_up_in_state(transaction, id, effect, "done");
}

Result<std::optional<Effect>, db::Error> look_up_retry(db::ReadTransaction& transaction, const Uuid& id, std::string_view effect) {
    return look_up_in_state(transaction, id, effect, "retrying");
}

Result<std::set<std::string>, db::Error> note_all(db::WriteTransaction& transaction, std::span<const Entry> entries, const Known& known,
                                                  const std::vector<SearchField>& search) {
    if (entries.empty()) return std::set<std::string>{};
    return Noting(transaction, entries, known).run(search);
}

Result<void, db::Error> note(db::WriteTransaction& transaction, const record::Envelope& envelope, const Effect& effect,
                             const std::vector<SearchField>& search) {
    TRY_ASSIGN(auto known, rows_of(transaction, {to_text(envelope.id)}, effect.effect));
    Entry entry{&envelope, effect};
    TRY(note_all(transaction, {&entry, 1}, known, search));
    return {};
}

}  // namespace forebay::ledger
