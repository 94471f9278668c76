#pragma once
// Looks once a second, where a worker may have more or fewer processes, at queues and processes, and says how many it should have
// (worker/autoscale.h). The parent does what it says; the node only tells it, for those who start processes elsewhere (GET
// /v1/scale/WORKER). One thread. What cannot be seen changes nothing: without the node, and while a person has fixed the number or
// stopped the processes, everything stays as it is.

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/json.h"
#include "cli/config/configuration.h"
#include "supervisor/control.h"
#include "worker/autoscale.h"

namespace forebay::cli {

/// A queue at one moment.
struct SeenBacklog {
    std::string queue;
    Instant at;
    std::uint64_t ready = 0, in_flight = 0;
    std::optional<Duration> oldest;
    std::uint64_t sent = 0, deleted = 0;  ///< since its node started
    bool is_paused = false;
};

class Autoscaler {
  public:
    struct Parts {
        /// The queues there are; nothing: the node does not tell.
        std::function<std::optional<std::vector<SeenBacklog>>()> backlogs;
        /// What the supervising parent runs; nothing: there is none here.
        std::function<std::optional<supervisor::ControlAnswer>()> parent;
        /// So many processes of that worker. Empty: nobody does it.
        std::function<void(const std::string& worker, unsigned count)> scale{};
        Duration every = 1s;
    };
    Autoscaler(const Configuration& configuration, Parts parts);
    ~Autoscaler();
    Autoscaler(const Autoscaler&) = delete;
    Autoscaler& operator=(const Autoscaler&) = delete;

    /// From the next look on: after a reload. Any thread.
    void take(const Configuration& configuration);
    /// One object for each worker, as GET /v1/scale/WORKER tells it. Any thread; does not wait.
    json::Value told() const;

  private:
    /// What a process had worked when it was looked at last.
    struct Known {
        int pid = 0;
        Timestamp started;
        worker::Worked worked;
    };
    struct Watched {
        std::string worker, queue;
        bool tells = true;  ///< its processes have standing files
        worker::Autoscale autoscale;
        std::map<unsigned, Known> processes{};
        bool is_seen = false;
        SeenBacklog backlog{};
        unsigned wanted = 0;
        worker::ScaleDecision decision{};
        std::optional<std::pair<unsigned, unsigned>> said{};  ///< from, to
    };
    struct Processes {
        std::optional<worker::Worked> worked;  ///< nothing: none of them tells
        bool is_held = false;
    };
    void run();
    void look();
    void look_at(Watched& watched, const SeenBacklog& backlog, const std::optional<supervisor::ControlAnswer>& parent);
    Processes processes_of(Watched& watched);
    void scale(Watched& watched);
    static json::Value to_json(const Watched& watched);

    const Parts parts_;
    std::string data_dir_;
    mutable std::mutex lock_;  ///< guards what follows
    std::condition_variable wake_;
    std::vector<Watched> watched_;
    bool ending_ = false;
    std::thread thread_;
};

/// Asks the node of the configuration, over its admin port.
std::function<std::optional<std::vector<SeenBacklog>>()> backlogs_of_node(const Listen& admin);
/// Asks the parent that has this data directory, over its control socket.
std::function<std::optional<supervisor::ControlAnswer>()> parent_of(const std::string& data_dir);

}  // namespace forebay::cli
