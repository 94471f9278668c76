// A lean load generator for the SQS API in AWS JSON, and for beanstalkd: one thread, keep-alive connections that each have one
// request under way, requests made by hand. Only answers of status 200 with nothing failed in them count; any other ends the run.
//   sqs_load WHAT --port N [--queue URL] [--connections 64] [--seconds 3] [--count MESSAGES] [--groups N] [--bytes 270]
// WHAT is
//   send         SendMessage
//   send-batch   SendMessageBatch of 10
//   drain        ReceiveMessage of 10 and DeleteMessageBatch, until the queue has nothing more or the time is over
//   round-trip   SendMessageBatch of 10, ReceiveMessage of 10, DeleteMessageBatch; an operation is the three of them
//   round-trip-1 SendMessage, ReceiveMessage of 1, DeleteMessage
//   put          beanstalkd's put
// With --groups, messages go to a FIFO queue, in N groups in turn, each with a deduplication id of its own. With AWS_ACCESS_KEY_ID and
// AWS_SECRET_ACCESS_KEY in the environment requests are signed; those that are always the same once.

#include <sys/epoll.h>

#include <functional>
#include <memory>

#include "base/time.h"
#include "bench/load.h"
#include "sqs/signature.h"

namespace forebay::bench {
namespace {

constexpr std::size_t batch = 10;
/// So many empty answers to one connection, and the queue counts as drained.
constexpr int empty_max = 3;

struct Options {
    std::string what, queue;
    std::uint16_t port = 0;
    std::size_t connections = 64, body_bytes = 270;
    std::uint64_t count = UINT64_MAX, groups = 0;
    std::chrono::milliseconds time{3000};
    sqs::Credentials credentials;  ///< without an id requests are not signed
};

/// What one connection says: the next request after an answer's body, the first after none. Empty = it has nothing more to say.
class Dialogue {
  public:
    virtual ~Dialogue() = default;
    virtual std::string_view next(std::string_view answer, TimePoint now) = 0;
};

/// What all connections share: how many messages may still be sent, and what has been done.
struct Run {
    const Options& options;
    Figures figures;
    std::uint64_t asked = 0, messages_made = 0;
    bool may_send(std::uint64_t messages) {
        if (asked >= options.count) return false;
        asked += messages;
        return true;
    }
};

void put_request(std::string& out, std::string_view action, const Options& options, std::string_view body) {
    std::string host = "127.0.0.1:" + std::to_string(options.port), target = "AmazonSQS." + std::string(action);
    const http::Header headers[] = {{"Host", host}, {"Content-Type", "application/x-amz-json-1.0"}, {"X-Amz-Target", target}};
    out = "POST / HTTP/1.1\r\n";
    auto put_header = [&](std::string_view name, std::string_view value) { out.append(name).append(": ").append(value).append("\r\n"); };
    for (const auto& header : headers) put_header(header.name, header.value);
    if (!options.credentials.id.empty()) {
        static sqs::SigningKeys keys;
        static SystemClock clock;
        for (const auto& [name, value] :
             sqs::sign({"POST", "/", "", headers, {}, {}}, body, options.credentials, "us-east-1", "sqs", clock.wall(), keys))
            put_header(name, value);
    }
    put_header("Content-Length", std::to_string(body.size()));
    out.append("\r\n").append(body);
}

/// Requests to one queue. Those that are always the same are made once.
class Requests {
  public:
    explicit Requests(Run& run) : run_(run) {
        put_request(one_, "SendMessage", run_.options, "{" + queue() + message() + "}");
        put_request(ten_, "SendMessageBatch", run_.options, entries_of(batch));
        put_request(receive_one_, "ReceiveMessage", run_.options, "{" + queue() + ",\"MaxNumberOfMessages\":1}");
        put_request(receive_, "ReceiveMessage", run_.options, "{" + queue() + ",\"MaxNumberOfMessages\":10}");
    }
    std::string_view send(std::size_t messages) {
        bool always_the_same = run_.options.groups == 0;
        if (!always_the_same) put_request(ten_, "SendMessageBatch", run_.options, entries_of(batch));
        return messages == 1 ? one_ : ten_;
    }
    std::string_view receive(std::size_t messages) const { return messages == 1 ? receive_one_ : receive_; }
    /// Of everything received in `answer`; `count` says how many that is.
    std::string_view remove(std::string_view answer, std::size_t& count) {
        constexpr std::string_view before = "\"ReceiptHandle\":\"";
        std::string body = "{" + queue() + ",\"Entries\":[";
        count = 0;
        for (auto at = answer.find(before); at != answer.npos; at = answer.find(before, at)) {
            at += before.size();
            body += count > 0 ? ",{\"Id\":\"" : "{\"Id\":\"";
            body += static_cast<char>('0' + count++ % batch);
            body.append("\",\"ReceiptHandle\":\"").append(answer.substr(at, answer.find('"', at) - at)).append("\"}");
        }
        put_request(remove_, "DeleteMessageBatch", run_.options, body + "]}");
        return remove_;
    }
    std::string_view remove_one(std::string_view answer) {
        constexpr std::string_view before = "\"ReceiptHandle\":\"";
        auto at = answer.find(before) + before.size();
        put_request(remove_, "DeleteMessage", run_.options,
                    "{" + queue() + ",\"ReceiptHandle\":\"" + std::string(answer.substr(at, answer.find('"', at) - at)) + "\"}");
        return remove_;
    }

