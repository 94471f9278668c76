#pragma once
// The address of a unix socket, which the kernel limits to 107 bytes of path.

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <string>

#include "base/result.h"

namespace forebay::supervisor {

inline Result<sockaddr_un, std::string> unix_address(const std::string& path) {
    sockaddr_un address{};
    if (path.empty() || path.size() >= sizeof address.sun_path)
        return Failure{"the path of the control socket must have 1 to 107 bytes, \"" + path + "\" has " + std::to_string(path.size())};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return address;
}

}  // namespace forebay::supervisor
