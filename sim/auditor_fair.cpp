// The auditor on groups of standard queues: while one tenant has a large part in flight, a message of another, of whom nothing was
// ever received, does not wait behind it. Who is noisy or quiet is only judged where it is beyond doubt.

#include <fmt/format.h>

#include <algorithm>

#include "sim/auditor.h"

namespace forebay::sim {
namespace {

constexpr std::size_t noisy_in_flight_least = 30;
constexpr std::size_t noisy_part = 10;

}  // namespace

/// Messages of the tenant that are in flight for certain, without those that are being given.
bool Auditor::is_noisy(QueueKnowledge* queue, const std::string& tenant, std::size_t given_of_it, std::size_t given) {
    std::size_t of_it = given_of_it, of_all = given;
    for_each_near(queue, [&](MessageKnowledge& m) {
        bool is_hidden = m.hidden_until > later_ && m.seen_in == queue && m.disturbed != round_;
        of_it += m.group == tenant && is_hidden && must_be_in(m, queue);
        of_all += (m.newest || m.receives.most() > 0) && may_be_in(m, queue);
    });
    return of_it >= noisy_in_flight_least && of_it * noisy_part > of_all;
}

void Auditor::check_tenants(const ReceiveAsked& asked, const Given& given) {
    auto* queue = asked.queue;
    if (damaged_ || queue->settled == round_ || asked.visibility.value_or(queue->visibility(false)) <= 0ms) return;
    // The first one may be what made it noisy again after all that waited was gone.
    for (std::size_t i = 1; i < given.size(); ++i) {
        auto& tenant = given[i]->group;
        if (tenant.empty() || given[i - 1]->group != tenant) continue;
        auto end = given.begin() + static_cast<std::ptrdiff_t>(i);
        auto of_it = std::count_if(given.begin(), end, [&](auto* m) { return m->group == tenant; });
        if (!is_noisy(queue, tenant, static_cast<std::size_t>(of_it), i)) continue;
        seen_.note(Rare::noisy_tenant_served);
        for_each_near(queue, [&](MessageKnowledge& m) {
            bool waits = m.visible_by <= now_ && m.disturbed != round_ && m.delivered != round_ && must_be_in(m, queue);
            if (!waits || m.group == tenant || queue->served.contains(m.group) || std::find(given.begin(), given.end(), &m) != given.end())
                return;
            find(
                fmt::format("message {} of tenant '{}' was given by queue {} though message {} of tenant '{}', who has had nothing, waited",
                            given[i]->label, tenant, queue->name, m.label, m.group));
        });
    }
}

/// What was ever received, or may have been, may be of a noisy tenant. Without a group a message is a tenant of its own.
void Auditor::note_served(QueueKnowledge* queue, const MessageKnowledge& m) {
    if (!m.group.empty()) queue->served.insert(m.group);
}

}  // namespace forebay::sim
