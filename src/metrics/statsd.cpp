#include "metrics/statsd.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <iterator>
#include <utility>

namespace forebay::metrics {
namespace {

/// What fits into one Ethernet frame with room for IPv6 and UDP headers.
constexpr std::size_t datagram_bytes_max = 1400;

bool drop_start(std::string_view& text, std::string_view start) {
    if (!text.starts_with(start)) return false;
    text.remove_prefix(start.size());
    return true;
}

void drop_end(std::string_view& text, std::string_view end) {
    if (text.ends_with(end)) text.remove_suffix(end.size());
}

/// Dots separate the nodes of a path and colons end it, so neither may come from a value.
void append_node(std::string& path, std::string_view text) {
    if (!path.empty()) path += '.';
    if (text.empty()) path += '_';
    for (char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        path += plain ? c : '_';
    }
}

/// "queue_messages" of a queue is "messages"; "records_accepted" of an endpoint is "accepted".
std::string_view without_subject(std::string_view name, std::string_view subject) {
    for (std::string_view word : {subject, std::string_view("records")}) {
        auto rest = name;
        if (drop_start(rest, word) && drop_start(rest, "_") && !rest.empty()) return rest;
    }
    return name;
}

std::string_view stem_of(std::string_view name, std::string_view subject) {
    drop_start(name, "forebay_");
    drop_end(name, "_total");
    if (name.ends_with("_duration_seconds")) drop_end(name, "_seconds");
    return subject.empty() ? name : without_subject(name, subject);
}

}  // namespace

std::string graphite_name(std::string_view name, const Labels& labels) {
    std::string path;
    if (name.starts_with("forebay_")) path = "forebay";
    if (!labels.empty()) {
        append_node(path, labels.front().first);
        append_node(path, labels.front().second);
    }
    append_node(path, stem_of(name, labels.empty() ? std::string_view() : labels.front().first));
    for (std::size_t i = 1; i < labels.size(); ++i) append_node(path, labels[i].second);
    return path;
}

Result<std::unique_ptr<Statsd>, std::string> Statsd::open(const Registry& registry, StatsdOptions options) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* found = nullptr;
    const auto port = std::to_string(options.port);
    if (int error = getaddrinfo(options.host.c_str(), port.c_str(), &hints, &found); error != 0)
        return Failure{fmt::format("statsd at {}:{}: {}", options.host, port, gai_strerror(error))};
    const int fd = socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const bool connected = fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) == 0;
    const int error = errno;
    freeaddrinfo(found);
    if (!connected) {
        if (fd >= 0) close(fd);
        return Failure{fmt::format("statsd at {}:{}: {}", options.host, port, std::strerror(error))};
    }
    return std::unique_ptr<Statsd>(new Statsd(registry, std::move(options), fd));
}

Statsd::Statsd(const Registry& registry, StatsdOptions options, int socket)
    : registry_(registry), options_(std::move(options)), socket_(socket) {
    if (options_.every > 0ms) thread_ = std::thread([this] { run(); });
}

Statsd::~Statsd() {
    {
        std::lock_guard guard(lock_);
        stopping_ = true;
    }
    stop_asked_.notify_all();
    if (thread_.joinable()) thread_.join();
    send_now();
    close(socket_);
}

void Statsd::run() {
    std::unique_lock guard(lock_);
    while (!stop_asked_.wait_for(guard, options_.every, [this] { return stopping_; })) {
        guard.unlock();
        send_now();
        guard.lock();
    }
}

void Statsd::flush(std::string& datagram) {
    // Nobody listening is not our trouble: the next interval's figures are sent all the same.
    if (!datagram.empty()) [[maybe_unused]]
        const auto sent = ::send(socket_, datagram.data(), datagram.size(), MSG_NOSIGNAL);
    datagram.clear();
}

void Statsd::send_now() {
    std::lock_guard guard(sending_);
    std::string datagram;
    std::map<std::string, double> told;
    auto add = [&](const std::string& path, double value, std::string_view type) {
        auto line = fmt::format("{}:{}|{}", path, value, type);
        if (!datagram.empty() && datagram.size() + 1 + line.size() > datagram_bytes_max) flush(datagram);
        if (!datagram.empty()) datagram += '\n';
        datagram += line;
    };
    auto add_difference = [&](const std::string& path, double value) {
        const auto before = last_.find(path);
        // A counter below its last figure is a new one of an old name.
        const double last = before == last_.end() || before->second > value ? 0 : before->second;
        if (value != last) add(path, value - last, "c");
        told[path] = value;
    };
    registry_.visit([&](const std::string& name, const Registry::Series& series) {
        auto path = graphite_name(name, series.labels);
        if (!options_.prefix.empty()) path = options_.prefix + '.' + path;
        if (series.counter) add_difference(path, static_cast<double>(series.counter->value()));
        if (series.gauge) add(path, series.gauge->value(), "g");
        if (series.histogram) {
            double observed = 0;
            for (auto count : series.histogram->counts()) observed += static_cast<double>(count);
            add_difference(path + ".count", observed);
            add_difference(path + ".sum_ms", series.histogram->sum() * 1000);
        }
    });
    last_ = std::move(told);
    flush(datagram);
}

}  // namespace forebay::metrics
