#pragma once
// The newest records of messages as they lie in the journal, in a ring of fixed size: what is sent and received
// soon after is not read from disk. It may forget anything at any time.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "journal/journal.h"
#include "queue/page.h"

namespace forebay::broker {

class BodyCache {
  public:
    explicit BodyCache(std::size_t memory);

    struct Record {
        std::uint8_t type = 0, flags = 0;
        std::string_view body;  ///< until the next `keep`
    };
    void keep(const journal::Location& location, std::uint8_t type, std::uint8_t flags, std::string_view body);
    std::optional<Record> find(const queue::Place& place) const;

  private:
    struct Cell {
        std::uint64_t place = 0;
        std::uint64_t start = 0;  ///< counted from the first byte ever kept
        std::uint32_t size = 0;   ///< 0 = empty
        std::uint8_t type = 0, flags = 0;
    };
    const Cell& cell_of(std::uint64_t place) const { return cells_[(place * 0x9e3779b97f4a7c15ull >> 40) % cells_.size()]; }
    std::string ring_;
    std::vector<Cell> cells_;
    std::uint64_t end_ = 0;
};

}  // namespace forebay::broker
