#include "supervisor/pool.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/log_line.h"

namespace forebay::supervisor {
namespace {

/// A successor that is not ready by then is given up, and the process before it goes on.
constexpr Duration successor_most = 30s;
/// So long a process that does not serve yet is waited for, before it is ended instead of handing over.
constexpr Duration ready_most = 5s;

}  // namespace

Pool::Pool(ProgramSpec spec, const Options& options, Clock& clock)
    : options_(options), clock_(clock), spec_(std::make_shared<const ProgramSpec>(std::move(spec))), count_(spec_->count) {
    for (unsigned n = 1; n <= count_; ++n) add(processes_, spec_->numbered ? n : 0);
}

Process& Pool::add(std::list<Process>& to, unsigned n) { return to.emplace_back(spec_, n, options_, clock_); }

PoolStatus Pool::status() const { return {spec_->name, spec_->group, is_leaving_ ? 0 : count_, spec_->count, most(), is_by_hand_}; }

std::vector<Process*> Pool::processes() {
    std::vector<Process*> out;
    for (auto& process : processes_) out.push_back(&process);
    return out;
}

std::vector<Process*> Pool::all_processes() {
    auto out = processes();
    for (auto* others : {&successor_, &outgoing_})
        for (auto& process : *others) out.push_back(&process);
    return out;
}

bool Pool::take(ProgramSpec spec) {
    bool is_bounded_otherwise = spec.count != spec_->count || spec.count_max != spec_->count_max;
    auto as_before = spec;
    as_before.count = spec_->count;
    as_before.count_max = spec_->count_max;
    bool is_other = as_before != *spec_ || !succession_failed_.empty();
    spec_ = std::make_shared<const ProgramSpec>(std::move(spec));
    is_leaving_ = false;
    if (is_bounded_otherwise) is_by_hand_ = false;
    resize(count_);
    for (auto& process : processes_) process.take(spec_);
    return is_other;
}

void Pool::resize(unsigned count) {
    count_ = is_by_hand_ ? count : std::clamp(count, spec_->count, most());
    for (unsigned n = 1; spec_->numbered && n <= count_; ++n) {
        auto at = std::find_if(processes_.begin(), processes_.end(), [&](const Process& one) { return one.status().n >= n; });
        if (at == processes_.end() || at->status().n != n) processes_.emplace(at, spec_, n, options_, clock_);
    }
    say_who_is_wanted();
}

void Pool::say_who_is_wanted() {
    for (auto& process : processes_) process.set_wanted(is_wanted(process));
}

void Pool::fix(std::optional<unsigned> count) {
    is_by_hand_ = count.has_value();
    resize(count.value_or(count_));
}

void Pool::leave() {
    is_leaving_ = true;
    say_who_is_wanted();
}

void Pool::forget_gone(const std::function<bool(const Process&)>& is_needed) {
    auto is_gone = [&](const Process& process) { return !has_process(process.state()) && !is_needed(process); };
    processes_.remove_if([&](const Process& process) {
        return !is_wanted(process) && process.state() != State::backoff && process.state() != State::fatal && is_gone(process);
    });
    outgoing_.remove_if(is_gone);
    if (phase_ != Phase::preparing) successor_.remove_if(is_gone);
}

// ---- handing over

void Pool::begin_succession() {
    if (is_succeeding() || processes_.empty()) return;
    succession_failed_.clear();
    auto& now = processes_.front();
    if (now.is_ready()) return start_successor();
    // One that starts serves in a moment, or serves already and its word is on the way.
    if (!has_process(now.state()) || now.channel_descriptor() < 0) return stop_first();
    phase_ = Phase::awaiting;
    succession_ends_ = clock_.now() + ready_most;
}

void Pool::stop_first() {
    processes_.front().on(Event::stop_asked);
    phase_ = Phase::stopping;
    succession_ends_ = clock_.now() + spec_->stopwaitsecs + successor_most;
}

void Pool::start_successor() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return fail_succession(std::strerror(errno));
    bequest_ = Descriptor(ends[0]);
    phase_ = Phase::preparing;
    succession_ends_ = clock_.now() + successor_most;
    auto& now = processes_.front();
    auto& successor = add(successor_, now.status().n);
    successor.inherit_from(Descriptor(ends[1]));
    successor.on(Event::start_asked);
    log_info("process.successor_started").with("process", now.status().name).with("pid", successor.status().pid);
}

