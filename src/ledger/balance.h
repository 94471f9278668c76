#pragma once
// The balance of an audit (decisions.md D18): every id that was accepted in a range, with what is known of it, and the verdict
// that follows. Ids come from the log; what waits in queues and what the ledger says is told to it. Knows neither node nor
// database. 24 bytes an id, at most `ids_max` of them. One thread.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"

namespace forebay::ledger {

/// One line of the balance: what was accepted in an hour at an endpoint.
struct Line {
    Timestamp hour;        ///< its beginning
    std::string endpoint;  ///< empty: sent straight to a queue
    auto operator<=>(const Line&) const = default;
};

/// What becomes of a record. Precedence: dead, then open, then what is over.
enum class Verdict : std::uint8_t { settled, open, dead, discarded, erased, missing };

struct Counts {
    std::uint64_t accepted = 0, settled = 0, open = 0, dead = 0, discarded = 0, erased = 0, missing = 0;
    std::uint64_t rows = 0;        ///< in the user's table
    std::uint64_t row_errors = 0;  ///< rows that are missing, surplus or doubled
    std::uint64_t difference() const { return missing + row_errors; }
    void add(Verdict verdict);
    void add(const Counts& other);
};

class Balance {
  public:
    static constexpr std::size_t ids_max = 20'000'000;
    static constexpr std::size_t lines_max = 65'000;
    static constexpr unsigned queues_max = 32;

    enum Fact : std::uint16_t {
        waiting = 1,          ///< found in a queue
        in_dead_letters = 2,  ///< found in a dead-letter queue
        noted_dead = 4,       ///< an effect of it is dead
        is_discarded = 8,
        is_erased = 16,
        is_stored = 32,  ///< the effect that writes its row is done
        has_row = 64,
        has_rows = 128,  ///< more than one
    };
    struct Entry {
        Uuid id;
        std::uint32_t pending = 0;  ///< bit n: it was put on queue n, and no worker there has finished with it
        std::uint16_t line = 0;
        std::uint16_t facts = 0;
    };

    /// The number of a line; nothing when there are too many.
    std::optional<std::uint16_t> line(const Line& line);
    const std::vector<Line>& lines() const { return lines_; }

    /// One id as the log has it; the same id again adds to what is known of it, and stays in its earliest hour. False: too many.
    bool accept(const Entry& entry);
    /// Before anything is looked for.
    void sort();
    /// Nothing: not accepted in the range. Stays valid.
    Entry* find(const Uuid& id);
    std::size_t size() const { return size_; }

    template <class Visit>
    void each(Visit visit) {
        for (auto& shelf : shelves_)
            for (auto& entry : shelf.entries) visit(entry);
    }
    static Verdict verdict_of(const Entry& entry);

  private:
    /// Ids that end in the same byte, which is random: each shelf is a 256th of all.
    struct Shelf {
        std::vector<Entry> entries;
        std::size_t sorted = 0;  ///< so many at the front are in order, each once
    };
    void sort(Shelf& shelf);
    Entry merged(const Entry& a, const Entry& b) const;

    std::array<Shelf, 256> shelves_;
    std::size_t size_ = 0;
    std::vector<Line> lines_;
    std::map<Line, std::uint16_t> numbers_;
};

}  // namespace forebay::ledger
