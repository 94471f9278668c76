#include "worker/outage.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "base/json.h"

namespace forebay::worker {
namespace {

json::Value to_json(const std::string& what, const OutageNote& note) {
    json::Value out;
    out.set("what", what).set("held_before_ms", note.held_before.count());
    if (auto& down = note.down)
        out.set("down", json::Value().set("why", down->why).set("since_ms", down->since.ms).set("prober", ::getpid()));
    return out;
}

Timestamp time_of(const json::Value& value) { return {value.integer().value_or(0)}; }

}  // namespace

Duration OutageNote::held(Timestamp now) const {
    return held_before + (down ? std::max(now - down->since, Duration::zero()) : Duration::zero());
}

OutageNote read_outage(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    auto value = json::parse(text.str());
    OutageNote note;
    if (!value || !value->is_object()) return note;
    note.held_before = Duration((*value)["held_before_ms"].integer().value_or(0));
    if (auto& down = (*value)["down"]; down.is_object()) note.down = Down{down["why"].text(), time_of(down["since_ms"])};
    return note;
}

std::string outage_path(const std::string& folder, const std::string& what) { return folder + "/" + what + ".json"; }

Outage::Outage(std::string folder, std::string what) : what_(std::move(what)) {
    if (folder.empty()) return;
    path_ = outage_path(folder, what_);
    lock_path_ = folder + "/" + what_ + ".lock";
    std::error_code ignored;
    std::filesystem::create_directories(folder, ignored);
}

std::optional<Down> Outage::look() {
    if (!is_shared() || is_mine_) return note_.down;
    struct stat now{};
    if (::stat(path_.c_str(), &now) != 0) return note_ = {}, std::nullopt;
    auto file = static_cast<std::int64_t>(now.st_ino), time = now.st_mtim.tv_sec * 1'000'000'000 + now.st_mtim.tv_nsec;
    if (file != seen_file_ || time != seen_time_) note_ = read_outage(path_);
    seen_file_ = file;
    seen_time_ = time;
    return note_.down;
}

bool Outage::take() {
    if (is_mine_) return true;
    if (!is_shared()) return is_mine_ = true;
    if (!lock_) lock_ = Descriptor(::open(lock_path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    // Where no lock can be made each process asks for itself.
    if (lock_ && ::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) return false;
    look();
    return is_mine_ = true;
}

void Outage::say(const Down& down) {
    if (std::exchange(is_told_, true) && note_.down == down) return;
    note_.down = down;
    write();
}

void Outage::end(Timestamp now) {
    note_.held_before = note_.held(now);
    note_.down.reset();
    write();
    leave();
}

void Outage::leave() {
    lock_.close();
    is_mine_ = is_told_ = false;
    seen_file_ = seen_time_ = 0;
}

/// A reader sees the old text or the new one. Where it cannot be written the others find out for themselves.
void Outage::write() {
    if (!is_shared()) return;
    auto fresh = path_ + ".new";
    {
        std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
        file << json::to_text(to_json(what_, note_));
        if (!file.flush()) return;
    }
    std::error_code ignored;
    std::filesystem::rename(fresh, path_, ignored);
}

}  // namespace forebay::worker
