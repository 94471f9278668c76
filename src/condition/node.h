#pragma once
// The tree a condition is read into; inside condition/ only.

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/decimal.h"
#include "condition/condition.h"

namespace re2 {
class RE2;
}

namespace forebay::condition {

/// What stands in the text: a text, a number, true, false or null.
struct Literal {
    json::Value value;
    std::optional<Decimal> number;  ///< of a number
};

using Operand = std::variant<Literal, Path>;

/// Both ends belong to it.
struct Range {
    Literal least, most;
};

/// Elements of a list: literals and ranges.
using Choices = std::vector<std::variant<Literal, Range>>;

enum class Comparison { equal, different, less, at_most, greater, at_least };

struct Compare {
    Operand left;
    Comparison comparison = Comparison::equal;
    Operand right;
};
struct In {
    Operand value;
    std::variant<Choices, Path> among;  ///< a path leads to a list
};
struct Matches {
    Operand value;
    std::shared_ptr<const re2::RE2> pattern;
};
struct Exists {
    Path path;
};
struct Not {
    std::unique_ptr<Node> what;
};
/// `and` or `or` of two or more.
struct Several {
    bool all = true;
    std::vector<std::unique_ptr<Node>> parts;
};

struct Node {
    std::variant<Compare, In, Matches, Exists, Not, Several> is;
};

/// Reads a whole text; adds every path to `paths`.
Result<std::unique_ptr<Node>, Error> read(std::string_view text, std::vector<Path>& paths);

/// How two literals compare; nothing if they are of kinds that do not.
std::optional<std::strong_ordering> order_of(const Literal& a, const Literal& b);

}  // namespace forebay::condition
