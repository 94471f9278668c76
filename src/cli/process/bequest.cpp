#include "cli/process/bequest.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/log_line.h"

namespace forebay::cli {
namespace {

/// What goes before each connection; its descriptor rides on it.
struct Head {
    std::uint32_t listener_bytes = 0;
    std::uint32_t bytes = 0;
};
constexpr std::uint32_t listener_bytes_max = 1024, bytes_max = 64u << 20;

bool send_all(int socket, std::string_view bytes) {
    while (!bytes.empty()) {
        auto n = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

bool send_head(int socket, Head head, int descriptor) {
    iovec part{&head, sizeof head};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    alignas(cmsghdr) char room[CMSG_SPACE(sizeof(int))] = {};
    message.msg_control = room;
    message.msg_controllen = sizeof room;
    auto* control = CMSG_FIRSTHDR(&message);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(control), &descriptor, sizeof descriptor);
    ssize_t n = 0;
    while ((n = ::sendmsg(socket, &message, MSG_NOSIGNAL)) < 0 && errno == EINTR) {
    }
    return n == static_cast<ssize_t>(sizeof head);
}

bool receive_all(int socket, char* to, std::size_t bytes) {
    while (bytes > 0) {
        auto n = ::recv(socket, to, bytes, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        to += n;
        bytes -= static_cast<std::size_t>(n);
    }
    return true;
}

/// False at the end of the stream.
bool receive_head(int socket, Head& head, Descriptor& descriptor) {
    iovec part{&head, sizeof head};
    alignas(cmsghdr) char room[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = room;
    message.msg_controllen = sizeof room;
    ssize_t n = 0;
    while ((n = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_WAITALL)) < 0 && errno == EINTR) {
    }
    if (n != static_cast<ssize_t>(sizeof head)) return false;
    for (auto* control = CMSG_FIRSTHDR(&message); control != nullptr; control = CMSG_NXTHDR(&message, control)) {
        if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) continue;
        int number = -1;
        std::memcpy(&number, CMSG_DATA(control), sizeof number);
        descriptor = Descriptor(number);
    }
    return head.listener_bytes <= listener_bytes_max && head.bytes <= bytes_max;
}

}  // namespace

bool Bequest::send(const std::string& listener, const http::HandedConnection& connection) {
    Head head{static_cast<std::uint32_t>(listener.size()), static_cast<std::uint32_t>(connection.bytes.size())};
    return send_head(socket_.get(), head, connection.descriptor) && send_all(socket_.get(), listener) &&
           send_all(socket_.get(), connection.bytes);
}

void Bequest::give(const std::string& listener, http::HandedConnection connection) {
    std::lock_guard guard(lock_);
    if (send(listener, connection))
        ++given_;
    else
        log_warn("handover.connection_cut").with("listener", listener).with("why", std::strerror(errno));
    ::close(connection.descriptor);
}

std::vector<Bequeathed> inherit(Descriptor socket) {
    std::vector<Bequeathed> all;
    Head head;
    Descriptor descriptor;
    while (receive_head(socket.get(), head, descriptor)) {
        Bequeathed one;
        one.listener.resize(head.listener_bytes);
        one.connection.bytes.resize(head.bytes);
        if (!receive_all(socket.get(), one.listener.data(), one.listener.size())) break;
        if (!receive_all(socket.get(), one.connection.bytes.data(), one.connection.bytes.size())) break;
        one.connection.descriptor = descriptor.release();
        if (one.connection.descriptor >= 0) all.push_back(std::move(one));
    }
    return all;
}

}  // namespace forebay::cli
