#include "tests/unit/worker/scale_simulation.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <queue>
#include <random>
#include <set>
#include <utility>

namespace forebay::worker {
namespace {

constexpr double same_load = 1.2;
constexpr double spread = 0.5;  ///< of service times: sigma of their logarithm

LoadPoint at(const Load& load, double second) {
    const auto& points = load.points;
    auto next = std::find_if(points.begin(), points.end(), [&](const LoadPoint& point) { return point.at > second; });
    if (next == points.end()) return points.back();
    if (next == points.begin()) return points.front();
    const auto& before = *(next - 1);
    double part = (second - before.at) / (next->at - before.at);
    return {second, before.rate + part * (next->rate - before.rate), before.service + part * (next->service - before.service),
            before.is_held};
}

double speed_at(const Load& load, const LoadPoint& point) { return load.batch / (load.batch_cost + load.batch * point.service); }

/// The queue with its processes; time only moves on.
class Plant {
  public:
    Plant(const Load& load, std::uint64_t seed) : load_(load), random_(seed) {
        for (unsigned n = 1; n <= load.options.min; ++n) working_[n] = false;
    }

    /// One second, with everything that comes and ends in it.
    void pass(double from) {
        auto now = at(load_, from);
        service_ = now.service;
        is_held_ = now.is_held;
        auto coming = std::poisson_distribution<unsigned>(std::max(now.rate, 1e-12))(random_);
        std::vector<double> arrivals(coming);
        for (auto& arrival : arrivals) arrival = from + std::uniform_real_distribution<>(0, 1)(random_);
        std::sort(arrivals.begin(), arrivals.end());
        set_to_work(from);
        for (double arrival : arrivals) {
            end_until(arrival);
            waiting_.push_back(arrival);
            ++sent_;
            set_to_work(arrival);
        }
        end_until(from + 1);
    }

    void scale(unsigned count, double now) {
        while (!working_.empty() && working_.rbegin()->first > count) {
            auto [last, is_working] = *working_.rbegin();
            if (is_working) leaving_.insert(last);
            working_.erase(last);
        }
        for (unsigned n = 1; n <= count; ++n) {
            if (!working_.emplace(n, true).second) continue;
            ends_.push({now + std::uniform_real_distribution<>(load_.start_least, load_.start_most)(random_), n, 0, 0});
        }
    }

    double oldest(double now) const { return waiting_.empty() ? 0 : now - waiting_.front(); }
    std::size_t present() const { return working_.size() + leaving_.size(); }
    std::uint64_t sent() const { return sent_; }

    ScaleLook look(double now, unsigned wanted) {
        ScaleLook look;
        look.now = {static_cast<std::int64_t>(now * 1000)};
        look.ready = waiting_.size();
        if (!waiting_.empty()) look.oldest = Duration(static_cast<std::int64_t>(oldest(now) * 1000));
        look.sent = sent_;
        look.deleted = settled_;
        look.wanted = wanted;
        look.is_held = is_held_;
        if (load_.tells) {  // what they write is read a second later
            look.worked = Worked{told_settled_, Duration(static_cast<std::int64_t>(told_busy_ * 1000))};
            told_settled_ = std::exchange(settled_lately_, 0);
            told_busy_ = std::exchange(busy_lately_, 0);
        }
        return look;
    }

  private:
    struct End {
        double at;
        unsigned process;
        unsigned records;
        double took;
        bool operator>(const End& other) const { return at > other.at; }
    };

    void end_until(double until) {
        while (!ends_.empty() && ends_.top().at <= until) {
            auto end = ends_.top();
            ends_.pop();
            settled_ += end.records;
            settled_lately_ += end.records;
            busy_lately_ += end.took;
            if (auto leaving = leaving_.find(end.process); leaving != leaving_.end()) {
                leaving_.erase(leaving);
                continue;
            }
            working_[end.process] = false;
            set_to_work(end.at);
        }
    }

    void set_to_work(double now) {
        if (is_held_) return;
        for (auto& [n, is_working] : working_) {
            if (waiting_.empty()) return;
            if (!std::exchange(is_working, true)) begin(n, now);
        }
    }

    void begin(unsigned n, double now) {
        auto records = static_cast<unsigned>(std::min<std::size_t>(load_.batch, waiting_.size()));
        waiting_.erase(waiting_.begin(), waiting_.begin() + records);
        double mean = load_.batch_cost + records * service_;
        double took = mean * std::lognormal_distribution<>(-spread * spread / 2, spread)(random_);
        ends_.push({now + took, n, records, took});
    }

