#pragma once
// A small fixed set of names, each with a number: which rule a field of a post belongs to. Looked up once
// per field of every post, so it hashes with a multiplication or two and never allocates.

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace forebay::intake {

class NameTable {
  public:
    static constexpr int none = -1;

    /// A name that is there already keeps its number.
    void add(std::string_view name, int number) {
        if (find(name) != none) return;
        entries_.push_back({std::string(name), number});
        std::size_t size = 8;
        while (size < entries_.size() * 3) size *= 2;
        slots_.assign(size, none);
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            auto at = hash(entries_[i].name) & (size - 1);
            while (slots_[at] != none) at = (at + 1) & (size - 1);
            slots_[at] = static_cast<int>(i);
        }
    }
    int find(std::string_view name) const {
        if (slots_.empty()) return none;
        for (auto at = hash(name) & (slots_.size() - 1); slots_[at] != none; at = (at + 1) & (slots_.size() - 1)) {
            auto& entry = entries_[static_cast<std::size_t>(slots_[at])];
            if (entry.name == name) return entry.number;
        }
        return none;
    }

  private:
    struct Entry {
        std::string name;
        int number;
    };
    /// Clients choose what is looked up, not what is in the table, so collisions cannot be piled up.
    static std::size_t hash(std::string_view name) {
        std::uint64_t h = name.size() * 0x9e3779b97f4a7c15ULL;
        for (; name.size() >= 8; name.remove_prefix(8)) {
            std::uint64_t part = 0;
            std::memcpy(&part, name.data(), 8);
            h = (h ^ part) * 0xff51afd7ed558ccdULL;
            h ^= h >> 32;
        }
        std::uint64_t rest = 0;
        std::memcpy(&rest, name.data(), name.size());
        h = (h ^ rest) * 0xff51afd7ed558ccdULL;
        return static_cast<std::size_t>(h ^ h >> 29);
    }
    std::vector<Entry> entries_;
    std::vector<int> slots_;  ///< index into entries_, a power of two of them
};

}  // namespace forebay::intake
