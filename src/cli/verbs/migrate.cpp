// `db migrate`: makes the ledger's tables and brings older ones to this version, in every database that has them.
#include <algorithm>

#include "cli/effects.h"
#include "cli/verb.h"
#include "cli/verbs/verbs.h"

namespace forebay::cli {
namespace {

Result<std::int64_t, db::Error> version_of(const db::Options& source) {
    std::int64_t version = 0;
    TRY_ASSIGN(auto reader, db::open_reader(source));
    TRY(reader->read([&](db::ReadTransaction& t) -> Result<void, db::Error> {
        TRY_ASSIGN(version, ledger::version_of(t));
        return {};
    }));
    return version;
}

/// A SQLite file that nobody has made yet has no version.
std::int64_t version_or_none(const db::Options& source) {
    auto version = version_of(source);
    return version ? *version : 0;
}

Result<void, db::Error> migrate(const db::Options& source) {
    TRY_ASSIGN(auto database, db::open(source));
    return database->write([](db::WriteTransaction& t) { return ledger::prepare(t); });
}

std::string version_text(std::int64_t version) { return version == 0 ? "no tables" : "version " + std::to_string(version); }

struct Migration {
    std::string name, place;
    std::int64_t from = 0, to = 0;
    std::string error;
};

Migration run_one(const db::Options& source, bool is_dry) {
    Migration out{source.name, db::place_of(source), version_or_none(source), 0, {}};
    out.to = out.from;
    if (is_dry) return out;
    if (auto done = migrate(source); !done)
        out.error = done.error().what;
    else
        out.to = version_or_none(source);
    return out;
}

std::string line_of(const Migration& one, bool is_dry) {
    auto head = one.name + "  " + one.place + "  ";
    if (!one.error.empty()) return head + "FAILED: " + one.error + "\n";
    if (one.from == ledger::schema_version) return head + version_text(one.from) + ", as it should be\n";
    if (is_dry) return head + version_text(one.from) + ", would become version " + std::to_string(ledger::schema_version) + "\n";
    return head + version_text(one.from) + " -> version " + std::to_string(one.to) + "\n";
}

json::Value to_json(const Migration& one) {
    json::Value out;
    out.set("name", one.name).set("place", one.place).set("from", one.from).set("to", one.to);
    if (!one.error.empty()) out.set("error", one.error);
    return out;
}

}  // namespace

int run_db_migrate(Invocation& invocation) {
    auto configuration = invocation.configuration();
    if (!configuration) return exit_code::configuration;
    auto& terminal = invocation.terminal();
    bool is_dry = invocation.has("dry-run"), has_failed = false;
    auto all = json::Value::array();
    auto sources = ledger_sources(*configuration);
    for (const auto& source : sources) {
        auto one = run_one(source, is_dry);
        has_failed = has_failed || !one.error.empty();
        if (terminal.wants_json())
            all.push(to_json(one));
        else
            terminal.result(line_of(one, is_dry));
    }
    if (terminal.wants_json()) terminal.result_json(json::Value().set("databases", std::move(all)));
    if (sources.empty()) terminal.talk("No worker of the configuration notes its effects in a database.");
    if (has_failed) terminal.complain("a SQLite file is written by its worker alone: `forebay stop` that first");
    return has_failed ? exit_code::io : exit_code::done;
}

}  // namespace forebay::cli
