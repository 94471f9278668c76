#pragma once
// What `forebay dev` adds to the parent: it says when the node is ready and where everything is, and reloads
// when the configuration file changes. One thread.

#include <condition_variable>
#include <mutex>
#include <thread>

#include "cli/config/load.h"

namespace forebay::cli {

class DevWatch {
  public:
    DevWatch(const Configuration& configuration, LoadOptions options);
    ~DevWatch();
    DevWatch(const DevWatch&) = delete;
    DevWatch& operator=(const DevWatch&) = delete;

  private:
    void run();
    bool wait_until_ready();
    void print_banner(Duration took);
    void reload();
    /// False when the watch is to end.
    bool sleep(Duration time);

    const Configuration configuration_;
    const LoadOptions options_;
    const Instant started_;
    std::mutex lock_;  ///< guards ending_
    std::condition_variable wake_;
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace forebay::cli
