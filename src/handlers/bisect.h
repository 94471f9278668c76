#pragma once
// Finding the poisonous records of a batch without knowing which they are: what fails as a whole is tried
// in halves. Costs about 2 log2(n) tries for each poisonous record, none when there is none.

#include <iterator>
#include <span>
#include <vector>

#include "db/database.h"
#include "worker/handler.h"

namespace forebay::handlers {

/// `write` takes a run of jobs in one transaction: all of them or none. Any error but poison ends the
/// search: those jobs are `hold`, what comes after is `untouched`.
template <class Write>
std::vector<worker::Outcome> bisect(std::span<const worker::Job> jobs, Write&& write) {
    if (jobs.empty()) return {};
    auto written = write(jobs);
    using worker::Outcome;
    if (written) return std::vector<Outcome>(jobs.size(), Outcome::done());
    const db::Error& error = written.error();
    if (error.kind != db::ErrorKind::poison) return std::vector<Outcome>(jobs.size(), Outcome::hold(error.what));
    if (jobs.size() == 1) return {Outcome::dead(error.what)};
    auto outcomes = bisect(jobs.first(jobs.size() / 2), write);
    auto rest = jobs.subspan(jobs.size() / 2);
    bool held = outcomes.back().kind == Outcome::Kind::hold || outcomes.back().kind == Outcome::Kind::untouched;
    auto second = held ? std::vector<Outcome>(rest.size(), Outcome::untouched()) : bisect(rest, write);
    outcomes.insert(outcomes.end(), std::make_move_iterator(second.begin()), std::make_move_iterator(second.end()));
    return outcomes;
}

}  // namespace forebay::handlers
