#include "admin/pauses.h"

#include <fstream>
#include <sstream>

#include "base/durable_file.h"
#include "base/log_line.h"
#include "broker/ask.h"
#include "intake/intake.h"

namespace forebay::admin {
namespace {
constexpr std::size_t words_max = 1024;

Timestamp time_of(const json::Value& value) { return {value.integer().value_or(0)}; }
}  // namespace

json::Value pause_json(const broker::QueuePause& pause) {
    return json::Value().set("since_ms", pause.since.ms).set("reason", pause.reason).set("by", pause.by);
}

broker::QueuePause pause_in(const json::Value& body, Timestamp now) {
    return {now, std::string(body["reason"].text().substr(0, words_max)), std::string(body["by"].text().substr(0, words_max))};
}

QueuePauses::QueuePauses(broker::Commands& commands, Clock& clock, std::string path)
    : commands_(commands), clock_(clock), path_(std::move(path)) {
    read();
    for (auto known = known_.begin(); known != known_.end();) {
        auto queue = find(known->first);
        if (!queue || queue->created_at != known->second.made) {
            known = known_.erase(known);
            continue;
        }
        (void)broker::ask(commands_, broker::PauseQueue{known->first, known->second.pause, known->second.went_on, {}}).ok();
        if (known->second.pause)
            log_warn("queue.is_paused")
                .with("queue", known->first)
                .with("since", to_rfc3339(known->second.pause->since))
                .with("reason", known->second.pause->reason)
                .with("by", known->second.pause->by)
                .with("next", "forebay resume queue." + known->first);
        ++known;
    }
}

Result<broker::QueueStatus, broker::Refusal> QueuePauses::find(const std::string& name) {
    broker::GetQueue get;
    get.queue = name;
    return broker::ask(commands_, std::move(get));
}

void QueuePauses::read() {
    std::ifstream file(path_, std::ios::binary);
    if (!file) return;
    std::ostringstream text;
    text << file.rdbuf();
    auto all = json::parse(text.str());
    if (!all || !all->is_object()) {
        log_error("pauses.unreadable").with("file", path_).with("next", "forebay queue ls shows which queues are paused; pause them again");
        return;
    }
    for (const auto& [name, value] : all->members()) {
        Known known;
        known.made = time_of(value["made_ms"]);
        known.went_on = time_of(value["went_on_ms"]);
        if (auto& pause = value["pause"]; pause.is_object()) known.pause = pause_in(pause, time_of(pause["since_ms"]));
        known_[name] = std::move(known);
    }
}

Result<void, std::string> QueuePauses::keep() {
    if (path_.empty()) return {};
    auto all = json::Value::object();
    for (const auto& [name, known] : known_) {
        json::Value value;
        value.set("made_ms", known.made.ms).set("went_on_ms", known.went_on.ms);
        if (known.pause) value.set("pause", pause_json(*known.pause));
        all.set(name, std::move(value));
    }
    return replace_file(path_, json::to_text(all) + "\n");
}

http::Response unkept(const std::string& why) {
    return http::problem(503, "not_kept", "It would not outlast a restart, so nothing was changed: " + why + ".");
}

http::Response QueuePauses::pause(const Call& call) {
    const auto& name = call.captures.at(0);
    if (name == intake::quarantine_queue)
        return http::problem(409, "is_quarantine", "Nobody receives from the quarantine: there is nothing to pause.");
    auto queue = find(name);
    if (!queue) return refused(queue.error(), name);
    if (queue->pause) return json_response(json::Value().set("paused", pause_json(*queue->pause)).set("already", true));
    auto pause = pause_in(call.body, clock_.wall());
    auto before = known_;
    known_[name] = {queue->created_at, pause, {}};
    if (auto kept = keep(); !kept) {
        known_ = std::move(before);
        return unkept(kept.error());
    }
    auto paused = broker::ask(commands_, broker::PauseQueue{name, pause, {}, {}});
    if (!paused) return refused(paused.error(), name);
    log_warn("queue.paused").with("queue", name).with("ready", paused->ready).with("reason", pause.reason).with("by", pause.by);
    return json_response(json::Value().set("paused", pause_json(pause)).set("already", false));
}

http::Response QueuePauses::resume(const Call& call) {
    const auto& name = call.captures.at(0);
    auto queue = find(name);
    if (!queue) return refused(queue.error(), name);
    if (!queue->pause) return json_response(json::Value().set("was", json::Value()));
    auto now = pause_in(call.body, clock_.wall());
    auto before = known_;
    known_[name] = {queue->created_at, {}, now.since};
    if (queue->settings.carries_records) known_.erase(name);
    if (auto kept = keep(); !kept) {
        known_ = std::move(before);
        return unkept(kept.error());
    }
    auto resumed = broker::ask(commands_, broker::PauseQueue{name, {}, {}, {}});
    if (!resumed) return refused(resumed.error(), name);
    log_info("queue.resumed")
        .with("queue", name)
        .with("seconds", (now.since - queue->pause->since) / 1s)
        .with("ready", resumed->ready)
        .with("reason", now.reason)
        .with("by", now.by);
    return json_response(json::Value().set("was", pause_json(*queue->pause)));
}

}  // namespace forebay::admin
