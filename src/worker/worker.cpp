#include "worker/worker.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "base/clean_pages.h"
#include "base/log_line.h"
#include "condition/record_scope.h"
#include "worker/attempt.h"
#include "worker/counters.h"
#include "worker/courier.h"
#include "worker/gate.h"
#include "worker/heartbeat.h"
#include "worker/inbox.h"
#include "worker/outbox.h"
#include "worker/pause.h"
#include "worker/receiver.h"
#include "worker/settlement.h"
#include "worker/standing.h"

namespace forebay::worker {
namespace {

constexpr Duration in_hand_most = 1h;  // then a held record is given back and another one taken
constexpr Duration small_again = 1min;
constexpr Duration say_again = 1s;  ///< that it is worn out
constexpr Duration quiet_nap = 200ms;
constexpr Duration early_enough = 2s;  // the queue counts whole seconds
constexpr int exit_overran = 75;

std::uint64_t resident_bytes() {
    auto* file = std::fopen("/proc/self/statm", "r");
    if (file == nullptr) return 0;
    unsigned long long total = 0, resident = 0;
    int read = std::fscanf(file, "%llu %llu", &total, &resident);
    std::fclose(file);
    return read == 2 ? resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

std::vector<std::string> handles_of(const std::vector<Job>& jobs) {
    std::vector<std::string> handles;
    for (auto& job : jobs) handles.push_back(job.handle);
    return handles;
}

std::size_t first_held(const std::vector<Settlement>& settlements) {
    auto held = std::find_if(settlements.begin(), settlements.end(), [](auto& s) { return s.kind == Outcome::Kind::hold; });
    return static_cast<std::size_t>(held - settlements.begin());
}

bool anything_was_answered(const std::vector<Settlement>& settlements) {
    return std::any_of(settlements.begin(), settlements.end(), [](auto& s) { return s.kind != Outcome::Kind::untouched; });
}

std::uint64_t answered_of(const std::vector<Settlement>& settlements) {
    return static_cast<std::uint64_t>(std::count_if(settlements.begin(), settlements.end(), [](auto& s) {
        return s.kind != Outcome::Kind::hold && s.kind != Outcome::Kind::untouched;
    }));
}

std::uint32_t attempts_spent(const std::vector<Settlement>& settlements) {
    return static_cast<std::uint32_t>(std::count_if(
        settlements.begin(), settlements.end(), [](auto& s) { return s.kind == Outcome::Kind::retry || s.kind == Outcome::Kind::dead; }));
}

LogLevel level_of(Outcome::Kind kind) {
    if (kind == Outcome::Kind::done || kind == Outcome::Kind::skipped) return LogLevel::info;
    return kind == Outcome::Kind::dead ? LogLevel::error : LogLevel::warn;
}

std::string_view event_of(Outcome::Kind kind) {
    if (kind == Outcome::Kind::done) return "effect.done";
    if (kind == Outcome::Kind::skipped) return "effect.skipped";
    if (kind == Outcome::Kind::discarded) return "effect.discarded";
    return kind == Outcome::Kind::dead ? "effect.dead" : "effect.retry";
}

}  // namespace

struct Worker::Inside {
    Inside(Options given, Parts given_parts)
        : options(std::move(given)),
          parts(given_parts),
          name((options.group.empty() ? "" : options.group + ":") + options.worker),
          receiver(options, parts),
          outbox(options, parts),
          counters(parts.metrics, options.worker),
          standing(options.standing_path, parts.clock),
          gate(options, parts, standing),
          pause(options.pauses, {name, options.n}),
          heartbeat(parts.heartbeat, options.queue, options.visibility, [this] { end_overrun(); }) {
        if (parts.courier != nullptr) courier.emplace(options, parts_of_courier(), heartbeat);
    }

    Parts parts_of_courier() const {
        return {*parts.courier, parts.heartbeat, parts.handler, parts.clock, parts.entropy, parts.controls, nullptr, nullptr, parts.rest};
    }

    Ended run() {
        auto started = parts.clock.now();
        // Processes that started together are not to end together.
        auto lifetime = with_jitter(options.recycle.after, 0.1, random());
        while (!parts.controls.stop) {
            if (auto why = worn_out(parts.clock.now() - started, lifetime); !why.empty()) {
                if (!parts.say_worn_out) return give_up_all(), Ended::recycled;
                say_worn_out(why);
            }
            turn();
            standing.keep_up();
        }
        give_up_all();
        return Ended::asked;
    }

    void turn() {
        if (pause.look() || parts.controls.quiet) return be_quiet();
        standing.set_quiet(false);
        switch (gate.phase()) {
            case Hold::Phase::open:
                if (in_hand_since != Instant{}) give_up_in_hand();
                return work(unless_paused(next_batch()));
            case Hold::Phase::held:
                give_up_ahead();
                return wait_for_end();
            case Hold::Phase::trial:
                give_up_ahead();
                return try_one();
        }
    }

