#pragma once
// Queues that hand out nothing until somebody says so, and the node taken out of service. The broker does it; that it stays so
// over restarts is kept here, in a small file, before it is done.

#include <map>
#include <optional>
#include <string>

#include "admin/call.h"
#include "base/json.h"
#include "broker/broker.h"

namespace forebay::admin {

/// `{since_ms, reason, by}`
json::Value pause_json(const broker::QueuePause& pause);
/// Of a request's body, from now on. The words are cut to what a log line should have.
broker::QueuePause pause_in(const json::Value& body, Timestamp now);

/// The refusal of what could not be written down.
http::Response unkept(const std::string& why);

class QueuePauses {
  public:
    /// Pauses what the file says. `commands` and `clock` outlive it. Without a path nothing is kept.
    QueuePauses(broker::Commands& commands, Clock& clock, std::string path);

    /// The first reason stays: a queue that is paused already is left as it is.
    http::Response pause(const Call& call);
    http::Response resume(const Call& call);

  private:
    /// What is known of a queue. One that expires messages is known after its pause too: its expiry counts from there.
    struct Known {
        Timestamp made;  ///< when the queue was: another of its name is not meant
        std::optional<broker::QueuePause> pause;
        Timestamp went_on;
    };
    void read();
    Result<void, std::string> keep();
    Result<broker::QueueStatus, broker::Refusal> find(const std::string& name);

    broker::Commands& commands_;
    Clock& clock_;
    std::string path_;
    std::map<std::string, Known> known_;
};

}  // namespace forebay::admin
