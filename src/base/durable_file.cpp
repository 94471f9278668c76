#include "base/durable_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "base/spawn.h"

namespace forebay {
namespace {

Failure<std::string> failed(const std::string& path) { return Failure{path + ": " + std::strerror(errno)}; }

std::string folder_of(const std::string& path) {
    auto folder = std::filesystem::path(path).parent_path().string();
    return folder.empty() ? "." : folder;
}

Result<void, std::string> sync_folder(const std::string& path) {
    Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder || ::fsync(folder.get()) != 0) return failed(path);
    return {};
}

Result<void, std::string> write_synced(const std::string& path, std::string_view text) {
    Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!file) return failed(path);
    while (!text.empty()) {
        auto n = ::write(file.get(), text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return failed(path);
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    if (::fsync(file.get()) != 0) return failed(path);
    return {};
}

}  // namespace

Result<void, std::string> replace_file(const std::string& path, std::string_view text) {
    std::error_code error;
    auto folder = folder_of(path);
    bool is_new = std::filesystem::create_directories(folder, error);
    if (error) return Failure{folder + ": " + error.message()};
    if (is_new) TRY(sync_folder(folder_of(folder)));
    auto fresh = path + ".new";
    TRY(write_synced(fresh, text));
    if (std::rename(fresh.c_str(), path.c_str()) != 0) return failed(path);
    return sync_folder(folder);
}

Result<void, std::string> remove_file(const std::string& path) {
    if (::unlink(path.c_str()) != 0) {
        if (errno == ENOENT) return {};
        return failed(path);
    }
    return sync_folder(folder_of(path));
}

}  // namespace forebay
