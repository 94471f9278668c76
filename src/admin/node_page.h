#pragma once
// The page at the admin port's root: whether this node is well and what its queues hold. Plain HTML.

#include <vector>

#include "admin/admin.h"

namespace forebay::admin {

http::Response node_page(const NodeFacts& facts, const Result<std::vector<broker::QueueStatus>, broker::Refusal>& queues);

}  // namespace forebay::admin
