#pragma once
// Pages that stay in memory.

#include <map>

#include "queue/page.h"

namespace forebay::queue {

class MemoryPages final : public Pages {
  public:
    Page& page(QueueId, std::uint64_t number, bool) override { return pages[number]; }
    void forget(QueueId, std::uint64_t number) override { pages.erase(number); }
    void claimed(const Place& place) override { in_use += place.length; }
    void released(const Place& place) override { in_use -= place.length; }
    std::map<std::uint64_t, Page> pages;
    std::uint64_t in_use = 0;
};

}  // namespace forebay::queue
