#pragma once
// The second hand of a worker: while the handler works on one batch, a thread with a Source of its own deletes the batch before it
// and receives the next. So the log's sync, the queue's answers and the database's commit pass at the same time. A process that is
// killed loses nothing by it: what was not deleted comes again and is found done, what was received ahead becomes visible again.

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_function.h"
#include "worker/heartbeat.h"
#include "worker/inbox.h"
#include "worker/outbox.h"
#include "worker/receiver.h"

namespace forebay::worker {

/// All calls from one thread, the worker's.
class Courier {
  public:
    /// `parts.source` is used by the courier's thread only. What is received ahead is kept invisible by `heartbeat`.
    Courier(const Options& options, const Parts& parts, Heartbeat& heartbeat);
    /// Returns when all that was handed over is through.
    ~Courier();
    Courier(const Courier&) = delete;
    Courier& operator=(const Courier&) = delete;

    /// Deletes them; returns at once, unless an earlier batch is still being deleted.
    void remove(std::vector<std::string> handles);
    /// Receives a batch of what there is now, without waiting for more. Not before the batch received ahead was taken.
    void receive_ahead();
    /// What was received ahead and read, once it is here; empty when nothing was asked for, or nothing was there. Its messages are no
    /// longer kept invisible, and no renewal of them is on its way.
    Inbox take();

  private:
    using Task = UniqueFunction<void()>;
    void run();
    void add(Task task);

    Heartbeat& heartbeat_;
    Parts parts_;
    Receiver receiver_;  ///< like outbox_ of the courier's thread
    Outbox outbox_;
    bool is_asked_for_ = false;  ///< and not taken; the worker's thread alone knows

    std::mutex mutex_;  ///< guards everything below
    std::condition_variable changed_;
    std::deque<Task> tasks_;  ///< the first is being done
    Inbox ahead_;
    bool is_here_ = false;  ///< what was asked for
    bool is_leaving_ = false;
    std::thread thread_;  // last: it starts when the rest is there
};

}  // namespace forebay::worker
