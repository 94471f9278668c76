#include "broker/page_pool.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "base/crc32c.h"

namespace forebay::broker {

PagePool::PagePool(SegmentUse& use, std::size_t memory) : use_(use) {
    auto count = std::max(memory / page_bytes, pages_min);
    memory_.resize(count);
    frames_.resize(count);
    by_key_.reserve(count);
}

Result<void, disk::Error> PagePool::open(disk::Disk& disk, const std::string& path) {
    TRY_ASSIGN(file_, disk.open(path, disk.exists(path) ? disk::OpenMode::read_write : disk::OpenMode::create_new));
    TRY_ASSIGN(auto size, file_->size());
    slots_.assign(size / page_bytes, 0);
    free_slots_ = slots();
    return {};
}

PagePool::Key PagePool::key_of(queue::QueueId queue, std::uint64_t number) {
    CHECK(number <= UINT32_MAX, "a queue has fewer than 2^42 messages");
    return std::uint64_t{queue.value()} << 32 | number;
}

std::string_view PagePool::bytes_of(std::uint32_t frame) const { return {reinterpret_cast<const char*>(&memory_[frame]), page_bytes}; }

queue::Page& PagePool::page(queue::QueueId queue, std::uint64_t number, bool for_change) {
    auto key = key_of(queue, number);
    auto frame = has_last_ && last_key_ == key ? last_frame_ : frame_of(key, for_change);
    if (fault_) return scratch_ = {};
    frames_[frame].changed |= for_change;
    frames_[frame].recent = true;
    last_key_ = key;
    last_frame_ = frame;
    has_last_ = true;
    return memory_[frame];
}

OnceEntry* PagePool::once_chunk(queue::QueueId window, std::uint64_t number, bool for_change) {
    static_assert(sizeof(OnceEntry) * queue::page_slots <= page_bytes);
    return reinterpret_cast<OnceEntry*>(&page(window, number, for_change));
}

std::uint32_t PagePool::frame_of(Key key, bool for_change) {
    if (auto found = by_key_.find(key); found != by_key_.end()) return found->second;
    auto frame = take_frame();
    if (fault_) return 0;
    load(key, frame);
    frames_[frame] = {key, true, for_change, true};
    by_key_[key] = frame;
    return frame;
}

std::uint32_t PagePool::take_frame() {
    for (;;) {
        auto frame = hand_;
        hand_ = (hand_ + 1) % static_cast<std::uint32_t>(frames_.size());
        auto& candidate = frames_[frame];
        if (candidate.used && candidate.recent) {
            candidate.recent = false;
            continue;
        }
        if (!candidate.used) return frame;
        if (candidate.changed) {
            if (auto done = store(frame); !done) {
                fail(done.error(), false);
                return 0;
            }
        }
        by_key_.erase(candidate.key);
        if (has_last_ && last_frame_ == frame) has_last_ = false;
        candidate.used = false;
        return frame;
    }
}

void PagePool::load(Key key, std::uint32_t frame) {
    auto& page = memory_[frame];
    auto found = stored_.find(key);
    if (found == stored_.end()) {
        page = {};
        return;
    }
    auto& stored = found->second;
    reads_ += 1;
    auto read = read_slot(stored);
    // A second look costs little beside reading the whole log because of one error that does not last.
    if (!read) read = read_slot(stored);
    // What only this process wrote, perhaps behind a sync that failed, says nothing against the checkpoints.
    if (!read) return fail(read.error(), (slots_[stored.slot] & (newest | older)) != 0);
    std::memcpy(static_cast<void*>(&page), buffer_.data(), page_bytes);
    if (!stored.of_this_process && key >> 32 < deduplication_pages.value())
        for (auto& slot : page.slots) slot.set(queue::Slot::offered, false);
}

Result<void, disk::Error> PagePool::read_slot(const Stored& stored) {
    TRY(file_->read(std::uint64_t{stored.slot} * page_bytes, page_bytes, buffer_));
    if (buffer_.size() == page_bytes && crc32c(buffer_) == stored.crc) return {};
    return Failure{disk::Error{EBADMSG, "checksum of slot", "checkpoint/pages"}};
}

void PagePool::fail(disk::Error error, bool is_damage) {
    is_damaged_ |= is_damage;
    if (!fault_) fault_ = std::move(error);
    has_last_ = false;
}

void PagePool::let_go(std::uint32_t slot, std::uint8_t holder) {
    auto& holders = slots_[slot];
    if (holders == 0) return;
    holders = static_cast<std::uint8_t>(holders & ~holder);
    if (holders != 0) return;
    free_slots_ += 1;
    first_free_ = std::min(first_free_, slot);
}

Result<void, disk::Error> PagePool::grow() {
    auto size = std::uint64_t{slots()} + extent;
    TRY(file_->allocate(size * page_bytes));
    slots_.resize(size, 0);
    free_slots_ += extent;
    return {};
}

std::optional<std::uint32_t> PagePool::take_slot() {
    // As many free slots as there are pages in memory are kept back, so that a full disk does not stop deletes.
    if (free_slots_ <= frames_.size()) could_grow_ = grow().ok();
    if (free_slots_ == 0) return std::nullopt;
    while (slots_[first_free_] != 0) ++first_free_;
    free_slots_ -= 1;
    return first_free_++;
}

Result<void, disk::Error> PagePool::store(std::uint32_t frame) {
    auto key = frames_[frame].key;
    auto found = stored_.find(key);
    bool in_place = found != stored_.end() && slots_[found->second.slot] == running;
    std::uint32_t slot = in_place ? found->second.slot : 0;
    if (!in_place) {
        auto taken = take_slot();
        if (!taken) return Failure{disk::Error{ENOSPC, "grow", "checkpoint/pages"}};
        slot = *taken;
        slots_[slot] = running;
    }
    writes_ += 1;
    TRY(file_->write(std::uint64_t{slot} * page_bytes, bytes_of(frame)));
    if (found != stored_.end() && !in_place) let_go(found->second.slot, running);
    stored_[key] = {slot, crc32c(bytes_of(frame)), true};
    frames_[frame].changed = false;
    return {};
}

void PagePool::forget(queue::QueueId queue, std::uint64_t number) {
    auto key = key_of(queue, number);
    if (auto found = by_key_.find(key); found != by_key_.end()) {
        if (has_last_ && last_frame_ == found->second) has_last_ = false;
        frames_[found->second] = {};
        by_key_.erase(found);
    }
    if (auto found = stored_.find(key); found != stored_.end()) {
        let_go(found->second.slot, running);
        stored_.erase(found);
    }
}

void PagePool::adopt(queue::QueueId queue, std::uint64_t number, Stored stored) {
    CHECK(stored.slot < slots(), "a checkpoint names slots of the page file");
    stored_[key_of(queue, number)] = stored;
    if (slots_[stored.slot] == 0) free_slots_ -= 1;
    slots_[stored.slot] |= running | newest;
}

void PagePool::reserve_for_older(const std::vector<std::uint32_t>& slots) {
    for (auto slot : slots) {
        if (slot >= slots_.size()) continue;
        if (slots_[slot] == 0) free_slots_ -= 1;
        slots_[slot] |= older;
    }
}

Result<void, disk::Error> PagePool::begin_checkpoint() {
    for (std::uint32_t frame = 0; frame < frames_.size(); ++frame)
        if (frames_[frame].used && frames_[frame].changed) TRY(store(frame));
    for (const auto& [key, stored] : stored_) slots_[stored.slot] |= pending;
    return {};
}

std::optional<PagePool::Stored> PagePool::stored(queue::QueueId queue, std::uint64_t number) const {
    auto found = stored_.find(key_of(queue, number));
    if (found == stored_.end()) return std::nullopt;
    return found->second;
}

void PagePool::end_checkpoint(bool durable) {
    for (std::uint32_t slot = 0; slot < slots(); ++slot) {
        auto before = slots_[slot];
        if (before == 0) continue;
        auto now = static_cast<std::uint8_t>(before & running);
        if (durable) {
            if ((before & newest) != 0) now |= older;
            if ((before & pending) != 0) now |= newest;
        } else {
            now = static_cast<std::uint8_t>(before & ~pending);
        }
        slots_[slot] = now == 0 ? running : now;
        if (now == 0) let_go(slot, running);
    }
    if (durable) trim();
}

void PagePool::trim() {
    auto last = slots();
    while (last > 0 && slots_[last - 1] == 0) --last;
    auto keep = last + extent + static_cast<std::uint32_t>(frames_.size());
    constexpr std::uint32_t worth_it = 1024;
    if (slots() < keep + worth_it || !file_->truncate(std::uint64_t{keep} * page_bytes)) return;
    free_slots_ -= slots() - keep;
    slots_.resize(keep);
    first_free_ = std::min(first_free_, keep);
}

}  // namespace forebay::broker
