#include "supervisor/lifecycle.h"

#include <algorithm>

namespace forebay::supervisor {
namespace {

constexpr Duration never_fatal_most = 5s;

bool is_restarted(Autorestart autorestart, Event end) {
    return autorestart == Autorestart::always || (autorestart == Autorestart::unexpected && end == Event::exited_badly);
}

/// A start that failed, by any way.
Step failed_start(Policy policy) {
    if (policy.retries_left) return {State::backoff, Action::wait_and_retry};
    return {State::fatal, Action::give_up};
}

Step in_starting(Event event, Policy policy) {
    switch (event) {
        case Event::start_due:
            return {State::running, Action::none};
        case Event::stop_asked:
            return {State::stopping, Action::send_stop};
        case Event::spawn_failed:
        case Event::exited_well:
        case Event::exited_badly:
            return failed_start(policy);
        default:
            return {State::starting, Action::none};
    }
}

Step in_running(Event event, Policy policy) {
    switch (event) {
        case Event::stop_asked:
            return {State::stopping, Action::send_stop};
        case Event::exited_well:
        case Event::exited_badly:
            if (!is_restarted(policy.autorestart, event)) return {State::exited, Action::none};
            return policy.ended_at_once ? Step{State::backoff, Action::wait_and_retry} : Step{State::starting, Action::spawn};
        default:
            return {State::running, Action::none};
    }
}

Step in_stopping(Event event) {
    switch (event) {
        case Event::exited_well:
        case Event::exited_badly:
            return {State::stopped, Action::none};
        case Event::kill_due:
            return {State::stopping, Action::send_kill};
        default:
            return {State::stopping, Action::none};
    }
}

/// STOPPED, EXITED, BACKOFF, FATAL: nothing runs.
Step at_rest(State state, Event event) {
    bool retries = state == State::backoff || state == State::fatal;
    if (event == Event::start_asked || (event == Event::retry_due && retries)) return {State::starting, Action::spawn};
    if (event == Event::stop_asked) return {State::stopped, Action::none};
    return {state, Action::none};
}

}  // namespace

Step step(State state, Event event, Policy policy) {
    switch (state) {
        case State::starting:
            return in_starting(event, policy);
        case State::running:
            return in_running(event, policy);
        case State::stopping:
            return in_stopping(event);
        case State::stopped:
        case State::exited:
        case State::backoff:
        case State::fatal:
            return at_rest(state, event);
    }
    return {state, Action::none};
}

Duration backoff_wait(unsigned failures, bool never_fatal, Duration most) {
    if (!never_fatal) return std::min<Duration>(most, std::chrono::seconds(failures));
    unsigned doublings = std::min(failures == 0 ? 0u : failures - 1, 20u);
    return std::min({most, never_fatal_most, Duration(100ms) * (1 << doublings)});
}

Duration jittered(Duration wait, Entropy& entropy) {
    constexpr std::uint64_t steps = 401;  // of a thousandth each, from 0.8 to 1.2
    return wait * static_cast<std::int64_t>(800 + entropy.u64() % steps) / 1000;
}

std::string_view name_of(State state) {
    switch (state) {
        case State::stopped:
            return "STOPPED";
        case State::starting:
            return "STARTING";
        case State::running:
            return "RUNNING";
        case State::backoff:
            return "BACKOFF";
        case State::stopping:
            return "STOPPING";
        case State::exited:
            return "EXITED";
        case State::fatal:
            return "FATAL";
    }
    return "?";
}

bool has_process(State state) { return state == State::starting || state == State::running || state == State::stopping; }

}  // namespace forebay::supervisor