    void be_quiet() {
        give_up_ahead();
        if (gate.is_prober()) give_up_in_hand();
        gate.stand_aside();
        standing.set_quiet(true);  // with nothing in hand
        rest(quiet_nap, parts);
    }

    /// It may have been paused while it waited for these: then they are given back.
    Inbox unless_paused(Inbox inbox) {
        if (!pause.look()) return inbox;
        for (auto& handle : inbox.handles()) outbox.give_back(handle);
        return {};
    }

    /// Empty: it is not.
    std::string worn_out(Duration age, Duration lifetime) const {
        auto& limits = options.recycle;
        if (lifetime > Duration::zero() && age >= lifetime) return "after " + to_text(lifetime);
        if (limits.jobs > 0 && jobs_worked >= limits.jobs) return "after " + std::to_string(jobs_worked) + " jobs";
        if (limits.rss_bytes > 0 && resident_bytes() >= limits.rss_bytes) return "rss is above its limit";
        return {};
    }

    void say_worn_out(const std::string& why) {
        if (auto now = parts.clock.now(); said_worn_out == Instant{} || now - said_worn_out >= say_again) {
            said_worn_out = now;
            parts.say_worn_out(why);
        }
    }

    // ---- work

    /// A batch that was full leaves more behind it, most likely.
    Inbox next_batch() {
        auto batch = courier ? courier->take() : Inbox();
        if (batch.size() == 0) batch = read(receiver.take_batch());
        if (courier && batch.size() >= options.batch.size) courier->receive_ahead();
        return batch;
    }

    /// Nothing is to be done: nor need its memory be.
    void be_small() {
        auto now = parts.clock.now();
        if (was_small != Instant{} && now - was_small < small_again) return;
        was_small = now;
        let_go_of_clean_pages();
    }

    void give_up_ahead() {
        if (!courier) return;
        for (auto& handle : courier->take().handles()) outbox.give_back(handle);
    }

    void work(Inbox inbox) {
        if (inbox.size() == 0) be_small();
        for (auto& bad : inbox.unreadable) bury_unreadable(bad);
        put_off_what_is_not_due(inbox.jobs);
        if (!inbox.jobs.empty()) work_on(std::move(inbox.jobs));
    }

    void put_off_what_is_not_due(std::vector<Job>& jobs) {
        auto fresh = std::stable_partition(jobs.begin(), jobs.end(), [](const Job& job) { return job.attempts > 0; });
        std::span<const Job> tried(jobs.data(), static_cast<std::size_t>(fresh - jobs.begin()));
        if (tried.empty()) return;
        auto waits = parts.handler.waits(tried);
        auto now = parts.clock.wall();
        std::set<std::string> put_off;
        for (std::size_t i = 0; i < tried.size(); ++i) {
            auto left = waits[i] ? left_of(*waits[i], now) : Duration::zero();
            if (left < early_enough) continue;
            outbox.put_off(tried[i], left);
            put_off.insert(tried[i].handle);
        }
        std::erase_if(jobs, [&](const Job& job) { return put_off.contains(job.handle); });
    }

    void bury_unreadable(const Unreadable& bad) {
        count(Outcome::Kind::dead, Duration::zero());
        log_error("effect.dead").with("worker", name).with("n", options.n).with("message", bad.message.message_id).with("why", bad.why);
        outbox.bury(bad.message.handle, bad.message.body, {}, {Outcome::Kind::dead, bad.why, bad.message.attempts + 1, {}});
    }

    void work_on(std::vector<Job> jobs) {
        heartbeat.watch(handles_of(jobs), parts.handler.time_limit(jobs.size(), options.timeout) + options.overrun_grace);
        for (auto& job : jobs) job.decided = decide(job.envelope);
        auto began = parts.clock.now();
        auto outcomes = attempt(parts.handler, jobs, {options.timeout, &parts.controls.stop});
        auto took = parts.clock.now() - began;
        auto settled_at = parts.clock.wall();
        auto settlements = settle_all(jobs, outcomes, settled_at);
        parts.handler.note(jobs, settlements);
        heartbeat.watch(handles_of(jobs), std::nullopt);  // until they are deleted
        auto finished = outbox.finish(jobs, outcomes);
        if (!courier) outbox.remove(finished);
        heartbeat.forget();
        if (courier) courier->remove(std::move(finished));
        jobs_worked += jobs.size();
        report_all(jobs, settlements, took);
        auto held = first_held(settlements);
        bool is_of_effect = held < jobs.size() && outcomes[held].is_of_effect;
        auto kept = parts.handler.has_probe() && !is_of_effect ? jobs.size() : held;
        for (std::size_t i = 0; i < jobs.size(); ++i)
            if (i != kept) settle_message(jobs[i], settlements[i], settled_at);
        standing.worked(answered_of(settlements), parts.clock.now() - began);
        if (held < jobs.size())
            gate.shut(settlements[held].why, is_of_effect);
        else if (anything_was_answered(settlements))
            gate.answered(attempts_spent(settlements));
        if (kept < jobs.size()) keep_or_give_back(std::move(jobs[kept]));
    }

