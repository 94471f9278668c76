#pragma once
// /api/queues: counts and settings, peek, send, purge, redrive.

#include "admin/call.h"
#include "broker/ask.h"

namespace forebay::admin {

http::Response list_queues(broker::Commands& commands, Clock& clock);
http::Response peek_queue(broker::Commands& commands, const Call& call);
http::Response send_to_queue(broker::Commands& commands, const Call& call);
http::Response purge_queue(broker::Commands& commands, const Call& call);
/// Starts a move task (broker.h) that takes the dead letters of the queue to `"to"`, or back to the queue whose dead letters they
/// are. When several queues share them it must be said: a dead letter that a worker put there does not say where it is from.
http::Response redrive_queue(broker::Commands& commands, const Call& call);

}  // namespace forebay::admin
