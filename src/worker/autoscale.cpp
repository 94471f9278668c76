#include "worker/autoscale.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace forebay::worker {
namespace {

constexpr double lately = 5;                             ///< seconds that flows remember
constexpr double speed_records = 20, speed_seconds = 5;  ///< a speed remembers so many records, and so long at least
constexpr Duration speed_keeps = 1h;                     ///< measured while something waited: what a process can do
constexpr Duration start_most = 3s;                      ///< processes just asked for do not work yet
constexpr double hurry = 0.5;                            ///< a backlog of this part of drain_within is not hurried for
constexpr double deviations = 3;                         ///< of what comes by chance, that those who stay must bear

double seconds_of(Duration d) { return static_cast<double>(d.count()) / 1000; }

std::string rate_text(double per_second) {
    char text[32];
    std::snprintf(text, sizeof text, per_second >= 10 ? "%.0f/s" : per_second >= 0.1 ? "%.1f/s" : "%.3f/s", per_second);
    return text;
}

unsigned whole(double processes) {
    constexpr double almost = 1e-6;
    return static_cast<unsigned>(std::clamp(std::ceil(processes - almost), 0.0, 1e6));
}

}  // namespace

void Autoscale::Flow::add(double count, double seconds, double memory) {
    seen += seconds;
    per_second += (count / seconds - per_second) * std::max(1 - std::exp(-seconds / memory), seconds / seen);
}

void Autoscale::Speed::add(double count, double worked, double passed, Instant now) {
    double kept = std::exp(-std::min(count / speed_records, passed / speed_seconds));
    records = records * kept + count;
    seconds = seconds * kept + worked;
    at = now;
}

ScaleDecision Autoscale::look(const ScaleLook& now) {
    if (last_ && now.now <= last_->now) return {now.wanted, "looked at a moment ago"};
    if (last_) learn(now);
    if (now.ready == 0) empty_at_ = now.now;
    if (!empty_at_) empty_at_ = now.now;
    auto decision = decide(now);
    last_ = now;
    return decision;
}

void Autoscale::learn(const ScaleLook& now) {
    double seconds = seconds_of(now.now - last_->now);
    if (now.wanted != last_->wanted) changed_at_ = now.now;
    if (now.wanted > last_->wanted) grown_at_ = now.now;
    if (now.sent >= last_->sent) {
        auto came = static_cast<double>(now.sent - last_->sent);
        coming_lately_.add(came, seconds, lately);
        coming_.add(came, seconds, std::max(lately, seconds_of(options_.cooldown)));
    }
    if (now.deleted >= last_->deleted) going_.add(static_cast<double>(now.deleted - last_->deleted), seconds, lately);
    if (!now.is_held && !last_->is_held) learn_speed(now, seconds);
}

void Autoscale::learn_speed(const ScaleLook& now, double seconds) {
    bool is_behind = now.ready >= now.wanted && last_->ready >= now.wanted;
    if (now.worked) {
        auto& speed = is_behind ? behind_ : calm_;
        return speed.add(static_cast<double>(now.worked->records), seconds_of(now.worked->took), seconds, now.now);
    }
    // Whoever does not tell is busy all the time while something waits.
    bool have_started = !changed_at_ || now.now - *changed_at_ > start_most;
    if (is_behind && have_started && now.deleted >= last_->deleted)
        behind_.add(static_cast<double>(now.deleted - last_->deleted), seconds * now.wanted, seconds, now.now);
}

std::optional<double> Autoscale::speed(Instant now) const {
    bool is_fresh = behind_.is_known() && (now - behind_.at < speed_keeps || !calm_.is_known());
    if (is_fresh && calm_.is_known() && calm_.at > behind_.at) return std::max(behind_.per_second(), calm_.per_second());
    if (is_fresh) return behind_.per_second();
    return calm_.is_known() ? std::optional(calm_.per_second()) : std::nullopt;
}

double Autoscale::coming() const { return std::max(coming_lately_.per_second, coming_.per_second); }

/// How long what waits has waited: no longer than the oldest message is there, than there was always one, and than it takes
/// until those before it have gone.
Duration Autoscale::waiting(const ScaleLook& now) const {
    if (now.ready == 0) return Duration::zero();
    auto longest = now.now - *empty_at_;
    if (now.oldest) longest = std::min(longest, *now.oldest);
    if (going_.per_second > 0) {
        double until_gone = static_cast<double>(now.ready) / going_.per_second;
        if (until_gone < seconds_of(longest)) longest = Duration(std::llround(until_gone * 1000));
    }
    return longest;
}

