#pragma once
// From received messages to jobs: decodes each body; what is no record is told apart with its reason.

#include <string>
#include <vector>

#include "transport/source.h"
#include "worker/handler.h"

namespace forebay::worker {

struct Unreadable {
    transport::Received message;
    std::string why;
};

struct Inbox {
    std::vector<Job> jobs;
    std::vector<Unreadable> unreadable;
    std::size_t size() const { return jobs.size() + unreadable.size(); }
    std::vector<std::string> handles() const;
};

Inbox read(std::vector<transport::Received> messages);

/// The id of a record that somebody sent straight to the queue: its message's id, so that a redelivery is
/// the same record.
Uuid id_of_message(const std::string& message_id);

}  // namespace forebay::worker
