// The ledger as `find`, `show` and `replay` see it: several files, read only, merged by id.
#include "ledger/ledger.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "db/dialect.h"
#include "ledger/rows.h"

namespace forebay::ledger {
namespace {

constexpr std::size_t id_prefix_min = 8;
constexpr std::string_view again_mark = " again-";

bool looks_like_id(std::string_view what) {
    return what.size() >= id_prefix_min && what.size() <= 36 &&
           what.find_first_not_of("0123456789abcdefABCDEF-") == std::string_view::npos && (what.size() == 8 || what[8] == '-');
}

/// One past every text that begins with `prefix`, for a range on the key.
std::string after_prefix(std::string prefix) {
    prefix.back() = static_cast<char>(prefix.back() + 1);
    return prefix;
}

using Ids = std::vector<std::string>;

Result<Ids, db::Error> first_columns(db::ReadTransaction& t, std::string_view sql, const std::vector<db::Value>& values) {
    TRY_ASSIGN(auto rows, t.query(sql, values));
    Ids ids;
    for (auto& row : rows) ids.push_back(db::text_of(row[0]));
    return ids;
}

Result<Ids, db::Error> ids_by_word(db::ReadTransaction& t, const std::string& kind, const std::string& value, const std::string& other,
                                   std::size_t most) {
    if (value.empty()) return Ids{};
    return first_columns(t,
                         "SELECT record FROM forebay_search JOIN forebay_records ON id = record WHERE kind = ? AND "
                         "forebay_search.value IN (?, ?) ORDER BY received_at DESC LIMIT ?",
                         {kind, value, other, static_cast<std::int64_t>(most)});
}

Result<Ids, db::Error> ids_found(db::ReadTransaction& t, std::string_view what, std::size_t most) {
    if (looks_like_id(what)) {
        std::string prefix(what);
        std::transform(prefix.begin(), prefix.end(), prefix.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        TRY_ASSIGN(auto ids, first_columns(t, "SELECT id FROM forebay_records WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT ?",
                                           {prefix, after_prefix(prefix), static_cast<std::int64_t>(most)}));
        if (!ids.empty()) return ids;
    }
    auto reference = search_value("reference", what);
    TRY_ASSIGN(auto ids, ids_by_word(t, "reference", reference, reference, most));
    if (what.find('@') != std::string_view::npos) {
        TRY_ASSIGN(auto by_email, ids_by_word(t, "email", reference, reference, most));
        ids.insert(ids.end(), by_email.begin(), by_email.end());
        return ids;
    }
    // The same number with and without the country code of North America.
    auto phone = search_value("phone", what);
    auto other = phone.size() == 11 && phone[0] == '1' ? phone.substr(1) : "1" + phone;
    TRY_ASSIGN(auto by_phone, ids_by_word(t, "phone", phone, other, most));
    ids.insert(ids.end(), by_phone.begin(), by_phone.end());
    return ids;
}

/// Whether there is a ledger at all; where no worker ever wrote there are no tables.
Result<bool, db::Error> has_ledger(db::ReadTransaction& t) {
    TRY_ASSIGN(auto rows, t.query(db::table_query(t.driver()), {std::string("forebay_effects")}));
    return !rows.empty();
}

Result<void, db::Error> add_story(db::ReadTransaction& t, const std::string& id, std::map<std::string, Story>& stories) {
    TRY_ASSIGN(auto records, t.query("SELECT id, endpoint, received_at FROM forebay_records WHERE id = ?", {id}));
    if (records.empty()) return {};
    auto& story = stories[id];
    story.id = id;
    story.endpoint = db::text_of(records[0][1]);
    story.received_at = {db::integer_of(records[0][2])};
    TRY_ASSIGN(auto effects, t.query(std::string(select_effects) + " WHERE record = ?", {id}));
    for (auto& row : effects) story.effects.push_back(effect_of(row));
    return {};
}

/// An effect of an `exec` worker may have rows of several processes; the done one wins, else the newest.
void keep_one_row_per_effect(std::vector<Effect>& effects) {
    std::sort(effects.begin(), effects.end(), [](const Effect& a, const Effect& b) {
        return std::make_tuple(a.effect, a.state != "done", -a.at.ms) < std::make_tuple(b.effect, b.state != "done", -b.at.ms);
    });
    effects.erase(std::unique(effects.begin(), effects.end(), [](const Effect& a, const Effect& b) { return a.effect == b.effect; }),
                  effects.end());
    std::sort(effects.begin(), effects.end(), [](const Effect& a, const Effect& b) { return a.at < b.at; });
}

std::vector<Story> newest_first(std::map<std::string, Story> stories, std::size_t most) {
    std::vector<Story> out;
    for (auto& [id, story] : stories) {
        keep_one_row_per_effect(story.effects);
        out.push_back(std::move(story));
    }
    std::stable_sort(out.begin(), out.end(), [](const Story& a, const Story& b) { return a.received_at > b.received_at; });
    if (out.size() > most) out.resize(most);
    return out;
}

}  // namespace

Ledger::Ledger(std::vector<db::Options> sources) : sources_(std::move(sources)) {}
Ledger::~Ledger() = default;

Result<db::Reader*, db::Error> Ledger::reader(const db::Options& source) {
    auto key = source.name + " " + db::place_of(source);
    if (!db::is_there(source)) {
        open_.erase(key);
        return nullptr;
    }
    auto known = open_.find(key);
    if (known != open_.end()) return known->second.get();
    TRY_ASSIGN(auto opened, db::open_reader(source));
    return open_.emplace(key, std::move(opened)).first->second.get();
}

Result<void, db::Error> Ledger::each(const Look& look) {
    for (auto& source : sources_) {
        TRY_ASSIGN(auto* from, reader(source));
        if (from == nullptr) continue;
        TRY(from->read([&](db::ReadTransaction& t) -> Result<void, db::Error> {
            TRY_ASSIGN(bool there, has_ledger(t));
            if (!there) return {};
            return look(t);
        }));
    }
    return {};
}

Result<std::vector<Story>, db::Error> Ledger::find(std::string_view what, std::size_t most) {
    std::set<std::string> ids;
    TRY(each([&](db::ReadTransaction& t) -> Result<void, db::Error> {
        TRY_ASSIGN(auto found, ids_found(t, what, most));
        ids.insert(found.begin(), found.end());
        return {};
    }));
    TRY_ASSIGN(auto stories, stories_of(ids));
    return newest_first(std::move(stories), most);
}

Result<std::map<std::string, Story>, db::Error> Ledger::stories_of(const std::set<std::string>& ids) {
    std::map<std::string, Story> stories;
    TRY(each([&](db::ReadTransaction& t) -> Result<void, db::Error> {
        for (auto& id : ids) TRY(add_story(t, id, stories));
        return {};
    }));
    return stories;
}

Result<std::map<std::string, Story>, db::Error> Ledger::stories(const std::set<std::string>& ids) {
    TRY_ASSIGN(auto stories, stories_of(ids));
    for (auto& [id, story] : stories) keep_one_row_per_effect(story.effects);
    return stories;
}

Result<std::optional<Story>, db::Error> Ledger::timeline(const Uuid& id) {
    TRY_ASSIGN(auto stories, stories_of({to_text(id)}));
    auto list = newest_first(std::move(stories), 1);
    if (list.empty()) return std::optional<Story>{};
    return std::optional<Story>(std::move(list[0]));
}

Result<std::map<std::string, Effect>, db::Error> Ledger::done(std::span<const std::string> ids, std::string_view effect) {
    std::map<std::string, Effect> done;
    std::vector<std::string> keys(ids.begin(), ids.end());
    TRY(each([&](db::ReadTransaction& t) -> Result<void, db::Error> {
        TRY_ASSIGN(auto rows, rows_of(t, keys, effect));
        for (auto& [id, row] : rows)
            if (row.state == "done") done.emplace(id, std::move(row));
        return {};
    }));
    return done;
}

Result<std::set<OutboxKey>, db::Error> Ledger::sent(std::span<const std::string> ids, std::string_view effect) {
    std::set<OutboxKey> sent;
    std::vector<std::string> records(ids.begin(), ids.end());
    TRY(each([&](db::ReadTransaction& t) -> Result<void, db::Error> {
        TRY_ASSIGN(auto tables, t.query(db::table_query(t.driver()), {std::string("forebay_outbox")}));
        if (tables.empty()) return {};  // of a time before it
        TRY_ASSIGN(auto some, sent_of(t, effect, records));
        sent.merge(some);
        return {};
    }));
    return sent;
}

Result<std::vector<std::string>, db::Error> Ledger::missing(std::span<const std::string> ids, std::string_view effect) {
    TRY_ASSIGN(auto known, done(ids, effect));
    std::vector<std::string> missing;
    for (auto& id : ids)
        if (!known.contains(id)) missing.push_back(id);
    return missing;
}

std::string effect_name(std::string_view worker, std::uint32_t again) {
    return again == 0 ? std::string(worker) : std::string(worker).append(again_mark).append(std::to_string(again));
}

std::pair<std::string_view, std::uint32_t> split_effect(std::string_view effect) {
    auto mark = effect.rfind(again_mark);
    if (mark == std::string_view::npos) return {effect, 0};
    std::uint32_t number = 0;
    const auto* end = effect.data() + effect.size();
    auto [stop, error] = std::from_chars(effect.data() + mark + again_mark.size(), end, number);
    if (error != std::errc() || stop != end) return {effect, 0};
    return {effect.substr(0, mark), number};
}

std::string effects_path(std::string_view data_dir, std::string_view worker, unsigned n) {
    return std::string(data_dir).append("/effects/").append(worker).append("-").append(std::to_string(n)).append(".db");
}

namespace {

/// `store-12.db` -> `store`; empty for other names.
std::string worker_of_file(const std::string& name) {
    if (!name.ends_with(".db")) return {};
    auto stem = name.substr(0, name.size() - 3);
    auto dash = stem.rfind('-');
    if (dash == std::string::npos || dash + 1 == stem.size() || stem.find_first_not_of("0123456789", dash + 1) != std::string::npos)
        return {};
    return stem.substr(0, dash);
}

}  // namespace

db::Options file_source(const std::string& path) {
    db::Options file;
    file.name = path;
    file.path = path;
    file.busy_timeout = 5s;
    return file;
}

std::vector<db::Options> effects_files(std::string_view data_dir, std::string_view worker) {
    std::vector<std::string> paths;
    std::error_code ignored;
    for (auto& entry : std::filesystem::directory_iterator(std::string(data_dir) + "/effects", ignored)) {
        auto owner = worker_of_file(entry.path().filename().string());
        if (!owner.empty() && (worker.empty() || owner == worker)) paths.push_back(entry.path().string());
    }
    std::sort(paths.begin(), paths.end());
    std::vector<db::Options> files;
    for (auto& path : paths) files.push_back(file_source(path));
    return files;
}

}  // namespace forebay::ledger