    const Load& load_;
    std::mt19937_64 random_;
    std::map<unsigned, bool> working_;  ///< those there are to be; one that starts counts as working
    std::multiset<unsigned> leaving_;   ///< with their last work in hand
    std::deque<double> waiting_;        ///< when each came
    std::priority_queue<End, std::vector<End>, std::greater<>> ends_;
    double service_ = 1;
    bool is_held_ = false;
    std::uint64_t sent_ = 0, settled_ = 0, settled_lately_ = 0, told_settled_ = 0;
    double busy_lately_ = 0, told_busy_ = 0;
};

/// As many at each second as what waits and what will come within drain_within needs.
class Foreseeing {
  public:
    Foreseeing(const Load& load, std::vector<std::uint64_t> arrivals) : load_(load), arrivals_(std::move(arrivals)) {}

    struct Second {
        double needed;  ///< with `max` out of the way
        unsigned count;
    };
    Second pass(std::size_t second) {
        auto now = at(load_, static_cast<double>(second));
        auto came = static_cast<double>(arrivals_[second]);
        if (now.is_held) {
            waiting_ += came;
            return {0, load_.options.min};
        }
        double drain = static_cast<double>(load_.options.drain_within.count()) / 1000, speed = speed_at(load_, now);
        double coming = 0;
        auto until = std::min(arrivals_.size(), second + static_cast<std::size_t>(drain));
        for (auto i = second; i < until; ++i) coming += static_cast<double>(arrivals_[i]);
        double needed = std::ceil((waiting_ + coming) / (speed * drain) - 1e-9);
        auto count = static_cast<unsigned>(std::clamp<double>(needed, load_.options.min, load_.options.max));
        waiting_ = std::max(0.0, waiting_ + came - count * speed);
        return {needed, count};
    }

