#pragma once
// What is missing, put on its queues again through the same door as `replay`. An effect that is done is run again only where its
// row is gone.

#include <compare>
#include <map>
#include <string>
#include <vector>

#include "cli/audit/count.h"

namespace forebay::cli {

/// What a worker is to do once more.
struct RepairOrder {
    std::string queue, effect;
    std::uint32_t again = 0;  ///< not 0: the effect is done, and is run for the so many-th time
    auto operator<=>(const RepairOrder&) const = default;
};
/// With the ids of the records.
using RepairOrders = std::map<RepairOrder, std::vector<std::string>>;

/// The error is a sentence. `table` may be null.
Result<RepairOrders, std::string> orders_for(const Audited& audited, const Configuration& configuration, const AuditTable* table);
std::uint64_t size_of(const RepairOrders& orders);

struct Repaired {
    std::uint64_t sent = 0;
    std::optional<AdminError> error;  ///< after those
};
Repaired send(AdminClient& admin, const RepairOrders& orders, const std::string& reason);

}  // namespace forebay::cli
