// A lean load generator for a durable RabbitMQ quorum queue with publisher confirms. librabbitmq says hello and declares; then
// frames are made and read by hand, many to a system call, so that what is measured is the broker and not the client.
//   amqp_load publish|round-trip --port N --queue NAME [--unconfirmed 64] [--seconds 3] [--bytes 270]
// publish counts confirmed messages, with at most --unconfirmed under way. round-trip counts messages published, confirmed,
// delivered to a consumer on a connection of its own and acknowledged by it, several with one acknowledgement; at most
// --unconfirmed are anywhere between the two. An operation is one message. The queue is emptied before and afterwards.

#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <endian.h>
#include <poll.h>

#include <deque>

#include "bench/load.h"

namespace forebay::bench {
namespace {

constexpr std::uint8_t frame_method = 1, frame_header = 2, frame_body = 3, frame_end = 0xce;
constexpr std::uint16_t class_basic = 60, publish_id = 40, deliver_id = 60, ack_id = 80, nack_id = 120;
constexpr amqp_channel_t channel = 1;
constexpr std::uint16_t prefetch = 2000;

template <class T>
void put(std::string& out, T value) {
    if constexpr (sizeof(T) == 2) value = htobe16(value);
    if constexpr (sizeof(T) == 4) value = htobe32(value);
    if constexpr (sizeof(T) == 8) value = htobe64(value);
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
template <class T>
T get(std::string_view bytes, std::size_t at) {
    T value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    if constexpr (sizeof(T) == 2) return be16toh(value);
    if constexpr (sizeof(T) == 4) return be32toh(value);
    if constexpr (sizeof(T) == 8) return be64toh(value);
}

std::string frame(std::uint8_t type, const std::string& payload) {
    std::string out;
    put(out, type);
    put(out, std::uint16_t{channel});
    put(out, static_cast<std::uint32_t>(payload.size()));
    out += payload;
    put(out, frame_end);
    return out;
}

/// basic.publish to the default exchange, persistent.
std::string publish_frames(const std::string& queue, std::size_t body_bytes) {
    std::string method, header;
    put(method, class_basic);
    put(method, publish_id);
    put(method, std::uint16_t{0});
    put(method, std::uint8_t{0});  // the exchange's name, empty
    put(method, static_cast<std::uint8_t>(queue.size()));
    method += queue;
    put(method, std::uint8_t{0});
    put(header, class_basic);
    put(header, std::uint16_t{0});
    put(header, static_cast<std::uint64_t>(body_bytes));
    put(header, std::uint16_t{0x1000});  // delivery-mode follows
    put(header, std::uint8_t{2});
    return frame(frame_method, method) + frame(frame_header, header) + frame(frame_body, std::string(body_bytes, 'x'));
}

std::string ack_frame(std::uint64_t tag) {
    std::string method;
    put(method, class_basic);
    put(method, ack_id);
    put(method, tag);
    put(method, std::uint8_t{1});  // and all before it
    return frame(frame_method, method);
}

void must(amqp_connection_state_t connection, const char* what) {
    if (amqp_get_rpc_reply(connection).reply_type != AMQP_RESPONSE_NORMAL) give_up("RabbitMQ refuses:", what);
}

/// An open channel whose socket is then spoken to directly.
class Channel {
  public:
    explicit Channel(std::uint16_t port) : connection_(amqp_new_connection()) {
        auto* socket = amqp_tcp_socket_new(connection_);
        if (amqp_socket_open(socket, "127.0.0.1", port) != AMQP_STATUS_OK) give_up("cannot connect to RabbitMQ");
        auto login = amqp_login(connection_, "/", 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest");
        if (login.reply_type != AMQP_RESPONSE_NORMAL) give_up("RabbitMQ refuses the login");
        amqp_channel_open(connection_, channel);
        must(connection_, "opening a channel");
    }
    ~Channel() { amqp_destroy_connection(connection_); }
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;

    amqp_connection_state_t handle() { return connection_; }
    void declare_quorum(const std::string& queue) {
        amqp_table_entry_t type{};
        type.key = amqp_cstring_bytes("x-queue-type");
        type.value.kind = AMQP_FIELD_KIND_UTF8;
        type.value.value.bytes = amqp_cstring_bytes("quorum");
        amqp_queue_declare(connection_, channel, amqp_cstring_bytes(queue.c_str()), 0, 1, 0, 0, {1, &type});
        must(connection_, "declaring the queue");
    }
    void remove(const std::string& queue) {
        amqp_queue_delete(connection_, channel, amqp_cstring_bytes(queue.c_str()), 0, 0);
        must(connection_, "removing the queue");
    }
    void want_confirms() {
        amqp_confirm_select(connection_, channel);
        must(connection_, "confirms");
    }
    void consume(const std::string& queue) {
        amqp_basic_qos(connection_, channel, 0, prefetch, 0);
        must(connection_, "the prefetch");
        amqp_basic_consume(connection_, channel, amqp_cstring_bytes(queue.c_str()), amqp_empty_bytes, 0, 0, 0, amqp_empty_table);
        must(connection_, "consuming");
    }

    int fd() { return amqp_get_sockfd(connection_); }
    /// From now on only read and write below are used.
    void take_over() { never_block(fd()); }
    void write(std::string_view bytes) { unwritten_ += bytes; }
    void flush() {
        if (unwritten_.empty()) return;
        auto wrote = ::send(fd(), unwritten_.data(), unwritten_.size(), MSG_NOSIGNAL);
        if (wrote < 0 && errno != EAGAIN) give_up("RabbitMQ closed the connection");
        if (wrote > 0) unwritten_.erase(0, static_cast<std::size_t>(wrote));
    }
    bool has_unwritten() const { return !unwritten_.empty(); }
    /// Gives each whole frame that has come: its type and payload.
    template <class Take>
    void read(Take take) {
        char part[65536];
        auto got = ::recv(fd(), part, sizeof part, 0);
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) give_up("RabbitMQ closed the connection");
        unread_.append(part, static_cast<std::size_t>(got));
        std::size_t at = 0;
        while (unread_.size() >= at + 8) {
            auto size = get<std::uint32_t>(unread_, at + 3);
            if (unread_.size() < at + 8 + size) break;
            take(static_cast<std::uint8_t>(unread_[at]), std::string_view(unread_).substr(at + 7, size));
            at += 8 + size;
        }
        unread_.erase(0, at);
    }

  private:
    amqp_connection_state_t connection_;
    std::string unwritten_, unread_;
};

struct Options {
    std::string what, queue;
    std::uint16_t port = 0;
    std::uint64_t unconfirmed = 64;
    std::size_t body_bytes = 270;
    std::chrono::seconds time{3};
};

class Load {
  public:
    explicit Load(const Options& options)
        : options_(options),
          is_round_trip_(options.what == "round-trip"),
          frames_(publish_frames(options.queue, options.body_bytes)),
          publisher_(options.port),
          consumer_(options.port) {
        publisher_.declare_quorum(options.queue);
        publisher_.want_confirms();
        if (is_round_trip_) consumer_.consume(options.queue);
        publisher_.take_over();
        consumer_.take_over();
    }

    void run_until(TimePoint until) {
        while (SteadyClock::now() < until) {
            publish();
            pollfd fds[] = {{publisher_.fd(), events_of(publisher_), 0}, {consumer_.fd(), events_of(consumer_), 0}};
            if (::poll(fds, 2, 10000) == 0) give_up("no answer for 10 s");
            if (fds[0].revents != 0) read_confirms();
            if (fds[1].revents != 0) read_deliveries();
        }
    }
    Figures& figures() { return figures_; }

  private:
    static short events_of(Channel& channel) { return static_cast<short>(POLLIN | (channel.has_unwritten() ? POLLOUT : 0)); }

    void publish() {
        auto done = is_round_trip_ ? std::min(confirmed_, delivered_) : confirmed_;
        auto now = SteadyClock::now();
        for (; published_ < done + options_.unconfirmed; ++published_) {
            publisher_.write(frames_);
            begun_.push_back(now);
        }
        publisher_.flush();
    }

    void read_confirms() {
        publisher_.read([&](std::uint8_t type, std::string_view payload) {
            if (type != frame_method || get<std::uint16_t>(payload, 0) != class_basic) return;
            auto id = get<std::uint16_t>(payload, 2);
            if (id == nack_id) give_up("RabbitMQ refused a message");
            if (id != ack_id) return;
            // Confirms may come out of order; only their number matters here.
            bool all_before = payload[12] & 1;
            auto tag = get<std::uint64_t>(payload, 4);
            if (all_before) single_.erase(single_.begin(), std::lower_bound(single_.begin(), single_.end(), tag + 1));
            if (all_before && tag > confirmed_below_)
                confirmed_below_ = tag;
            else if (!all_before)
                single_.insert(std::lower_bound(single_.begin(), single_.end(), tag), tag);
            while (!single_.empty() && single_.front() == confirmed_below_ + 1) {
                confirmed_below_ = single_.front();
                single_.pop_front();
            }
        });
        auto confirmed = confirmed_below_ + single_.size();
        if (!is_round_trip_) note(confirmed - confirmed_);
        confirmed_ = confirmed;
        publisher_.flush();
    }

    void read_deliveries() {
        std::uint64_t last = 0, count = 0;
        consumer_.read([&](std::uint8_t type, std::string_view payload) {
            if (type != frame_method || get<std::uint16_t>(payload, 0) != class_basic || get<std::uint16_t>(payload, 2) != deliver_id)
                return;
            last = get<std::uint64_t>(payload, 5 + static_cast<std::uint8_t>(payload[4]));
            ++count;
        });
        if (count > 0) consumer_.write(ack_frame(last));
        consumer_.flush();
        delivered_ += count;
        note(count);
    }

    void note(std::uint64_t messages) {
        auto now = SteadyClock::now();
        for (; messages > 0; --messages) {
            figures_.note(1, now - begun_.front());
            begun_.pop_front();
        }
    }

    const Options& options_;
    const bool is_round_trip_;
    const std::string frames_;
    Channel publisher_, consumer_;
    Figures figures_;
    std::deque<TimePoint> begun_;
    std::uint64_t published_ = 0, confirmed_ = 0, delivered_ = 0;
    std::uint64_t confirmed_below_ = 0;  ///< this tag and all before it
    std::deque<std::uint64_t> single_;   ///< tags confirmed above it, in order
};

Options read(int argc, char** argv) {
    Flags flags(argc, argv);
    Options options;
    options.what = argv[1];
    // One of its own: what a run leaves unacknowledged comes back to its queue after it, and is nobody else's.
    options.queue = flags.text("--queue") + "-" + std::to_string(::getpid());
    options.port = static_cast<std::uint16_t>(flags.number("--port", 0));
    options.unconfirmed = flags.number("--unconfirmed", options.unconfirmed);
    options.body_bytes = flags.number("--bytes", options.body_bytes);
    options.time = std::chrono::seconds(flags.number("--seconds", 3));
    return options;
}

void run(const Options& options) {
    {
        Load load(options);
        auto begun = SteadyClock::now();
        load.run_until(begun + options.time);
        load.figures().print(std::chrono::duration<double>(SteadyClock::now() - begun).count());
    }
    Channel after(options.port);
    after.remove(options.queue);
}

}  // namespace
}  // namespace forebay::bench

int main(int argc, char** argv) {
    using namespace forebay::bench;
    if (argc < 6) give_up("usage: amqp_load publish|round-trip --port N --queue NAME [--unconfirmed 64] …");
    run(read(argc, argv));
}
