#include "broker/segment_use.h"

#include "base/check.h"

namespace forebay::broker {

SegmentUse::Use& SegmentUse::of(std::uint32_t segment) {
    if (last_use_ == nullptr || last_ != segment) {
        last_use_ = &uses_[segment];
        last_ = segment;
    }
    return *last_use_;
}

void SegmentUse::claim(const queue::Place& place) {
    of(place.segment).live_bytes += place.length;
    live_bytes_ += place.length;
}

void SegmentUse::release(const queue::Place& place) {
    auto& use = of(place.segment);
    CHECK(use.live_bytes >= place.length, "a place is released once");
    use.live_bytes -= place.length;
    live_bytes_ -= place.length;
}

std::uint64_t SegmentUse::live_bytes(std::uint32_t segment) const {
    auto found = uses_.find(segment);
    return found == uses_.end() ? 0 : found->second.live_bytes;
}

bool SegmentUse::holds_accepted(std::uint32_t segment) const {
    auto found = uses_.find(segment);
    return found != uses_.end() && found->second.accepted_records > 0;
}

bool SegmentUse::is_damaged(std::uint32_t segment) const {
    auto found = uses_.find(segment);
    return found != uses_.end() && found->second.is_damaged;
}

std::optional<std::uint32_t> SegmentUse::oldest_live() const {
    for (const auto& [segment, use] : uses_)
        if (use.live_bytes > 0) return segment;
    return std::nullopt;
}

void SegmentUse::forget_below(std::uint32_t segment) {
    last_use_ = nullptr;
    for (auto it = uses_.begin(); it != uses_.end() && it->first < segment;) {
        CHECK(it->second.live_bytes == 0, "only what holds nothing live is dropped");
        it = uses_.erase(it);
    }
}

void SegmentUse::restore(std::uint32_t segment, Use use) {
    uses_[segment] = use;
    live_bytes_ += use.live_bytes;
}

}  // namespace forebay::broker
