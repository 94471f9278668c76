#include "sim/workload.h"

#include <algorithm>

namespace forebay::sim {
namespace {

constexpr std::size_t held_most = 200;
constexpr std::size_t posts_most = 20;
constexpr std::size_t fifo_sends_most = 20;
constexpr std::size_t attempts_most = 4;
constexpr std::size_t moves_most = 6;

Uuid uuid_of(std::uint64_t number, std::uint64_t kind) {
    Uuid out;
    for (std::size_t i = 0; i < 8; ++i) {
        out.bytes[i] = static_cast<unsigned char>((number * 0x9e3779b97f4a7c15ull) >> (8 * i));
        out.bytes[8 + i] = static_cast<unsigned char>((number + (kind << 56)) >> (8 * i));
    }
    return out;
}

}  // namespace

Act Workload::choose() {
    std::uint64_t sum = 0;
    for (auto weight : plan_.acts) sum += weight;
    auto at = random_.below(sum);
    std::size_t act = 0;
    while (at >= plan_.acts[act]) at -= plan_.acts[act++];
    auto chosen = static_cast<Act>(act);
    if (waiting_ <= plan_.messages_most || chosen > Act::reuse_key) return chosen;
    return random_.one_in(2) ? Act::receive : Act::remove_many;
}

broker::Command Workload::next() {
    auto act = choose();
    if (act <= Act::send_batch) return send(act);
    if (act <= Act::reuse_key) return post(act);
    if (act <= Act::poll_and_leave) return receive(act);
    if (act <= Act::remove_stale) return remove(act);
    if (act <= Act::mistake) return change(act);
    if (act <= Act::list) return look(act);
    return act <= Act::remove_queue ? administer(act) : move(act);
}

const QueuePlan& Workload::any_queue() { return plan_.queues[random_.below(plan_.queues.size())]; }

const QueuePlan* Workload::any_queue_of(bool declared) {
    std::vector<const QueuePlan*> found;
    for (auto& queue : plan_.queues)
        if (queue.declared == declared && !queue.settings.fifo) found.push_back(&queue);
    return found.empty() ? nullptr : found[random_.below(found.size())];
}

queue::OutgoingMessage Workload::message(const QueuePlan& queue, std::size_t bytes_most) {
    queue::OutgoingMessage out;
    out.body = "<m" + std::to_string(++serial_) + "> ";
    auto bytes = random_.below(bytes_most + 1);
    for (std::size_t i = 0; i < bytes; i += 8) {
        auto noise = random_.next();
        out.body.append(reinterpret_cast<const char*>(&noise), 8);
    }
    if (random_.one_in(4)) out.attributes.push_back({"kind", "String", std::to_string(random_.below(100))});
    if (random_.one_in(8)) out.attributes.push_back({"bytes", "Binary.raw", std::string("\0\1\xff", 3)});
    if (random_.one_in(16)) out.system_attributes.push_back({"AWSTraceHeader", "String", "Root=1-" + std::to_string(serial_)});
    if (plan_.has_tenants)
        out.group = random_.one_in(10) ? "tenant-" + std::to_string(serial_) : "noisy";
    else if (random_.one_in(8))
        out.group = "tenant-" + std::to_string(random_.below(3));
    ++waiting_;
    return queue.settings.fifo ? fifo_message(queue, std::move(out)) : out;
}

/// Of few groups; at times another message under an id used before, at times the very same message again.
queue::OutgoingMessage Workload::fifo_message(const QueuePlan& queue, queue::OutgoingMessage fresh) {
    fresh.group = "group-" + std::to_string(random_.below(3));
    bool by_content = queue.settings.content_deduplication && random_.one_in(2);
    if (!by_content) fresh.deduplication = "id-" + std::to_string(serial_);
    if (!fifo_sends_.empty() && random_.one_in(3)) {
        const auto& [name, before] = fifo_sends_[random_.below(fifo_sends_.size())];
        if (name == queue.name && !plan_.has_moves && random_.one_in(2)) return before;
        if (name == queue.name && !before.deduplication.empty()) fresh.deduplication = before.deduplication;
    }
    fifo_sends_.emplace_back(queue.name, fresh);
    if (fifo_sends_.size() > fifo_sends_most) fifo_sends_.pop_front();
    return fresh;
}

std::string Workload::attempt() {
    if (!attempts_.empty() && random_.one_in(2)) return attempts_[random_.below(attempts_.size())];
    attempts_.push_back("attempt-" + std::to_string(++serial_));
    if (attempts_.size() > attempts_most) attempts_.pop_front();
    return attempts_.back();
}

broker::Command Workload::send_to(const QueuePlan& queue) { return broker::Send{queue.name, message(queue, 40), {}, {}}; }

broker::Command Workload::send(Act act) {
    auto& queue = any_queue();
    if (act == Act::send_batch) {
        broker::SendBatch batch{queue.name, {}, {}};
        auto count = 1 + random_.below(10);
        for (std::size_t i = 0; i < count; ++i) batch.messages.push_back(message(queue, 200));
        return batch;
    }
    broker::Send send{queue.name, message(queue, act == Act::send_large ? 6000 : 250), {}, {}};
    if (act == Act::send_delayed) send.message.delay = Duration(random_.below(random_.one_in(4) ? 900'000 : 5'000));
    return send;
}

/// What intake does: a record under a key made of who, where and the client's key; the same post has the same record id.
broker::Command Workload::post(Act act) {
    if (act == Act::send_record || posts_.empty()) {
        auto* queue = any_queue_of(true);
        Post post{queue->name, message(*queue, 300), {}};
        post.message.is_record = true;
        post.once = {uuid_of(serial_, 1), uuid_of(serial_, 2), uuid_of(serial_, 3), random_.one_in(4) ? Duration(10s) : Duration(7 * 24h),
                     random_.one_in(2)};
        posts_.push_back(post);
        if (posts_.size() > posts_most) posts_.pop_front();
        return broker::Send{post.queue, post.message, post.once, {}};
    }
    auto at = random_.below(posts_.size());
    auto post = posts_[at];
    if (act == Act::repeat_record) return broker::Send{post.queue, post.message, post.once, {}};
    // A key that has been used for two things is used no more: what it means then is nobody's promise.
    posts_.erase(posts_.begin() + static_cast<std::ptrdiff_t>(at));
    post.message = message(*any_queue_of(true), 300);
    post.message.is_record = true;
    post.once.content = uuid_of(serial_, 2);
    post.once.record = uuid_of(serial_, 3);
    return broker::Send{post.queue, post.message, post.once, {}};
}

broker::Command Workload::receive(Act act) {
    auto& queue = any_queue();
    broker::Receive out{queue.name, 1 + static_cast<unsigned>(random_.below(10)), {}, Duration(0), {}, {}};
    if (queue.settings.fifo && random_.one_in(3)) out.attempt = attempt();
    if (act == Act::receive_briefly) out.visibility = Duration(random_.below(3'000));
    if (act == Act::long_poll || act == Act::poll_and_leave) out.wait = Duration(1 + random_.below(20'000));
    if (act == Act::poll_and_leave) out.still_wanted = [] { return false; };
    return out;
}

void Workload::received(const std::string& queue, const queue::Delivery& delivery) {
    for (auto held = fresh_.begin(); held != fresh_.end();) {
        bool same = held->receipt.queue == delivery.receipt.queue && held->receipt.sequence == delivery.receipt.sequence;
        if (same) stale_.push_back(*held);
        held = same ? fresh_.erase(held) : held + 1;
    }
    fresh_.push_back({queue, delivery.receipt});
    if (fresh_.size() > held_most) fresh_.pop_front();
    if (stale_.size() > held_most) stale_.pop_front();
}

std::vector<Workload::Held> Workload::held(bool stale, std::size_t most) {
    auto& from = stale ? stale_ : fresh_;
    std::vector<Held> out;
    while (!from.empty() && out.size() < most) {
        auto at = random_.below(from.size());
        if (!out.empty() && from[at].queue != out.front().queue) break;
        out.push_back(from[at]);
        // A fresh receipt that was used is kept as a stale one.
        if (!stale) stale_.push_back(from[at]);
        from.erase(from.begin() + static_cast<std::ptrdiff_t>(at));
    }
    return out;
}

broker::Command Workload::remove(Act act) {
    auto chosen = held(act == Act::remove_stale, act == Act::remove_many ? 10 : 1);
    if (chosen.empty()) return receive(Act::receive);
    broker::Delete out{chosen.front().queue, {}, {}};
    for (auto& one : chosen) out.receipts.push_back(one.receipt);
    return out;
}

broker::Command Workload::change(Act act) {
    auto& from = act == Act::change_stale ? stale_ : fresh_;
    if (from.empty()) return receive(Act::receive);
    auto one = from[random_.below(from.size())];
    broker::VisibilityChange change{one.receipt, Duration(0), false, {}};
    if (act == Act::mistake) {
        auto& other = any_queue().name;
        if (random_.one_in(2)) return broker::Delete{other, {one.receipt}, {}};
        return broker::ChangeVisibility{other, {change}, {}};
    }
    if (act == Act::prolong || act == Act::change_stale) change.timeout = Duration(random_.below(random_.one_in(3) ? 600'000 : 20'000));
    if (act == Act::release) {
        change.release = true;
        change.timeout = random_.one_in(2) ? Duration(0) : Duration(random_.below(5'000));
        if (random_.one_in(2)) change.attempts = static_cast<std::uint32_t>(random_.below(300));
    }
    return broker::ChangeVisibility{one.queue, {change}, {}};
}

broker::Command Workload::look(Act act) {
    if (act == Act::list) return broker::ListQueues{random_.one_in(2) ? "" : "records", {}};
    if (act == Act::status) return broker::GetQueue{any_queue().name, {}};
    return broker::Peek{any_queue().name, random_.one_in(2) ? 10u : 1000u, {}, {}};
}

broker::QueueSettings Workload::settings_of(const QueuePlan& queue) {
    auto out = queue.settings;
    out.visibility_timeout = Duration(random_.below(40'000));
    if (out.redrive) out.redrive->max_receive_count = 1 + static_cast<std::uint32_t>(random_.below(5));
    return out;
}

broker::Command Workload::administer(Act act) {
    auto* plain = any_queue_of(false);
    auto& any = any_queue();
    if (act == Act::purge) return broker::Purge{any.name, random_.one_in(8), {}};
    if (act == Act::remove_queue) return broker::DeleteQueue{any.name, {}};
    if (plain == nullptr) return look(Act::list);
    if (act == Act::make_queue) return broker::CreateQueue{plain->name, plain->settings, false, {}};
    return broker::SetQueue{plain->name,
                            [settings = settings_of(*plain)](broker::QueueSettings& now) {
                                now = settings;
                                return true;
                            },
                            {}};
}

broker::Command Workload::move(Act act) {
    std::vector<const QueuePlan*> sources;
    for (auto& queue : plan_.queues)
        if (queue.name.find("dead") != std::string::npos) sources.push_back(&queue);
    auto& source = sources.empty() ? any_queue() : *sources[random_.below(sources.size())];
    if (act == Act::start_move) return start_move(source);
    if (act == Act::list_moves || moves_.empty()) return broker::ListMoves{source.name, random_.one_in(4) ? 1u : 10u, {}};
    auto& [name, id] = moves_[random_.below(moves_.size())];
    return broker::CancelMove{name, id, {}};
}

/// Mostly as fast as it goes, at times so slowly that crashes come in between.
broker::Command Workload::start_move(const QueuePlan& source) {
    broker::StartMove out{source.name, {}, {}, random_.one_in(2), {}};
    if (random_.one_in(2)) out.destination = any_queue().name;
    if (random_.one_in(2)) out.rate = 1 + static_cast<unsigned>(random_.below(random_.one_in(2) ? 5 : 500));
    return out;
}

void Workload::learned_move(const std::string& source, const Uuid& id) {
    if (std::find(moves_.begin(), moves_.end(), std::pair(source, id)) != moves_.end()) return;
    moves_.emplace_back(source, id);
    if (moves_.size() > moves_most) moves_.pop_front();
}

std::vector<broker::Command> Workload::declare(bool all) {
    std::vector<broker::Command> out;
    for (auto& queue : plan_.queues)
        if (all || queue.declared) out.push_back(broker::CreateQueue{queue.name, queue.settings, queue.declared, {}});
    return out;
}

}  // namespace forebay::sim
