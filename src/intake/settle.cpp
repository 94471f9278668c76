// What the broker says of a post, told to its client and to those who sent the same under the same key meanwhile. Nothing here
// answers 2xx before the Sender has said that the message is durable.

#include <algorithm>

#include "base/log_line.h"
#include "intake/refusals.h"
#include "intake/state.h"

namespace forebay::intake {
namespace {

constexpr std::size_t waiters_max = 10'000;

/// Why nothing was added for a post whose key or content the broker knows; nothing where it was added or merged.
std::optional<Refused> refused_as_known(const PendingRecord& record, const broker::Sent& sent) {
    if (sent.key_reused && record.once && record.once->refuse_reuse) return key_reused();
    if (sent.is_another && record.endpoint->spec.idempotency.content.action == Another::refuse) return same_content();
    return std::nullopt;
}

/// Whether the post is one that was accepted before, under its key or by its content.
bool is_merged(const PendingRecord& record, const broker::Sent& sent) {
    return sent.duplicate || (sent.is_another && record.endpoint->spec.idempotency.content.action == Another::merge);
}

void add_cors(http::Response& response, const std::string& origin) {
    if (origin.empty()) return;
    response.headers.emplace_back("Access-Control-Allow-Origin", origin);
    response.headers.emplace_back("Access-Control-Expose-Headers", "Record-Id, Location, Idempotent-Replayed, Retry-After");
    response.headers.emplace_back("Vary", "Origin");
}

}  // namespace

Acceptance acceptance_of(const PendingRecord& record) {
    Acceptance what = record.what;
    what.flags = record.flags;
    what.receipt = record.receipt;
    what.next = record.next;
    return what;
}

http::Response late_refusal(const PendingRecord& record, const Refused& what) {
    return record.as_html ? notice_page(*record.endpoint, what) : problem(record.endpoint, what);
}

void Intake::State::respond(Asker& asker, const PreparedEndpoint& endpoint, const std::string& cors_origin, http::Response response) {
    add_cors(response, cors_origin);
    endpoint.counters.count_request(response.status);
    endpoint.counters.took.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - asker.since).count());
    asker.responder(std::move(response));
}

bool Intake::State::join(std::unique_ptr<PendingRecord>& record) {
    if (!record->once) return false;
    std::unique_lock guard(waiting_lock_);
    auto [place, is_first] = waiting_.try_emplace({record->once->key, record->once->content});
    if (is_first) return false;
    if (waiters_ < waiters_max) {
        place->second.push_back({std::move(record), clock.now()});
        ++waiters_;
        return true;
    }
    guard.unlock();
    respond(record->asker, *record->endpoint, record->cors_origin, late_refusal(*record, unavailable(broker::Refusal::overloaded)));
    return true;
}

void Intake::State::settled(std::unique_ptr<PendingRecord> record, Result<broker::Sent, broker::Refusal> sent) {
    if (record->once) answer_waiters(*record, sent);
    if (sent.ok()) return answer_sent(*record, *sent);
    if (sent.error() == broker::Refusal::no_such_queue)
        log_error("record.no_queue").with("endpoint", record->endpoint->spec.name).with("queue", record->endpoint->spec.queue);
    auto what = unavailable(sent.error());
    record->endpoint->counters.count_refused(what.code);
    respond(record->asker, *record->endpoint, record->cors_origin, late_refusal(*record, what));
}

void Intake::State::answer_sent(PendingRecord& record, const broker::Sent& sent) {
    auto& endpoint = *record.endpoint;
    if (auto refused = refused_as_known(record, sent); refused && record.if_refused) {
        endpoint.counters.count_refused(refused->code);
        auto what = std::move(*refused);
        what.id = record.what.id;
        auto post = std::move(*record.if_refused);
        post.code = what.code;
        auto text = to_json(post);
        auto bytes = text.size();
        auto answer = [this, record = std::make_shared<PendingRecord>(std::move(record)), what](bool kept) mutable {
            what.kept = kept;
            respond(record->asker, *record->endpoint, record->cors_origin, late_refusal(*record, what));
        };
        if (endpoint.spec.on_reject == OnReject::discard || !gate.admit(bytes)) return answer(false);
        return send_to_quarantine(post, std::move(text), std::move(answer));
    }
    if (is_merged(record, sent)) {
        (sent.duplicate ? endpoint.counters.duplicate : endpoint.counters.same_content).add();
        auto what = acceptance_of(record);
        what.replayed = true;
        if (!sent.original_record.is_nil()) what.id = sent.original_record;
        return respond(record.asker, endpoint, record.cors_origin, accepted(endpoint, what, record.as_html));
    }
    endpoint.counters.accepted.add();
    if (sent.key_reused) {
        endpoint.counters.key_reused.add();
        record.flags.emplace_back("key_reused");
    }
    if (sent.is_another) {
        endpoint.counters.same_content.add();
        record.flags.emplace_back("same_content");
    }
    if (sent.key_reused || sent.is_another) {
        record.response = accepted(endpoint, acceptance_of(record), record.as_html);
    }
    if (options.log_accepted)
        log_debug("record.accepted")
            .with("endpoint", endpoint.spec.name)
            .with("id", to_text(record.what.id))
            .with("ms", (clock.wall() - record.what.received_at).count());
    respond(record.asker, endpoint, record.cors_origin, std::move(record.response));
}

void Intake::State::answer_waiters(const PendingRecord& first, const Result<broker::Sent, broker::Refusal>& sent) {
    std::vector<Waiter> waiters;
    {
        std::lock_guard guard(waiting_lock_);
        auto found = waiting_.find({first.once->key, first.once->content});
        if (found == waiting_.end()) return;
        waiters = std::move(found->second);
        waiters_ -= waiters.size();
        waiting_.erase(found);
    }
    for (auto& waiter : waiters) {
        auto& record = *waiter.record;
        if (!sent.ok()) {
            respond(record.asker, *record.endpoint, record.cors_origin, late_refusal(record, unavailable(sent.error())));
            continue;
        }
        if (auto refused = refused_as_known(record, *sent)) {
            record.endpoint->counters.count_refused(refused->code);
            respond(record.asker, *record.endpoint, record.cors_origin, late_refusal(record, *refused));
            continue;
        }
        // The same key with the same content: whatever the broker said to the first holds for this one.
        auto what = acceptance_of(record);
        what.receipt = first.receipt;
        what.received_at = first.what.received_at;
        what.id = is_merged(record, *sent) && !sent->original_record.is_nil() ? sent->original_record : first.what.id;
        auto response = accepted(*record.endpoint, what, record.as_html);
        response.headers.emplace_back("Idempotent-Replayed", "true");
        record.endpoint->counters.duplicate.add();
        respond(record.asker, *record.endpoint, record.cors_origin, std::move(response));
    }
}

void Intake::State::tick() {
    auto now = clock.now();
    std::vector<Waiter> expired;
    {
        std::lock_guard guard(waiting_lock_);
        for (auto& [key, waiters] : waiting_) {
            auto late = std::stable_partition(waiters.begin(), waiters.end(),
                                              [&](auto& waiter) { return now - waiter.since < options.same_key_wait; });
            std::move(late, waiters.end(), std::back_inserter(expired));
            waiters.erase(late, waiters.end());
        }
        waiters_ -= expired.size();
    }
    for (auto& waiter : expired) {
        auto& record = *waiter.record;
        respond(record.asker, *record.endpoint, record.cors_origin, late_refusal(record, key_in_progress()));
    }
}

}  // namespace forebay::intake
