#include "worker/receiver.h"

#include <algorithm>
#include <iterator>
#include <thread>
#include <utility>

#include "base/log_line.h"

namespace forebay::worker {
namespace {

constexpr unsigned receive_max = 100;  // what a node of ours gives at once
constexpr std::size_t full = 10;       // and SQS; who gives so many may have more
constexpr Duration wait_first = 100ms;
constexpr Duration wait_most = 1s;
constexpr Duration unreported_most = 2s;
constexpr Duration nap = 50ms;

}  // namespace

void rest(Duration wait, const Parts& parts) {
    if (wait <= Duration::zero()) return;
    if (parts.rest) return parts.rest(wait);
    for (auto until = parts.clock.now() + wait; !parts.controls.stop && parts.clock.now() < until;)
        std::this_thread::sleep_for(std::min(nap, until - parts.clock.now()));
}

Result<std::vector<transport::Received>, transport::SourceError> Receiver::receive(unsigned most, Duration wait) {
    return parts_.source.receive(options_.queue, std::min(most, receive_max), wait, options_.visibility);
}

std::vector<transport::Received> Receiver::take_first(unsigned most) {
    auto got = receive(most, options_.poll);
    if (got) {
        back();
        return std::move(*got);
    }
    away(got.error().what);
    wait_ = std::clamp(wait_ * 2, wait_first, wait_most);
    rest(with_jitter(wait_, 0.5, parts_.entropy.u64()), parts_);
    return {};
}

void Receiver::back() {
    if (is_reported_) log_info("queue.back").with("queue", options_.queue);
    wait_ = Duration::zero();
    away_since_.reset();
    is_reported_ = false;
}

/// A node that is only starting again is not worth a line.
void Receiver::away(const std::string& why) {
    auto now = parts_.clock.now();
    if (!away_since_) away_since_ = now;
    if (is_reported_ || now - *away_since_ < unreported_most) return;
    log_warn("queue.unreachable").with("queue", options_.queue).with("why", why);
    is_reported_ = true;
}

std::vector<transport::Received> Receiver::take_one() { return take_first(1); }

std::vector<transport::Received> Receiver::take_ready() {
    std::vector<transport::Received> batch;
    while (batch.size() < options_.batch.size && !parts_.controls.stop) {
        auto more = receive(options_.batch.size - static_cast<unsigned>(batch.size()), Duration::zero());
        if (!more || more->empty()) break;
        batch.insert(batch.end(), std::make_move_iterator(more->begin()), std::make_move_iterator(more->end()));
    }
    return batch;
}

/// A receive that gives less than it might, and less than ten, has emptied the queue: then one pause, so that what is on its way can
/// come, rather than asking again and again.
std::vector<transport::Received> Receiver::take_batch() {
    auto batch = take_first(options_.batch.size);
    bool has_paused = options_.batch.wait == Duration::zero();
    auto asked = std::min(options_.batch.size, receive_max);
    auto got = batch.size();
    auto is_emptied = [&] { return got < std::min<std::size_t>(asked, full); };
    while (!batch.empty() && batch.size() < options_.batch.size && !parts_.controls.stop) {
        if (is_emptied() && std::exchange(has_paused, true)) break;
        if (is_emptied()) rest(options_.batch.wait, parts_);
        asked = std::min(options_.batch.size - static_cast<unsigned>(batch.size()), receive_max);
        auto more = receive(asked, Duration::zero());
        if (!more) break;
        got = more->size();
        batch.insert(batch.end(), std::make_move_iterator(more->begin()), std::make_move_iterator(more->end()));
    }
    return batch;
}

}  // namespace forebay::worker
