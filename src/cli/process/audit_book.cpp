#include "cli/process/audit_book.h"

#include <algorithm>
#include <map>

#include "base/bytes.h"
#include "base/log_line.h"

namespace forebay::cli {
namespace {

constexpr const char* file_name = "kept.json";
constexpr const char* new_name = "kept.new";
constexpr std::int64_t hour_ms = std::chrono::milliseconds(1h).count();
constexpr std::int64_t hours_kept = 400 * 24;  ///< longer than any log is kept
constexpr std::int64_t recent_hours = 48;
constexpr std::size_t unsettled_told = 48;
constexpr std::size_t file_bytes_max = 64_MiB;

constexpr const char* terms[] = {"accepted", "settled", "open", "dead", "discarded", "erased", "missing", "difference"};

std::int64_t number(const json::Value& value) { return value.integer().value_or(0); }
std::int64_t hour_of(std::int64_t ms) { return ms / hour_ms; }

/// Of an hour at one endpoint: nothing of it is left to do, and nothing is wrong.
bool is_settled_hour(const json::Value& hour) {
    return number(hour["difference"]) == 0 &&
           number(hour["settled"]) + number(hour["discarded"]) + number(hour["erased"]) == number(hour["accepted"]);
}

json::Value numbers(const std::set<std::int64_t>& all) {
    auto out = json::Value::array();
    for (auto one : all) out.push(one);
    return out;
}

void add(std::set<std::int64_t>& to, const json::Value& list) {
    for (const auto& one : list.elements())
        if (auto value = one.integer()) to.insert(*value);
}

}  // namespace

AuditBook::AuditBook(disk::Disk& disk, Clock& clock, metrics::Registry& registry) : disk_(disk), clock_(clock), registry_(registry) {
    if (auto done = read(); !done.ok())
        log_error("audit.unreadable").with("why", done.error()).with("next", "no history goes until its hours were audited again");
    registry.describe("forebay_audit_difference", "Records that the last audit could not account for; must be 0.");
    show_metrics();
}

Result<void, std::string> AuditBook::read() {
    if (!disk_.exists(file_name)) return {};
    std::string text;
    auto file = disk_.open(file_name, disk::OpenMode::read);
    auto done = file.ok() ? (*file)->read(0, file_bytes_max, text) : Result<void, disk::Error>(Failure{file.error()});
    if (!done.ok()) return Failure{done.error().text()};
    auto kept = json::parse(text);
    if (!kept.ok()) return Failure{std::string("audit/") + file_name + " cannot be read: " + kept.error().what};
    last_ = (*kept)["last"];
    recent_ = (*kept)["hours"];
    add(settled_, (*kept)["settled"]);
    add(unsettled_, (*kept)["unsettled"]);
    return {};
}

json::Value AuditBook::whole() const {
    std::lock_guard guard(lock_);
    return json::Value()
        .set("version", 1)
        .set("last", last_)
        .set("hours", recent_)
        .set("settled", numbers(settled_))
        .set("unsettled", numbers(unsettled_));
}

Result<void, std::string> AuditBook::write(const json::Value& kept) {
    auto all = [&]() -> Result<void, disk::Error> {
        if (disk_.exists(new_name)) TRY(disk_.remove(new_name));
        TRY_ASSIGN(auto file, disk_.open(new_name, disk::OpenMode::create_new));
        TRY(file->write(0, json::to_text(kept)));
        TRY(file->sync());
        TRY(disk_.rename(new_name, file_name));
        return disk_.sync_directory("");
    };
    auto done = all();
    if (!done.ok()) return Failure{"What the audit found cannot be kept: " + done.error().text() + "."};
    return {};
}

json::Value AuditBook::today() const {
    auto midnight = clock_.wall().ms / (24 * hour_ms) * 24 * hour_ms;
    std::map<std::string, std::int64_t> sums;
    for (const auto& hour : recent_.elements())
        if (number(hour["hour"]) >= midnight)
            for (auto term : terms) sums[term] += number(hour[term]);
    json::Value out = json::Value::object();
    for (auto term : terms) out.set(term, sums[term]);
    return out;
}

json::Value AuditBook::kept() {
    json::Value out;
    out.set("last", last_).set("today", last_.is_null() ? json::Value() : today());
    std::lock_guard guard(lock_);
    auto oldest = json::Value::array();
    for (auto hour : unsettled_) {
        if (oldest.elements().size() == unsettled_told) break;
        oldest.push(hour * hour_ms);
    }
    out.set("hours_counted", settled_.size() + unsettled_.size()).set("hours_settled", settled_.size());
    return out.set("unsettled", std::move(oldest));
}

Result<void, std::string> AuditBook::keep(const json::Value& found) {
    auto from = found["from"].integer(), to = found["to"].integer();
    const auto& verdict = found["verdict"].text();
    if (!from || !to || *from > *to || !found["hours"].is_array()) return Failure{"\"from\", \"to\" and \"hours\" are needed."};
    if (verdict != "balanced" && verdict != "mismatch" && verdict != "incomplete")
        return Failure{"\"verdict\" must be balanced, mismatch or incomplete."};
    auto differences = last_["differences"];
    last_ = json::Value::object();
    last_.set("differences", std::move(differences)).set("at", clock_.wall().ms).set("from", *from).set("to", *to).set("verdict", verdict);
    if (auto why = found["why"].text(); !why.empty()) last_.set("why", why);
    // What could not be counted says nothing about an hour.
    if (verdict != "incomplete") take_hours(found);
    TRY(write(whole()));
    show_metrics();
    return {};
}

void AuditBook::take_hours(const json::Value& found) {
    auto from = number(found["from"]), to = number(found["to"]);
    std::map<std::string, std::int64_t> sums;
    std::map<std::string, std::int64_t> differences;
    std::set<std::int64_t> unsettled;
    // Of an hour that was counted in part only the newest can be told: it is not over yet.
    auto end = hour_of(to) == hour_of(clock_.wall().ms) ? to : to / hour_ms * hour_ms;
    auto is_told = [&](const json::Value& hour) { return number(hour["hour"]) >= from && number(hour["hour"]) < end; };
    auto kept = json::Value::array();
    for (auto& hour : recent_.elements())
        if (!is_told(hour)) kept.push(std::move(hour));
    for (const auto& hour : found["hours"].elements()) {
        for (auto term : terms) sums[term] += number(hour[term]);
        differences[hour["endpoint"].text()] += number(hour["difference"]);
        if (!is_settled_hour(hour)) unsettled.insert(hour_of(number(hour["hour"])));
        if (is_told(hour)) kept.push(hour);
    }
    for (const auto& [endpoint, difference] : last_["differences"].members()) differences.emplace(endpoint, 0);
    recent_ = std::move(kept);
    for (auto term : terms) last_.set(term, sums[term]);
    auto by_endpoint = json::Value::object();
    for (const auto& [endpoint, difference] : differences) by_endpoint.set(endpoint, difference);
    last_.set("differences", std::move(by_endpoint));
    std::lock_guard guard(lock_);
    auto first = std::max((from + hour_ms - 1) / hour_ms, hour_of(clock_.wall().ms) - hours_kept);
    for (auto hour = first; (hour + 1) * hour_ms <= to; ++hour) {
        (unsettled.contains(hour) ? unsettled_ : settled_).insert(hour);
        (unsettled.contains(hour) ? settled_ : unsettled_).erase(hour);
    }
    forget_old_hours();
}

void AuditBook::forget_old_hours() {
    auto now = hour_of(clock_.wall().ms);
    for (auto* hours : {&settled_, &unsettled_}) hours->erase(hours->begin(), hours->lower_bound(now - hours_kept));
    std::erase_if(recent_.elements(), [&](const json::Value& hour) { return hour_of(number(hour["hour"])) < now - recent_hours; });
}

bool AuditBook::is_settled(Timestamp from, Timestamp to) const {
    std::lock_guard guard(lock_);
    for (auto hour = hour_of(from.ms); hour <= hour_of(to.ms); ++hour)
        if (!settled_.contains(hour)) return false;
    return true;
}

void AuditBook::show_metrics() {
    for (const auto& [endpoint, difference] : last_["differences"].members())
        registry_.gauge("forebay_audit_difference", {{"endpoint", endpoint}}).set(static_cast<double>(number(difference)));
    if (!last_.is_null())
        registry_.gauge("forebay_audit_timestamp_seconds", {{"verdict", last_["verdict"].text()}})
            .set(static_cast<double>(number(last_["at"])) / 1000.0);
}

}  // namespace forebay::cli
