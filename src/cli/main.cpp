#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "cli/console.h"

namespace {

using namespace forebay;

constexpr Duration answer_most = 5min, restart_most = 6h;

bool shows_colours(int fd) {
    const char* terminal = std::getenv("TERM");
    return isatty(fd) == 1 && (terminal == nullptr || std::strcmp(terminal, "dumb") != 0);
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    std::ios::sync_with_stdio(false);
    bool can_ask = isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
    cli::Terminal terminal(
        std::cin, std::cout, std::cerr,
        {shows_colours(STDOUT_FILENO), shows_colours(STDERR_FILENO), can_ask, shows_colours(STDERR_FILENO), isatty(STDOUT_FILENO) == 1});
    SystemClock clock;
    SystemEntropy entropy;
    http::Client client;
    cli::World world{terminal,
                     clock,
                     entropy,
                     cli::process_variables(),
                     [&](const http::ClientRequest& request) { return client.send(request); },
                     [](const std::string& path, const supervisor::ControlRequest& request) {
                         // One after the other, each within its stopwaitsecs: a large group takes its time.
                         return supervisor::ask(path, request, request.verb == supervisor::Verb::restart ? restart_most : answer_most);
                     }};
    return cli::run({argv + 1, argv + argc}, world);
}
