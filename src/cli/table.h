#pragma once
// Columns of text under a heading, as wide as they need to be.

#include <string>
#include <vector>

#include "cli/terminal.h"

namespace forebay::cli {

struct Cell {
    Cell(std::string t, Colour c = Colour::plain) : text(std::move(t)), colour(c) {}
    Cell(const char* t) : text(t) {}
    std::string text;
    Colour colour = Colour::plain;
};

class Table {
  public:
    /// A heading that begins with `>` is of a column with figures: they end at the same place.
    explicit Table(std::vector<std::string> headings);
    void add(std::vector<Cell> row);
    bool is_empty() const { return rows_.empty(); }
    /// Heading and rows, each with a newline; no blanks at the ends of lines.
    std::string text(const Terminal& terminal) const;

  private:
    std::vector<std::string> headings_;
    std::vector<bool> is_right_;
    std::vector<std::vector<Cell>> rows_;
};

/// At most so many characters of each line; what Terminal::painted put in counts for nothing, and ends with the line.
std::string cut_lines(std::string_view text, std::size_t most);

/// How many characters a text has on the screen (UTF-8; every character one column wide).
std::size_t width_of(std::string_view text);

}  // namespace forebay::cli
