#pragma once
// How many processes a worker should have, from what waits in its queue: enough to empty the queue within `drain_within` while
// as much goes on coming, by the measured speed of a process. Told look by look, about once a second; says a number and why.
// Up as soon as it is needed, down slowly, and not to and fro (docs/autoscaling.md). Pure: no clock, no process, no queue.

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"

namespace forebay::worker {

struct ScaleOptions {
    unsigned min = 1, max = 1;
    Duration drain_within = 10s;
    unsigned step = 2;        ///< processes at most, up or down, within a cooldown; up it is as many as are needed when far behind
    Duration cooldown = 15s;  ///< between two changes; so long fewer must have been enough before some are let go
    bool operator==(const ScaleOptions&) const = default;
};

/// What processes settled, and how long they worked for it, all together.
struct Worked {
    std::uint64_t records = 0;
    Duration took{};
};

/// A worker and its queue at one moment.
struct ScaleLook {
    Instant now;
    std::uint64_t ready = 0;           ///< messages that wait for a process
    std::optional<Duration> oldest{};  ///< the age of the oldest message there is, whether it waits, is in hand or is put off
    std::uint64_t sent = 0;            ///< messages that came, counted from any moment on; less than before = counted anew
    std::uint64_t deleted = 0;         ///< messages that went, likewise
    std::optional<Worked> worked{};    ///< since the last look; nothing = they do not tell
    unsigned wanted = 1;               ///< processes there are to be now
    bool is_held = false;              ///< nothing is received, whoever is there: an outage, a pause
};

struct ScaleDecision {
    unsigned processes = 1;
    std::string why;
    bool operator==(const ScaleDecision&) const = default;
};

class Autoscale {
  public:
    explicit Autoscale(ScaleOptions options) : options_(options) {}

    const ScaleOptions& options() const { return options_; }
    /// From the next look on.
    void take(ScaleOptions options) { options_ = options; }
    ScaleDecision look(const ScaleLook& now);

  private:
    /// A rate that forgets: at first the average, then of so many seconds.
    struct Flow {
        double per_second = 0, seen = 0;
        void add(double count, double seconds, double memory);
    };
    /// What one process settles in a second of work, from sums that forget.
    struct Speed {
        double records = 0, seconds = 0;
        Instant at;  ///< when it was measured last
        void add(double count, double worked, double passed, Instant now);
        bool is_known() const { return records >= 1 && seconds > 0; }
        double per_second() const { return records / seconds; }
    };

    void learn(const ScaleLook& now);
    void learn_speed(const ScaleLook& now, double seconds);
    std::optional<double> speed(Instant now) const;
    Duration waiting(const ScaleLook& now) const;
    bool has_rested(Instant now) const;
    ScaleDecision decide(const ScaleLook& now);
    std::optional<ScaleDecision> grow(const ScaleLook& now, std::optional<double> speed);
    std::optional<ScaleDecision> shrink(const ScaleLook& now, std::optional<double> speed);
    ScaleDecision bounded(const ScaleLook& now, double needed, std::string why) const;
    std::string measured(const ScaleLook& now, std::optional<double> speed) const;
    double coming() const;

    ScaleOptions options_;
    std::optional<ScaleLook> last_;
    Flow coming_lately_, coming_, going_;
    Speed calm_, behind_;              ///< measured while nothing waited, and while something did: batches are full then
    std::optional<Instant> empty_at_;  ///< when nothing waited last
    std::optional<Instant> changed_at_, grown_at_;
    std::optional<Instant> fewer_since_;  ///< since when fewer have been enough
    double fewer_most_ = 0;               ///< and how many were, at most
};

}  // namespace forebay::worker
