#include "cli/verbs/seen_database.h"

#include <filesystem>

namespace forebay::cli {
namespace {

constexpr Duration lock_wait = 200ms;

Result<void, db::Error> look_into(db::Options options) {
    options.busy_timeout = lock_wait;
    TRY_ASSIGN(auto reader, db::open_reader(options));
    return reader->read([](db::ReadTransaction& t) -> Result<void, db::Error> {
        TRY(t.query(t.driver() == db::Driver::sqlite ? "SELECT count(*) FROM sqlite_schema" : "SELECT 1"));
        return {};
    });
}

std::string_view word_of(SeenDatabase::State state) {
    if (state == SeenDatabase::State::up) return "up";
    return state == SeenDatabase::State::down ? "down" : "not_made";
}

}  // namespace

std::string SeenDatabase::line(const Terminal& terminal) const {
    auto text = "DB " + name + "  " + path + "  ";
    if (state == State::not_made) return text + "not made yet\n";
    if (state == State::down) return text + terminal.painted("DOWN", Colour::bad) + ": " + why + "\n";
    return text + terminal.painted("up", Colour::good) + (took < 1ms ? " <1ms\n" : " " + std::to_string(took.count()) + "ms\n");
}

json::Value SeenDatabase::to_json() const {
    json::Value out;
    out.set("name", name).set("path", path).set("state", word_of(state));
    if (state == State::up) out.set("ms", took.count());
    if (state == State::down) out.set("why", why);
    return out;
}

SeenDatabase look_at(const DatabaseConfiguration& database, Clock& clock) {
    SeenDatabase seen{database.name, db::place_of(database.options), SeenDatabase::State::up, {}, {}};
    std::error_code ignored;
    if (auto gone = db::why_gone(database.options)) {
        seen.state = SeenDatabase::State::down;
        seen.why = *gone;
    } else if (database.options.driver == db::Driver::sqlite && !std::filesystem::exists(seen.path, ignored)) {
        seen.state = SeenDatabase::State::not_made;
    } else {
        auto began = clock.now();
        auto looked = look_into(database.options);
        seen.took = clock.now() - began;
        if (looked) return seen;
        seen.state = SeenDatabase::State::down;
        seen.why = looked.error().what;
    }
    return seen;
}

void complain_of_gone(const Configuration& configuration, Terminal& terminal) {
    for (const auto& database : configuration.databases)
        if (auto gone = db::why_gone(database.options)) terminal.complain("database " + database.name + ": " + *gone);
}

}  // namespace forebay::cli