  private:
    std::string queue() const { return "\"QueueUrl\":\"" + run_.options.queue + "\""; }
    std::string message() {
        auto out = ",\"MessageBody\":\"" + std::string(run_.options.body_bytes, 'x') + "\"";
        if (run_.options.groups == 0) return out;
        auto n = run_.messages_made++;
        return out + ",\"MessageGroupId\":\"g" + std::to_string(n % run_.options.groups) + "\",\"MessageDeduplicationId\":\"d" +
               std::to_string(n) + "\"";
    }
    std::string entries_of(std::size_t count) {
        std::string body = "{" + queue() + ",\"Entries\":[";
        for (std::size_t i = 0; i < count; ++i)
            body += std::string(i > 0 ? "," : "") + "{\"Id\":\"" + std::to_string(i) + "\"" + message() + "}";
        return body + "]}";
    }
    Run& run_;
    std::string one_, ten_, receive_one_, receive_, remove_;
};

void check_nothing_failed(std::string_view answer) {
    if (answer.find("\"Failed\"") != answer.npos && answer.find("\"Failed\":[]") == answer.npos) give_up("entries failed:", answer);
}

class Sending final : public Dialogue {
  public:
    Sending(Run& run, std::size_t messages) : run_(run), requests_(run), messages_(messages) {}
    std::string_view next(std::string_view answer, TimePoint now) override {
        if (!answer.empty()) {
            check_nothing_failed(answer);
            run_.figures.note(messages_, now - begun_);
        }
        begun_ = now;
        return run_.may_send(messages_) ? requests_.send(messages_) : std::string_view();
    }

  private:
    Run& run_;
    Requests requests_;
    const std::size_t messages_;
    TimePoint begun_;
};

class Draining final : public Dialogue {
  public:
    explicit Draining(Run& run) : run_(run), requests_(run) {}
    std::string_view next(std::string_view answer, TimePoint now) override {
        check_nothing_failed(answer);
        if (is_deleting_) {
            run_.figures.note(received_, now - begun_);
            is_deleting_ = false;
        } else if (!answer.empty()) {
            auto request = requests_.remove(answer, received_);
            if (received_ > 0) {
                empty_ = 0;
                is_deleting_ = true;
                return request;
            }
            if (++empty_ == empty_max) return {};
        }
        begun_ = now;
        return requests_.receive(batch);
    }

