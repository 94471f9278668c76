#pragma once
// /api/queues: counts and settings, peek, send, purge, redrive.

#include "admin/call.h"
#include "broker/ask.h"

namespace forebay::admin {

http::Response list_queues(broker::Commands& commands, Clock& clock);
http::Response peek_queue(broker::Commands& commands, const Call& call);
http::Response send_to_queue(broker::Commands& commands, const Call& call);
http::Response purge_queue(broker::Commands& commands, const Call& call);
/// Starts a move task (broker.h) that takes the dead letters of the queue back to where they came from, or to `"to"`.
http::Response redrive_queue(broker::Commands& commands, const Call& call);

}  // namespace forebay::admin
