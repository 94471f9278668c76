#pragma once
// Numbers that the program counts about itself: counters, gauges and histograms with a name and labels.
// Counting is a relaxed atomic operation from any thread; looking a series up takes a lock, so callers
// look it up once and keep the reference, which stays valid as long as the registry, or until the series is removed.

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"

namespace forebay::metrics {

using Labels = std::vector<std::pair<std::string, std::string>>;

/// Only grows; starts at zero with the process.
class Counter {
  public:
    void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
    std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::uint64_t> value_{0};
};

/// A level that goes up and down.
class Gauge {
  public:
    void set(double value) { value_.store(value, std::memory_order_relaxed); }
    void add(double change) { value_.fetch_add(change, std::memory_order_relaxed); }
    double value() const { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<double> value_{0};
};

/// How often a measured value, usually seconds, was at most so large.
class Histogram {
  public:
    /// `bounds` ascend; a last bucket without a bound is added.
    explicit Histogram(std::span<const double> bounds);
    void observe(double value);
    void observe(Duration took) { observe(static_cast<double>(took.count()) / 1000.0); }

    const std::vector<double>& bounds() const { return bounds_; }
    /// Observations of each bucket by itself (not summed up), one more than there are bounds.
    std::vector<std::uint64_t> counts() const;
    double sum() const { return sum_.load(std::memory_order_relaxed); }

  private:
    std::vector<double> bounds_;
    std::unique_ptr<std::atomic<std::uint64_t>[]> counts_;
    std::atomic<double> sum_{0};
};

/// From half a millisecond to ten seconds: requests, syncs, statements.
inline constexpr double duration_bounds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};

enum class Kind : std::uint8_t { counter, gauge, histogram };

class Registry {
  public:
    /// The series of that name and labels, made on first use. One name has one kind and one set of label names.
    Counter& counter(std::string_view name, Labels labels = {});
    Gauge& gauge(std::string_view name, Labels labels = {});
    Histogram& histogram(std::string_view name, Labels labels = {}, std::span<const double> bounds = duration_bounds);
    /// The sentence shown beside the name. Optional.
    void describe(std::string_view name, std::string_view help);

    /// Drops a series of what is no more, such as a deleted queue's; nobody may count on it any longer.
    void remove(std::string_view name, const Labels& labels);

    /// Everything in Prometheus' text format 0.0.4, ordered by name and labels.
    std::string prometheus_text() const;

    struct Series {
        Labels labels;
        std::unique_ptr<Counter> counter;  ///< exactly one of the three is there
        std::unique_ptr<Gauge> gauge;
        std::unique_ptr<Histogram> histogram;
    };
    /// Calls `visitor(name, series)` for every series, in order, under the lock: it must not call the registry.
    template <class Visitor>
    void visit(Visitor visitor) const {
        std::lock_guard guard(lock_);
        for (const auto& [name, family] : families_)
            for (const auto& [key, series] : family.series) visitor(name, series);
    }

  private:
    struct Family {
        Kind kind = Kind::counter;
        std::string help;
        bool in_use = false;
        std::map<std::string, Series, std::less<>> series;  ///< by labels as they are printed
    };
    Series& series_of(std::string_view name, Labels&& labels, Kind kind);

    mutable std::mutex lock_;  ///< guards families_, not the values in it
    std::map<std::string, Family, std::less<>> families_;
};

}  // namespace forebay::metrics