    /// What is noted instead of running the effect; nothing: it is run.
    std::optional<Outcome> decide(const record::Envelope& record) const {
        if (!record.discard.empty()) return Outcome::discarded(record.discard);
        if (!options.when || condition::holds_for(*options.when, record)) return std::nullopt;
        return Outcome::skipped("when: " + options.when->text());
    }

    std::vector<Settlement> settle_all(const std::vector<Job>& jobs, const std::vector<Outcome>& outcomes, Timestamp now) {
        std::vector<Settlement> settlements;
        for (std::size_t i = 0; i < jobs.size(); ++i)
            settlements.push_back(settle(outcomes[i], jobs[i].attempts, options.retry, now, random(), deliveries_left(jobs[i])));
        return settlements;
    }

    std::uint64_t deliveries_left(const Job& job) const {
        if (options.deliveries_max == 0) return any_number;
        return options.deliveries_max - std::min<std::uint64_t>(options.deliveries_max, job.receive_count);
    }

    void settle_message(const Job& job, const Settlement& settlement, Timestamp settled_at) {
        switch (settlement.kind) {
            case Outcome::Kind::done:
            case Outcome::Kind::skipped:
            case Outcome::Kind::discarded:
                return;  // deleted already
            case Outcome::Kind::retry:
                return outbox.retry(job, settlement, settled_at);
            case Outcome::Kind::dead:
                return outbox.bury(job.handle, job.body, to_text(job.envelope.id), settlement);
            case Outcome::Kind::hold:
            case Outcome::Kind::untouched:
                return outbox.give_back(job.handle);
        }
    }

    void count(Outcome::Kind kind, Duration took) {
        counters.settled(kind, took);
        standing.settled(kind, took);
    }

    void report_all(const std::vector<Job>& jobs, const std::vector<Settlement>& settlements, Duration took) {
        GatherLogLines together;
        for (std::size_t i = 0; i < jobs.size(); ++i) report(jobs[i], settlements[i], took);
    }

    void report(const Job& job, const Settlement& settlement, Duration took) {
        if (settlement.kind == Outcome::Kind::hold || settlement.kind == Outcome::Kind::untouched) return;
        count(settlement.kind, took);
        LogLine line(level_of(settlement.kind), event_of(settlement.kind));
        line.with("worker", name)
            .with("n", options.n)
            .with("id", to_text(job.envelope.id))
            .with("attempt", settlement.attempts)
            .with("ms", took.count());
        if (!settlement.why.empty()) line.with("why", settlement.why);
        if (settlement.next) line.with("next", to_rfc3339(*settlement.next));
        if (settlement.asked) line.with("asked", to_text(*settlement.asked)).with("then", "the wait is cut, see handlers/EXEC.md");
    }

    // ---- hold

    void wait_for_end() {
        if (!in_hand.empty() && parts.clock.now() - in_hand_since > in_hand_most) give_up_in_hand();
        gate.wait();
    }

    /// One record goes first: the one in hand, or the next of the queue. An empty queue has nothing to try.
    void try_one() {
        if (!in_hand.empty()) return work_on(std::exchange(in_hand, {}));
        auto inbox = read(receiver.take_one());
        if (inbox.size() == 0) return gate.nothing_to_try();
        work(unless_paused(std::move(inbox)));
    }

    /// Where only an attempt can tell that an outage is over, the prober needs one.
    void keep_or_give_back(Job job) {
        if (!gate.is_prober()) return outbox.give_back(job.handle);
        if (in_hand_since == Instant{}) in_hand_since = parts.clock.now();
        in_hand.push_back(std::move(job));
        heartbeat.watch(handles_of(in_hand), std::nullopt);
    }

    void give_up_all() {
        give_up_ahead();
        give_up_in_hand();
    }

    void give_up_in_hand() {
        heartbeat.forget();
        for (auto& job : in_hand) outbox.give_back(job.handle);
        in_hand.clear();
        in_hand_since = {};
    }

    // ----

    std::uint64_t random() { return parts.entropy.u64(); }

    /// On the heartbeat's thread, while the handler hangs: no destructor may run.
    void end_overrun() {
        log_error("attempt.overran").with("worker", name).with("n", options.n).with("then", "the process ends; its messages come again");
        ::_exit(exit_overran);
    }

    Options options;
    Parts parts;
    std::string name;  ///< "core:store"
    Receiver receiver;
    Outbox outbox;
    Counters counters;
    StandingFile standing;
    Gate gate;
    PauseWatch pause;
    std::vector<Job> in_hand;  ///< at most one: what a hold is probed with
    Instant in_hand_since;
    std::uint64_t jobs_worked = 0;
    Instant said_worn_out{}, was_small{};
    Heartbeat heartbeat;  // last but one: its thread uses the rest
    std::optional<Courier> courier;
};

Worker::Worker(Options options, Parts parts) : inside_(std::make_unique<Inside>(std::move(options), parts)) {}
Worker::~Worker() = default;
Ended Worker::run() { return inside_->run(); }

}  // namespace forebay::worker
