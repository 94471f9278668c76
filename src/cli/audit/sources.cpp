#include "cli/audit/sources.h"

#include <algorithm>

#include "cli/effects.h"

namespace forebay::cli {
namespace {

constexpr std::size_t states_a_page = 2000;

/// One page after the other, each in a transaction of its own; a database that has no ledger yet has nothing.
template <class Page>
Result<void, db::Error> each_page(db::Reader& reader, Timestamp from, Timestamp to,
                                  Result<Page, db::Error> (*page_of)(db::ReadTransaction&, const ledger::StatesFrom&, Timestamp,
                                                                     std::size_t),
                                  const std::function<void(const Page&)>& visit) {
    std::optional<ledger::StatesFrom> next = ledger::StatesFrom{from, ""};
    while (next) {
        Page page;
        TRY(reader.read([&](db::ReadTransaction& t) -> Result<void, db::Error> {
            TRY_ASSIGN(bool there, ledger::has_ledger(t));
            if (!there) return {};
            TRY_ASSIGN(page, page_of(t, *next, to, states_a_page));
            return {};
        }));
        visit(page);
        next = page.next;
    }
    return {};
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
        if (!db::is_there(options) || readers_.contains(place)) continue;
        auto opened = db::open_reader(options);
        if (opened)
            readers_.emplace(place, std::move(*opened));
        else
            problems.push_back(place + " cannot be read: " + opened.error().what);
    }
    return problems;
}

std::vector<std::string> LedgerSources::visit(Timestamp from, Timestamp to,
                                              const std::function<void(const ledger::FollowUp&)>& visit_follow_up,
                                              const std::function<void(const ledger::EffectState&)>& visit_state) {
    auto problems = open();
    auto note = [&](const std::string& place, const Result<void, db::Error>& read) {
        if (!read) problems.push_back(place + " cannot be read: " + read.error().what);
    };
    for (auto& [place, reader] : readers_)
        note(place, each_page<ledger::FollowUpsPage>(*reader, from, to, ledger::follow_ups_between, [&](const auto& page) {
                 for (const auto& follow_up : page.follow_ups) visit_follow_up(follow_up);
             }));
    if (!problems.empty()) return problems;
    for (auto& [place, reader] : readers_)
        note(place, each_page<ledger::StatesPage>(*reader, from, to, ledger::states_between, [&](const auto& page) {
                 for (const auto& state : page.states) visit_state(state);
             }));
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
