#include "worker/attempt.h"

#include <exception>

#include "base/log_line.h"

namespace forebay::worker {
namespace {

std::vector<Outcome> retry_all(std::size_t jobs, const std::string& why) {
    log_error("handler.failed").with("why", why).with("records", jobs);
    return std::vector<Outcome>(jobs, Outcome::retry(why));
}

}  // namespace

std::vector<Outcome> attempt(Handler& handler, std::span<const Job> jobs, const Limits& limits) {
    try {
        auto outcomes = handler.run(jobs, limits);
        if (outcomes.size() == jobs.size()) return outcomes;
        return retry_all(jobs.size(), "the handler gave " + std::to_string(outcomes.size()) + " outcomes for " +
                                          std::to_string(jobs.size()) + " records");
    } catch (const std::exception& e) {
        return retry_all(jobs.size(), std::string("the handler threw: ") + e.what());
    } catch (...) {
        return retry_all(jobs.size(), "the handler threw something that is no std::exception");
    }
}

}  // namespace forebay::worker
