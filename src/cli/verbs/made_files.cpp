#include "cli/verbs/made_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace forebay::cli {
namespace {

/// Under another name first, so that a server that is just reading sees the old file or the new one. Why it failed; nothing if not.
std::optional<std::string> write(const std::string& path, const Made& made) {
    auto part = path + ".part";
    int file = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, made.mode);
    bool is_written = file >= 0 && ::fchmod(file, made.mode) == 0 &&
                      ::write(file, made.text.data(), made.text.size()) == static_cast<ssize_t>(made.text.size()) && ::fsync(file) == 0;
    auto why = std::string(std::strerror(errno));
    if (file >= 0) ::close(file);
    if (is_written && std::rename(part.c_str(), path.c_str()) == 0) return std::nullopt;
    if (is_written) why = std::strerror(errno);
    ::unlink(part.c_str());
    return "cannot write " + path + ": " + why;
}

}  // namespace

int write_all(Invocation& invocation, const std::vector<Made>& files, const std::string& out, bool is_folder) {
    auto& terminal = invocation.terminal();
    std::error_code error;
    if (is_folder) std::filesystem::create_directories(out, error);
    for (const auto& made : files) {
        auto path = is_folder ? out + "/" + made.name : out;
        if (auto problem = write(path, made)) return terminal.complain(*problem), exit_code::io;
        terminal.talk("written: " + path);
    }
    return exit_code::done;
}

int show(Invocation& invocation, const std::vector<Made>& files) {
    auto& terminal = invocation.terminal();
    if (terminal.wants_json()) {
        auto list = json::Value::array();
        for (const auto& made : files) list.push(json::Value().set("name", made.name).set("text", made.text));
        terminal.result_json(json::Value().set("files", std::move(list)));
        return exit_code::done;
    }
    for (const auto& made : files)
        terminal.result((files.size() > 1 ? "#### " + made.name + "\n" : std::string()) + made.text + (files.size() > 1 ? "\n" : ""));
    return exit_code::done;
}

}  // namespace forebay::cli