  private:
    Run& run_;
    Requests requests_;
    TimePoint begun_;
    bool is_deleting_ = false;
    int empty_ = 0;
    std::size_t received_ = 0;
};

class RoundTrip final : public Dialogue {
  public:
    RoundTrip(Run& run, std::size_t messages) : run_(run), requests_(run), messages_(messages) {}
    std::string_view next(std::string_view answer, TimePoint now) override {
        check_nothing_failed(answer);
        if (step_ == Step::receive) {
            step_ = Step::remove;
            return requests_.receive(messages_);
        }
        if (step_ == Step::remove) {
            auto request = requests_.remove(answer, received_);
            if (messages_ == 1 && received_ == 1) request = requests_.remove_one(answer);
            step_ = Step::send;
            if (received_ > 0) return request;
        } else if (begun_ != TimePoint()) {
            run_.figures.note(received_, now - begun_);
        }
        step_ = Step::receive;
        begun_ = now;
        return run_.may_send(messages_) ? requests_.send(messages_) : std::string_view();
    }

  private:
    enum class Step { send, receive, remove };
    Run& run_;
    Requests requests_;
    const std::size_t messages_;
    Step step_ = Step::send;  ///< what comes after the answer at hand
    TimePoint begun_;
    std::size_t received_ = 0;
};

class Putting final : public Dialogue {
  public:
    explicit Putting(Run& run) : run_(run) {
        auto size = std::to_string(run.options.body_bytes);
        request_ = "put 1024 0 60 " + size + "\r\n" + std::string(run.options.body_bytes, 'x') + "\r\n";
    }
    std::string_view next(std::string_view answer, TimePoint now) override {
        if (!answer.empty() && !answer.starts_with("INSERTED")) give_up("beanstalkd says:", answer);
        if (!answer.empty()) run_.figures.note(1, now - begun_);
        begun_ = now;
        return run_.may_send(1) ? std::string_view(request_) : std::string_view();
    }

