#pragma once
// Whether this node can make a post durable now: the disk has room and syncs in time, the store is where it was opened, and the node is
// not being stopped. /readyz says it, and what comes in meanwhile is refused before it is read. Each change is logged.
// `store_is_open`, `look` and `note` are for the thread that ticks; everything else for any.

#include <sys/types.h>

#include <atomic>
#include <optional>
#include <string>
#include <utility>

#include "base/time.h"
#include "broker/broker_thread.h"
#include "http/message.h"
#include "intake/intake.h"

namespace forebay::cli {

class Readiness {
  public:
    Readiness(std::string data_dir, Clock& clock) : data_dir_(std::move(data_dir)), clock_(clock) {}

    /// The store is locked: it must stay where it is from now on.
    void store_is_open();
    /// Looks for the store, and asks the broker for the size of the quarantine, which intake bounds it by: an answer that does not
    /// come tells of a sync that does not end. Several times a second.
    void look(broker::Broker& broker, intake::Intake& intake);
    /// Once a second.
    void note(const broker::Broker::Status& status);
    /// The node is being stopped.
    void drain() { is_draining_ = true; }
    /// It is out of service by hand: /readyz says so, and what comes all the same is taken.
    void set_drained(bool is_drained) { is_drained_ = is_drained; }

    bool is_draining() const { return is_draining_ || is_drained_; }
    /// Empty when it is ready.
    std::string why_not() const;
    /// For a post of which only the head is there; nothing where it may come in.
    std::optional<http::Response> refuse_early(const http::Request& head) const;
    /// The same for ports whose work goes on while the disk is full or slow, but not on a log that nobody will find again.
    std::optional<http::Response> refuse_without_store(const http::Request& head) const;
    /// /livez and /readyz; false for another path, which leaves `responder` as it was.
    bool answer_health(const http::Request& request, http::Responder& responder) const;

  private:
    using FileIdentity = std::pair<dev_t, ino_t>;
    static std::optional<FileIdentity> identity_of(const std::string& path);
    void look_at_store();
    void probe(broker::Broker& broker, intake::Intake& intake);

    std::string data_dir_;
    Clock& clock_;
    std::atomic<bool> is_draining_{false}, is_drained_{false}, has_room_{true}, sync_is_slow_{false}, store_is_gone_{false},
        probe_is_out_{false};
    std::optional<FileIdentity> store_lock_;  ///< of the file that was locked at the start
    Instant probed_{};
};

}  // namespace forebay::cli
