#pragma once
// Where one child's output goes: whole lines to a log file that other children may share; or to this process's standard error.

#include <memory>
#include <string>
#include <string_view>

#include "supervisor/log_file.h"
#include "supervisor/supervisor.h"

namespace forebay::supervisor {

class ChildLog {
  public:
    /// `label` marks lines on standard error: `store:1 | line`. Without a `file` all lines go there.
    ChildLog(std::shared_ptr<LogFile> file, LogStyle style, unsigned n, std::string label, bool echo);

    /// Output as it comes; complete lines are written, the rest waits for its end. A line longer than
    /// line_bytes_max is written in parts.
    void add(std::string_view bytes);
    /// The child is gone: an unfinished last line is written too.
    void finish();
    /// What waits for the end of its line.
    const std::string& unfinished() const { return unfinished_; }
    /// Lets go of the file, which may have been moved away; the next line opens the path anew.
    void reopen();
    /// Empty: standard error.
    std::string path() const { return file_ == nullptr ? std::string() : file_->path(); }

    static constexpr std::size_t line_bytes_max = 64 * 1024;

  private:
    void write(std::string_view line);

    std::shared_ptr<LogFile> file_;
    LogStyle style_;
    unsigned n_;
    std::string label_;
    bool echo_;
    std::string unfinished_;
};

}  // namespace forebay::supervisor
