#include "cli/process/readiness.h"

#include <sys/stat.h>

#include "base/log_line.h"
#include "cli/process/paths.h"
#include "http/problem.h"

namespace forebay::cli {
namespace {
constexpr Duration slow_sync_refuses = 5s;
constexpr Duration probe_every = 1s;
}  // namespace

/// Which file a path leads to; nothing for none.
std::optional<Readiness::FileIdentity> Readiness::identity_of(const std::string& path) {
    struct stat found{};
    if (::stat(path.c_str(), &found) != 0) return std::nullopt;
    return std::pair(found.st_dev, found.st_ino);
}

void Readiness::store_is_open() { store_lock_ = identity_of(store_path(data_dir_) + "/lock"); }

void Readiness::look(broker::Broker& broker, intake::Intake& intake) {
    look_at_store();
    probe(broker, intake);
}

/// A log whose files have been deleted can still be written and synced, and is lost with this process: what
/// comes in now must not be called durable. A store that is put back is the same store.
void Readiness::look_at_store() {
    bool is_gone = identity_of(store_path(data_dir_) + "/lock") != store_lock_;
    if (is_gone == store_is_gone_) return;
    store_is_gone_ = is_gone;
    if (!is_gone) return void(log_info("store.back").with("path", store_path(data_dir_)));
    log_error("store.gone")
        .with("path", store_path(data_dir_))
        .with("next", "put it back; if it was deleted, restart the node, which then begins with an empty store");
}

/// A sync that never ends tells nothing; a question that the broker leaves unanswered does.
void Readiness::probe(broker::Broker& broker, intake::Intake& intake) {
    if (probe_is_out_ || clock_.now() - probed_ < probe_every) return;
    probed_ = clock_.now();
    probe_is_out_ = true;
    broker::GetQueue quarantine;
    quarantine.queue = std::string(intake::quarantine_queue);
    quarantine.answer = [this, &intake](const Result<broker::QueueStatus, broker::Refusal>& found) {
        if (found.ok()) intake.set_quarantine_bytes(found->bytes);
        probe_is_out_ = false;
    };
    broker.submit(broker::Command(std::move(quarantine)));
}

void Readiness::note(const broker::Broker::Status& status) {
    if (status.has_room != has_room_) (status.has_room ? log_info("disk.has_room") : log_error("disk.full")).with("data_dir", data_dir_);
    has_room_ = status.has_room;
    bool is_stuck = probe_is_out_ && clock_.now() - probed_ > slow_sync_refuses;
    bool is_slow = is_stuck || status.slowest_sync > slow_sync_refuses;
    if (is_slow != sync_is_slow_) (is_slow ? log_error("disk.slow") : log_info("disk.answers")).with("data_dir", data_dir_);
    sync_is_slow_ = is_slow;
}

std::string Readiness::why_not() const {
    std::string why;
    if (is_draining_) why += "draining; ";
    if (is_drained_) why += "drained by hand until forebay drain --undo; ";
    if (!has_room_) why += "the disk is full; ";
    if (sync_is_slow_) why += "the disk takes over 5 s to sync; ";
    if (store_is_gone_) why += "the store was moved or deleted; ";
    if (!why.empty()) why.resize(why.size() - 2);
    return why;
}

std::optional<http::Response> Readiness::refuse_early(const http::Request& head) const {
    if (head.method != "POST" || (has_room_ && !sync_is_slow_ && !store_is_gone_)) return std::nullopt;
    auto refusal = http::problem(503,
                                 store_is_gone_ ? "store_gone"
                                 : has_room_    ? "disk_slow"
                                                : "disk_full",
                                 "This cannot be made durable now; nothing was kept. Send it again in a few seconds.");
    refusal.headers.emplace_back("Retry-After", "5");
    return refusal;
}

std::optional<http::Response> Readiness::refuse_without_store(const http::Request& head) const {
    return store_is_gone_ ? refuse_early(head) : std::nullopt;
}

bool Readiness::answer_health(const http::Request& request, http::Responder& responder) const {
    if (request.path == "/livez") {
        responder({200, {}, "text/plain", "alive\n"});
        return true;
    }
    if (request.path != "/readyz" && request.path != "/health_check.php") return false;
    auto why = why_not();
    http::Response response{why.empty() ? 200u : 503u, {}, "text/plain", why.empty() ? "ready\n" : "not ready: " + why + "\n"};
    if (request.query == "verbose") {
        response.body += std::string("journal ") + (store_is_gone_ ? "gone" : "ok") + "\nroom " + (has_room_ ? "ok" : "full") + "\nsync " +
                         (sync_is_slow_ ? "slow" : "ok") + "\ndraining " + (is_draining() ? "yes" : "no") + "\n";
    }
    responder(std::move(response));
    return true;
}

}  // namespace forebay::cli
