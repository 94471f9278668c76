// Posts at a steady rate, however long the answers take, and tells everything a client could notice: what is not answered 202,
// connections that are refused, reset or closed, answers that come late or that nobody asked for. Every post is another record, with
// an idempotency key of its own, and is sent once. A post is due at its time: what it waits for a connection counts as waiting.
//
//   steady_posts --url http://127.0.0.1:8080/v1/lead --rate 10000 --connections 64 --seconds 10 --out FILE
//                [--fresh 50] [--late-ms 1000] [--patience 10]
//
// One post in `fresh` takes a new connection, and one is closed for it. FILE gets the ids of the acknowledged records, one a line.
// SIGTERM and SIGINT end the posting; answers are awaited for `patience` seconds. Ends with a line of JSON, and with 1 when a post
// failed or an answer came that nobody asked for.

#include <fmt/format.h>
#include <sys/epoll.h>

#include <csignal>
#include <deque>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <unordered_set>
#include <utility>

#include "bench/load.h"

namespace forebay::bench {
namespace {

volatile std::sig_atomic_t is_told_to_stop = 0;

struct Target {
    std::uint16_t port = 0;
    std::string host, path;

    static Target of(const std::string& url) {
        constexpr std::string_view scheme = "http://";
        const auto slash = url.find('/', scheme.size());
        const auto colon = url.find(':', scheme.size());
        if (!url.starts_with(scheme) || slash == url.npos || colon > slash) give_up("not of the form http://127.0.0.1:PORT/PATH:", url);
        const auto port = std::atoi(url.c_str() + colon + 1);
        return {static_cast<std::uint16_t>(port), url.substr(scheme.size(), slash - scheme.size()), url.substr(slash)};
    }
};

struct Settings {
    Target target;
    std::uint64_t rate, connections, seconds, fresh, late_ms, patience;
    std::string out;
};

struct Tally {
    std::uint64_t posts = 0;
    std::map<unsigned, std::uint64_t> not_accepted;  ///< by status
    std::uint64_t refused = 0;                       ///< no connection to post on
    std::uint64_t cut = 0;                           ///< reset or closed before the answer had come whole
    std::uint64_t unanswered = 0;                    ///< still open when patience ended
    std::uint64_t surplus = 0;                       ///< bytes came that answer nothing
    std::uint64_t closed_idle = 0;                   ///< by the server, between two posts; no post has failed by that
    std::uint64_t opened = 0;
    std::vector<std::string> ids;
    std::vector<float> took_ms;

    std::uint64_t ids_given_twice() const { return ids.size() - std::unordered_set<std::string_view>(ids.begin(), ids.end()).size(); }
    bool is_clean() const { return ids.size() == posts && surplus == 0 && ids_given_twice() == 0; }
    void print(double seconds, std::uint64_t late_ms) {
        std::sort(took_ms.begin(), took_ms.end());
        const auto quantile = [this](double q) {
            return took_ms.empty() ? 0 : took_ms[static_cast<std::size_t>(q * static_cast<double>(took_ms.size() - 1))];
        };
        const auto on_time = std::upper_bound(took_ms.begin(), took_ms.end(), static_cast<float>(late_ms));
        std::string statuses;
        for (const auto& [status, n] : not_accepted) statuses += fmt::format("{}\"{}\":{}", statuses.empty() ? "" : ",", status, n);
        fmt::print(
            "{{\"posts\":{},\"accepted\":{},\"not_accepted\":{{{}}},\"refused\":{},\"cut\":{},\"unanswered\":{},\"surplus\":{},"
            "\"ids_given_twice\":{},\"closed_idle\":{},\"connections_opened\":{},\"late\":{},\"p50_ms\":{:.2f},\"p99_ms\":{:.2f},"
            "\"max_ms\":{:.2f},\"seconds\":{:.2f},\"rate\":{:.0f},\"cpu_seconds\":{:.2f}}}\n",
            posts, ids.size(), statuses, refused, cut, unanswered, surplus, ids_given_twice(), closed_idle, opened, took_ms.end() - on_time,
            quantile(0.5), quantile(0.99), quantile(1), seconds, static_cast<double>(posts) / seconds, cpu_seconds());
    }
};

class Load;

/// One connection with at most one post under way.
class Connection {
  public:
    explicit Connection(Load& load) : load_(load) {}
    ~Connection() { close(); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void post(std::string request, TimePoint due);
    void close();
    void on_ready(std::uint32_t events);

  private:
    enum class State { closed, connecting, idle, waiting };
    void connect();
    void on_connected();
    void send();
    void read();
    void take_answer();
    void fail(std::uint64_t& why);

    Load& load_;
    int socket_ = -1;
    State state_ = State::closed;
    std::string request_, answer_;
    TimePoint due_;
};

class Load {
  public:
    explicit Load(Settings settings) : settings_(std::move(settings)), epoll_(::epoll_create1(0)) {
        std::random_device random;
        run_ = fmt::format("{:08x}{:08x}", random(), random());
        for (std::uint64_t i = 0; i < settings_.connections; ++i)
            idle_.push_back(connections_.emplace_back(std::make_unique<Connection>(*this)).get());
    }
    ~Load() {
        connections_.clear();
        ::close(epoll_);
    }
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;

