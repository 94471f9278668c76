#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <ctime>

#include "worker/worker.h"

namespace forebay::worker {
namespace {

// Handlers get no argument of ours, so the one Controls of the process is reached from here.
std::atomic<Controls*> obeyed{nullptr};

/// When a parent with several threads is killed the kernel may say so once for each of them.
constexpr std::int64_t same_within_ms = 200;
std::atomic<std::int64_t> asked_at{0};

/// Safe in a signal handler.
std::int64_t now_ms() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

void on_signal(int signal) {
    auto& controls = *obeyed.load();
    switch (signal) {
        case SIGTSTP:
            controls.quiet = true;
            return;
        case SIGCONT:
            controls.quiet = false;
            return;
        default:
            if (!controls.stop.exchange(true)) return asked_at.store(now_ms());
            if (now_ms() - asked_at.load() >= same_within_ms) ::_exit(0);  // what is in hand comes again: nothing is only in memory
    }
}

}  // namespace

void obey_signals(Controls& controls) {
    obeyed = &controls;
    struct sigaction action{};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    for (int signal : {SIGTERM, SIGINT, SIGTSTP, SIGCONT}) ::sigaction(signal, &action, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    ::signal(SIGHUP, SIG_IGN);   // reloading is the parent's: it restarts workers whose configuration changed
    ::signal(SIGQUIT, SIG_IGN);  // a state dump is the parent's too
    ::signal(SIGUSR1, SIG_IGN);  // and so is opening logs again: what a worker writes goes through the parent
    ::signal(SIGUSR2, SIG_IGN);
}

}  // namespace forebay::worker
