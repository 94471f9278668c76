#include "broker/body_cache.h"

#include <algorithm>
#include <cstring>

namespace forebay::broker {
namespace {
std::uint64_t key_of(std::uint32_t segment, std::uint32_t offset) { return std::uint64_t{segment} << 32 | offset; }
}  // namespace

BodyCache::BodyCache(std::size_t memory)
    : ring_(std::max<std::size_t>(memory, 64_KiB), '\0'), cells_(std::max<std::size_t>(memory / 512, 128)) {}

void BodyCache::keep(const journal::Location& location, std::uint8_t type, std::uint8_t flags, std::string_view body) {
    if (body.empty() || body.size() > ring_.size() / 4) return;
    auto at = end_ % ring_.size();
    if (at + body.size() > ring_.size()) end_ += ring_.size() - at;
    std::memcpy(ring_.data() + end_ % ring_.size(), body.data(), body.size());
    auto place = key_of(location.segment, location.offset);
    const_cast<Cell&>(cell_of(place)) = {place, end_, static_cast<std::uint32_t>(body.size()), type, flags};
    end_ += body.size();
}

std::optional<BodyCache::Record> BodyCache::find(const queue::Place& place) const {
    auto key = key_of(place.segment, place.offset);
    const auto& cell = cell_of(key);
    if (cell.size == 0 || cell.place != key || cell.start + ring_.size() < end_) return std::nullopt;
    return Record{cell.type, cell.flags, {ring_.data() + cell.start % ring_.size(), cell.size}};
}

}  // namespace forebay::broker
