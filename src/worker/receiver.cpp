#include "worker/receiver.h"

#include <algorithm>
#include <iterator>
#include <thread>

#include "base/log_line.h"

namespace forebay::worker {
namespace {

constexpr unsigned receive_max = 10;  // SQS gives at most ten at once
constexpr Duration wait_first = 100ms;
constexpr Duration wait_most = 5s;
constexpr Duration nap = 50ms;
constexpr Duration between_fills = 2ms;

}  // namespace

void rest(Duration wait, Clock& clock, const Controls& controls) {
    for (auto until = clock.now() + wait; !controls.stop && clock.now() < until;) std::this_thread::sleep_for(std::min(nap, until - clock.now()));
}

Result<std::vector<transport::Received>, transport::SourceError> Receiver::receive(unsigned most, Duration wait) {
    return parts_.source.receive(options_.queue, std::min(most, receive_max), wait, options_.visibility);
}

std::vector<transport::Received> Receiver::take_first(unsigned most) {
    auto got = receive(most, options_.poll);
    if (got) {
        if (wait_ != Duration::zero()) log_info("queue.back").with("queue", options_.queue);
        wait_ = Duration::zero();
        return std::move(*got);
    }
    if (wait_ == Duration::zero()) log_warn("queue.unreachable").with("queue", options_.queue).with("why", got.error().what);
    wait_ = std::clamp(wait_ * 2, wait_first, wait_most);
    rest(with_jitter(wait_, 0.5, parts_.entropy.u64()), parts_.clock, parts_.controls);
    return {};
}

std::vector<transport::Received> Receiver::take_one() { return take_first(1); }

std::vector<transport::Received> Receiver::take_batch() {
    auto batch = take_first(options_.batch.size);
    if (batch.empty()) return batch;
    auto until = parts_.clock.now() + options_.batch.wait;
    while (batch.size() < options_.batch.size && !parts_.controls.stop) {
        auto more = receive(options_.batch.size - static_cast<unsigned>(batch.size()), Duration::zero());
        if (!more) break;
        if (more->empty() && parts_.clock.now() + between_fills >= until) break;
        if (more->empty()) std::this_thread::sleep_for(between_fills);
        batch.insert(batch.end(), std::make_move_iterator(more->begin()), std::make_move_iterator(more->end()));
    }
    return batch;
}

}  // namespace forebay::worker
