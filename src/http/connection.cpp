#include "http/connection.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/check.h"
#include "http/problem.h"
#include "http/text.h"

namespace forebay::http {
namespace {

/// After the last answer a client may still be sending; what it sends is read up to here, so that the
/// answer is not lost to the reset that unread bytes would cause.
constexpr std::size_t surplus_bytes_max = 1_MiB;
constexpr int reads_in_a_turn_max = 4;
/// Everybody waits for the last to leave.
constexpr Duration linger_while_handing_over = 100ms;
constexpr std::size_t kept_output_bytes = 16384;

HeadLimits head_limits(const ServerOptions& options) { return {options.head_bytes_max, options.fields_max, options.target_bytes_max}; }

bool is_https(const Request& request) { return equals_ignoring_case(request.find("x-forwarded-proto"), "https"); }

Response overloaded() {
    auto response = problem(503, "overloaded", "The server holds as many requests as it may; nothing was kept of this one. Try again.");
    response.headers.emplace_back("Retry-After", "1");
    return response;
}

}  // namespace

Connection::Connection(Loop& loop, int socket, std::string peer, bool peer_is_trusted, bool counts_for_peer)
    : loop_(loop), socket_(socket), peer_(std::move(peer)), peer_is_trusted_(peer_is_trusted), counts_for_peer_(counts_for_peer) {}

Connection::~Connection() {
    CHECK(!closed_ || (pending_.empty() && unfinished_ == nullptr), "a closed connection takes up no requests");
    if (!closed_) ::close(socket_);
    if (counts_for_peer_) loop_.drop_address(peer_);
}

void Connection::start() { expect(Waiting::first_byte, loop_.options().head_deadline); }

void Connection::resume(std::string_view bytes) {
    expect(Waiting::next_request, 0ms);
    take(bytes);
    go_on();
}

void Connection::on_ready(Readiness readiness) {
    may_read_ |= readiness.readable;
    may_write_ |= readiness.writable;
    peer_ended_ |= readiness.ended;
    go_on();
}

// ---- input

bool Connection::is_full() const {
    return pending_.size() >= loop_.options().pipelined_max || unsent() >= loop_.options().unsent_bytes_max;
}

bool Connection::may_take_up() const { return !closed_ && !takes_no_more_ && !is_full() && !loop_.is_handing_over(); }

/// It reads also while requests are being answered, to learn that the client has gone.
bool Connection::wants_to_read() const {
    if (closed_ || input_ended_ || !may_read_) return false;
    return takes_no_more_ ? surplus_bytes_ <= surplus_bytes_max : stash_.empty() && may_take_up();
}

void Connection::read_some() {
    auto& scratch = loop_.scratch();
    const auto n = ::recv(socket_, scratch.data(), scratch.size(), MSG_DONTWAIT);
    // Less than was asked for is all there was, unless the end comes behind it.
    may_read_ = n == static_cast<ssize_t>(scratch.size()) || (n >= 0 && peer_ended_) || (n < 0 && errno == EINTR);
    if (n > 0) loop_.counters().bytes_received.add(static_cast<std::uint64_t>(n));
    if (n > 0)
        take({scratch.data(), static_cast<std::size_t>(n)});
    else if (n == 0)
        on_end_of_input();
    else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
        abort();
}

void Connection::on_end_of_input() {
    input_ended_ = true;
    for (auto* exchange : pending_) exchange->presence.fetch_and(~std::uint64_t{1}, std::memory_order_release);
}

void Connection::take(std::string_view bytes) {
    if (!stash_.empty()) return stash(bytes);
    while (!bytes.empty() && !closed_) {
        if (takes_no_more_) {
            surplus_bytes_ += bytes.size();
            return;
        }
        if (is_full()) send();
        if (closed_) return;
        if (is_full()) return stash(bytes);
        bytes.remove_prefix(take_some(bytes));
        if (!pending_.empty() && pending_.front()->answered) settle();  // so that unsent() knows of it
    }
}

/// Keeps bytes for later. Only as much comes here as one turn of reading brings, since reading then pauses.
void Connection::stash(std::string_view bytes) {
    if (!loop_.has_room_for(bytes.size())) return abort();
    loop_.hold_bytes(bytes.size());
    stash_.append(bytes);
}

std::string Connection::unstash() {
    loop_.release_bytes(stash_.size());
    return std::exchange(stash_, {});
}

/// Counts bytes of the unfinished request among those in flight until it is answered.
void Connection::hold(std::size_t n) {
    unfinished_->bytes_held += n;
    loop_.hold_bytes(n);
}

std::size_t Connection::take_some(std::string_view bytes) {
    if (unfinished_ == nullptr) {
        unfinished_ = loop_.exchanges().acquire();
        if (unfinished_ == nullptr) {  // cannot happen below a million requests at once
            abort();
            return bytes.size();
        }
        unfinished_->connection = this;
        scanner_ = HeadScanner();
        expect(Waiting::head, loop_.options().head_deadline);
    }
    return scanner_.is_complete() ? take_body(bytes) : take_head(bytes);
}

std::size_t Connection::take_head(std::string_view bytes) {
    const auto used = scanner_.take(bytes, head_limits(loop_.options()));
    if (!used) {
        refuse(used.error());
        return bytes.size();
    }
    unfinished_->head.append(bytes.substr(0, *used));
    hold(*used);
    if (scanner_.is_complete())
        on_head();
    else if (!loop_.has_room_for(0))
        refuse(overloaded());
    return *used;
}

void Connection::on_head() {
    auto framing = parse_head(unfinished_->head, head_limits(loop_.options()), unfinished_->request);
    if (!framing) return refuse(framing.error());
    unfinished_->framing = *framing;
    identify_client();
    if (auto refusal = refusal_of_head()) {
        if (framing->has_body()) return refuse(std::move(*refusal));
        unfinished_->response = std::move(*refusal);
        unfinished_->answered = true;
        return hand_to_handler();
    }
    if (framing->has_body())
        begin_body();
    else
        hand_to_handler();
}

void Connection::identify_client() {
    Request& request = unfinished_->request;
    request.from_trusted_proxy = peer_is_trusted_;
    request.client_address = peer_;
    if (!peer_is_trusted_) return;
    if (auto client = loop_.trusted_proxies().client_of(request)) request.client_address = to_text(*client);
    request.secure = is_https(request);
}

std::optional<Response> Connection::refusal_of_head() {
    const Framing& framing = unfinished_->framing;
    const Request& request = unfinished_->request;
    if (framing.length > loop_.options().body_bytes_max)
        return problem(413, "body_too_large", "The body is larger than this server takes; nothing was kept.");
    if (!loop_.has_room_for(framing.length)) return overloaded();
    if (peer_is_trusted_ && request.client_address != peer_) {
        if (!loop_.count_address(request.client_address))
            return problem(429, "too_many_connections", "There are too many requests under way from this address.");
        unfinished_->counted_address = request.client_address;
    }
    return loop_.admit(request);
}

void Connection::begin_body() {
    const Framing& framing = unfinished_->framing;
    chunks_.reset();
    if (framing.chunked) chunks_.emplace(loop_.options().body_bytes_max, loop_.options().chunk_extension_bytes_max);
    say_continue_ = framing.expects_continue;
    body_since_ms_ = coarse_now_ms();
    expect_body();
}

std::size_t Connection::take_body(std::string_view bytes) {
    std::string& body = unfinished_->body;
    const auto before = body.size();
    say_continue_ = false;
    if (!chunks_) {
        const auto n = std::min<std::uint64_t>(bytes.size(), unfinished_->framing.length - before);
        body.append(bytes, 0, n);
        on_body_bytes(n);
        return n;
    }
    const auto used = chunks_->take(bytes, body);
    if (!used) {
        refuse(used.error());
        return bytes.size();
    }
    on_body_bytes(body.size() - before);
    return *used;
}

void Connection::on_body_bytes(std::size_t n) {
    hold(n);
    if (!loop_.has_room_for(0)) return refuse(overloaded());
    const bool complete = chunks_ ? chunks_->is_complete() : unfinished_->body.size() == unfinished_->framing.length;
    if (complete)
        hand_to_handler();
    else
        expect_body();
}

void Connection::hand_to_handler() {
    Exchange& exchange = *std::exchange(unfinished_, nullptr);
    exchange.request.body = exchange.body;
    exchange.close_after = !exchange.framing.keep_alive || loop_.is_draining();
    takes_no_more_ = exchange.close_after;
    waiting_ = Waiting::nothing;
    pending_.push_back(&exchange);
    if (input_ended_) exchange.presence.fetch_and(~std::uint64_t{1}, std::memory_order_release);
    loop_.counters().requests.add();
    if (exchange.answered)
        loop_.counters().refused(exchange.response.status);
    else
        loop_.handle(*this, exchange);
}

/// The request is answered without being carried out, in its turn, and nothing after it is looked at.
void Connection::refuse(Response response) {
    loop_.counters().refused(response.status);
    Exchange& exchange = *std::exchange(unfinished_, nullptr);
    exchange.response = std::move(response);
    exchange.answered = exchange.close_after = true;
    pending_.push_back(&exchange);
    takes_no_more_ = true;
    say_continue_ = false;
    waiting_ = Waiting::nothing;
}

void Connection::refuse(const Malformed& malformed) { refuse(problem(malformed.status, malformed.code, malformed.why)); }

void Connection::drop_unfinished() {
    if (unfinished_ != nullptr) loop_.release(*std::exchange(unfinished_, nullptr));
    say_continue_ = false;
}

// ---- output

/// Moves answers that are ready, in order, from exchanges to the output.
void Connection::settle() {
    std::size_t settled = 0;
    while (settled < pending_.size() && pending_[settled]->answered) {
        Exchange& exchange = *pending_[settled++];
        auto& on_undelivered = exchange.response.on_undelivered;
        if (on_undelivered && client_has_gone()) {
            loop_.undelivered(on_undelivered);
            exchange.response = problem(408, "client_gone", "The client had ended its side of the connection before the answer.");
        }
        const AnswerForm form{exchange.request.method == "HEAD", exchange.close_after, exchange.framing.is_http10};
        loop_.writer().append(out_, exchange.response, form);
        if (on_undelivered) must_arrive_.push_back({out_.size(), std::exchange(on_undelivered, {})});
        loop_.release(exchange);
    }
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(settled));
    if (say_continue_ && pending_.empty() && !loop_.is_handing_over()) {
        out_ += "HTTP/1.1 100 Continue\r\n\r\n";
        say_continue_ = false;
    }
    account_output();
}

