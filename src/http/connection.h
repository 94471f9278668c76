#pragma once
// One client's connection: takes up requests in order, hands them to the loop's handler, sends the answers
// in the same order, and ends itself when the client breaks a rule, a deadline passes or the server drains.
// For http/*.cpp only.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/exchange.h"
#include "http/loop.h"
#include "http/parser.h"

namespace forebay::http {

class Connection {
  public:
    /// Owns the socket, which must not block.
    Connection(Loop& loop, int socket, std::string peer, bool peer_is_trusted, bool counts_for_peer);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void start();
    /// Instead of start(), for one that another server began: `bytes` is what it had read.
    void resume(std::string_view bytes);
    void on_ready(Readiness readiness);
    /// Goes on after some of its exchanges were marked answered, or after a turn that was long enough.
    void advance();
    /// Looks at the deadlines. `idle_deadline` is how long it may wait for a next request.
    void check_deadlines(std::int64_t now_ms, Duration idle_deadline);
    /// Closes when idle, else with the answer to the last request already taken up.
    void drain();
    /// Gives itself away through the loop as soon as no request is taken up and no answer unsent; reads and takes up nothing more.
    void hand_over();
    /// Closes now; requests that are being answered find no client.
    void abort();

    std::size_t place = 0;    ///< where the loop keeps it
    bool to_advance = false;  ///< the loop's note that it is in its list already

  private:
    enum class Waiting : std::uint8_t { nothing, first_byte, next_request, head, body, end };

    // Input.
    bool wants_to_read() const;
    void read_some();
    void on_end_of_input();
    void take(std::string_view bytes);
    void stash(std::string_view bytes);
    std::string unstash();
    void hold(std::size_t n);
    std::size_t take_some(std::string_view bytes);
    std::size_t take_head(std::string_view bytes);
    std::size_t take_body(std::string_view bytes);
    void on_head();
    void identify_client();
    std::optional<Response> refusal_of_head();
    void begin_body();
    void on_body_bytes(std::size_t n);
    void hand_to_handler();
    void refuse(Response response);
    void refuse(const Malformed& malformed);
    void drop_unfinished();
    bool is_full() const;
    bool may_take_up() const;
    void give_away();
    std::string unfinished_bytes() const;
    std::string head_without_expectation() const;

    // Output.
    void settle();
    void send();
    void wait_until_writable();
    void forget_output();
    void after_last_answer();
    std::size_t unsent() const { return out_.size() - out_sent_; }
    void account_output();
    bool client_has_gone() const;
    void note_sent();

    void go_on();
    void answer_and_take();
    void expect(Waiting what, Duration at_most);
    void expect_body();

    Loop& loop_;
    int socket_;
    std::string peer_;
    bool peer_is_trusted_;
    bool counts_for_peer_;

    std::string stash_;               ///< read, but not taken up: as many requests as allowed wait for answers
    Exchange* unfinished_ = nullptr;  ///< the request whose bytes are coming in
    HeadScanner scanner_;
    std::optional<ChunkDecoder> chunks_;
    std::vector<Exchange*> pending_;  ///< handed over, in order of arrival
    std::string out_;
    std::size_t out_sent_ = 0;
    std::size_t out_held_ = 0;  ///< of out_, counted among the bytes in flight
    struct MustArrive {
        std::size_t end;  ///< in out_
        UniqueFunction<void()> on_undelivered;
    };
    std::vector<MustArrive> must_arrive_;  ///< answers in out_ that are not sent as a whole

    Waiting waiting_ = Waiting::nothing;
    std::int64_t waiting_until_ms_ = 0;
    std::int64_t body_since_ms_ = 0;
    std::int64_t write_until_ms_ = 0;  ///< 0 = nothing waits to be sent
    std::size_t surplus_bytes_ = 0;    ///< read and dropped after the last request

    bool may_read_ = false;    ///< there may be something to read
    bool peer_ended_ = false;  ///< the end can be read behind what is there
    bool may_write_ = true;    ///< until the socket's buffer is full
    bool say_continue_ = false;
    bool takes_no_more_ = false;  ///< the last request has been taken up
    bool input_ended_ = false;
    bool lingering_ = false;
    bool closed_ = false;
};

}  // namespace forebay::http
