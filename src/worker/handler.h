#pragma once
// What a worker does with records, as a port: handlers/ holds the implementations, worker/ the loop that
// feeds them. A handler says what happened to each record and nothing about queues; it may block, and it
// may throw (worker/attempt.cpp catches).

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "record/envelope.h"

namespace forebay::worker {

/// A message that must be in another queue before this one is deleted.
struct FollowUp {
    std::string queue;
    std::string body;
    std::string target{};  ///< its name among the record's follow-ups of this effect; empty = it is not noted when it is sent
};

/// What happened to one record.
struct Outcome {
    enum class Kind {
        done,       ///< the effect is committed outside
        skipped,    ///< the worker's condition does not hold for it, and that is noted
        discarded,  ///< an operator gave it up, and that is noted
        retry,      ///< an answer was spent; again after a wait
        hold,       ///< nobody answered: the dependency is down, no attempt is spent
        dead,       ///< will never work: to the dead-letter queue with the reason
        untouched,  ///< not begun (the worker is stopping, or an earlier record of the batch met a hold)
    };
    Kind kind = Kind::untouched;
    std::string why;                   ///< of all but done and untouched
    std::optional<Duration> after;     ///< retry: instead of the schedule's wait; a worker cuts it (worker/settlement.h)
    std::vector<FollowUp> follow_ups;  ///< done: those that are not known to be sent
    json::Value set;                   ///< done: fields the record has in its follow-ups
    bool is_of_effect = false;  ///< hold: it is the effect that is down, whatever the probe says; only an attempt can tell when it is back

    static Outcome done(std::vector<FollowUp> follow_ups = {}) { return {Kind::done, {}, {}, std::move(follow_ups), {}, false}; }
    static Outcome skipped(std::string why) { return {Kind::skipped, std::move(why), {}, {}, {}, false}; }
    static Outcome discarded(std::string why) { return {Kind::discarded, std::move(why), {}, {}, {}, false}; }
    static Outcome retry(std::string why, std::optional<Duration> after = {}) {
        return {Kind::retry, std::move(why), after, {}, {}, false};
    }
    static Outcome hold(std::string why) { return {Kind::hold, std::move(why), {}, {}, {}, false}; }
    static Outcome dead(std::string why) { return {Kind::dead, std::move(why), {}, {}, {}, false}; }
    static Outcome untouched() { return {}; }
};

/// Whether nothing is left to do for the effect itself.
constexpr bool is_settled(Outcome::Kind kind) {
    return kind == Outcome::Kind::done || kind == Outcome::Kind::skipped || kind == Outcome::Kind::discarded;
}

/// One record to be worked on.
struct Job {
    record::Envelope envelope;
    std::string body;  ///< as it was in the queue, in the queue's form
    std::string message_id;
    std::string handle;
    Timestamp sent_at;
    std::uint32_t receive_count = 0;
    std::uint32_t attempts = 0;  ///< answers spent before this attempt
    /// Not run but noted as this (skipped, discarded), unless it is done already. Nothing in most.
    std::optional<Outcome> decided{};
};

/// What the worker made of an outcome, for the effect's row: a retry whose schedule is used up is dead.
struct Settlement {
    Outcome::Kind kind;
    std::string why;
    std::uint32_t attempts = 0;                    ///< answers spent, this one included
    std::optional<Timestamp> next;                 ///< of a retry
    std::optional<Duration> asked = std::nullopt;  ///< of a retry: the handler's own wait, where it was cut
};

/// Follow-ups of one record that are in their queues.
struct Sent {
    Uuid record;
    std::vector<std::string> targets;
    bool operator==(const Sent&) const = default;
};

/// The wait a record is in, as the row of its effect has it: by the wall clocks of then.
struct Wait {
    Timestamp since, until;
    bool operator==(const Wait&) const = default;
};

/// How long a handler may take, and whether it should begin anything more.
struct Limits {
    Duration timeout{};                       ///< of one record (exec) or one transaction (sql)
    const std::atomic<bool>* stop = nullptr;  ///< set when the worker is stopping
    bool stopping() const { return stop != nullptr && stop->load(std::memory_order_relaxed); }
};

class Handler {
  public:
    virtual ~Handler() = default;

    /// Exactly one outcome per job, in their order. What is decided about a job is noted, and is its outcome, unless its effect is
    /// done.
    virtual std::vector<Outcome> run(std::span<const Job> jobs, const Limits& limits) = 0;

    /// Told before the message is given back or sent to the dead letters, so that the effect's row can say
    /// `retrying`, `held` or `dead`. Rows of what is settled are part of run(). Must not throw.
    virtual void note(std::span<const Job>, std::span<const Settlement>) {}

    /// Told of follow-ups that are in their queues, before their messages are deleted: noted durably, so that a redelivery does
    /// not send them again. After an error the messages are not deleted. Must not throw.
    virtual Result<void, std::string> note_sent(std::span<const Sent>) { return {}; }

    /// The wait each of these records is in, where its effect's row says that it is retrying; asked of those that have
    /// spent an attempt, because a queue cannot hide a message as long as some waits are. Must not throw.
    virtual std::vector<std::optional<Wait>> waits(std::span<const Job> jobs) { return {jobs.size(), std::nullopt}; }

    /// Whether probe() can tell that a dependency is back. If not, only an attempt can: then the worker keeps
    /// one record in hand while it is held and tries again with that one.
    virtual bool has_probe() const { return false; }
    /// Asked now and then while the worker is held.
    virtual Result<void, std::string> probe() { return {}; }

    /// The longest run() may take for `jobs` records before the worker counts as hung.
    virtual Duration time_limit(std::size_t jobs, Duration timeout) const { return jobs == 0 ? Duration::zero() : timeout; }
};

}  // namespace forebay::worker
