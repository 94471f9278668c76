#include <unistd.h>

#include <csignal>

#include "worker/worker.h"

namespace forebay::worker {
namespace {

// Handlers get no argument of ours, so the one Controls of the process is reached from here.
std::atomic<Controls*> obeyed{nullptr};

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
            if (controls.stop.exchange(true)) ::_exit(0);  // what is in hand comes again: nothing is only in memory
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
