#include "handlers/child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace forebay::handlers {

Child::Child(pid_t pid, Descriptor end, Descriptor input, Descriptor output)
    : pid_(pid), end_(std::move(end)), input_(std::move(input)), output_(std::move(output)) {
    ::fcntl(input_.get(), F_SETFL, O_NONBLOCK);
    ::fcntl(output_.get(), F_SETFL, O_NONBLOCK);
}

Result<std::unique_ptr<Child>, std::string> Child::start(SpawnOptions options) {
    TRY_ASSIGN(auto input, make_pipe());
    TRY_ASSIGN(auto output, make_pipe());
    options.input = input.read.get();
    options.output = output.write.get();
    TRY_ASSIGN(auto pid, spawn(options));
    Descriptor end(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    CHECK(static_cast<bool>(end), "a child that was just started has a pidfd");
    return std::unique_ptr<Child>(new Child(pid, std::move(end), std::move(input.write), std::move(output.read)));
}

Child::~Child() {
    input_.close();
    auto until = Steady::now() + grace;
    while (!status_ && pump(until)) received_.clear();
    kill();
    if (!status_) ::waitpid(pid_, nullptr, 0);
}

void Child::kill() {
    if (!status_) ::kill(-pid_, SIGKILL);
}

bool Child::has_ended() {
    pollfd end{end_.get(), POLLIN, 0};
    if (!status_ && ::poll(&end, 1, 0) > 0) reap();
    return status_.has_value();
}

/// What is left of the group goes before the leader is reaped: until then its number belongs to nobody else.
void Child::reap() {
    ::kill(-pid_, SIGKILL);
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return;
    read_some();
    status_ = status;
}

void Child::write_some() {
    auto n = ::write(input_.get(), pending_.data(), pending_.size());
    if (n > 0) pending_.erase(0, static_cast<std::size_t>(n));
    if (n < 0 && errno != EAGAIN && errno != EINTR) pending_.clear(), close_after_ = true;  // it does not want to read
    if (pending_.empty() && close_after_) input_.close();
}

void Child::read_some() {
    char buffer[64 * 1024];
    for (;;) {
        auto n = ::read(output_.get(), buffer, sizeof buffer);
        if (n > 0) received_.append(buffer, static_cast<std::size_t>(n));
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) output_.close();
        if (n < static_cast<ssize_t>(sizeof buffer)) return;
    }
}

bool Child::pump(Steady::time_point until) {
    auto left = std::chrono::duration_cast<Duration>(until - Steady::now());
    if (left <= Duration::zero()) return false;
    bool wants_to_write = input_ && !pending_.empty();
    pollfd polled[] = {{end_.get(), POLLIN, 0}, {output_.get(), POLLIN, 0}, {wants_to_write ? input_.get() : -1, POLLOUT, 0}};
    ::poll(polled, 3, static_cast<int>(left.count()) + 1);
    if (polled[2].revents != 0) write_some();
    if (polled[1].revents != 0) read_some();
    if (polled[0].revents != 0) reap();
    return true;
}

Child::Problem Child::late(Duration timeout) {
    kill();
    return {Problem::Kind::too_late, "no answer within " + to_text(timeout)};
}

Child::Problem Child::long_answer(std::size_t bytes_max) {
    kill();
    return {Problem::Kind::too_long, "its answer is longer than " + std::to_string(bytes_max) + " bytes"};
}

Result<std::string, Child::Problem> Child::ask(std::string_view line, Duration timeout, std::size_t bytes_max) {
    pending_.append(line).append("\n");
    auto until = Steady::now() + timeout;
    for (;;) {
        auto end = received_.find('\n');
        if (end != std::string::npos && end <= bytes_max) {
            auto answer = received_.substr(0, end);
            received_.erase(0, end + 1);
            return answer;
        }
        if (received_.size() > bytes_max) return Failure{long_answer(bytes_max)};
        if (status_) return Failure{Problem{Problem::Kind::ended, exit_text(*status_)}};
        if (!pump(until)) return Failure{late(timeout)};
    }
}

Result<std::string, Child::Problem> Child::finish(std::string_view input, Duration timeout, std::size_t bytes_max) {
    pending_ = input;
    close_after_ = true;
    if (pending_.empty()) input_.close();
    auto until = Steady::now() + timeout;
    while (!status_) {
        if (received_.size() > bytes_max) return Failure{long_answer(bytes_max)};
        if (!pump(until)) return Failure{late(timeout)};
    }
    if (received_.size() > bytes_max) return Failure{long_answer(bytes_max)};
    return std::exchange(received_, {});
}

}  // namespace forebay::handlers