  private:
    Run& run_;
    std::string request_;
    TimePoint begun_;
};

std::unique_ptr<Dialogue> dialogue_of(Run& run) {
    auto& what = run.options.what;
    if (what == "send") return std::make_unique<Sending>(run, 1);
    if (what == "send-batch") return std::make_unique<Sending>(run, batch);
    if (what == "drain") return std::make_unique<Draining>(run);
    if (what == "round-trip") return std::make_unique<RoundTrip>(run, batch);
    if (what == "round-trip-1") return std::make_unique<RoundTrip>(run, 1);
    if (what == "put") return std::make_unique<Putting>(run);
    give_up("there is nothing called", what);
}

/// The whole answer at the front of `buffer`: where it ends, 0 if that is still to come, and what it says.
struct Whole {
    std::size_t end = 0;
    std::string_view body;
};

Whole find_line(std::string_view buffer) {
    auto end = buffer.find("\r\n");
    return end == buffer.npos ? Whole{} : Whole{end + 2, buffer.substr(0, end)};
}

std::size_t length_in(std::string_view head) {
    for (auto* name : {"\r\nContent-Length: ", "\r\ncontent-length: "}) {
        auto at = head.find(name);
        if (at == head.npos) continue;
        auto text = head.substr(at + std::strlen(name));
        std::size_t length = 0;
        std::from_chars(text.data(), text.data() + text.size(), length);
        return length;
    }
    give_up("an answer without a length:", head);
}

Whole find_http(std::string_view buffer) {
    auto head = buffer.find("\r\n\r\n");
    if (head == buffer.npos) return {};
    auto end = head + 4 + length_in(buffer.substr(0, head));
    if (buffer.size() < end) return {};
    if (!buffer.starts_with("HTTP/1.1 200")) give_up("refused:", buffer.substr(0, end));
    return {end, buffer.substr(head + 4, end - head - 4)};
}

/// One connection with at most one request under way.
class Connection {
  public:
    Connection(Run& run) : run_(run), fd_(connect_to(run.options.port)), dialogue_(dialogue_of(run)) {
        never_block(fd_);
        buffer_.resize(64 * 1024);
    }
    ~Connection() { ::close(fd_); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    int fd() const { return fd_; }
    bool is_waiting() const { return is_waiting_; }

    void say(std::string_view answer, TimePoint now) {
        auto request = dialogue_->next(answer, now);
        is_waiting_ = !request.empty();
        if (!is_waiting_) return;
        if (::send(fd_, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
            give_up("the socket took only a part of a request");
    }

    /// Reads what has come; after a whole answer, says what comes next unless the time is over.
    void read(TimePoint until) {
        if (filled_ == buffer_.size()) buffer_.resize(2 * buffer_.size());
        auto got = ::recv(fd_, buffer_.data() + filled_, buffer_.size() - filled_, 0);
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) give_up("the server closed a connection");
        filled_ += static_cast<std::size_t>(got);
        auto whole = (run_.options.what == "put" ? find_line : find_http)({buffer_.data(), filled_});
        if (whole.end == 0) return;
        filled_ = 0;
        auto now = SteadyClock::now();
        is_waiting_ = false;
        if (now < until) say(whole.body, now);
    }

  private:
    Run& run_;
    int fd_;
    std::unique_ptr<Dialogue> dialogue_;
    std::vector<char> buffer_;
    std::size_t filled_ = 0;
    bool is_waiting_ = false;
};

class Load {
  public:
    explicit Load(Run& run) : epoll_(::epoll_create1(0)) {
        for (std::size_t i = 0; i < run.options.connections; ++i) {
            connections_.push_back(std::make_unique<Connection>(run));
            epoll_event event{.events = EPOLLIN, .data = {.ptr = connections_.back().get()}};
            ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connections_.back()->fd(), &event);
        }
    }
    ~Load() { ::close(epoll_); }
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;

    void run_until(TimePoint until) {
        for (auto& connection : connections_) connection->say({}, SteadyClock::now());
        while (is_anyone_waiting()) {
            epoll_event events[256];
            int n = ::epoll_wait(epoll_, events, 256, 10000);
            if (n == 0) give_up("no answer for 10 s");
            for (int i = 0; i < n; ++i) static_cast<Connection*>(events[i].data.ptr)->read(until);
        }
    }

  private:
    bool is_anyone_waiting() const {
        return std::any_of(connections_.begin(), connections_.end(), [](auto& one) { return one->is_waiting(); });
    }
    int epoll_;
    std::vector<std::unique_ptr<Connection>> connections_;
};

std::string in_environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : value;
}

Options read(int argc, char** argv) {
    Flags flags(argc, argv);
    Options options;
    options.what = argv[1];
    options.queue = flags.text("--queue");
    options.port = static_cast<std::uint16_t>(flags.number("--port", 0));
    options.connections = flags.number("--connections", options.connections);
    options.body_bytes = flags.number("--bytes", options.body_bytes);
    options.count = flags.number("--count", options.count);
    options.groups = flags.number("--groups", 0);
    options.time = std::chrono::milliseconds(1000 * flags.number("--seconds", 3));
    options.credentials = {in_environment("AWS_ACCESS_KEY_ID"), in_environment("AWS_SECRET_ACCESS_KEY"), {}};
    return options;
}

}  // namespace
}  // namespace forebay::bench

int main(int argc, char** argv) {
    using namespace forebay::bench;
    if (argc < 4) give_up("usage: sqs_load send|send-batch|drain|round-trip|round-trip-1|put --port N [--queue URL] …");
    auto options = read(argc, argv);
    Run run{options, {}};
    Load load(run);
    auto begun = SteadyClock::now(), until = begun + options.time;
    load.run_until(until);
    auto ended = std::min(SteadyClock::now(), until);
    run.figures.print(std::chrono::duration<double>(ended - begun).count());
}
