#pragma once
// What the load generators of bench/ and tests/load/ share: one thread of non-blocking sockets to 127.0.0.1, the figures they print as one
// line of JSON, and how they give up. Nothing here knows a protocol.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace forebay::bench {

using SteadyClock = std::chrono::steady_clock;
using TimePoint = SteadyClock::time_point;

[[noreturn]] inline void give_up(std::string_view what, std::string_view detail = {}) {
    std::fprintf(stderr, "%.*s %.*s\n", static_cast<int>(what.size()), what.data(),
                 static_cast<int>(std::min<std::size_t>(detail.size(), 2000)), detail.data());
    std::exit(1);
}

inline int connect_to(std::uint16_t port) {
    int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        give_up("cannot connect:", std::strerror(errno));
    int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

inline void never_block(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

/// What this process has taken.
inline double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// What a run did. Times are of whatever the load calls one operation.
class Figures {
  public:
    void note(std::uint64_t messages, SteadyClock::duration took) {
        messages_ += messages;
        took_us_.push_back(std::chrono::duration<float, std::micro>(took).count());
    }
    std::uint64_t messages() const { return messages_; }

    /// `seconds` is what the messages took.
    void print(double seconds) {
        std::sort(took_us_.begin(), took_us_.end());
        auto n = static_cast<double>(std::max<std::uint64_t>(messages_, 1));
        std::printf("{\"messages\":%lu,\"seconds\":%.3f,\"rate\":%.0f,\"p50_us\":%.0f,\"p99_us\":%.0f,\"load_cpu_us\":%.3f}\n", messages_,
                    seconds, static_cast<double>(messages_) / seconds, quantile(0.5), quantile(0.99), cpu_seconds() * 1e6 / n);
    }

  private:
    double quantile(double q) const {
        return took_us_.empty() ? 0 : took_us_[static_cast<std::size_t>(q * static_cast<double>(took_us_.size() - 1))];
    }
    std::uint64_t messages_ = 0;
    std::vector<float> took_us_;
};

/// `--name value` pairs, usually behind the name of what is to be done.
class Flags {
  public:
    Flags(int argc, char** argv, int first = 2) {
        for (int i = first; i + 1 < argc; i += 2) pairs_.emplace_back(argv[i], argv[i + 1]);
    }
    std::string text(std::string_view name, std::string otherwise = {}) const {
        for (auto& [key, value] : pairs_)
            if (key == name) return value;
        return otherwise;
    }
    std::uint64_t number(std::string_view name, std::uint64_t otherwise) const {
        auto found = text(name);
        std::from_chars(found.data(), found.data() + found.size(), otherwise);
        return otherwise;
    }

  private:
    std::vector<std::pair<std::string, std::string>> pairs_;
};

}  // namespace forebay::bench
