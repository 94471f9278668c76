#include "queue/fair_order.h"

#include <algorithm>

namespace forebay::queue {
namespace {

constexpr std::int64_t minute_ms = 60'000;
/// Of a load that never changes the sum that is halved every minute comes to two minutes of it.
constexpr std::int64_t counts_at_most_ms = 2 * minute_ms;

}  // namespace

void FairOrder::Load::settle(std::int64_t now) {
    auto minutes = std::min<std::int64_t>(now / minute_ms - at / minute_ms, 62);
    busy = (busy >> minutes) + in_flight * std::min(now - at, counts_at_most_ms);
    at = now;
}

void FairOrder::Load::count(bool is_in_flight, std::int64_t now) {
    settle(now);
    if (is_in_flight)
        in_flight += 1;
    else if (in_flight > 0)
        in_flight -= 1;
}

bool FairOrder::is_above_bounds(const Tenant& tenant) const {
    const auto& load = tenant.load;
    bool by_number = load.in_flight >= noisy_in_flight_least && std::uint64_t{load.in_flight} * noisy_part > all_.in_flight;
    return by_number || load.busy * noisy_part > all_.busy;
}

void FairOrder::in_flight_changed(std::uint64_t group, bool is_in_flight) {
    all_.count(is_in_flight, now_);
    if (group == 0) return;
    auto& tenant = tenants_.try_emplace(group, Tenant{{0, 0, now_}}).first->second;
    tenant.load.count(is_in_flight, now_);
    if (!is_in_flight) {
        if (tenants_.size() >= forget_at_) forget_tenants();
        return;
    }
    if (tenant.noisy != nullptr || !is_above_bounds(tenant)) return;
    tenant.noisy = noisy_.emplace_back(std::make_unique<Noisy>(Noisy{group, tenant, now_})).get();
}

/// A tenth is what matters; a tenant with less than a thousandth and nothing in flight may begin anew.
void FairOrder::forget_tenants() {
    all_.settle(now_);
    std::erase_if(tenants_, [this](const auto& item) {
        auto load = item.second.load;
        load.settle(now_);
        return item.second.noisy == nullptr && load.in_flight == 0 && load.busy * 1000 <= all_.busy;
    });
    forget_at_ = 2 * tenants_.size() + 1024;
}

FairOrder::Noisy* FairOrder::noisy_of(std::uint64_t group) {
    auto found = group == 0 ? tenants_.end() : tenants_.find(group);
    return found == tenants_.end() ? nullptr : found->second.noisy;
}

void FairOrder::sent(std::uint64_t group, Timestamp now) {
    time_is(now);
    if (auto* noisy = noisy_of(group); noisy != nullptr) noisy->sent_at = now_;
}

bool FairOrder::leave(Sequence sequence, std::uint64_t group) {
    auto* noisy = noisy_of(group);
    if (noisy == nullptr) return false;
    if (!waits(*noisy)) {
        noisy->tenant.noisy = nullptr;
        std::erase_if(noisy_, [&](const auto& one) { return one.get() == noisy; });
        return false;
    }
    noisy->left_from = std::min(noisy->left_from, page_of(sequence));
    left_.insert(page_of(sequence));
    return true;
}

void FairOrder::begin_page(std::uint64_t page) {
    page_ = page;
    has_left_here_ = false;
    group_ = 0;
    group_is_ = nullptr;
}

Offered FairOrder::offer(Sequence sequence, std::uint64_t group) {
    if (group != group_) {
        group_ = group;
        group_is_ = noisy_of(group);
        if (group_is_ != nullptr) {
            auto left = left_.lower_bound(group_is_->left_from);
            group_has_left_before_ = left != left_.end() && *left < page_;
        }
    }
    if (group_is_ == nullptr) {
        if (quiet_.size() >= known_max) return Offered::later;
        quiet_.push_back({sequence, group});
        return Offered::taken;
    }
    if (!group_has_left_before_ && group_is_->known.size() < known_max) {
        group_is_->known.push_back(sequence);
        return Offered::taken;
    }
    group_is_->left_from = std::min(group_is_->left_from, page_);
    has_left_here_ = true;
    return Offered::left;
}

void FairOrder::end_page() {
    if (has_left_here_)
        left_.insert(page_);
    else
        left_.erase(page_);
}

std::optional<Sequence> FairOrder::take_quiet() {
    while (!quiet_.empty()) {
        auto [sequence, group] = quiet_.front();
        quiet_.pop_front();
        auto* noisy = noisy_of(group);
        if (noisy == nullptr) return sequence;
        noisy->known.push_back(sequence);
    }
    return std::nullopt;
}

std::uint64_t FairOrder::head_of(const Noisy& noisy) const {
    return noisy.known.empty() ? noisy.left_from * page_slots : noisy.known.front().value();
}

std::optional<FairOrder::Next> FairOrder::take_noisy(bool may_look) {
    std::erase_if(noisy_, [this](auto& noisy) {
        if (waits(*noisy)) return false;
        noisy->tenant.noisy = nullptr;
        return true;
    });
    Noisy *next = nullptr, *next_known = nullptr;
    auto is_before = [this](const Noisy& a, const Noisy* b) {
        return b == nullptr || std::pair(a.tenant.load.in_flight, head_of(a)) < std::pair(b->tenant.load.in_flight, head_of(*b));
    };
    for (auto& noisy : noisy_) {
        if (is_before(*noisy, next)) next = noisy.get();
        if (!noisy->known.empty() && is_before(*noisy, next_known)) next_known = noisy.get();
    }
    if (next == nullptr) return std::nullopt;
    if (next->known.empty() && next_known != nullptr && !may_look) next = next_known;
    if (next->known.empty()) {
        auto page = *left_.lower_bound(next->left_from);
        next->left_from = page + 1;
        return Next{{}, page};
    }
    auto sequence = next->known.front();
    next->known.pop_front();
    return Next{sequence, 0};
}

void FairOrder::put_back(Sequence sequence, std::uint64_t group) {
    if (auto* noisy = noisy_of(group); noisy != nullptr)
        noisy->known.push_front(sequence);
    else
        quiet_.push_front({sequence, group});
}

std::vector<std::uint64_t> FairOrder::calm() {
    std::vector<std::uint64_t> pages;
    // Of those above the bounds at any one time there are fewer than twenty, since each has more than a tenth.
    bool are_too_many = noisy_.size() >= noisy_max;
    all_.settle(now_);
    std::erase_if(noisy_, [&](auto& noisy) {
        noisy->tenant.load.settle(now_);
        bool stays = now_ - noisy->sent_at < quiet_after.count() && (!are_too_many || is_above_bounds(noisy->tenant));
        if (stays) return false;
        for (auto known = noisy->known.rbegin(); known != noisy->known.rend(); ++known) quiet_.push_front({*known, noisy->group});
        pages.insert(pages.end(), left_.lower_bound(noisy->left_from), left_.end());
        noisy->tenant.noisy = nullptr;
        return true;
    });
    return pages;
}

bool FairOrder::anything_noisy_waits() const {
    return std::any_of(noisy_.begin(), noisy_.end(), [this](const auto& noisy) { return waits(*noisy); });
}

bool FairOrder::anything_is_known() const { return !quiet_.empty() || anything_noisy_waits(); }

void FairOrder::add_pages(std::set<std::uint64_t>& pages) const {
    for (const auto& known : quiet_) pages.insert(page_of(known.sequence));
    for (const auto& noisy : noisy_)
        for (auto sequence : noisy->known) pages.insert(page_of(sequence));
    pages.insert(left_.begin(), left_.end());
}

}  // namespace forebay::queue
