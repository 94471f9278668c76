#pragma once
// One log file that may be shared by several processes' output: whole lines, each in one write. When it has reached its
// size it becomes PATH.1, what was PATH.1 becomes PATH.2, and so on; all who share it go on in the new one. A line is
// written whole or not at all: what a full disk does not take is counted, and said once it takes lines again.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/spawn.h"

namespace forebay::supervisor {

struct Rotation {
    std::uint64_t bytes_max = 50_MiB;  ///< 0 = the file grows, or somebody else rotates it
    std::uint32_t backups = 10;        ///< older files kept; with 0 the file begins anew
    bool operator==(const Rotation&) const = default;
};

class LogFile {
  public:
    LogFile(std::string path, Rotation rotation) : path_(std::move(path)), rotation_(rotation) {}
    /// A line with its newline. Opens the file if need be.
    void write(std::string_view line);
    /// Lets go of the file, which may have been moved away; the next line opens the path anew.
    void reopen() { file_.close(); }
    void set_rotation(Rotation rotation) { rotation_ = rotation; }
    const std::string& path() const { return path_; }

  private:
    bool opened();
    void look();
    void rotate();
    void lose(int why);

    const std::string path_;
    Rotation rotation_;
    Descriptor file_;
    bool is_regular_ = false;  ///< a device or a pipe neither rotates nor is cut back
    std::uint64_t bytes_ = 0;
    std::uint64_t lost_ = 0;  ///< lines that could not be written since the last one that could
};

/// The files that are in use, so that two who name the same path write to the same one.
class LogFiles {
  public:
    /// The last who asks says how it rotates.
    std::shared_ptr<LogFile> at(const std::string& path, Rotation rotation);

  private:
    std::map<std::string, std::weak_ptr<LogFile>> files_;
};

}  // namespace forebay::supervisor
