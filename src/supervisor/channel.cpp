#include "supervisor/channel.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace forebay::supervisor {

Result<std::pair<Channel, Channel>, std::string> Channel::make() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return Failure{std::string("cannot make a socket pair: ") + std::strerror(errno)};
    return std::pair(Channel(Descriptor(ends[0])), Channel(Descriptor(ends[1])));
}

Channel Channel::of_this_process() { return Channel(descriptor_in(channel_variable)); }

bool Channel::say(std::string_view text, int descriptor) const {
    iovec part{const_cast<char*>(text.data()), text.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    alignas(cmsghdr) char room[CMSG_SPACE(sizeof(int))] = {};
    if (descriptor >= 0) {
        message.msg_control = room;
        message.msg_controllen = sizeof room;
        auto* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    }
    return ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT) == static_cast<ssize_t>(text.size());
}

std::optional<Word> Channel::hear() const {
    char text[word_bytes_max];
    iovec part{text, sizeof text};
    alignas(cmsghdr) char room[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = room;
    message.msg_controllen = sizeof room;
    auto n = ::recvmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n <= 0) return std::nullopt;
    Word word{std::string(text, static_cast<std::size_t>(n)), Descriptor()};
    for (auto* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        int descriptor = -1;
        std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
        word.descriptor = Descriptor(descriptor);
    }
    return word;
}

Descriptor descriptor_in(const char* variable) {
    const char* text = std::getenv(variable);
    if (text == nullptr) return {};
    char* end = nullptr;
    auto number = std::strtol(text, &end, 10);
    bool is_number = *text != '\0' && *end == '\0' && number > 2 && number < 1 << 20;
    ::unsetenv(variable);
    if (!is_number || ::fcntl(static_cast<int>(number), F_SETFD, FD_CLOEXEC) != 0) return {};
    return Descriptor(static_cast<int>(number));
}

}  // namespace forebay::supervisor