bool Autoscale::has_rested(Instant now) const { return !changed_at_ || now - *changed_at_ >= options_.cooldown; }

std::string Autoscale::measured(const ScaleLook& now, std::optional<double> speed) const {
    auto text = std::to_string(now.ready) + " wait, " + rate_text(coming()) + " come, ";
    return text + (speed ? "one process does " + rate_text(*speed) : "and how fast a process is is not known yet");
}

ScaleDecision Autoscale::bounded(const ScaleLook& now, double needed, std::string why) const {
    auto processes = whole(std::min<double>(needed, static_cast<double>(now.wanted) + static_cast<double>(now.ready)));
    if (processes > options_.max) why += ", and " + std::to_string(options_.max) + " is the most";
    return {std::clamp(processes, options_.min, options_.max), std::move(why)};
}

ScaleDecision Autoscale::decide(const ScaleLook& now) {
    if (now.wanted < options_.min) return {options_.min, std::to_string(options_.min) + " is the least"};
    if (now.wanted > options_.max) return {options_.max, std::to_string(options_.max) + " is the most"};
    auto known = speed(now.now);
    if (now.is_held) {
        fewer_since_.reset();
        return {now.wanted, "nothing is received now, and more or fewer would not help"};
    }
    if (auto more = grow(now, known)) return *more;
    if (auto fewer = shrink(now, known)) return *fewer;
    return {now.wanted, measured(now, known)};
}

std::optional<ScaleDecision> Autoscale::grow(const ScaleLook& now, std::optional<double> known) {
    if (now.ready == 0) return std::nullopt;
    double drain = seconds_of(options_.drain_within);
    auto waited = waiting(now);
    if (!known) {
        if (waited < options_.drain_within / 2 || !has_rested(now.now)) return std::nullopt;
        return bounded(now, now.wanted + options_.step, measured(now, known));
    }
    auto ready = static_cast<double>(now.ready);
    if (ready / (*known * now.wanted) < drain * hurry && waited <= options_.drain_within) return std::nullopt;
    double needed = (ready / drain + coming()) / *known;
    auto why = measured(now, known) + ": " + std::to_string(whole(needed)) + " empty the queue within " + to_text(options_.drain_within);
    if (whole(needed) <= now.wanted) {
        // Slower than they seem to be.
        if (waited <= options_.drain_within || !has_rested(now.now)) return std::nullopt;
        return bounded(now, now.wanted + options_.step, measured(now, known) + ", and it has waited " + to_text(waited));
    }
    bool is_far_behind = whole(needed) > now.wanted + options_.step || waited > options_.drain_within / 2;
    if (!is_far_behind && !has_rested(now.now)) return std::nullopt;
    return bounded(now, needed, std::move(why));
}

std::optional<ScaleDecision> Autoscale::shrink(const ScaleLook& now, std::optional<double> known) {
    double needed = now.ready == 0 ? 0 : now.wanted;
    if (known) {
        double drain = seconds_of(options_.drain_within);
        double load = coming() / *known;
        needed = load + static_cast<double>(now.ready) / drain / *known + deviations * std::sqrt(load / (*known * drain));
    }
    needed = std::max<double>(needed, options_.min);
    if (whole(needed) >= now.wanted) {
        fewer_since_.reset();
        return std::nullopt;
    }
    if (!fewer_since_) {
        fewer_since_ = now.now;
        fewer_most_ = needed;
    }
    fewer_most_ = std::max(fewer_most_, needed);
    bool has_grown_lately = grown_at_ && now.now - *grown_at_ < 2 * options_.cooldown;
    if (now.now - *fewer_since_ < options_.cooldown || has_grown_lately || !has_rested(now.now)) return std::nullopt;
    auto most_gone = now.wanted - std::min(options_.step, now.wanted);
    ScaleDecision fewer{
        std::clamp(std::max(most_gone, whole(fewer_most_)), options_.min, options_.max),
        std::to_string(whole(fewer_most_)) + " would have been enough for " + to_text(options_.cooldown) + ": " + measured(now, known)};
    fewer_since_.reset();
    return fewer;
}

}  // namespace forebay::worker
