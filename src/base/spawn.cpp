#include "base/spawn.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

extern char** environ;

namespace forebay {
namespace {

/// What a service manager tells this process and nobody it starts.
bool is_of_service_manager(std::string_view name) {
    constexpr std::string_view names[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC",  "WATCHDOG_PID",  "LISTEN_PID",
                                          "LISTEN_FDS",    "LISTEN_FDNAMES", "LISTEN_PIDFDID"};
    return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

std::vector<std::string> environment_with(const std::vector<std::pair<std::string, std::string>>& added) {
    std::vector<std::string> all;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        std::string_view name(*entry);
        name = name.substr(0, name.find('='));
        bool replaced = is_of_service_manager(name);
        for (auto& [key, value] : added) replaced = replaced || key == name;
        if (!replaced) all.emplace_back(*entry);
    }
    for (auto& [key, value] : added) all.push_back(key + "=" + value);
    return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (auto& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

/// dup2 leaves a descriptor that already has its number as it is, close-on-exec included.
bool place(int from, int to) {
    if (from < 0) return true;
    if (from == to) return ::fcntl(to, F_SETFD, 0) == 0;
    return ::dup2(from, to) >= 0;
}

void take_default_signals() {
    for (int signal : {SIGPIPE, SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGTSTP, SIGCHLD}) ::signal(signal, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// Only calls that are safe between fork and exec. Tells the parent errno through `report` if exec fails.
[[noreturn]] void become(const SpawnOptions& options, int input, char* const* argv, char* const* envp, pid_t parent, int report) {
    take_default_signals();
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, options.death_signal);
    bool ready = ::getppid() == parent;  // else it died before the prctl
    ready = ready && place(input, 0) && place(options.output, 1) && place(options.errors, 2);
    for (int kept : options.kept) ready = ready && ::fcntl(kept, F_SETFD, 0) == 0;
    if (options.umask >= 0) ::umask(static_cast<mode_t>(options.umask));
    ready = ready && (options.directory.empty() || ::chdir(options.directory.c_str()) == 0);
    if (ready) ::execvpe(argv[0], argv, envp);
    int number = errno;
    (void)!::write(report, &number, sizeof number);
    ::_exit(127);
}

}  // namespace

void Descriptor::close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

Result<Pipe, std::string> make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return Failure{std::string("cannot make a pipe: ") + std::strerror(errno)};
    return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

Result<pid_t, std::string> spawn(const SpawnOptions& options) {
    if (options.command.empty()) return Failure{std::string("no command")};
    auto command = options.command;
    auto environment = environment_with(options.environment);
    auto argv = pointers(command);
    auto envp = pointers(environment);
    Descriptor nothing(options.input < 0 ? ::open("/dev/null", O_RDONLY | O_CLOEXEC) : -1);
    if (options.input < 0 && !nothing) return Failure{std::string("cannot open /dev/null: ") + std::strerror(errno)};
    int input = options.input < 0 ? nothing.get() : options.input;
    TRY_ASSIGN(auto report, make_pipe());

    pid_t parent = ::getpid();
    pid_t pid = ::fork();
    if (pid < 0) return Failure{std::string("cannot fork: ") + std::strerror(errno)};
    if (pid == 0) become(options, input, argv.data(), envp.data(), parent, report.write.get());
    ::setpgid(pid, pid);  // in both, so that neither has to wait for the other
    report.write.close();
    int number = 0;
    ssize_t got = 0;
    while ((got = ::read(report.read.get(), &number, sizeof number)) < 0 && errno == EINTR) {
    }
    if (got == 0) return pid;
    ::waitpid(pid, nullptr, 0);
    return Failure{"cannot execute " + options.command[0] + ": " + std::strerror(number)};
}

std::string exit_text(int wait_status) {
    if (WIFEXITED(wait_status)) return "exit " + std::to_string(WEXITSTATUS(wait_status));
    if (!WIFSIGNALED(wait_status)) return "status " + std::to_string(wait_status);
    int signal = WTERMSIG(wait_status);
    return "signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
}

std::string replace_names(std::string text, const std::vector<std::pair<std::string, std::string>>& values) {
    for (auto& [name, value] : values) {
        auto pattern = "{" + name + "}";
        for (auto at = text.find(pattern); at != std::string::npos; at = text.find(pattern, at + value.size()))
            text.replace(at, pattern.size(), value);
    }
    return text;
}

}  // namespace forebay
