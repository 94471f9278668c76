#pragma once
// Starting another program: fork and exec with everything decided before the fork, so that it is safe in a
// process with several threads. The child leads a process group of its own and dies with the thread that
// started it.

#include <sys/types.h>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace forebay {

struct SpawnOptions {
    std::vector<std::string> command;                              ///< the first is looked up in PATH
    std::vector<std::pair<std::string, std::string>> environment;  ///< added to this process's own
    std::string directory;                                         ///< empty = this process's
    int input = -1;                                                ///< becomes descriptor 0; -1 = /dev/null
    int output = -1;                                               ///< becomes 1; -1 = this process's own
    int errors = -1;                                               ///< becomes 2; -1 = this process's own
    std::vector<int> kept{};                                       ///< descriptors the child has too, under the same numbers
    int death_signal = SIGKILL;                                    ///< what the child gets when the thread that started it ends
    int umask = -1;                                                ///< -1 = this process's own
};

/// The child's pid, which is also its process group. Fails as execve does: "cannot execute php: No such file
/// or directory". No descriptor but 0, 1, 2 and those kept is inherited if all were opened close-on-exec, and of this process's own
/// environment not what a service manager tells it alone: NOTIFY_SOCKET, WATCHDOG_*, LISTEN_*.
Result<pid_t, std::string> spawn(const SpawnOptions& options);

/// `exit 3`, `signal 9 (Killed)`, of waitpid's status.
std::string exit_text(int wait_status);

/// `text` with every `{name}` replaced; unknown ones stay as they are.
std::string replace_names(std::string text, const std::vector<std::pair<std::string, std::string>>& values);

/// A descriptor that is closed when its owner goes.
class Descriptor {
  public:
    Descriptor() = default;
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        if (this != &other) {
            close();
            fd_ = std::exchange(other.fd_, -1);
        }
        return *this;
    }
    ~Descriptor() { close(); }
    explicit operator bool() const { return fd_ >= 0; }
    int get() const { return fd_; }
    /// Leaves it open for somebody else to close.
    int release() { return std::exchange(fd_, -1); }
    void close();

  private:
    int fd_ = -1;
};

/// A pipe whose ends are close-on-exec.
struct Pipe {
    Descriptor read;
    Descriptor write;
};
Result<Pipe, std::string> make_pipe();

}  // namespace forebay