/// The kernel may know what no event has told yet.
bool Connection::client_has_gone() const {
    pollfd watched{socket_, POLLRDHUP, 0};
    return input_ended_ || peer_ended_ || ::poll(&watched, 1, 0) > 0;
}

void Connection::note_sent() {
    auto first_unsent = std::find_if(must_arrive_.begin(), must_arrive_.end(), [this](const auto& one) { return one.end > out_sent_; });
    must_arrive_.erase(must_arrive_.begin(), first_unsent);
}

void Connection::account_output() {
    const auto held = unsent();
    if (held > out_held_)
        loop_.hold_bytes(held - out_held_);
    else
        loop_.release_bytes(out_held_ - held);
    out_held_ = held;
}

void Connection::send() {
    while (!closed_ && unsent() > 0 && may_write_) {
        const auto n = ::send(socket_, out_.data() + out_sent_, unsent(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n >= 0) {
            out_sent_ += static_cast<std::size_t>(n);
            loop_.counters().bytes_sent.add(static_cast<std::uint64_t>(n));
            if (write_until_ms_ != 0) write_until_ms_ += n * 1000 / 1024;
            if (!must_arrive_.empty()) note_sent();
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            wait_until_writable();
        } else if (errno != EINTR) {
            return abort();
        }
    }
    if (!closed_ && unsent() == 0) forget_output();
    account_output();
}

void Connection::wait_until_writable() {
    if (write_until_ms_ == 0) write_until_ms_ = coarse_now_ms() + loop_.options().write_deadline.count();
    may_write_ = false;
}

void Connection::forget_output() {
    if (out_.capacity() > kept_output_bytes) out_ = std::string();
    out_.clear();
    out_sent_ = 0;
    write_until_ms_ = 0;
}

/// Says that no more will come and waits for the client to say the same, for a while.
void Connection::after_last_answer() {
    if (input_ended_ || surplus_bytes_ > surplus_bytes_max) return abort();
    if (std::exchange(lingering_, true)) return;
    ::shutdown(socket_, SHUT_WR);
    expect(Waiting::end, loop_.options().linger_deadline);
}

// ---- the course of things

void Connection::advance() { go_on(); }

/// A client that always has more to say does not keep the loop from the others.
void Connection::go_on() {
    answer_and_take();
    for (int reads = 0; wants_to_read(); ++reads) {
        if (reads == reads_in_a_turn_max) return loop_.advance_later(*this);
        read_some();
        answer_and_take();
    }
}

void Connection::answer_and_take() {
    if (closed_) return;
    settle();
    send();
    while (!stash_.empty() && may_take_up()) {
        take(unstash());
        settle();
        send();
    }
    if (closed_) return;
    if (input_ended_ && (stash_.empty() || takes_no_more_)) {
        drop_unfinished();
        takes_no_more_ = true;
    }
    if (takes_no_more_ && pending_.empty() && unsent() == 0)
        after_last_answer();
    else if (loop_.is_handing_over() && pending_.empty() && unsent() == 0)
        give_away();
    else if (unfinished_ == nullptr && pending_.empty() && unsent() == 0 && waiting_ == Waiting::nothing)
        expect(Waiting::next_request, 0ms);
}

void Connection::expect(Waiting what, Duration at_most) {
    waiting_ = what;
    waiting_until_ms_ = coarse_now_ms() + at_most.count();
}

/// A body may take its grace and then as long as its bytes at the least rate last, and never over the whole deadline.
void Connection::expect_body() {
    const auto& options = loop_.options();
    const auto by_rate = options.body_grace.count() + static_cast<std::int64_t>(unfinished_->body.size() * 1000 / options.body_rate_min);
    waiting_ = Waiting::body;
    waiting_until_ms_ = body_since_ms_ + std::min<std::int64_t>(by_rate, options.body_deadline.count());
}

void Connection::check_deadlines(std::int64_t now_ms, Duration idle_deadline) {
    if (closed_) return;
    if (write_until_ms_ != 0 && now_ms >= write_until_ms_) return abort();
    const auto until = waiting_until_ms_ + (waiting_ == Waiting::next_request ? idle_deadline.count() : 0);
    if (waiting_ == Waiting::nothing || now_ms < until) return;
    switch (waiting_) {
        case Waiting::nothing:
            return;
        case Waiting::first_byte:
        case Waiting::next_request:
        case Waiting::end:
            return abort();
        case Waiting::head:
            if (!scanner_.has_begun()) return abort();
            refuse(problem(408, "head_too_slow", "The head of the request took too long to arrive."));
            return go_on();
        case Waiting::body:
            refuse(problem(408, "body_too_slow", "The body arrived too slowly; nothing was kept."));
            return go_on();
    }
}

void Connection::drain() {
    if (closed_ || takes_no_more_) return;
    if (unfinished_ != nullptr) return;  // it will be the last: see hand_to_handler()
    if (!pending_.empty()) {
        pending_.back()->close_after = true;
        takes_no_more_ = true;
    } else if (unsent() > 0) {
        takes_no_more_ = true;
    } else {
        abort();
    }
}

void Connection::abort() {
    if (std::exchange(closed_, true)) return;
    drop_unfinished();
    for (auto* exchange : pending_) {
        exchange->connection = nullptr;
        exchange->presence.fetch_and(~std::uint64_t{1}, std::memory_order_release);
        if (exchange->answered) loop_.release(*exchange);
    }
    pending_.clear();
    for (auto& one : std::exchange(must_arrive_, {})) loop_.undelivered(one.on_undelivered);
    out_.clear();
    out_sent_ = 0;
    account_output();
    unstash();
    loop_.unwatch(socket_);
    ::close(socket_);
    loop_.retire(*this);
}

// ---- to another server

/// What is not read here is not late.
void Connection::hand_over() {
    if (waiting_ != Waiting::end)
        waiting_ = Waiting::nothing;
    else
        waiting_until_ms_ = std::min(waiting_until_ms_, coarse_now_ms() + linger_while_handing_over.count());
    go_on();
}

void Connection::give_away() {
    HandedConnection handed{socket_, unfinished_bytes() + unstash()};
    closed_ = true;
    drop_unfinished();
    loop_.give_away(*this, std::move(handed));
}

/// The request whose bytes are coming in, so that it reads the same for another.
std::string Connection::unfinished_bytes() const {
    if (unfinished_ == nullptr) return {};
    const Exchange& exchange = *unfinished_;
    if (!scanner_.is_complete()) return exchange.head;
    const bool was_told_to_go_on = exchange.framing.expects_continue && !say_continue_;
    return (was_told_to_go_on ? head_without_expectation() : exchange.head) +
           (exchange.framing.chunked ? chunks_->encode_again(exchange.body) : exchange.body);
}

/// So that 100 Continue is not said twice.
std::string Connection::head_without_expectation() const {
    const std::string& head = unfinished_->head;
    std::string without;
    std::size_t at = 0;
    for (const Header& header : unfinished_->request.headers) {
        if (!equals_ignoring_case(header.name, "expect")) continue;
        const auto line = static_cast<std::size_t>(header.name.data() - head.data());
        without.append(head, at, line - at);
        at = head.find('\n', line) + 1;
    }
    return without.append(head, at);
}

}  // namespace forebay::http
