#include "cli/audit/sources.h"

#include <algorithm>
#include <filesystem>

#include "cli/effects.h"

namespace forebay::cli {
namespace {

constexpr std::size_t states_a_page = 2000;

/// The page that begins at `from`; nothing is in a database that has no ledger yet.
Result<ledger::StatesPage, db::Error> page_of(db::Reader& reader, const ledger::StatesFrom& from, Timestamp to) {
    ledger::StatesPage page;
    TRY(reader.read([&](db::ReadTransaction& t) -> Result<void, db::Error> {
        TRY_ASSIGN(bool there, ledger::has_ledger(t));
        if (!there) return {};
        TRY_ASSIGN(page, ledger::states_between(t, from, to, states_a_page));
        return {};
    }));
    return page;
}

int rank_of(std::string_view state) { return is_finished(state) ? 2 : state == "dead" ? 1 : 0; }

}  // namespace

bool is_finished(std::string_view state) {
    constexpr std::string_view finished[] = {"done", "skipped", "declined", "duplicate", "discarded"};
    return std::find(std::begin(finished), std::end(finished), state) != std::end(finished);
}

std::vector<std::string> LedgerSources::open() {
    std::vector<std::string> problems;
    for (const auto& database : configuration_.databases)
        if (auto gone = db::why_gone(database.options)) problems.push_back("database " + database.name + ": " + *gone);
    for (const auto& options : ledger_sources(configuration_)) {
        auto place = options.name + " (" + db::place_of(options) + ")";
        // One that was made and is gone has been told; this was never made.
        bool is_there = options.driver != db::Driver::sqlite || std::filesystem::exists(options.path);
        if (!is_there || readers_.contains(place)) continue;
        auto opened = db::open_reader(options);
        if (opened)
            readers_.emplace(place, std::move(*opened));
        else
            problems.push_back(place + " cannot be read: " + opened.error().what);
    }
    return problems;
}

std::vector<std::string> LedgerSources::visit(Timestamp from, Timestamp to, const std::function<void(const ledger::EffectState&)>& visit) {
    auto problems = open();
    for (auto& [place, reader] : readers_) {
        std::optional<ledger::StatesFrom> next = ledger::StatesFrom{from, ""};
        while (next) {
            auto page = page_of(*reader, *next, to);
            if (!page) {
                problems.push_back(place + " cannot be read: " + page.error().what);
                break;
            }
            for (const auto& state : page->states) visit(state);
            next = page->next;
        }
    }
    return problems;
}

Result<std::map<Uuid, std::vector<ledger::EffectState>>, std::string> LedgerSources::states_of(std::span<const Uuid> records) {
    std::map<Uuid, std::vector<ledger::EffectState>> all;
    auto add = [&](ledger::EffectState state) {
        auto& states = all[state.record];
        auto known = std::find_if(states.begin(), states.end(), [&](const auto& other) { return other.effect == state.effect; });
        if (known == states.end())
            states.push_back(std::move(state));
        else if (rank_of(state.state) > rank_of(known->state))
            *known = std::move(state);
    };
    if (auto problems = open(); !problems.empty()) return Failure{problems[0]};
    for (auto& [place, reader] : readers_) {
        auto read = reader->read([&](db::ReadTransaction& t) -> Result<void, db::Error> {
            TRY_ASSIGN(bool there, ledger::has_ledger(t));
            if (!there) return {};
            TRY_ASSIGN(auto states, ledger::states_of(t, records));
            for (auto& state : states) add(std::move(state));
            return {};
        });
        if (!read) return Failure{place + " cannot be read: " + read.error().what};
    }
    return all;
}

}  // namespace forebay::cli
