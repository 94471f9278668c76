#pragma once
// "Did you mean": the candidate that a word was most likely meant to be.

#include <string>
#include <string_view>
#include <vector>

namespace forebay::cli {

/// Edits (insert, drop, change, swap of neighbours) that make `b` of `a`.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The nearest candidate, at most a third of the word's letters away (but one edit is always near); empty if none.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace forebay::cli
