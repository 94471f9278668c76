#include "cli/process/data_disk.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/statvfs.h>

#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/spawn.h"

namespace forebay::cli {
namespace {

/// InnoDB takes 64 MiB at once when its system tablespace grows (innodb_autoextend_increment).
constexpr std::uint64_t full_below = 64_MiB;
constexpr std::uint64_t room_from = 256_MiB;

}  // namespace

bool is_of_this_machine(const std::string& host) {
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.c_str(), nullptr, nullptr, &found) != 0) return false;
    std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
    for (auto* at = addresses.get(); at != nullptr; at = at->ai_next) {
        // The kernel binds only what is its own.
        Descriptor socket(::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (socket && ::bind(socket.get(), at->ai_addr, at->ai_addrlen) == 0) return true;
    }
    return false;
}

std::string DataDisk::why_full(const std::string& folder) {
    struct statvfs now{};
    if (::statvfs(folder.c_str(), &now) != 0) return {};
    auto free = static_cast<std::uint64_t>(now.f_bavail) * now.f_frsize;
    is_full_ = free < (is_full_ ? room_from : full_below);
    if (!is_full_) return {};
    return "its disk has " + std::to_string(free >> 20) + " MiB left: " + folder;
}

}  // namespace forebay::cli
