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

std::vector<FollowUp> follow_ups_of(const Job& job, const Outcome& outcome, const std::vector<std::string>& then) {
    auto all = outcome.follow_ups;
    if (then.empty()) return all;
    auto envelope = job.envelope;
    for (auto& [field, value] : outcome.set.members()) envelope.fields.set(field, value);
    auto body = record::encode(envelope, record::BodyForm::json);
    for (auto& queue : then) all.push_back({queue, body});
    return all;
}

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

bool Outbox::send_all(const std::vector<FollowUp>& follow_ups) {
    std::map<std::string, std::vector<transport::OutgoingBody>> by_queue;
    for (auto& one : follow_ups) by_queue[one.queue].push_back({one.body, {}, {}});
    for (auto& [queue, messages] : by_queue)
        for (std::size_t at = 0; at < messages.size(); at += send_batch_max) {
            std::vector<transport::OutgoingBody> part(
                messages.begin() + static_cast<std::ptrdiff_t>(at),
                messages.begin() + static_cast<std::ptrdiff_t>(std::min(at + send_batch_max, messages.size())));
            if (!insist("send", [&, &to = queue] { return parts_.source.send(to, part); })) return false;
        }
    return true;
}

void Outbox::finish(std::span<const Job> jobs, std::span<const Outcome> outcomes) {
    std::vector<std::string> handles;
    std::vector<FollowUp> follow_ups;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        if (outcomes[i].kind != Outcome::Kind::done) continue;
        handles.push_back(jobs[i].handle);
        auto some = follow_ups_of(jobs[i], outcomes[i], options_.then);
        follow_ups.insert(follow_ups.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
    }
    if (handles.empty() || !send_all(follow_ups)) return;
    insist("delete", [&] { return parts_.source.settle(options_.queue, handles); });
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
