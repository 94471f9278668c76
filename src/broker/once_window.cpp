#include "broker/once_window.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace forebay::broker {
namespace {
constexpr std::size_t cells_min = 1024;
}

OnceEntry make_once_entry(const OnceKey& key, Timestamp now) {
    OnceEntry entry;
    entry.key = key.key;
    std::memcpy(entry.content.data(), key.content.bytes.data(), entry.content.size());
    entry.record = key.record;
    entry.until_s = static_cast<std::uint32_t>((now + key.window).ms / 1000 + 1);
    return entry;
}

OnceWindow::OnceWindow(PagePool& pages, queue::QueueId window, std::size_t keys_max, AtBound at_bound)
    : pages_(pages),
      window_(window),
      chunks_max_(std::max<std::size_t>(keys_max / queue::page_slots, 1)),
      at_bound_(at_bound),
      cells_(cells_min) {}

std::uint32_t OnceWindow::hash_of(const Uuid& key) {
    std::uint32_t hash = 0;
    std::memcpy(&hash, key.bytes.data(), sizeof hash);
    return hash;
}

OnceEntry& OnceWindow::entry(std::uint64_t number, bool for_change) {
    return pages_.once_chunk(window_, number / queue::page_slots, for_change)[number % queue::page_slots];
}

std::uint64_t OnceWindow::number_of(const Cell& cell) const {
    auto low = cell.number - 1;
    return first() + static_cast<std::uint32_t>(low - static_cast<std::uint32_t>(first()));
}

template <class Visit>
void OnceWindow::visit_same_hash(std::uint32_t hash, Visit visit) {
    auto mask = cells_.size() - 1;
    for (auto at = hash & mask; cells_[at].number != 0; at = (at + 1) & mask)
        if (cells_[at].hash == hash && visit(number_of(cells_[at]))) return;
}

OnceWindow::Found OnceWindow::find(const OnceEntry& wanted, Timestamp now) {
    Found found;
    visit_same_hash(hash_of(wanted.key), [&](std::uint64_t number) {
        const auto& known = entry(number, false);
        if (known.key != wanted.key || std::int64_t{known.until_s} * 1000 <= now.ms) return false;
        found = {known.content == wanted.content ? Seen::same_content : Seen::other_content, known.record};
        return found.seen == Seen::same_content;
    });
    return found;
}

std::optional<OnceEntry> OnceWindow::newest(const Uuid& key, Timestamp now) {
    std::optional<std::uint64_t> last;
    visit_same_hash(hash_of(key), [&](std::uint64_t number) {
        if (entry(number, false).key == key) last = std::max(last.value_or(number), number);
        return false;
    });
    if (!last) return std::nullopt;
    auto found = entry(*last, false);
    return std::int64_t{found.until_s} * 1000 > now.ms ? std::optional(found) : std::nullopt;
}

void OnceWindow::add_again(const OnceEntry& wanted) {
    bool there = false;
    visit_same_hash(hash_of(wanted.key), [&](std::uint64_t number) {
        const auto& known = entry(number, false);
        return there = known.key == wanted.key && known.content == wanted.content && known.until_s == wanted.until_s;
    });
    if (!there) add(wanted);
}

void OnceWindow::add(const OnceEntry& added) {
    if (is_full() && at_bound_ == AtBound::forget) {
        forgotten_ += queue::page_slots;
        drop_first_chunk();
    }
    auto number = next_++;
    entry(number, true) = added;
    index(number, added);
}

void OnceWindow::index(std::uint64_t number, const OnceEntry& entry) {
    if (number % queue::page_slots == 0) until_.push_back(0);
    until_.back() = std::max(until_.back(), entry.until_s);
    if (size() * 2 > cells_.size()) resize(cells_.size() * 2);
    insert(hash_of(entry.key), number);
}

void OnceWindow::insert(std::uint32_t hash, std::uint64_t number) {
    auto mask = cells_.size() - 1;
    auto at = hash & mask;
    while (cells_[at].number != 0) at = (at + 1) & mask;
    cells_[at] = {hash, static_cast<std::uint32_t>(number) + 1};
}

void OnceWindow::erase(std::uint32_t hash, std::uint64_t number) {
    auto mask = cells_.size() - 1;
    auto at = hash & mask;
    while (cells_[at].number != 0 && cells_[at].number != static_cast<std::uint32_t>(number) + 1) at = (at + 1) & mask;
    if (cells_[at].number == 0) return;
    // Close the gap: whatever follows and would not be found behind an empty cell moves up.
    for (auto next = (at + 1) & mask; cells_[next].number != 0; next = (next + 1) & mask) {
        auto home = cells_[next].hash & mask;
        bool stays = at <= next ? (at < home && home <= next) : (at < home || home <= next);
        if (stays) continue;
        cells_[at] = cells_[next];
        at = next;
    }
    cells_[at] = {};
}

void OnceWindow::resize(std::size_t cells) {
    auto before = std::move(cells_);
    cells_.assign(std::max(cells, cells_min), {});
    auto mask = cells_.size() - 1;
    for (const auto& cell : before) {
        if (cell.number == 0) continue;
        auto at = cell.hash & mask;
        while (cells_[at].number != 0) at = (at + 1) & mask;
        cells_[at] = cell;
    }
}

void OnceWindow::drop_first_chunk() {
    std::vector<std::uint32_t> hashes;
    auto* chunk = pages_.once_chunk(window_, first_chunk_, false);
    for (std::size_t i = 0; i < queue::page_slots; ++i) hashes.push_back(hash_of(chunk[i].key));
    for (std::size_t i = 0; i < queue::page_slots; ++i) erase(hashes[i], first() + i);
    pages_.forget(window_, first_chunk_);
    first_chunk_ += 1;
    until_.pop_front();
    if (cells_.size() > cells_min && size() * 8 < cells_.size()) resize(cells_.size() / 2);
}

bool OnceWindow::forget_ended(Timestamp now) {
    if (size() < queue::page_slots || std::int64_t{until_.front()} * 1000 > now.ms) return false;
    drop_first_chunk();
    return true;
}

void OnceWindow::restore(std::uint64_t first_chunk, std::uint64_t next_entry, std::uint64_t forgotten) {
    first_chunk_ = first_chunk;
    next_ = first();
    forgotten_ = forgotten;
    while (next_ < next_entry) {
        auto number = next_++;
        index(number, entry(number, false));
    }
}

}  // namespace forebay::broker
