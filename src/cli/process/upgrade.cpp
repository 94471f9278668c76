#include "cli/process/upgrade.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/log_line.h"
#include "base/spawn.h"
#include "base/time.h"
#include "supervisor/channel.h"

namespace forebay::cli {
namespace {

constexpr const char* left_variable = "FOREBAY_UPGRADE";
constexpr Duration check_most = 4s;
constexpr std::size_t output_shown = 2000;

/// What it says until it ends; nothing if it takes too long.
std::optional<std::string> output_of(int pipe, Duration at_most) {
    std::string output;
    SystemClock clock;
    for (auto end = clock.now() + at_most; clock.now() < end;) {
        pollfd polled{pipe, POLLIN, 0};
        if (::poll(&polled, 1, static_cast<int>((end - clock.now()).count())) <= 0) continue;
        char buffer[4096];
        auto n = ::read(pipe, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return output;
        if (output.size() < output_shown) output.append(buffer, static_cast<std::size_t>(n));
    }
    return std::nullopt;
}

std::vector<std::string> own_arguments() {
    std::ifstream file("/proc/self/cmdline", std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(file)), {});
    std::vector<std::string> arguments;
    for (std::size_t at = 0; at < text.size();) {
        auto end = std::min(text.find('\0', at), text.size());
        arguments.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return arguments;
}

}  // namespace

std::string own_executable() {
    std::error_code error;
    // As it was called, so that a link that is pointed elsewhere is followed to the new file.
    auto arguments = own_arguments();
    if (!arguments.empty() && arguments[0].find('/') != std::string::npos) {
        auto called = std::filesystem::absolute(arguments[0], error);
        if (std::filesystem::exists(called, error)) return called.string();
    }
    auto path = std::filesystem::read_symlink("/proc/self/exe", error).string();
    constexpr std::string_view deleted = " (deleted)";
    if (path.ends_with(deleted)) path.resize(path.size() - deleted.size());
    return path;
}

Result<void, std::string> would_run(const std::string& executable, const std::vector<std::string>& words_of_file) {
    TRY_ASSIGN(auto pipe, make_pipe());
    SpawnOptions options;
    options.command = {executable, "check"};
    options.command.insert(options.command.end(), words_of_file.begin(), words_of_file.end());
    options.output = options.errors = pipe.write.get();
    TRY_ASSIGN(auto pid, spawn(options));
    pipe.write.close();
    auto output = output_of(pipe.read.get(), check_most);
    if (!output) ::kill(-pid, SIGKILL);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (!output) return Failure{executable + " check did not end within " + to_text(check_most)};
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    return Failure{executable + " check: " + exit_text(status) + (output->empty() ? "" : ": " + *output)};
}

void become_new_binary(const std::string& executable, const json::Value& left) {
    auto fail = [&](const char* what) {
        log_error("upgrade.failed").with("executable", executable).with("why", std::string(what) + ": " + std::strerror(errno));
    };
    Descriptor memory(::memfd_create("forebay-upgrade", 0));  // survives execve
    auto text = json::to_text(left);
    if (!memory || ::write(memory.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) return fail("memory file");
    auto arguments = own_arguments();
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    ::setenv(left_variable, std::to_string(memory.get()).c_str(), 1);
    ::execv(executable.c_str(), argv.data());
    fail("execve");
    ::unsetenv(left_variable);
}

std::optional<json::Value> left_by_the_binary_before() {
    auto memory = supervisor::descriptor_in(left_variable);
    if (!memory) return std::nullopt;
    std::string text;
    char buffer[4096];
    for (ssize_t n = 0; (n = ::pread(memory.get(), buffer, sizeof buffer, static_cast<off_t>(text.size()))) > 0;)
        text.append(buffer, static_cast<std::size_t>(n));
    auto parsed = json::parse(text);
    return parsed.ok() ? std::optional(std::move(*parsed)) : std::nullopt;
}

}  // namespace forebay::cli
