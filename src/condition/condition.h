#pragma once
// Conditions: `campaign == "auto" and state in ["CA", "TX"]`. Read once into a small tree, then asked of one record (or one
// answer of a partner) after the other. docs/conditions.md is the language; it has no side effects, no loops and no functions,
// so a condition takes time in proportion to its length and to the texts it looks at, whoever wrote them.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace forebay::condition {

inline constexpr std::size_t text_bytes_max = 4096;
inline constexpr std::size_t depth_max = 32;  ///< of parentheses and `not`

/// What is wrong with a text, and where.
struct Error {
    std::string what;        ///< `a text ends with "`, `there is no operator "="`
    std::size_t offset = 0;  ///< byte in the text
    std::size_t length = 1;  ///< bytes the caret underlines
    std::string hint;        ///< `did you mean "=="?`
};

/// Where the names of a condition get their values from.
class Scope {
  public:
    virtual ~Scope() = default;
    /// The value of the first name of a path; null if there is none. Valid as long as the scope is.
    virtual const json::Value* find(std::string_view name) const = 0;
};

/// The members of one JSON object.
class ObjectScope final : public Scope {
  public:
    explicit ObjectScope(const json::Value& object) : object_(object) {}
    const json::Value* find(std::string_view name) const override { return object_.find(name); }

  private:
    const json::Value& object_;
};

/// A path as it stands in the text.
struct Path {
    std::vector<std::string> names;
    std::size_t offset = 0, length = 0;
};

struct Node;

/// Cheap to copy. May be asked from several threads at once.
class Condition {
  public:
    static Result<Condition, Error> parse(std::string_view text);

    bool holds(const Scope& scope) const;
    const std::string& text() const { return text_; }
    /// Every path that is looked at, for whoever knows which there are.
    const std::vector<Path>& paths() const { return paths_; }

  private:
    Condition(std::string text, std::shared_ptr<const Node> root, std::vector<Path> paths)
        : text_(std::move(text)), root_(std::move(root)), paths_(std::move(paths)) {}
    std::string text_;
    std::shared_ptr<const Node> root_;
    std::vector<Path> paths_;
};

/// As compilers say it, each line with a newline:
///     --where:9: error: there is no operator "="
///       | state = "CA"
///       |       ^ did you mean "=="?
std::string error_text(std::string_view source, std::string_view text, const Error& error);

}  // namespace forebay::condition