void Pool::hear(Process& process, const Word& word) {
    if (word.text == waiting_word && phase_ == Phase::preparing && &process == &successor_.front()) return hand_over();
    if (word.text != ready_word || phase_ != Phase::taking_over || &process != &processes_.front()) return;
    phase_ = Phase::none;
    log_info("process.succeeded").with("process", process.status().name).with("pid", process.status().pid);
}

/// From here on the successor is the process, whatever becomes of the one before.
void Pool::hand_over() {
    auto& before = processes_.front();
    auto status = before.status();
    if (!before.hand_over_to(std::move(bequest_))) before.on(Event::stop_asked);  // it ended meanwhile: there is nothing to inherit
    outgoing_.splice(outgoing_.end(), processes_, processes_.begin());
    processes_.splice(processes_.begin(), successor_);
    processes_.front().follows(status);
    phase_ = Phase::taking_over;
    succession_ends_ = clock_.now() + spec_->stopwaitsecs + successor_most;
}

void Pool::fail_succession(std::string why) {
    phase_ = Phase::none;
    bequest_.close();
    log_error("process.not_succeeded").with("process", spec_->name).with("why", why).with("next", "the one before goes on");
    succession_failed_ = std::move(why);
    for (auto& process : successor_) {
        process.on(Event::stop_asked);
        process.kill_group();
    }
}

void Pool::abandon_succession() {
    if (phase_ == Phase::preparing) fail_succession("everything is to stop");
    phase_ = Phase::none;
}

void Pool::look_after_succession() {
    bool is_late = is_succeeding() && clock_.now() >= succession_ends_;
    if (phase_ == Phase::preparing) {
        auto& successor = successor_.front();
        bool is_alive = successor.state() == State::starting || successor.state() == State::running;
        if (!is_alive)
            fail_succession("its successor ended: " + successor.status().why);
        else if (is_late)
            fail_succession("its successor was not ready within " + to_text(successor_most));
        return;
    }
    if (phase_ == Phase::none) return;
    auto& now = processes_.front();
    if (phase_ == Phase::awaiting) {
        if (now.is_ready()) return start_successor();
        if (is_late || !has_process(now.state())) stop_first();
        return;
    }
    if (phase_ == Phase::stopping && !has_process(now.state())) {
        phase_ = Phase::taking_over;
        now.on(Event::start_asked);
    }
    bool says_nothing = now.state() == State::running && now.channel_descriptor() < 0;
    if (phase_ == Phase::taking_over && says_nothing) phase_ = Phase::none;
    if (now.state() != State::fatal && now.state() != State::exited && !is_late) return;
    phase_ = Phase::none;
    auto why = now.status().why;
    succession_failed_ = spec_->name + " is " + std::string(name_of(now.state())) + (why.empty() ? "" : ": " + why);
}

// ---- from one binary to the next

json::Value Pool::leave_behind(bool inheritable) {
    json::Value left;
    left.set("name", spec_->name).set("count", count_).set("by_hand", is_by_hand_);
    auto list = json::Value::array();
    for (auto* process : all_processes()) list.push(process->leave_behind(inheritable));
    return left.set("processes", std::move(list));
}

void Pool::adopt(const json::Value& left) {
    is_by_hand_ = left["by_hand"].boolean();
    resize(static_cast<unsigned>(left["count"].integer().value_or(spec_->count)));
    for (auto& one : left["processes"].elements()) {
        auto n = static_cast<unsigned>(one["n"].integer().value_or(0));
        auto at = std::find_if(processes_.begin(), processes_.end(), [&](const Process& process) { return process.status().n >= n; });
        bool is_there = at != processes_.end() && at->status().n == n && at->status().pid == 0;
        (is_there ? *at : *processes_.emplace(at, spec_, n, options_, clock_)).adopt(one);
    }
    say_who_is_wanted();
}

}  // namespace forebay::supervisor
