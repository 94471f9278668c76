#pragma once
// What is wrong with a configuration, said as compilers say it: place, severity, message, the line with a
// caret under the word, and what was probably meant.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace forebay::cli {

/// Where something was written: a file with line and column (from 1), or an environment variable (line 0).
struct Place {
    std::string file;
    std::size_t line = 0;
    std::size_t column = 0;  ///< in characters; 0 = the whole line
    std::size_t length = 1;  ///< characters under the caret
    bool is_known() const { return !file.empty(); }
};

enum class Severity { error, warning };

struct Diagnostic {
    Severity severity = Severity::error;
    Place place;
    std::string message;
    std::string hint;  ///< beside the caret: `did you mean "required"?`
};

class Diagnostics {
  public:
    /// Keeps a file's text, so that lines of it can be shown.
    void add_source(const std::string& file, std::string_view text);
    void error(const Place& place, std::string message, std::string hint = {});
    void warning(const Place& place, std::string message, std::string hint = {});

    /// Where a part of a text stands: `length` bytes from `offset` of the value that begins at `place`. Nothing where that cannot be
    /// told: the text came from elsewhere, or has escapes like \u00e9 before it.
    std::optional<Place> within(const Place& place, std::string_view value, std::size_t offset, std::size_t length) const;

    const std::vector<Diagnostic>& all() const { return all_; }
    std::size_t errors() const;
    std::size_t warnings() const { return all_.size() - errors(); }

    /// Everything, in the order of files and lines, each ending with a newline.
    std::string text(bool colour) const;
    /// `2 problems (1 error)`, `1 warning`, `no problems`.
    std::string summary() const;

  private:
    std::string text_of(const Diagnostic& diagnostic, bool colour) const;
    std::map<std::string, std::vector<std::string>> lines_;
    std::vector<std::string> order_;
    std::vector<Diagnostic> all_;
};

}  // namespace forebay::cli
