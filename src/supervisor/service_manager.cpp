#include "supervisor/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "base/log_line.h"
#include "supervisor/process.h"

namespace forebay::supervisor {
namespace {

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

std::optional<std::int64_t> whole_number(const std::string& text) {
    std::int64_t value = 0;
    auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
    return value;
}

/// Half of what it allows; zero = it does not ask.
Duration watchdog_interval() {
    auto allowed = whole_number(variable("WATCHDOG_USEC"));
    if (!allowed || *allowed <= 0) return {};
    auto meant = variable("WATCHDOG_PID");
    if (!meant.empty() && whole_number(meant) != static_cast<std::int64_t>(::getpid())) return {};
    return std::max<Duration>(std::chrono::duration_cast<Duration>(std::chrono::microseconds(*allowed)) / 2, 1ms);
}

std::string status_text(const std::vector<Process*>& processes) {
    auto runs = [](const Process* process) { return process->state() == State::running; };
    auto running = std::count_if(processes.begin(), processes.end(), runs);
    auto text = std::to_string(running) + " of " + std::to_string(processes.size()) + " processes run";
    auto other = std::find_if_not(processes.begin(), processes.end(), runs);
    if (other != processes.end()) text += "; " + (*other)->status().name + " is " + std::string(name_of((*other)->state()));
    return text;
}

}  // namespace

ServiceManager::ServiceManager(Clock& clock) : clock_(clock), to_(variable("NOTIFY_SOCKET")) {
    sockaddr_un address{};
    if (to_.size() < 2 || to_.size() >= sizeof address.sun_path || (to_[0] != '/' && to_[0] != '@')) to_.clear();
    if (to_.empty()) return;
    socket_ = Descriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    watchdog_every_ = watchdog_interval();
    if (watchdog_every_ > Duration::zero()) next_ = clock_.now();
}

void ServiceManager::say(const std::string& lines) {
    if (to_.empty()) return;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, to_.data(), to_.size());
    if (to_[0] == '@') address.sun_path[0] = '\0';
    auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + to_.size());
    auto sent =
        ::sendto(socket_.get(), lines.data(), lines.size(), MSG_NOSIGNAL | MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&address), size);
    if (sent >= 0 || std::exchange(has_complained_, true)) return;
    log_warn("service_manager.unreachable").with("socket", to_).with("why", std::strerror(errno));
}

bool ServiceManager::have_started(const std::vector<Process*>& processes) {
    for (auto* process : processes)
        if (process->state() != State::stopped && process->state() != State::starting) started_.insert(process->status().name);
    return std::all_of(processes.begin(), processes.end(),
                       [&](auto* process) { return !process->spec().autostart || started_.contains(process->status().name); });
}

void ServiceManager::keep_up(const std::vector<Process*>& processes) {
    if (to_.empty()) return;
    if (!is_ready_ && !is_stopping_ && have_started(processes)) {
        is_ready_ = true;
        say("READY=1");
    }
    if (auto text = status_text(processes); text != status_) {
        status_ = text;
        say("STATUS=" + text);
    }
    if (!next_ || *next_ > clock_.now()) return;
    say("WATCHDOG=1");
    next_ = clock_.now() + watchdog_every_;
}

void ServiceManager::reloading() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    say("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(static_cast<std::int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000));
}

/// Before it was ready it still is not.
void ServiceManager::reloaded() {
    if (is_ready_) say("READY=1");
}

void ServiceManager::stopping() {
    if (!std::exchange(is_stopping_, true)) say("STOPPING=1");
}

}  // namespace forebay::supervisor
