#pragma once
// A log file as `tail` reads it: its last lines without reading the rest, and what is written from then on, whatever is done to the
// file meanwhile. Renamed away, it is read to its end before the new one of its name, and so are those that came and were renamed in
// between (`path.1`, `path.2`, …); made empty in place, it is read from its start. Memory is bounded by the constants below.

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/spawn.h"

namespace forebay::cli {

class LogReader {
  public:
    explicit LogReader(std::string path) : path_(std::move(path)) {}

    using Wants = std::function<bool(std::string_view line)>;
    using Take = std::function<void(std::string_view line)>;

    /// The last `most` lines that are wanted, oldest first. With `unfinished` also a last line whose end is still to be written; else
    /// that is the first of fresh_lines().
    std::vector<std::string> last_lines(std::size_t most, const Wants& wants, bool unfinished);
    /// The last bytes, as they are; goes on behind them.
    std::string last_bytes(std::size_t most);
    /// Whole lines that were written since.
    void fresh_lines(const Take& take);

    const std::string& path() const { return path_; }
    bool is_there() const { return static_cast<bool>(file_); }

    static constexpr std::size_t line_bytes_max = 1024 * 1024;        ///< a longer one comes in parts
    static constexpr std::size_t lines_bytes_max = 64 * 1024 * 1024;  ///< of all last lines: then they are fewer
    static constexpr int rotated_max = 100;                           ///< `path.1` … `path.100`

  private:
    bool open(const std::string& path);
    /// Reads the open file to its end.
    void drain(const Take& take);
    void emit(std::string_view bytes, const Take& take);
    /// No more will come of a last line.
    void finish(const Take& take);
    /// Another file has the name by now.
    bool is_renamed() const;
    void go_on_to_next(const Take& take);

    std::string path_;
    Descriptor file_;
    ino_t inode_ = 0;
    std::uint64_t offset_ = 0;
    std::string unfinished_;
};

}  // namespace forebay::cli
