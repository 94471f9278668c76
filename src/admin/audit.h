#pragma once
// /api/audit: what an audit reads of a node, the ids of what was accepted and of what waits, and what audits have found.

#include <string>

#include "admin/call.h"
#include "admin/history.h"
#include "broker/ask.h"

namespace forebay::admin {

/// What audits have found, kept across restarts. A port: cli/process/audit_book.h. Called from the admin thread.
class Audits {
  public:
    virtual ~Audits() = default;
    /// What `status` and the next audit want to know; admin.h names the members.
    virtual json::Value kept() = 0;
    /// Durable when it returns. The error is a sentence.
    virtual Result<void, std::string> keep(const json::Value& found) = 0;
};

/// `GET /api/audit/accepted`: the ids accepted in [from, to), by queue, endpoint and hour. A record is accepted when it was
/// received; one that was refused then and readmitted, or that was imported, when that was done. Every queue it was put on since tells it
/// again.
http::Response list_accepted_ids(History& history, const Call& call);

/// `GET /api/audit/waiting/QUEUE`: the ids of the records in the queue, whether they are ready, in flight or delayed.
http::Response list_waiting_ids(broker::Commands& commands, const Call& call);

http::Response keep_audit(Audits& audits, const Call& call);

}  // namespace forebay::admin
