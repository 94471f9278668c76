#pragma once
// The pages of all queues: a fixed number in memory, the others in the page file (FORMAT.md §2). A page that is
// put out of memory goes to a slot that no checkpoint names, so a checkpoint stays what it was while the broker goes on.
// A page that cannot be read or does not match its checksum is a fault: the caller gets an empty page, must ask
// `fault()` before anything leaves the process, and open again, from the log alone if `is_damaged()`.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/log_record.h"
#include "broker/segment_use.h"
#include "disk/disk.h"
#include "queue/page.h"

namespace forebay::broker {

inline constexpr std::size_t page_bytes = sizeof(queue::Page);

/// Pages of once-keys live in the same pool under this queue id, which no queue has.
inline constexpr queue::QueueId once_pages{0xffffffff};
/// And pages of deduplication ids under this one.
inline constexpr queue::QueueId deduplication_pages{0xfffffffe};

class PagePool final : public queue::Pages {
  public:
    static constexpr std::size_t pages_min = 4;

    PagePool(SegmentUse& use, std::size_t memory);
    PagePool(const PagePool&) = delete;
    PagePool& operator=(const PagePool&) = delete;

    /// Opens or creates the page file.
    Result<void, disk::Error> open(disk::Disk& disk, const std::string& path);

    queue::Page& page(queue::QueueId queue, std::uint64_t number, bool for_change) override;
    void forget(queue::QueueId queue, std::uint64_t number) override;
    void claimed(const queue::Place& place) override { use_.claim(place); }
    void released(const queue::Place& place) override { use_.release(place); }
    /// A page of 1,024 once-keys, which fill less than the whole of it; same rules as `page`.
    OnceEntry* once_chunk(queue::QueueId window, std::uint64_t number, bool for_change);

    const std::optional<disk::Error>& fault() const { return fault_; }
    /// The fault is a page of a checkpoint, which is not what was written or cannot be read: that checkpoint is worthless.
    bool is_damaged() const { return is_damaged_; }
    /// False when the page file could not grow the last time and little of it is free: nothing more may be added.
    bool has_room() const { return could_grow_ || free_slots_ > frames_.size(); }

    /// Where a page lies in the page file.
    struct Stored {
        std::uint32_t slot = 0;
        std::uint32_t crc = 0;
        bool of_this_process = false;
    };
    std::uint32_t slots() const { return static_cast<std::uint32_t>(slots_.size()); }
    /// Opening: the page lies there, as a checkpoint says.
    void adopt(queue::QueueId queue, std::uint64_t number, Stored stored);
    /// Opening: slots that the checkpoint before the one used names, so that it stays whole.
    void reserve_for_older(const std::vector<std::uint32_t>& slots);

    /// Writes every changed page; afterwards `stored` knows each page that exists. Then holds all their slots for the
    /// checkpoint that is being written, until `end_checkpoint`.
    Result<void, disk::Error> begin_checkpoint();
    std::optional<Stored> stored(queue::QueueId queue, std::uint64_t number) const;
    void end_checkpoint(bool durable);
    disk::File& file() { return *file_; }

    std::uint64_t reads() const { return reads_; }
    std::uint64_t writes() const { return writes_; }

  private:
    using Key = std::uint64_t;
    struct Frame {
        Key key = 0;
        bool used = false, changed = false, recent = false;
    };
    static Key key_of(queue::QueueId queue, std::uint64_t number);
    std::uint32_t frame_of(Key key, bool for_change);
    std::uint32_t take_frame();
    void load(Key key, std::uint32_t frame);
    Result<void, disk::Error> read_slot(const Stored& stored);
    Result<void, disk::Error> store(std::uint32_t frame);
    std::optional<std::uint32_t> take_slot();
    Result<void, disk::Error> grow();
    void let_go(std::uint32_t slot, std::uint8_t holder);
    void trim();
    void fail(disk::Error error, bool is_damage);
    std::string_view bytes_of(std::uint32_t frame) const;

    static constexpr std::uint32_t extent = 64;  ///< slots claimed at a time
    /// Who names a slot.
    static constexpr std::uint8_t running = 1, newest = 2, older = 4, pending = 8;

    SegmentUse& use_;
    std::unique_ptr<disk::File> file_;
    std::vector<queue::Page> memory_;
    std::vector<Frame> frames_;
    std::unordered_map<Key, std::uint32_t> by_key_;
    std::map<Key, Stored> stored_;
    std::vector<std::uint8_t> slots_;
    std::uint32_t free_slots_ = 0, first_free_ = 0;
    std::uint32_t hand_ = 0;
    Key last_key_ = 0;
    std::uint32_t last_frame_ = 0;
    bool has_last_ = false;
    bool could_grow_ = true;
    std::optional<disk::Error> fault_;
    bool is_damaged_ = false;
    queue::Page scratch_;
    std::string buffer_;
    std::uint64_t reads_ = 0, writes_ = 0;
};

}  // namespace forebay::broker
