#include "cli/process/ports.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/spawn.h"
#include "cli/config/slot.h"
#include "cli/exit_code.h"

namespace forebay::cli {
namespace {

namespace fs = std::filesystem;

/// 0, or why the address cannot be bound, as errno.
int bind_error(const Listen& at) {
    bool is_v6 = at.address.find(':') != std::string::npos;
    Descriptor socket(::socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (socket.get() < 0) return errno;
    int on = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in6 v6{};
    sockaddr_in v4{};
    v6.sin6_family = AF_INET6;
    v4.sin_family = AF_INET;
    v6.sin6_port = v4.sin_port = htons(at.port);
    if (::inet_pton(is_v6 ? AF_INET6 : AF_INET, at.address.c_str(), is_v6 ? static_cast<void*>(&v6.sin6_addr) : &v4.sin_addr) != 1)
        return 0;  // a name: the server says what it makes of it
    if (is_v6) ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    auto* place = is_v6 ? reinterpret_cast<sockaddr*>(&v6) : reinterpret_cast<sockaddr*>(&v4);
    bool is_free = ::bind(socket.get(), place, is_v6 ? sizeof v6 : sizeof v4) == 0 && ::listen(socket.get(), 1) == 0;
    return is_free ? 0 : errno;
}

/// `socket:[4711]` of the sockets that listen on the port, by /proc/net.
std::string listening_socket(std::uint16_t port) {
    constexpr int state_column = 3, inode_column = 9;
    for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        std::ifstream file(table);
        for (std::string line; std::getline(file, line);) {
            std::istringstream words(line);
            std::vector<std::string> columns;
            for (std::string word; words >> word;) columns.push_back(word);
            if (columns.size() <= inode_column || columns[state_column] != "0A") continue;
            auto colon = columns[1].rfind(':');
            if (colon != std::string::npos && std::strtoul(columns[1].c_str() + colon + 1, nullptr, 16) == port)
                return "socket:[" + columns[inode_column] + "]";
        }
    }
    return {};
}

bool holds(const fs::path& process, const std::string& socket) {
    std::error_code error;
    for (const auto& descriptor : fs::directory_iterator(process / "fd", error))
        if (fs::read_symlink(descriptor.path(), error).string() == socket) return true;
    return false;
}

PortProblem problem_of(const Listen& at, std::string setting, int number) {
    PortProblem problem{exit_code::io, address_text(at), std::move(setting), std::strerror(number), {}};
    problem.next = "choose another in " + problem.setting;
    if (number == EADDRINUSE) {
        auto who = who_listens(at.port);
        problem.exit_code = exit_code::try_again;
        problem.why = "another program listens there" + (who.empty() ? std::string() : ": " + who);
        problem.next = (who.empty() ? "see who with: sudo ss -ltnp 'sport = :" + std::to_string(at.port) + "'; end it, or "
                                    : std::string("end it, or ")) +
                       problem.next;
    } else if (number == EACCES) {
        problem.exit_code = exit_code::permission;
        problem.why = "ports below 1024 need a permission: CAP_NET_BIND_SERVICE";
    } else if (number == EADDRNOTAVAIL) {
        problem.exit_code = exit_code::configuration;
        problem.why = "this machine has no such address";
    }
    return problem;
}

}  // namespace

std::string who_listens(std::uint16_t port) {
    auto socket = listening_socket(port);
    if (socket.empty()) return {};
    std::error_code error;
    for (const auto& process : fs::directory_iterator("/proc", error)) {
        auto pid = process.path().filename().string();
        if (pid.find_first_not_of("0123456789") != std::string::npos || !holds(process.path(), socket)) continue;
        std::string name;
        std::getline(std::ifstream(process.path() / "comm"), name);
        return name + " (pid " + pid + ")";
    }
    return {};
}

std::optional<PortProblem> port_problem(const std::string& setting, const Listen& at) {
    int number = bind_error(at);
    return number == 0 ? std::nullopt : std::optional(problem_of(at, setting, number));
}

}  // namespace forebay::cli
