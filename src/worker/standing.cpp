#include "worker/standing.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace forebay::worker {
namespace {

json::Value to_json(const Standing& standing) {
    json::Value out;
    out.set("pid", standing.pid).set("started_ms", standing.started.ms).set("quiet", standing.is_quiet);
    if (auto& held = standing.held)
        out.set("held", json::Value().set("why", held->why).set("since_ms", held->since.ms).set("next_probe_ms", held->next_probe.ms));
    out.set("worked", json::Value().set("records", standing.worked).set("ms", standing.busy.count()));
    return out.set("recent", standing.recent.to_json());
}

Timestamp time_of(const json::Value& value) { return {value.integer().value_or(0)}; }

Standing standing_of(const json::Value& value) {
    Standing out;
    out.pid = static_cast<int>(value["pid"].integer().value_or(0));
    out.started = time_of(value["started_ms"]);
    out.is_quiet = value["quiet"].boolean();
    if (auto& held = value["held"]; held.is_object())
        out.held = Held{held["why"].text(), time_of(held["since_ms"]), time_of(held["next_probe_ms"])};
    out.worked = static_cast<std::uint64_t>(value["worked"]["records"].integer().value_or(0));
    out.busy = Duration(value["worked"]["ms"].integer().value_or(0));
    out.recent = Recent::from_json(value["recent"]);
    return out;
}

}  // namespace

std::optional<Standing> read_standing(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    auto value = json::parse(text.str());
    if (!value || !value->is_object()) return std::nullopt;
    return standing_of(*value);
}

StandingFile::StandingFile(std::string path, Clock& clock) : path_(std::move(path)), clock_(clock) {
    if (path_.empty()) return;
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), ignored);
    if (auto before = read_standing(path_)) standing_.recent = std::move(before->recent);
    standing_.pid = ::getpid();
    standing_.started = clock_.wall();
    write();
}

void StandingFile::settled(Outcome::Kind kind, Duration took) {
    if (path_.empty()) return;
    standing_.recent.settled(kind, took, clock_.wall());
    has_changed_ = true;
}

void StandingFile::worked(std::uint64_t records, Duration took) {
    if (records == 0) return;
    standing_.worked += records;
    standing_.busy += took;
    has_changed_ = true;
}

void StandingFile::hold(std::string why, Timestamp since, Duration to_next_probe) {
    standing_.held = Held{std::move(why), since, clock_.wall() + to_next_probe};
    write();
}

void StandingFile::go_on() {
    standing_.held.reset();
    write();
}

void StandingFile::set_quiet(bool is_quiet) {
    if (standing_.is_quiet == is_quiet) return;
    standing_.is_quiet = is_quiet;
    write();
}

void StandingFile::keep_up() {
    if (has_changed_ && clock_.now() - written_ >= write_every) write();
}

/// A reader sees the old text or the new one. What cannot be written is not worth a worker's time: status then
/// shows what it knew before.
void StandingFile::write() {
    if (path_.empty()) return;
    has_changed_ = false;
    written_ = clock_.now();
    auto fresh = path_ + ".new";
    {
        std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
        file << json::to_text(to_json(standing_));
        if (!file.flush()) return;
    }
    std::error_code ignored;
    std::filesystem::rename(fresh, path_, ignored);
}

}  // namespace forebay::worker