    void run() {
        begun_ = SteadyClock::now();
        const auto until = begun_ + std::chrono::seconds(settings_.seconds);
        while (SteadyClock::now() < until && is_told_to_stop == 0) {
            post_what_is_due(std::min(SteadyClock::now(), until));
            serve();
        }
        posted_for_ = SteadyClock::now() - begun_;
        const auto patience_ends = SteadyClock::now() + std::chrono::seconds(settings_.patience);
        while (idle_.size() < connections_.size() && SteadyClock::now() < patience_ends) serve();
        tally.unanswered = connections_.size() - idle_.size();
    }
    double posted_for() const { return std::chrono::duration<double>(posted_for_).count(); }

    // For its connections.
    int open_socket() {
        ++tally.opened;
        const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (socket < 0) give_up("no socket:", std::strerror(errno));
        int on = 1;
        ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        return socket;
    }
    sockaddr_in address() const {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(settings_.target.port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return address;
    }
    void watch(int operation, int socket, std::uint32_t events, Connection& connection) {
        epoll_event event{.events = events, .data = {.ptr = &connection}};
        ::epoll_ctl(epoll_, operation, socket, &event);
    }
    void is_idle(Connection& connection) { idle_.push_back(&connection); }
    Tally tally;

  private:
    TimePoint due(std::uint64_t number) const { return begun_ + std::chrono::nanoseconds(number * 1'000'000'000 / settings_.rate); }
    void post_what_is_due(TimePoint now) {
        while (!idle_.empty() && due(tally.posts) < now) {
            Connection& connection = *idle_.front();
            idle_.pop_front();
            const auto number = tally.posts++;
            if (settings_.fresh > 0 && number % settings_.fresh == settings_.fresh - 1) connection.close();
            connection.post(request(number), due(number));
        }
    }
    std::string request(std::uint64_t number) const {
        const auto body = fmt::format(R"({{"email":"p{}@example.com","n":{}}})", number, number);
        return fmt::format(
            "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nIdempotency-Key: \"{}-{}\"\r\n"
            "Content-Length: {}\r\n\r\n{}",
            settings_.target.path, settings_.target.host, run_, number, body.size(), body);
    }
    /// For a millisecond at most: what is due by then goes in one burst.
    void serve() {
        epoll_event events[256];
        const int n = ::epoll_wait(epoll_, events, 256, 1);
        for (int i = 0; i < n; ++i) static_cast<Connection*>(events[i].data.ptr)->on_ready(events[i].events);
    }

    const Settings settings_;
    int epoll_;
    std::string run_;  ///< begins the keys of this run
    std::vector<std::unique_ptr<Connection>> connections_;
    std::deque<Connection*> idle_;  ///< and those that are closed, to be opened by their next post
    TimePoint begun_;
    SteadyClock::duration posted_for_{};
};

void Connection::post(std::string request, TimePoint due) {
    request_ = std::move(request);
    due_ = due;
    answer_.clear();
    if (state_ == State::closed)
        connect();
    else
        send();
}

void Connection::close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
    state_ = State::closed;
}

void Connection::connect() {
    socket_ = load_.open_socket();
    const auto address = load_.address();
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 && errno != EINPROGRESS)
        return fail(load_.tally.refused);
    state_ = State::connecting;
    load_.watch(EPOLL_CTL_ADD, socket_, EPOLLOUT, *this);
}

void Connection::on_connected() {
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) return fail(load_.tally.refused);
    load_.watch(EPOLL_CTL_MOD, socket_, EPOLLIN, *this);
    send();
}

void Connection::send() {
    state_ = State::waiting;
    const auto sent = ::send(socket_, request_.data(), request_.size(), MSG_NOSIGNAL);
    if (sent < 0) return fail(load_.tally.cut);
    if (static_cast<std::size_t>(sent) != request_.size()) give_up("the socket took only a part of a request");
}

void Connection::on_ready(std::uint32_t events) {
    if (state_ == State::connecting) return on_connected();
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && state_ != State::closed) read();
}

void Connection::read() {
    char bytes[16384];
    const auto got = ::recv(socket_, bytes, sizeof bytes, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (state_ == State::idle) {
        ++(got > 0 ? load_.tally.surplus : load_.tally.closed_idle);
        return close();
    }
    if (got <= 0) return fail(load_.tally.cut);
    answer_.append(bytes, static_cast<std::size_t>(got));
    take_answer();
}

void Connection::take_answer() {
    const auto head = answer_.find("\r\n\r\n");
    if (head == answer_.npos) return;
    const auto length = answer_.find("\r\nContent-Length: ");
    if (length > head) give_up("an answer without a length:", answer_);
    const auto whole = head + 4 + static_cast<std::size_t>(std::atol(answer_.c_str() + length + 18));
    if (answer_.size() < whole) return;
    auto& tally = load_.tally;
    if (answer_.size() > whole) ++tally.surplus;
    const auto status = static_cast<unsigned>(std::atoi(answer_.c_str() + 9));
    const auto id = answer_.find("\"id\":\"", head);
    if (status == 202 && id != answer_.npos) {
        tally.ids.push_back(answer_.substr(id + 6, answer_.find('"', id + 6) - id - 6));
        tally.took_ms.push_back(std::chrono::duration<float, std::milli>(SteadyClock::now() - due_).count());
    } else {
        ++tally.not_accepted[status];
    }
    state_ = State::idle;
    if (answer_.find("\r\nConnection: close") < head) {
        ++tally.closed_idle;
        close();
    }
    load_.is_idle(*this);
}

void Connection::fail(std::uint64_t& why) {
    ++why;
    close();
    load_.is_idle(*this);
}

}  // namespace
}  // namespace forebay::bench

int main(int argc, char** argv) {
    using namespace forebay::bench;
    const Flags flags(argc, argv, 1);
    Settings settings{Target::of(flags.text("--url")),
                      std::max<std::uint64_t>(flags.number("--rate", 1000), 1),
                      std::max<std::uint64_t>(flags.number("--connections", 64), 1),
                      flags.number("--seconds", 10),
                      flags.number("--fresh", 50),
                      flags.number("--late-ms", 1000),
                      flags.number("--patience", 10),
                      flags.text("--out")};
    for (const int signal : {SIGTERM, SIGINT}) std::signal(signal, [](int) { is_told_to_stop = 1; });
    const auto late_ms = settings.late_ms;
    std::ofstream out(settings.out);
    if (!settings.out.empty() && !out) give_up("cannot write", settings.out);
    Load load(std::move(settings));
    load.run();
    for (const auto& id : load.tally.ids) out << id << '\n';
    load.tally.print(load.posted_for(), late_ms);
    return load.tally.is_clean() ? 0 : 1;
}
