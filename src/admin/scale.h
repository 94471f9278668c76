#pragma once
// GET /v1/scale/WORKER: how many processes a worker should have. Who decides it is not known here.

#include <string_view>

#include "base/json.h"
#include "http/message.h"

namespace forebay::admin {

/// Of `scales`, objects with a `worker`, the one of that name; without a name all of them.
http::Response show_scale(json::Value scales, std::string_view worker);

}  // namespace forebay::admin
