#pragma once
// /api/drain: the node out of service, for a deploy. Balancers find it not ready and go elsewhere, posts that come all the same are
// taken, and nobody is handed a message.

#include "admin/admin.h"
#include "admin/call.h"

namespace forebay::admin {

http::Response drain_node(Parts& parts, const Call& call);
http::Response undrain_node(Parts& parts, const Call& call);

}  // namespace forebay::admin
