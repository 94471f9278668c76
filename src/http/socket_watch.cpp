#include "http/socket_watch.h"

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace forebay::http {
namespace {

constexpr int events_at_once = 128;

int open_set() {
    const int set = epoll_create1(EPOLL_CLOEXEC);
    if (set < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
    return set;
}

}  // namespace

SocketWatch::SocketWatch(boost::asio::io_context& io, Tell tell) : set_(io, open_set()), tell_(std::move(tell)) {}

bool SocketWatch::add(int descriptor, Connection& connection) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = &connection;
    return epoll_ctl(set_.native_handle(), EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void SocketWatch::remove(int descriptor) { epoll_ctl(set_.native_handle(), EPOLL_CTL_DEL, descriptor, nullptr); }

/// Asio asks anew each time, so events that are left over end the next wait at once.
void SocketWatch::wait() {
    set_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](const auto& cancelled) {
        if (cancelled) return;
        tell_ready();
        wait();
    });
}

void SocketWatch::tell_ready() {
    std::array<epoll_event, events_at_once> events;
    const int n = epoll_wait(set_.native_handle(), events.data(), events_at_once, 0);
    for (int i = 0; i < n; ++i) {
        const auto what = events[static_cast<std::size_t>(i)].events;
        const bool ended = (what & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
        auto& connection = *static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
        tell_(connection, {ended || (what & EPOLLIN) != 0, ended || (what & EPOLLOUT) != 0, ended});
    }
}

}  // namespace forebay::http
