#include "cli/process/schedule_note.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/json.h"

namespace forebay::cli {
namespace {

constexpr mode_t for_its_owner = 0600;

std::string note_path(const std::string& folder, std::string_view name) { return folder + "/" + std::string(name) + ".json"; }
std::string lock_path(const std::string& folder, std::string_view name) { return folder + "/" + std::string(name) + ".lock"; }

json::Value json_of(const std::optional<Timestamp>& at) { return at ? json::Value(at->ms) : json::Value(); }

std::optional<Timestamp> moment_of(const json::Value& value) {
    auto ms = value.integer();
    return ms ? std::optional(Timestamp{*ms}) : std::nullopt;
}

json::Value json_of(const ScheduleNote& note) {
    json::Value out;
    out.set("times", note.times).set("seen", note.seen.ms);
    if (note.last)
        out.set("last", json::Value()
                            .set("began", note.last->began.ms)
                            .set("ended", json_of(note.last->ended))
                            .set("code", note.last->code)
                            .set("outcome", note.last->outcome));
    return out.set("missed", note.missed).set("missed_since", json_of(note.missed_since));
}

ScheduleNote note_of(const json::Value& value) {
    ScheduleNote note;
    note.times = value["times"].text();
    note.seen = moment_of(value["seen"]).value_or(Timestamp{});
    if (const auto& last = value["last"]; last.is_object())
        note.last = ScheduleRun{moment_of(last["began"]).value_or(Timestamp{}), moment_of(last["ended"]),
                                static_cast<int>(last["code"].integer().value_or(-1)), last["outcome"].text()};
    note.missed = static_cast<std::uint64_t>(value["missed"].integer().value_or(0));
    note.missed_since = moment_of(value["missed_since"]);
    return note;
}

bool write_synced(const std::string& path, const std::string& text) {
    Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, for_its_owner));
    return file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fdatasync(file.get()) == 0;
}

/// Of an open file description, so that it goes with the descriptor and not with the process.
struct flock whole_file() {
    struct flock lock{};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return lock;
}

Failure<std::string> failed(const std::string& what) { return Failure{what + ": " + std::strerror(errno)}; }

}  // namespace

std::optional<ScheduleNote> read_schedule_note(const std::string& folder, std::string_view name) {
    std::ifstream file(note_path(folder, name), std::ios::binary);
    auto value = json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
    return value.ok() && value->is_object() ? std::optional(note_of(*value)) : std::nullopt;
}

Result<void, std::string> change_schedule_note(const std::string& folder, std::string_view name,
                                               const std::function<void(ScheduleNote&)>& change) {
    auto note = read_schedule_note(folder, name).value_or(ScheduleNote{});
    change(note);
    auto path = note_path(folder, name), fresh = path + ".new";
    std::error_code ignored;
    std::filesystem::create_directories(folder, ignored);
    if (!write_synced(fresh, json::to_text(json_of(note)) + "\n")) return failed("cannot write " + fresh);
    if (::rename(fresh.c_str(), path.c_str()) != 0) return failed("cannot write " + path);
    return {};
}

Result<std::optional<Descriptor>, std::string> lock_schedule(const std::string& folder, std::string_view name) {
    std::error_code ignored;
    std::filesystem::create_directories(folder, ignored);
    auto path = lock_path(folder, name);
    Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, for_its_owner));
    if (!file) return failed("cannot open " + path);
    auto lock = whole_file();
    if (::fcntl(file.get(), F_OFD_SETLK, &lock) == 0) return std::optional(std::move(file));
    if (errno == EAGAIN || errno == EACCES) return std::optional<Descriptor>();
    return failed("cannot lock " + path);
}

bool is_schedule_locked(const std::string& folder, std::string_view name) {
    Descriptor file(::open(lock_path(folder, name).c_str(), O_RDWR | O_CLOEXEC));
    auto lock = whole_file();
    return file && ::fcntl(file.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

}  // namespace forebay::cli
