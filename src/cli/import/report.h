#pragma once
// What became of the rows of an import: counts, and for each reason the first lines.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "cli/import/rows.h"
#include "cli/terminal.h"

namespace forebay::cli {

/// A set of 64-bit hashes that stops growing: how many rows say what an earlier one says.
class SeenRows {
  public:
    /// Whether it was seen before. Rows behind `rows_max` are not remembered.
    bool add(std::string_view text);
    bool is_full() const { return count_ >= rows_max; }
    static constexpr std::size_t rows_max = 8'000'000;

  private:
    void grow();
    std::vector<std::uint64_t> cells_;
    std::size_t count_ = 0;
};

class ImportReport {
  public:
    ImportReport(std::string file, std::string endpoint, bool dry_run, Instant began)
        : file_(std::move(file)), endpoint_(std::move(endpoint)), dry_run_(dry_run), began_(began) {}

    struct Left {
        json::Value rows = json::Value::array();  ///< of the batch, to be sent again
        std::string why;
    };
    /// Counts what the node said of a batch.
    Left take(const json::Value& answer, const json::Value& batch);
    /// Of a dry run: counts rows that say the same as an earlier one.
    void note_content(const SourceRow& row);

    std::uint64_t rows() const { return rows_; }
    std::uint64_t refused() const { return count("refused"); }
    bool has_refused() const { return refused() > 0; }
    void print(Terminal& terminal, Instant now) const;

  private:
    struct Reason {
        std::uint64_t rows = 0;
        std::vector<std::uint64_t> lines;  ///< the first
        std::string detail;                ///< of the first
    };
    std::uint64_t count(const std::string& outcome) const;
    json::Value to_json(Duration took) const;
    std::string text(Duration took) const;
    std::string reasons_text() const;

    std::string file_, endpoint_;
    bool dry_run_;
    Instant began_;
    std::uint64_t rows_ = 0, not_kept_ = 0, repeated_ = 0;
    std::map<std::string, std::uint64_t> counts_, filled_;
    std::map<std::string, Reason> reasons_;
    SeenRows seen_;
};

}  // namespace forebay::cli
