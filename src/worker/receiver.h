#pragma once
// How a worker takes messages: a long poll for the first, then a moment to fill the batch. A queue that
// cannot be reached is asked again after a growing wait, and reported once an outage.

#include <optional>
#include <string>
#include <vector>

#include "base/entropy.h"
#include "base/time.h"
#include "transport/source.h"
#include "worker/worker.h"

namespace forebay::worker {

class Receiver {
  public:
    Receiver(const Options& options, const Parts& parts) : options_(options), parts_(parts) {}
    /// At most batch.size messages; none when nothing came in options.poll, or the queue is away.
    std::vector<transport::Received> take_batch();
    /// At most one.
    std::vector<transport::Received> take_one();
    /// At most batch.size of those that are there. A queue that is away gives none and is not reported.
    std::vector<transport::Received> take_ready();

  private:
    std::vector<transport::Received> take_first(unsigned most);
    Result<std::vector<transport::Received>, transport::SourceError> receive(unsigned most, Duration wait);
    void back();
    void away(const std::string& why);
    const Options& options_;
    const Parts& parts_;
    Duration wait_{};  ///< before the next try; zero while the queue answers
    std::optional<Instant> away_since_;
    bool is_reported_ = false;
};

/// Sleeps, but not longer than until a stop is asked (noticed within 50 ms).
void rest(Duration wait, const Parts& parts);

}  // namespace forebay::worker
