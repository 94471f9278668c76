#pragma once
// The idempotency window: keys seen, with what was sent under them, for as long as each asked. Kept apart from
// messages, so a key outlives its message. Memory holds an index of 8 bytes an entry in a table at most half
// full; the entries lie in pages (FORMAT.md §4). At the bound the oldest are forgotten, and counted.

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/time.h"
#include "broker/broker.h"
#include "broker/log_record.h"
#include "broker/page_pool.h"

namespace forebay::broker {

OnceEntry make_once_entry(const OnceKey& key, Timestamp now);

class OnceWindow {
  public:
    /// What happens at the bound: the oldest are forgotten, or whoever adds asks `is_full` first.
    enum class AtBound { forget, refuse };
    /// Its pages lie under the id `window` in the pool.
    OnceWindow(PagePool& pages, queue::QueueId window, std::size_t keys_max, AtBound at_bound = AtBound::forget);

    enum class Seen { never, same_content, other_content };
    struct Found {
        Seen seen = Seen::never;
        Uuid record;  ///< that the key was first used for
    };
    Found find(const OnceEntry& entry, Timestamp now);
    /// The one added last under the key, if its window has not ended.
    std::optional<OnceEntry> newest(const Uuid& key, Timestamp now);
    /// Another would be more than the bound allows.
    bool is_full() const { return next_ % queue::page_slots == 0 && size() / queue::page_slots >= chunks_max_; }
    /// The entry is not there yet.
    void add(const OnceEntry& entry);
    /// For replay: adds it unless it is there.
    void add_again(const OnceEntry& entry);
    /// Drops at most one chunk whose windows have all ended; true if it did.
    bool forget_ended(Timestamp now);

    std::uint64_t size() const { return next_ - first(); }
    std::uint64_t forgotten() const { return forgotten_; }

    /// For checkpoints.
    std::uint64_t first_chunk() const { return first_chunk_; }
    std::uint64_t next_entry() const { return next_; }
    /// Entries of chunks in the pool are indexed again; reads each page once.
    void restore(std::uint64_t first_chunk, std::uint64_t next_entry, std::uint64_t forgotten);

  private:
    struct Cell {
        std::uint32_t hash = 0;
        std::uint32_t number = 0;  ///< low bits of the entry's number plus one; 0 = empty
    };
    static std::uint32_t hash_of(const Uuid& key);
    std::uint64_t first() const { return first_chunk_ * queue::page_slots; }
    OnceEntry& entry(std::uint64_t number, bool for_change);
    std::uint64_t number_of(const Cell& cell) const;
    template <class Visit>
    void visit_same_hash(std::uint32_t hash, Visit visit);
    void insert(std::uint32_t hash, std::uint64_t number);
    void erase(std::uint32_t hash, std::uint64_t number);
    void index(std::uint64_t number, const OnceEntry& entry);
    void resize(std::size_t cells);
    void drop_first_chunk();

    PagePool& pages_;
    queue::QueueId window_;
    std::size_t chunks_max_;
    AtBound at_bound_;
    std::vector<Cell> cells_;
    std::uint64_t first_chunk_ = 0;
    std::uint64_t next_ = 0;
    std::deque<std::uint32_t> until_;  ///< of each chunk from first_chunk_ on: when the last of its windows ends
    std::uint64_t forgotten_ = 0;
};

}  // namespace forebay::broker
