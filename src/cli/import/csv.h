#pragma once
// Comma-separated values as RFC 4180 has them, and as they are found: semicolons and tabs, any line end, a byte order mark, line
// ends and doubled quotes inside of quotes. What cannot be read is one line, and reading goes on with the next.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/import/input.h"

namespace forebay::cli {

struct CsvRow {
    std::uint64_t line = 0;  ///< it begins there; the first is 1
    std::vector<std::string> cells;
    std::string raw;      ///< as it came, without the line end; of a line that is longer than that, 1 MiB
    std::string problem;  ///< why it could not be read, a sentence; empty = it could
};

class CsvReader {
  public:
    /// Goes on where the input is, which is line `line`.
    CsvReader(Input& input, char delimiter, std::uint64_t line = 1) : input_(input), delimiter_(delimiter), line_(line) {}

    /// The next row that is not empty; false at the end.
    bool next(CsvRow& row);
    /// Of what is read next.
    std::uint64_t line() const { return line_; }

  private:
    bool read_row(CsvRow& row);
    void read_bad_line(CsvRow& row);
    bool read_quoted(std::size_t& at, std::string& cell);
    /// The byte at that place of the unused input, -1 at its end.
    int byte_at(std::size_t at);
    void use(std::size_t bytes);
    void use_line_end();

    Input& input_;
    char delimiter_;
    std::uint64_t line_;
    std::string_view seen_;
    std::string problem_;
};

/// The one of `,` `;` tab and `|` that the first line has most often outside of quotes; `,` if it has none.
char delimiter_of(std::string_view first_lines);
/// "," as `commas`, for people.
std::string_view name_of_delimiter(char delimiter);

/// A cell as it is written: in quotes where it must be.
void append_cell(std::string& out, std::string_view text);
/// What a spreadsheet would take for a formula begins with a quotation mark in the file (and so does what begins with one of
/// those already); a number is none.
std::string guarded(std::string_view text);
/// The text that `guarded` made it of.
std::string_view unguarded(std::string_view cell);

}  // namespace forebay::cli
