#pragma once
// The rows of a file as the node takes them: JSON objects of fields, from CSV with a heading or from JSON lines. A row that is
// none is told with its line and kept as it came.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/import/csv.h"
#include "cli/import/input.h"

namespace forebay::cli {

enum class FileFormat { csv, jsonl };

struct SourceRow {
    std::uint64_t line = 0;
    std::string json;                         ///< empty: it could not be read
    std::string raw, raw_type, code, detail;  ///< of one that could not
};

class Rows {
  public:
    virtual ~Rows() = default;
    /// False at the end of the file.
    virtual bool next(SourceRow& row) = 0;
    /// The line that is read next; with Input::offset() where to go on another time.
    virtual std::uint64_t line() const = 0;
};

/// What a column of a CSV file becomes; an empty name leaves it out.
struct Column {
    std::string name;
    bool holds_others = false;  ///< `_other` of an export: more fields, as a JSON object
};

std::unique_ptr<Rows> csv_rows(Input& input, char delimiter, std::uint64_t line, std::vector<Column> columns);
std::unique_ptr<Rows> json_rows(Input& input, std::uint64_t line);

/// What the ending of the name says, else what the beginning of the file looks like.
FileFormat format_of(const std::string& path, std::string_view beginning);

/// What `export` writes beside the fields, and what import leaves out.
bool is_of_export(std::string_view column);

/// The columns of a heading, matched with the fields of an endpoint (as GET /api/endpoints tells them).
struct Heading {
    std::vector<Column> columns;
    std::vector<std::string> remarks;  ///< sentences for the person at the terminal
    std::string problem;               ///< why nothing can be imported so; empty = it can
};
Heading match_heading(const std::vector<std::string>& names, const json::Value& endpoint,
                      const std::map<std::string, std::string>& renamed);

}  // namespace forebay::cli
