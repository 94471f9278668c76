#include "cli/verbs/parent_process.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/spawn.h"
#include "supervisor/unix_address.h"

namespace forebay::cli {

std::optional<int> pid_of_parent(const std::string& control_path) {
    auto address = supervisor::unix_address(control_path);
    if (!address) return std::nullopt;
    Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) return std::nullopt;
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid <= 0) return std::nullopt;
    return peer.pid;
}

std::optional<StandardError> standard_error_of(int pid) {
    std::error_code error;
    auto link = "/proc/" + std::to_string(pid) + "/fd/2";
    auto target = std::filesystem::read_symlink(link, error).string();
    struct stat found{};
    if (error || ::stat(link.c_str(), &found) != 0) return std::nullopt;
    StandardError out;
    if (S_ISREG(found.st_mode))
        out.file = target;
    else if (S_ISFIFO(found.st_mode))
        out.what = "a pipe";
    else if (S_ISSOCK(found.st_mode))
        out.what = "the journal of systemd (journalctl -u forebay)";
    else
        out.what = target.starts_with("/dev/pts") || target.starts_with("/dev/tty") ? "the terminal " + target : target;
    return out;
}

}  // namespace forebay::cli