  private:
    const Load& load_;
    std::vector<std::uint64_t> arrivals_;
    double waiting_ = 0;
};

/// Whether the load has stayed within a fifth since then.
bool is_steady(const Load& load, double from, double to) {
    double least = 1e300, most = 0;
    for (double second = from; second <= to; second += 1) {
        auto point = at(load, second);
        double work = point.is_held ? 0 : point.rate * point.service;
        least = std::min(least, work);
        most = std::max(most, work);
    }
    return most <= least * same_load;
}

}  // namespace

ScaleFigures simulate(const Load& load, std::uint64_t seed) {
    Plant plant(load, seed);
    Autoscale autoscale(load.options);
    ScaleFigures figures;
    auto seconds = static_cast<std::size_t>(load.points.back().at);
    double drain = static_cast<double>(load.options.drain_within.count()) / 1000;
    std::vector<std::uint64_t> arrivals;
    std::vector<double> oldest;
    unsigned wanted = load.options.min;
    double changed_at = -1e9;
    bool has_grown = false;
    const char* told = std::getenv("SCALE_TOLD");
    for (std::size_t second = 0; second < seconds; ++second) {
        auto sent = plant.sent();
        plant.pass(static_cast<double>(second));
        arrivals.push_back(plant.sent() - sent);
        double now = static_cast<double>(second + 1);
        oldest.push_back(plant.oldest(now));
        figures.used += static_cast<double>(plant.present());
        auto decision = autoscale.look(plant.look(now, wanted));
        if (decision.processes == wanted) continue;
        bool grows = decision.processes > wanted;
        ++figures.changes;
        auto back_and_forth = 2.0 * static_cast<double>(load.options.cooldown.count()) / 1000;
        bool is_reversal = grows != has_grown && now - changed_at <= back_and_forth && is_steady(load, changed_at, now);
        figures.reversals += is_reversal;
        if (told != nullptr && load.name.starts_with(told))
            std::printf("%6.0f  %u -> %u%s  %s\n", now, wanted, decision.processes, is_reversal ? "  REVERSAL" : "", decision.why.c_str());
        changed_at = now;
        has_grown = grows;
        wanted = decision.processes;
        plant.scale(wanted, now);
    }
    Foreseeing foreseeing(load, arrivals);
    for (std::size_t minute = 0; minute < seconds / 60; ++minute) {
        bool is_allowed = true, is_good = true;
        double longest = 0;
        for (auto second = minute * 60; second < minute * 60 + 60; ++second) {
            auto best = foreseeing.pass(second);
            figures.needed += best.count;
            is_allowed = is_allowed && best.needed <= load.options.max && !at(load, static_cast<double>(second)).is_held;
            is_good = is_good && oldest[second] <= drain;
            longest = std::max(longest, oldest[second]);
        }
        ++figures.minutes;
        if (!is_allowed) continue;
        ++figures.allowed;
        figures.good += is_good;
        figures.longest_wait = std::max(figures.longest_wait, longest);
    }
    figures.used /= static_cast<double>(seconds);
    figures.needed /= static_cast<double>(seconds / 60 * 60);
    return figures;
}

std::vector<Load> loads() {
    constexpr double minute = 60, hour = 3600;
    ScaleOptions usual{1, 24, 10s, 2, 15s};
    std::vector<Load> loads;
    loads.push_back({"a day with a morning peak",
                     {{0, 0.5, 0.5},
                      {5 * hour, 0.5, 0.5},
                      {8 * hour, 12, 0.5},
                      {9 * hour, 36, 0.5},
                      {10.5 * hour, 14, 0.5},
                      {13 * hour, 10, 0.5},
                      {19 * hour, 18, 0.5},
                      {22 * hour, 4, 0.5},
                      {24 * hour, 0.5, 0.5}},
                     usual});
    Load bursts{"bursts of ten times as much for 5 minutes", {}, usual};
    for (int i = 0; i < 6; ++i) {
        double from = i * 20 * minute;
        for (LoadPoint point : {LoadPoint{from, 3, 0.5},
                                {from + 10 * minute, 3, 0.5},
                                {from + 10 * minute + 1, 30, 0.5},
                                {from + 15 * minute, 30, 0.5},
                                {from + 15 * minute + 1, 3, 0.5}})
            bursts.points.push_back(point);
    }
    bursts.points.push_back({120 * minute, 3, 0.5});
    loads.push_back(bursts);
    auto programs = bursts;
    programs.name = "the same, of programs that do not tell";
    programs.tells = false;
    programs.start_least = 1, programs.start_most = 2.5;
    loads.push_back(programs);
    loads.push_back({"a slow rise and fall", {{0, 1, 0.5}, {2 * hour, 40, 0.5}, {4 * hour, 1, 0.5}}, usual});
    loads.push_back({"a step up and down",
                     {{0, 4, 0.5},
                      {20 * minute, 4, 0.5},
                      {20 * minute + 1, 24, 0.5},
                      {60 * minute, 24, 0.5},
                      {60 * minute + 1, 4, 0.5},
                      {90 * minute, 4, 0.5}},
                     usual});
    Load sawtooth{"a sawtooth of 3 minutes", {}, usual};
    for (int i = 0; i < 20; ++i) {
        sawtooth.points.push_back({i * 3 * minute, 2, 0.5});
        sawtooth.points.push_back({(i + 1) * 3 * minute - 1, 36, 0.5});
    }
    sawtooth.points.push_back({60 * minute, 2, 0.5});
    loads.push_back(sawtooth);
    loads.push_back({"a quiet night", {{0, 0.02, 0.5}, {8 * hour, 0.02, 0.5}}, usual});
    loads.push_back(
        {"an outage of 20 minutes", {{0, 10, 0.5}, {30 * minute, 10, 0.5, true}, {50 * minute, 10, 0.5}, {120 * minute, 10, 0.5}}, usual});
    loads.push_back({"service time doubles for an hour",
                     {{0, 10, 0.5},
                      {30 * minute, 10, 0.5},
                      {30 * minute + 1, 10, 1},
                      {90 * minute, 10, 1},
                      {90 * minute + 1, 10, 0.5},
                      {120 * minute, 10, 0.5}},
                     usual});
    loads.push_back({"steady, at the edge of one more", {{0, 1.9, 1}, {4 * hour, 1.9, 1}}, usual});
    loads.push_back({"jobs of 20 seconds",
                     {{0, 0.2, 20},
                      {60 * minute, 0.2, 20},
                      {61 * minute, 0.7, 20},
                      {120 * minute, 0.7, 20},
                      {121 * minute, 0.2, 20},
                      {240 * minute, 0.2, 20}},
                     {1, 30, 60s, 2, 30s}});
    Load batches{"rows in batches of 50",
                 {{0, 40, 0.0003},
                  {20 * minute, 40, 0.0003},
                  {20 * minute + 1, 4000, 0.0003},
                  {22 * minute, 4000, 0.0003},
                  {22 * minute + 1, 40, 0.0003},
                  {40 * minute, 40, 0.0003}},
                 {1, 8, 10s, 2, 15s}};
    batches.batch = 50;
    batches.batch_cost = 0.008;
    loads.push_back(batches);
    return loads;
}

}  // namespace forebay::worker
