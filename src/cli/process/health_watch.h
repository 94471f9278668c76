#pragma once
// Asks one server how it is, on a thread of its own, for whoever wants to know: one question at a time however many ask, an answer that
// is young enough is given again, and nobody waits longer than `patience` for a server that hangs.

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "base/unique_function.h"
#include "db/health.h"

namespace forebay::cli {

class HealthWatch {
  public:
    /// What was found out, or why nothing was.
    using Seen = Result<db::Health, std::string>;
    /// Blocks as long as the server lets it; called on the watch's thread only.
    using Look = UniqueFunction<Seen()>;
    using Answer = UniqueFunction<void(const Seen&)>;

    struct Times {
        Duration fresh = 250ms;      ///< a finding this young is told again
        Duration patience = 1000ms;  ///< then "it does not answer"; less than the balancer waits
    };

    HealthWatch(Look look, Clock& clock, Times times);
    /// Waits for the question that is under way.
    ~HealthWatch();

    /// `answer` runs at once, or later on the watch's thread or the one that calls tick(). Any thread.
    void ask(Answer answer);
    /// Answers those who have waited too long. Call it every few dozen milliseconds.
    void tick();

  private:
    struct Waiting {
        Instant since;
        Answer answer;
    };
    void run();

    Look look_;
    Clock& clock_;
    Times times_;
    std::mutex lock_;
    std::condition_variable wanted_;
    std::vector<Waiting> waiting_;
    std::optional<Seen> seen_;
    Instant seen_at_{};
    bool is_stopping_ = false;
    std::thread thread_;
};

}  // namespace forebay::cli
