#pragma once
// Files copied so that they are on the disk afterwards, with what they held.

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"

namespace forebay::cli {

struct Copied {
    std::uint64_t bytes = 0;
    std::string sha256;  ///< hex
};

/// Told of bytes as they are copied; false stops.
using OnBytes = std::function<bool(std::uint64_t)>;

/// At most `bytes_max` bytes of `from` into a new file that only its owner reads. An error is a sentence; `missing` is set when it is
/// that there is no such file.
Result<Copied, std::string> copy_file(const std::string& from, const std::string& to, std::uint64_t bytes_max, const OnBytes& on_bytes,
                                      bool* missing = nullptr);
/// What the file holds, without copying it.
Result<Copied, std::string> read_file(const std::string& path, const OnBytes& on_bytes);

/// A new file with this text, on the disk when it returns.
Result<void, std::string> write_new_file(const std::string& path, std::string_view text);
/// With mode 0700, and its parents; those that are there stay as they are.
Result<void, std::string> make_directories(const std::string& path);
/// Names in it are on the disk afterwards.
Result<void, std::string> sync_directory(const std::string& path);

}  // namespace forebay::cli
