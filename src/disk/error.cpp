#include <cerrno>
#include <cstring>

#include "disk/disk.h"

namespace forebay::disk {

bool Error::is_no_space() const { return number == ENOSPC || number == EDQUOT; }

std::string Error::text() const {
    char buffer[128];
    return operation + " " + (path.empty() ? "." : path) + ": " + strerror_r(number, buffer, sizeof buffer);
}

}  // namespace forebay::disk
