#pragma once
// Where one child's output goes: a log file, to which whole lines are appended in one write each, so that
// several processes can share a file; or this process's standard error.

#include <string>
#include <string_view>

#include "base/spawn.h"
#include "supervisor/supervisor.h"

namespace forebay::supervisor {

class ChildLog {
  public:
    /// `label` marks lines on standard error: `store:1 | line`.
    ChildLog(std::string path, LogStyle style, unsigned n, std::string label, bool echo);

    /// Output as it comes; complete lines are written, the rest waits for its end. A line longer than
    /// line_bytes_max is written in parts.
    void add(std::string_view bytes);
    /// The child is gone: an unfinished last line is written too.
    void finish();
    /// Lets go of the file, which may have been moved away; the next line opens the path anew.
    void reopen() { file_.close(); }
    const std::string& path() const { return path_; }

    static constexpr std::size_t line_bytes_max = 64 * 1024;

  private:
    void write(std::string_view line);
    bool opened();

    std::string path_;
    LogStyle style_;
    unsigned n_;
    std::string label_;
    bool echo_;
    bool complained_ = false;
    Descriptor file_;
    std::string unfinished_;
};

}  // namespace forebay::supervisor
