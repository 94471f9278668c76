#include "worker/pause.h"

#include <sys/stat.h>

#include <fstream>
#include <sstream>
#include <utility>

#include "base/durable_file.h"
#include "base/json.h"
#include "base/log_line.h"

namespace forebay::worker {

std::string pause_path(const std::string& folder, const std::string& what) { return folder + "/" + what + ".json"; }

std::optional<Pause> read_pause(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return std::nullopt;
    std::ostringstream text;
    text << file.rdbuf();
    Pause pause;
    auto value = json::parse(text.str());
    if (!value || !value->is_object()) return pause;
    pause.since = {(*value)["since_ms"].integer().value_or(0)};
    pause.reason = (*value)["reason"].text();
    pause.by = (*value)["by"].text();
    return pause;
}

Result<void, std::string> write_pause(const std::string& path, const Pause& pause) {
    auto text = json::Value().set("since_ms", pause.since.ms).set("reason", pause.reason).set("by", pause.by);
    return replace_file(path, json::to_text(text) + "\n");
}

const std::optional<Pause>& PauseWatch::look() {
    auto now = read();
    if (now != pause_) log(std::exchange(pause_, std::move(now)));
    return pause_;
}

std::optional<Pause> PauseWatch::read() {
    for (auto& path : paths_) {
        struct stat found{};
        if (::stat(path.c_str(), &found) != 0) continue;
        std::pair seen(found.st_ino, found.st_mtim.tv_sec * 1'000'000'000 + found.st_mtim.tv_nsec);
        if (pause_ && seen == seen_) return pause_;
        seen_ = seen;
        if (auto pause = read_pause(path)) return pause;
    }
    return std::nullopt;
}

void PauseWatch::log(const std::optional<Pause>& before) const {
    auto line = log_info(pause_ ? "worker.paused" : "worker.resumed");
    line.with("worker", logged_.worker).with("n", logged_.n);
    const auto& told = pause_ ? *pause_ : *before;
    line.with("since", to_rfc3339(told.since)).with("by", told.by);
    if (!told.reason.empty()) line.with("reason", told.reason);
}

}  // namespace forebay::worker
