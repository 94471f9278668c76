#pragma once
// /api/hold: somebody on this machine is about to copy the log.

#include "admin/call.h"
#include "broker/erasing.h"

namespace forebay::admin {

/// `{seconds}`: holds the log's segments for so long from now, 0 lets go. Answers what a copy must have to be whole.
http::Response hold_log(broker::LogKeeper& log, Clock& clock, const Call& call);

}  // namespace forebay::admin
