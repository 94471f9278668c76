#include "ledger/balance.h"

#include <algorithm>

namespace forebay::ledger {
namespace {

/// A shelf is put in order when it has grown by so many, or doubled: copies of an id must not fill the memory.
constexpr std::size_t unsorted_least = 4096;

bool by_id(const Balance::Entry& a, const Balance::Entry& b) { return a.id < b.id; }

}  // namespace

void Counts::add(Verdict verdict) {
    ++accepted;
    switch (verdict) {
        case Verdict::settled:
            ++settled;
            break;
        case Verdict::open:
            ++open;
            break;
        case Verdict::dead:
            ++dead;
            break;
        case Verdict::discarded:
            ++discarded;
            break;
        case Verdict::erased:
            ++erased;
            break;
        case Verdict::missing:
            ++missing;
            break;
    }
}

void Counts::add(const Counts& other) {
    accepted += other.accepted;
    settled += other.settled;
    open += other.open;
    dead += other.dead;
    discarded += other.discarded;
    erased += other.erased;
    missing += other.missing;
    rows += other.rows;
    row_errors += other.row_errors;
}

std::optional<std::uint16_t> Balance::line(const Line& line) {
    auto known = numbers_.find(line);
    if (known != numbers_.end()) return known->second;
    if (lines_.size() == lines_max) return std::nullopt;
    auto number = static_cast<std::uint16_t>(lines_.size());
    lines_.push_back(line);
    numbers_.emplace(line, number);
    return number;
}

bool Balance::accept(const Entry& entry) {
    auto& shelf = shelves_[entry.id.bytes[15]];
    shelf.entries.push_back(entry);
    ++size_;
    if (shelf.entries.size() >= std::max(2 * shelf.sorted, shelf.sorted + unsorted_least)) sort(shelf);
    return size_ <= ids_max;
}

void Balance::sort() {
    for (auto& shelf : shelves_) sort(shelf);
}

void Balance::sort(Shelf& shelf) {
    auto& all = shelf.entries;
    std::sort(all.begin() + static_cast<std::ptrdiff_t>(shelf.sorted), all.end(), by_id);
    std::inplace_merge(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(shelf.sorted), all.end(), by_id);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (kept > 0 && all[kept - 1].id == all[i].id)
            all[kept - 1] = merged(all[kept - 1], all[i]);
        else
            all[kept++] = all[i];
    }
    size_ -= all.size() - kept;
    all.resize(kept);
    shelf.sorted = kept;
}

Balance::Entry Balance::merged(const Entry& a, const Entry& b) const {
    auto out = lines_[b.line].hour < lines_[a.line].hour ? b : a;
    out.pending = a.pending | b.pending;
    out.facts = static_cast<std::uint16_t>(a.facts | b.facts);
    return out;
}

Balance::Entry* Balance::find(const Uuid& id) {
    auto& entries = shelves_[id.bytes[15]].entries;
    auto at = std::lower_bound(entries.begin(), entries.end(), Entry{id}, by_id);
    return at == entries.end() || at->id != id ? nullptr : &*at;
}

Verdict Balance::verdict_of(const Entry& entry) {
    if (entry.facts & (in_dead_letters | noted_dead)) return Verdict::dead;
    if (entry.facts & waiting) return Verdict::open;
    if (entry.facts & is_erased) return Verdict::erased;
    if (entry.pending != 0) return Verdict::missing;
    return entry.facts & is_discarded ? Verdict::discarded : Verdict::settled;
}

}  // namespace forebay::ledger
