#pragma once
// How much of each segment of the log is still needed, and how many accepted records it holds. What falls to
// zero at the head of the log can be dropped.

#include <cstdint>
#include <map>
#include <optional>

#include "queue/page.h"

namespace forebay::broker {

class SegmentUse {
  public:
    struct Use {
        std::uint64_t live_bytes = 0;
        std::uint64_t accepted_records = 0;
        bool is_damaged = false;  ///< a message in it was given up as lost
    };
    void claim(const queue::Place& place);
    void release(const queue::Place& place);
    void count_accepted(std::uint32_t segment) { of(segment).accepted_records += 1; }

    std::uint64_t live_bytes() const { return live_bytes_; }
    std::uint64_t live_bytes(std::uint32_t segment) const;
    bool holds_accepted(std::uint32_t segment) const;
    void note_damage(std::uint32_t segment) { of(segment).is_damaged = true; }
    bool is_damaged(std::uint32_t segment) const;
    /// The oldest segment that something still lies in.
    std::optional<std::uint32_t> oldest_live() const;
    void forget_below(std::uint32_t segment);

    const std::map<std::uint32_t, Use>& all() const { return uses_; }
    void restore(std::uint32_t segment, Use use);

  private:
    Use& of(std::uint32_t segment);
    std::map<std::uint32_t, Use> uses_;
    std::uint64_t live_bytes_ = 0;
    std::uint32_t last_ = 0;
    Use* last_use_ = nullptr;  ///< of last_, to spare the look-up
};

}  // namespace forebay::broker
