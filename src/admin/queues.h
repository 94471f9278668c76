#pragma once
// /api/queues: counts and settings, peek, send, purge.

#include "admin/call.h"
#include "broker/ask.h"

namespace forebay::admin {

http::Response list_queues(broker::Commands& commands, Clock& clock);
http::Response peek_queue(broker::Commands& commands, const Call& call);
http::Response send_to_queue(broker::Commands& commands, const Call& call);
http::Response purge_queue(broker::Commands& commands, const Call& call);

}  // namespace forebay::admin
