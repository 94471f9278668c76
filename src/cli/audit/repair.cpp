#include "cli/audit/repair.h"

#include <algorithm>

namespace forebay::cli {
namespace {

constexpr std::size_t ids_a_request = 100;

}  // namespace

RepairOrders orders_for(const Audited& audited) {
    RepairOrders orders;
    for (const auto& difference : audited.differences)
        for (const auto& queue : difference.queues) orders[queue].push_back(to_text(difference.id));
    return orders;
}

std::uint64_t size_of(const RepairOrders& orders) {
    std::uint64_t size = 0;
    for (const auto& [queue, ids] : orders) size += ids.size();
    return size;
}

Repaired send(AdminClient& admin, const RepairOrders& orders, const std::string& reason) {
    Repaired repaired;
    for (const auto& [queue, ids] : orders) {
        for (std::size_t at = 0; at < ids.size(); at += ids_a_request) {
            auto some = json::Value::array();
            for (auto i = at; i < std::min(at + ids_a_request, ids.size()); ++i) some.push(ids[i]);
            json::Value body;
            body.set("ids", std::move(some)).set("queue", queue).set("effect", "audit").set("reason", reason);
            auto answer = admin.post("/api/replay", body);
            if (!answer) {
                repaired.error = answer.error();
                return repaired;
            }
            repaired.sent += static_cast<std::uint64_t>((*answer)["sent"].integer().value_or(0));
        }
    }
    return repaired;
}

}  // namespace forebay::cli
