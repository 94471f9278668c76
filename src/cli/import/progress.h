#pragma once
// How far an import has come: a note in the data directory, so that `--resume` goes on there, and a line on the terminal.

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"
#include "cli/terminal.h"

namespace forebay::cli {

/// Everything before this place has been taken or refused.
struct Progress {
    std::uint64_t offset = 0;
    std::uint64_t line = 1;
};

/// The note of one file and endpoint: `<data_dir>/imports/…`. What it says is at most one batch behind; rows that are sent again are
/// recognised.
class ProgressNote {
  public:
    /// `beginning` is the start of the file: another file under the same name is not gone on with.
    ProgressNote(const std::string& data_dir, const std::string& file, const std::string& endpoint, std::string_view beginning);
    std::optional<Progress> read() const;
    /// False if it could not be written, which costs only that `--resume` begins further back.
    bool write(const Progress& progress) const;
    void remove() const;

  private:
    std::string directory_, path_, file_, mark_;
};

/// One line on standard error that is written over and over, at most five times a second.
class ProgressLine {
  public:
    ProgressLine(Terminal& terminal, Clock& clock, std::string name, std::uint64_t bytes)
        : terminal_(terminal), clock_(clock), name_(std::move(name)), bytes_(bytes), began_(clock.now()) {}
    ~ProgressLine() { terminal_.progress(""); }
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    void show(std::uint64_t offset, std::uint64_t rows, std::uint64_t refused, const std::string& remark = "");

  private:
    Terminal& terminal_;
    Clock& clock_;
    std::string name_;
    std::uint64_t bytes_;
    Instant began_;
    std::optional<Instant> shown_at_;
    std::optional<std::uint64_t> first_offset_;
};

}  // namespace forebay::cli
