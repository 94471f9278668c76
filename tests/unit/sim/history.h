#pragma once
// Histories written by hand: what a client would have asked and been answered, each call one round unless it
// is told otherwise. The answers are those of an imaginary broker, which may break its promise.

#include <memory>
#include <string>
#include <vector>

#include "sim/auditor.h"

namespace forebay::sim {

class History {
  public:
    using Refusal = broker::Refusal;

    History() { round(); }

    void wait(Duration d) { now_ = now_ + d; }
    void round() { auditor.begin_round(now_); }
    /// Everything until the next `round()` happens in this round.
    void together() {
        round();
        together_ = true;
    }
    void apart() { together_ = false; }

    void make(const std::string& queue, broker::QueueSettings settings = {}) {
        auto op = ask(broker::CreateQueue{queue, settings, settings.carries_records, {}});
        broker::QueueStatus status;
        status.name = queue;
        status.settings = settings;
        auditor.answered(op, Auditor::Told<broker::QueueStatus>(status));
    }
    Operation ask_make(const std::string& queue, broker::QueueSettings settings) {
        return ask(broker::CreateQueue{queue, std::move(settings), false, {}});
    }
    Operation ask_drop(const std::string& queue) { return ask(broker::DeleteQueue{queue, {}}); }
    Operation ask_send(const std::string& queue, const std::string& body, std::optional<Duration> delay = {}) {
        broker::Send send{queue, {}, {}, {}};
        send.message.body = body;
        send.message.delay = delay;
        return ask(std::move(send));
    }
    Uuid send(const std::string& queue, const std::string& body, std::optional<Duration> delay = {}) {
        auto op = ask_send(queue, body, delay);
        broker::Sent sent{id_of(body), false, {}, false};
        auditor.answered(op, Auditor::Told<broker::Sent>(sent));
        return sent.id;
    }
    /// Bodies end in the digit that is their number in the queue, too.
    void send_fifo(const std::string& queue, const std::string& body, const std::string& group, const std::string& id,
                   std::optional<std::string> repeats = {}) {
        auto op = ask_fifo(queue, body, group, id);
        broker::Sent sent;
        auto& first = repeats ? *repeats : body;
        sent.id = id_of(first);
        sent.duplicate = repeats.has_value();
        sent.sequence = sequence_of(first);
        auditor.answered(op, Auditor::Told<broker::Sent>(sent));
    }
    Operation ask_fifo(const std::string& queue, const std::string& body, const std::string& group, const std::string& id) {
        broker::Send send{queue, {}, {}, {}};
        send.message.body = body;
        send.message.group = group;
        send.message.deduplication = id;
        return ask(std::move(send));
    }
    /// One receive that gives all of them, of one group.
    std::vector<queue::Receipt> receive_fifo(const std::string& queue, const std::string& group, std::vector<std::string> bodies,
                                             std::uint32_t count = 1) {
        std::vector<queue::Delivery> deliveries;
        std::vector<queue::Receipt> receipts;
        for (auto& body : bodies) {
            deliveries.push_back(delivery(body, count));
            deliveries.back().group = group;
            receipts.push_back(deliveries.back().receipt);
        }
        auto op = ask_receive(queue);
        auditor.answered(op, Auditor::Told<std::vector<queue::Delivery>>(std::move(deliveries)));
        return receipts;
    }
    void send_refused(const std::string& queue, const std::string& body, Refusal why) {
        auto op = ask_send(queue, body);
        auditor.answered(op, Auditor::Told<broker::Sent>(Failure{why}));
    }
    Operation ask_once(const std::string& queue, const std::string& body, unsigned char key, bool refuse_reuse = false) {
        broker::Send send{queue, {}, broker::OnceKey{uuid(key), id_of(body), id_of("record " + body), 1h, refuse_reuse}, {}};
        send.message.body = body;
        return ask(std::move(send));
    }
    void once(const std::string& queue, const std::string& body, unsigned char key, broker::Sent sent, bool refuse_reuse = false) {
        auto op = ask_once(queue, body, key, refuse_reuse);
        auditor.answered(op, Auditor::Told<broker::Sent>(sent));
    }
    /// What a broker hands out: every field may be changed before it is received.
    queue::Delivery delivery(const std::string& body, std::uint32_t count = 1, std::uint32_t queue = 1) {
        queue::Delivery d;
        d.id = id_of(body);
        d.receipt = {queue::QueueId(queue), sequence_of(body), 1, ++generation_};
        d.body = body;
        d.receive_count = count;
        return d;
    }
    Operation ask_receive(const std::string& queue, std::optional<Duration> visibility = {}) {
        return ask(broker::Receive{queue, 10, visibility, {}, {}, {}});
    }
    queue::Receipt receive(const std::string& queue, queue::Delivery d, std::optional<Duration> visibility = {}) {
        auto op = ask_receive(queue, visibility);
        auditor.answered(op, Auditor::Told<std::vector<queue::Delivery>>(std::vector{d}));
        return d.receipt;
    }
    queue::Receipt receive(const std::string& queue, const std::string& body, std::uint32_t count = 1) {
        return receive(queue, delivery(body, count));
    }
    void receive_nothing(const std::string& queue) {
        auto op = ask_receive(queue);
        auditor.answered(op, Auditor::Told<std::vector<queue::Delivery>>(std::vector<queue::Delivery>{}));
    }
    Operation ask_delete(const std::string& queue, queue::Receipt receipt) { return ask(broker::Delete{queue, {receipt}, {}}); }
    void remove(const std::string& queue, queue::Receipt receipt) { tell(ask_delete(queue, receipt), {}); }
    Operation ask_change(const std::string& queue, queue::Receipt receipt, Duration timeout, bool release = false,
                         std::optional<std::uint32_t> attempts = {}) {
        return ask(broker::ChangeVisibility{queue, {{receipt, timeout, release, attempts}}, {}});
    }
    void change(const std::string& queue, queue::Receipt receipt, Duration timeout, bool release = false,
                std::optional<std::uint32_t> attempts = {}) {
        tell(ask_change(queue, receipt, timeout, release, attempts), {});
    }
    void tell(Operation op, Auditor::Told<void> one) {
        auditor.answered(op, Auditor::Told<std::vector<Auditor::Told<void>>>(std::vector<Auditor::Told<void>>{std::move(one)}));
    }
    void purge(const std::string& queue, bool as_operator = false) {
        auto op = ask(broker::Purge{queue, as_operator, {}});
        auditor.answered(op, Auditor::Told<void>());
    }
    void status(const std::string& queue, std::uint64_t ready, std::uint64_t in_flight, std::uint64_t delayed,
                broker::QueueSettings settings = {}) {
        auto op = ask(broker::GetQueue{queue, {}});
        broker::QueueStatus status;
        status.name = queue;
        status.settings = settings;
        status.ready = ready, status.in_flight = in_flight, status.delayed = delayed;
        auditor.answered(op, Auditor::Told<broker::QueueStatus>(status));
    }
    void peek(const std::string& queue, std::vector<std::string> bodies) {
        auto op = ask(broker::Peek{queue, 100, {}, {}});
        std::vector<broker::Peek::Item> items;
        for (auto& body : bodies) items.push_back({delivery(body, 0), {}});
        auditor.answered(op, Auditor::Told<std::vector<broker::Peek::Item>>(items));
    }
    void list(std::vector<std::string> names) {
        auto op = ask(broker::ListQueues{});
        std::vector<broker::QueueStatus> out(names.size());
        for (std::size_t i = 0; i < names.size(); ++i) out[i].name = names[i];
        auditor.answered(op, Auditor::Told<std::vector<broker::QueueStatus>>(out));
    }
    Operation ask_move(const std::string& source, std::optional<std::string> destination) {
        return ask(broker::StartMove{source, std::move(destination), {}, false, {}});
    }
    /// A task `number` is started, or was said to be.
    void start_move(const std::string& source, std::optional<std::string> destination, unsigned char number = 1) {
        auto op = ask_move(source, std::move(destination));
        auditor.answered(op, Auditor::Told<broker::MoveStatus>(move(source, broker::MoveState::running, 0, number)));
    }
    void cancel_move(const std::string& source, std::uint64_t moved, unsigned char number = 1) {
        auto op = ask(broker::CancelMove{source, uuid(number), {}});
        auditor.answered(op, Auditor::Told<broker::MoveStatus>(move(source, broker::MoveState::cancelled, moved, number)));
    }
    void list_moves(const std::string& source, std::vector<broker::MoveStatus> moves) {
        auto op = ask(broker::ListMoves{source, 10, {}});
        auditor.answered(op, Auditor::Told<std::vector<broker::MoveStatus>>(std::move(moves)));
    }
    static broker::MoveStatus move(const std::string& source, broker::MoveState state, std::uint64_t moved, unsigned char number = 1) {
        broker::MoveStatus status;
        status.id = uuid(number);
        status.source = source;
        status.state = state;
        status.moved = moved;
        return status;
    }
    /// What a task has moved: under another id, at another place.
    queue::Delivery moved(const std::string& body, std::uint32_t queue, std::uint32_t count = 1) {
        auto d = delivery(body, count, queue);
        d.id.bytes[2] = 99;
        d.receipt.sequence = queue::Sequence(d.receipt.sequence.value() + 10'000);
        return d;
    }
    void show(const std::string& queue, std::vector<queue::Delivery> deliveries) {
        auto op = ask(broker::Peek{queue, 100, {}, {}});
        std::vector<broker::Peek::Item> items;
        for (auto& d : deliveries) items.push_back({std::move(d), {}});
        auditor.answered(op, Auditor::Told<std::vector<broker::Peek::Item>>(items));
    }
    void send_to_group(const std::string& queue, const std::string& body, const std::string& group) {
        auto op = ask_fifo(queue, body, group, "");
        broker::Sent sent;
        sent.id = id_of(body);
        auditor.answered(op, Auditor::Told<broker::Sent>(sent));
    }
    void die(Death how) {
        auditor.died(how);
        auditor.restarted();
    }
    /// What the auditor says; empty = nothing.
    std::string finding() const { return auditor.finding().value_or(""); }
    std::string end() {
        round();
        auditor.end();
        return finding();
    }
    static Uuid uuid(unsigned char n) {
        Uuid out;
        out.bytes[15] = n;
        return out;
    }
    /// Bodies in these histories end in one digit; it makes their id.
    static Uuid id_of(const std::string& body) {
        Uuid out;
        out.bytes[0] = static_cast<unsigned char>(body.back() - '0' + 1);
        out.bytes[1] = static_cast<unsigned char>(body.size());
        return out;
    }

    static queue::Sequence sequence_of(const std::string& body) {
        auto id = id_of(body);
        return queue::Sequence(id.bytes[0] + 100u * id.bytes[1]);
    }

    Auditor auditor;

  private:
    template <class C>
    Operation ask(C command) {
        if (!together_) round();
        auto op = Operation(++operations_);
        auditor.asked(op, broker::Command(std::move(command)));
        return op;
    }
    Instant now_{1000};
    bool together_ = false;
    std::uint64_t operations_ = 0;
    std::uint32_t generation_ = 0;
};

}  // namespace forebay::sim
