#include "metrics/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "base/check.h"

namespace forebay::metrics {
namespace {

std::string_view word_of(Kind kind) {
    switch (kind) {
        case Kind::counter:
            return "counter";
        case Kind::gauge:
            return "gauge";
        case Kind::histogram:
            return "histogram";
    }
    return "untyped";
}

void append_escaped(std::string& out, std::string_view text, bool quotes) {
    for (char c : text) {
        if (c == '\\')
            out += "\\\\";
        else if (c == '\n')
            out += "\\n";
        else if (c == '"' && quotes)
            out += "\\\"";
        else
            out += c;
    }
}

/// `a="1",b="2"`
std::string printed(const Labels& labels) {
    std::string out;
    for (const auto& [name, value] : labels) {
        if (!out.empty()) out += ',';
        out += name;
        out += "=\"";
        append_escaped(out, value, true);
        out += '"';
    }
    return out;
}

/// The shortest text that reads back as the same number.
void append_number(std::string& out, double value) {
    char text[32];
    out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

void append_line(std::string& out, std::string_view name, std::string_view labels, double value) {
    out += name;
    if (!labels.empty()) fmt::format_to(std::back_inserter(out), "{{{}}}", labels);
    out += ' ';
    append_number(out, value);
    out += '\n';
}

void append_histogram(std::string& out, const std::string& name, const std::string& labels, const Histogram& histogram) {
    const auto counts = histogram.counts();
    const std::string_view comma = labels.empty() ? "" : ",";
    std::uint64_t so_far = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        so_far += counts[i];
        fmt::format_to(std::back_inserter(out), "{}_bucket{{{}{}le=\"", name, labels, comma);
        if (i < histogram.bounds().size())
            append_number(out, histogram.bounds()[i]);
        else
            out += "+Inf";
        fmt::format_to(std::back_inserter(out), "\"}} {}\n", so_far);
    }
    append_line(out, name + "_sum", labels, histogram.sum());
    append_line(out, name + "_count", labels, static_cast<double>(so_far));
}

bool is_name(std::string_view text) {
    auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    auto fits = [&](char c) { return letter(c) || (c >= '0' && c <= '9'); };
    return !text.empty() && letter(text[0]) && std::all_of(text.begin(), text.end(), fits);
}

}  // namespace

Histogram::Histogram(std::span<const double> bounds)
    : bounds_(bounds.begin(), bounds.end()), counts_(std::make_unique<std::atomic<std::uint64_t>[]>(bounds.size() + 1)) {
    CHECK(std::is_sorted(bounds_.begin(), bounds_.end()), "the bounds of a histogram ascend");
}

void Histogram::observe(double value) {
    const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
    counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
}

std::vector<std::uint64_t> Histogram::counts() const {
    std::vector<std::uint64_t> counts(bounds_.size() + 1);
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] = counts_[i].load(std::memory_order_relaxed);
    return counts;
}

Registry::Series& Registry::series_of(std::string_view name, Labels&& labels, Kind kind) {
    auto family = families_.find(name);
    if (family == families_.end()) {
        CHECK(is_name(name), "a metric's name is letters, digits and underscores");
        family = families_.emplace(std::string(name), Family{}).first;
    }
    Family& found = family->second;
    CHECK(!found.in_use || found.kind == kind, "a metric's name has one kind");
    found.in_use = true;
    found.kind = kind;
    Series& series = found.series[printed(labels)];
    series.labels = std::move(labels);
    return series;
}

Counter& Registry::counter(std::string_view name, Labels labels) {
    std::lock_guard guard(lock_);
    Series& series = series_of(name, std::move(labels), Kind::counter);
    if (!series.counter) series.counter = std::make_unique<Counter>();
    return *series.counter;
}

Gauge& Registry::gauge(std::string_view name, Labels labels) {
    std::lock_guard guard(lock_);
    Series& series = series_of(name, std::move(labels), Kind::gauge);
    if (!series.gauge) series.gauge = std::make_unique<Gauge>();
    return *series.gauge;
}

Histogram& Registry::histogram(std::string_view name, Labels labels, std::span<const double> bounds) {
    std::lock_guard guard(lock_);
    Series& series = series_of(name, std::move(labels), Kind::histogram);
    if (!series.histogram) series.histogram = std::make_unique<Histogram>(bounds);
    return *series.histogram;
}

void Registry::remove(std::string_view name, const Labels& labels) {
    std::lock_guard guard(lock_);
    if (auto family = families_.find(name); family != families_.end()) family->second.series.erase(printed(labels));
}

void Registry::describe(std::string_view name, std::string_view help) {
    std::lock_guard guard(lock_);
    families_[std::string(name)].help = help;
}

std::string Registry::prometheus_text() const {
    std::lock_guard guard(lock_);
    std::string out;
    for (const auto& [name, family] : families_) {
        if (!family.in_use) continue;
        if (!family.help.empty()) {
            out += "# HELP " + name + ' ';
            append_escaped(out, family.help, false);
            out += '\n';
        }
        fmt::format_to(std::back_inserter(out), "# TYPE {} {}\n", name, word_of(family.kind));
        for (const auto& [labels, series] : family.series) {
            if (series.counter) append_line(out, name, labels, static_cast<double>(series.counter->value()));
            if (series.gauge) append_line(out, name, labels, series.gauge->value());
            if (series.histogram) append_histogram(out, name, labels, *series.histogram);
        }
    }
    return out;
}

}  // namespace forebay::metrics
