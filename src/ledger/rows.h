#pragma once
// How the ledger's rows become values; inside ledger/ only.

#include <string>
#include <string_view>

#include "ledger/ledger.h"

namespace forebay::ledger {

inline constexpr std::string_view select_effects =
    "SELECT record, effect, state, attempts, first_at, at, next_at, worker, answer, error FROM forebay_effects";
/// A row of select_effects.
Effect effect_of(const db::Row& row);
/// `text` as forebay_search keeps it; empty = nothing to search by.
std::string search_value(std::string_view kind, std::string_view text);

}  // namespace forebay::ledger
