#include "cli/audit/repair.h"

#include <algorithm>

#include "ledger/ledger.h"

namespace forebay::cli {
namespace {

constexpr std::size_t ids_a_request = 100;

/// How often the effect was begun, of one that is done.
std::optional<std::uint32_t> times_begun(const std::vector<ledger::EffectState>& effects, const std::string& worker) {
    std::uint32_t times = 0;
    bool is_done = false;
    for (const auto& effect : effects) {
        auto [name, again] = ledger::split_effect(effect.effect);
        if (name != worker) continue;
        times = std::max(times, again + 1);
        is_done = is_done || (again == 0 && effect.state == "done");
    }
    return is_done ? std::optional(times) : std::nullopt;
}

}  // namespace

Result<RepairOrders, std::string> orders_for(const Audited& audited, const Configuration& configuration, const AuditTable* table) {
    RepairOrders orders;
    std::vector<Uuid> without_row;
    for (const auto& difference : audited.differences) {
        for (const auto& queue : difference.queues) orders[{queue, "", 0}].push_back(to_text(difference.id));
        if (difference.kind == AuditDifference::Kind::row_missing) without_row.push_back(difference.id);
    }
    if (table == nullptr) return orders;
    TRY_ASSIGN(auto states, LedgerSources(configuration).states_of(without_row));
    for (const auto& [id, effects] : states)
        for (const auto* worker : table->workers)
            if (auto times = times_begun(effects, worker->name)) orders[{worker->queue, worker->name, *times}].push_back(to_text(id));
    return orders;
}

std::uint64_t size_of(const RepairOrders& orders) {
    std::uint64_t size = 0;
    for (const auto& [order, ids] : orders) size += ids.size();
    return size;
}

Repaired send(AdminClient& admin, const RepairOrders& orders, const std::string& reason) {
    Repaired repaired;
    for (const auto& [order, ids] : orders) {
        for (std::size_t at = 0; at < ids.size(); at += ids_a_request) {
            auto some = json::Value::array();
            for (auto i = at; i < std::min(at + ids_a_request, ids.size()); ++i) some.push(ids[i]);
            json::Value body;
            body.set("ids", std::move(some)).set("queue", order.queue).set("effect", order.effect).set("reason", reason);
            auto answer = admin.post("/api/replay", body.set("again", order.again));
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
