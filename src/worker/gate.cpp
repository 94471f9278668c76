#include "worker/gate.h"

#include <algorithm>
#include <set>

#include "base/log_line.h"
#include "worker/receiver.h"
#include "worker/retry.h"

namespace forebay::worker {
namespace {

constexpr double spread = 0.5;

}  // namespace

Gate::Gate(const Options& options, const Parts& parts, StandingFile& standing)
    : options_(options),
      parts_(parts),
      standing_(standing),
      dependency_(options.depends_on.empty() ? std::string() : options.outages_folder, options.depends_on),
      effect_(options.outages_folder, "worker." + options.worker),
      hold_(options.probe) {}

Hold::Phase Gate::phase() {
    if (at_ != nullptr) return hold_.phase();
    for (auto* outage : {&dependency_, &effect_}) {
        if (outage == &dependency_ && !depends()) continue;
        if (auto down = outage->look()) {
            shut_for(*outage, down->why);
            hold_.take_over(parts_.clock.now());  // the prober of then may have ended long ago
            break;
        }
    }
    return hold_.phase();
}

void Gate::wait() { is_prober() ? ask() : watch(); }

void Gate::ask() {
    rest(hold_.next_probe() - parts_.clock.now(), parts_);
    if (parts_.controls.stop) return;
    auto probed = probe();
    if (!probed && at_ == &effect_ && depends()) {
        open();  // it was more than our own trouble, or is by now
        return shut_for(dependency_, probed.error());
    }
    if (!probed && hold_.blame(probed.error()))
        log_warn("hold.goes_on").with("what", at_->what()).with("why", hold_.why()).with("worker", options_.worker).with("n", options_.n);
    hold_.probed(probed.ok(), parts_.clock.now(), parts_.entropy.u64());
    say();
}

void Gate::watch() {
    rest(with_jitter(options_.probe / 2, spread, parts_.entropy.u64()), parts_);
    if (parts_.controls.stop) return;
    bool took = at_->take();  // nobody asks any more if it can
    auto down = at_->look();
    if (!down) {
        at_->leave();
        return open();
    }
    if (took) hold_.take_over(parts_.clock.now());
    if (hold_.blame(down->why) || took) say();
}

void Gate::shut(const std::string& why, bool is_of_effect) {
    breaker_.failed(parts_.clock.now());
    if (is_of_effect && at_ == &dependency_) open();  // it has answered
    if (is_of_effect || !depends() || at_ == &effect_) return shut_for(effect_, why);
    bool was_down = at_ == &dependency_;
    if (!dependency_.take()) return shut_for(dependency_, why);
    if (!probe()) return shut_for(dependency_, why);
    // It answers: this is about our own effect, or over already.
    if (!was_down) dependency_.leave();
    if (!breaker_.is_open(parts_.clock.now())) return try_again_soon(why);
    if (was_down) open();
    shut_for(effect_, why);
}

void Gate::try_again_soon(const std::string& why) {
    log_warn("attempt.unanswered")
        .with("what", options_.depends_on)
        .with("why", why)
        .with("then", "it answers: one record goes first")
        .with("worker", options_.worker)
        .with("n", options_.n);
    hold_.try_one();
    rest(with_jitter(options_.probe / 10 * breaker_.failed_in_a_row(), spread, parts_.entropy.u64()), parts_);
}

void Gate::shut_for(Outage& outage, const std::string& why) {
    auto now = parts_.clock.wall();
    bool is_mine = outage.take();
    auto known = outage.look();
    hold_.begin(why, parts_.clock.now(), parts_.entropy.u64());
    if (at_ != &outage) {
        at_ = &outage;
        since_ = known ? known->since : now;
        spent_ = 0;
    }
    if (is_mine && !known)
        log_warn("hold.begin")
            .with("what", outage.what())
            .with("why", why)
            .with("workers", worker_names())
            .with("ready", waiting())
            .with("worker", options_.worker)
            .with("n", options_.n);
    say();
}

void Gate::answered(std::uint32_t spent) {
    breaker_.answered(parts_.clock.now());
    spent_ += spent;
    if (hold_.phase() == Hold::Phase::trial) open();
}

void Gate::nothing_to_try() { open(); }

void Gate::open() {
    hold_.end();
    if (at_ == nullptr) return;
    if (at_->is_mine()) end();
    at_ = nullptr;
    standing_.go_on();
}

void Gate::end() {
    auto now = parts_.clock.wall();
    log_info("hold.end")
        .with("what", at_->what())
        .with("seconds", static_cast<double>(std::max(now - since_, Duration::zero()).count()) / 1000)
        .with("waited", waiting())
        .with("attempts_spent", spent_)
        .with("worker", options_.worker)
        .with("n", options_.n);
    at_->end(now);
    if (at_ == &effect_) breaker_.reset();
}

void Gate::stand_aside() {
    if (is_prober()) at_->leave();
}

void Gate::say() {
    auto to_next = std::max(hold_.next_probe() - parts_.clock.now(), Duration::zero());
    if (at_->is_mine()) at_->say({hold_.why(), since_});
    standing_.hold(hold_.why(), since_, to_next);
}

Result<void, std::string> Gate::probe() { return parts_.handler.has_probe() ? parts_.handler.probe() : Result<void, std::string>(); }

std::vector<Dependent> Gate::shut_out() const {
    if (at_ == &dependency_ && !options_.dependents.empty()) return options_.dependents;
    return {{(options_.group.empty() ? "" : options_.group + ":") + options_.worker, options_.queue}};
}

std::string Gate::worker_names() const {
    std::string names;
    for (auto& dependent : shut_out()) names += (names.empty() ? "" : ", ") + dependent.worker;
    return names;
}

/// As far as the queues can be asked.
std::uint64_t Gate::waiting() const {
    std::set<std::string> queues;
    for (auto& dependent : shut_out()) queues.insert(dependent.queue);
    std::uint64_t sum = 0;
    for (auto& queue : queues)
        if (auto ready = parts_.source.ready(queue)) sum += *ready;
    return sum;
}

}  // namespace forebay::worker
