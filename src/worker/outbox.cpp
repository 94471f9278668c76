#include "worker/outbox.h"

#include <algorithm>
#include <map>

#include "base/json.h"
#include "base/log_line.h"
#include "worker/receiver.h"
#include "worker/settlement.h"

namespace forebay::worker {
namespace {

constexpr std::size_t attribute_bytes_max = 1024;
constexpr std::size_t send_batch_max = 10;
constexpr Duration first_wait = 50ms;
constexpr Duration longest_wait = 2s;

}  // namespace

std::string attribute_text(std::string_view text) {
    std::string out;
    for (char c : text.substr(0, attribute_bytes_max)) {
        auto byte = static_cast<unsigned char>(c);
        bool allowed = byte >= 0x20 || c == '\t' || c == '\n' || c == '\r';
        out += allowed ? c : ' ';
    }
    while (!json::is_utf8(out)) out.pop_back();  // cut in the middle of a character, or never was UTF-8
    return out.empty() ? "unknown" : out;
}

bool Outbox::insist(const char* what, const Call& call) {
    for (Duration wait = first_wait;; wait = std::min(wait * 2, longest_wait)) {
        auto done = call();
        if (done) return impatient_from_.reset(), true;
        bool is_away = done.error().kind == transport::SourceError::Kind::unreachable;
        if (is_away && !impatient_from_) impatient_from_ = parts_.clock.now() + patience;
        if (!is_away || parts_.controls.stop || parts_.clock.now() + wait > *impatient_from_) {
            log_warn("settle.failed")
                .with("what", what)
                .with("queue", options_.queue)
                .with("why", done.error().what)
                .with("then", "the message comes again");
            return false;
        }
        rest(wait, parts_);
    }
}

/// A settled job with what is still to be sent for it.
struct Outbox::Finishing {
    const Job* job;
    const std::vector<FollowUp>* follow_ups;
    Sent sent{};
    bool is_through() const { return through == follow_ups->size(); }
    std::size_t through = 0;
};

void Outbox::send_all(std::vector<Finishing>& all) {
    struct Place {
        Finishing* of;
        const FollowUp* follow_up;
    };
    std::map<std::string, std::vector<Place>> by_queue;
    for (auto& one : all)
        for (auto& follow_up : *one.follow_ups) by_queue[follow_up.queue].push_back({&one, &follow_up});
    for (auto& [queue, places] : by_queue)
        for (std::size_t at = 0; at < places.size(); at += send_batch_max) {
            std::span<Place> part(places.data() + at, std::min(send_batch_max, places.size() - at));
            std::vector<transport::OutgoingBody> bodies;
            for (auto& place : part) bodies.push_back({place.follow_up->body, {}, {}});
            if (!insist("send", [&, &to = queue] { return parts_.source.send(to, bodies); })) break;  // another queue may be there
            for (auto& place : part) {
                ++place.of->through;
                if (!place.follow_up->target.empty()) place.of->sent.targets.push_back(place.follow_up->target);
            }
        }
}

bool Outbox::note_sent(const std::vector<Finishing>& all) {
    std::vector<Sent> sent;
    for (auto& one : all)
        if (!one.sent.targets.empty()) sent.push_back(one.sent);
    if (sent.empty()) return true;
    auto noted = parts_.handler.note_sent(sent);
    if (!noted) log_warn("settle.failed").with("what", "note what is sent").with("queue", options_.queue).with("why", noted.error());
    return noted.ok();
}

std::vector<std::string> Outbox::finish(std::span<const Job> jobs, std::span<const Outcome> outcomes) {
    std::vector<Finishing> all;
    for (std::size_t i = 0; i < jobs.size(); ++i)
        if (is_settled(outcomes[i].kind)) all.push_back({&jobs[i], &outcomes[i].follow_ups, {jobs[i].envelope.id, {}}});
    send_all(all);
    bool is_noted = note_sent(all);
    std::vector<std::string> handles;
    for (auto& one : all) {
        if (!is_noted && !one.sent.targets.empty()) {
            give_back(one.job->handle);
            continue;
        }
        if (!one.is_through()) continue;
        handles.push_back(one.job->handle);
    }
    return handles;
}

void Outbox::remove(const std::vector<std::string>& handles) {
    if (!handles.empty()) insist("delete", [&] { return parts_.source.settle(options_.queue, handles); });
}

void Outbox::bury(const std::string& handle, const std::string& body, std::string_view record, const Settlement& settlement) {
    transport::OutgoingBody dead{body,
                                 {{"forebay-reason", "String", attribute_text(settlement.why)},
                                  {"forebay-effect", "String", options_.worker},
                                  {"forebay-attempts", "Number", std::to_string(settlement.attempts)}},
                                 {}};
    if (!record.empty()) dead.attributes.push_back({"record-id", "String", std::string(record)});
    if (options_.dead_letter.empty()) {
        log_error("dead.kept")
            .with("queue", options_.queue)
            .with("id", record)
            .with("why", "the queue has no dead_letter: it stays, hidden for an hour");
        insist("hide", [&] { return parts_.source.extend(options_.queue, handle, hidden_without_dead_letter, settlement.attempts); });
        return;
    }
    if (insist("send to dead letters", [&] { return parts_.source.send(options_.dead_letter, {dead}); }))
        insist("delete", [&] { return parts_.source.settle(options_.queue, {handle}); });
}

void Outbox::retry(const Job& job, const Settlement& settlement, Timestamp settled_at) {
    auto wait = std::clamp<Duration>(settlement.next.value_or(settled_at) - settled_at, Duration::zero(), hidden_most);
    insist("retry", [&] { return parts_.source.extend(options_.queue, job.handle, wait, settlement.attempts); });
}

void Outbox::put_off(const Job& job, Duration left) {
    auto wait = std::min(left, hidden_most);
    insist("put off", [&] { return parts_.source.extend(options_.queue, job.handle, wait, std::nullopt); });
}

void Outbox::give_back(const std::string& handle) {
    insist("release", [&] { return parts_.source.release(options_.queue, handle); });
}

}  // namespace forebay::worker
