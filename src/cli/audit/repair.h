#pragma once
// What is missing, put on its queues again through the same door as `replay`.

#include <map>
#include <string>
#include <vector>

#include "cli/audit/count.h"

namespace forebay::cli {

/// The ids that are to be put on each queue.
using RepairOrders = std::map<std::string, std::vector<std::string>>;

RepairOrders orders_for(const Audited& audited);
std::uint64_t size_of(const RepairOrders& orders);

struct Repaired {
    std::uint64_t sent = 0;
    std::optional<AdminError> error;  ///< after those
};
Repaired send(AdminClient& admin, const RepairOrders& orders, const std::string& reason);

}  // namespace forebay::cli
