// The way of a post: who, how fast, what, and then to the queue or to quarantine. Nothing here answers 2xx
// before the Sender has said that the message is durable.

#include <algorithm>

#include "base/log_line.h"
#include "http/text.h"
#include "intake/pages.h"
#include "intake/secret_mask.h"
#include "intake/state.h"

namespace forebay::intake {
namespace {

constexpr std::size_t waiters_max = 10'000;
constexpr std::size_t shortest_secret = 8;
constexpr std::size_t longest_secret = 1024;  // std::string::find takes as many steps for each byte of the body
constexpr Duration proxy_key_window = 10min;  // how long a balancer may take to send a post again

Refused refusal(unsigned status, std::string_view code, std::string title, std::string detail) {
    Refused what;
    what.status = status;
    what.code = code;
    what.title = std::move(title);
    what.detail = std::move(detail);
    return what;
}

/// Headers that decide who posts, what it is or which record it becomes. The endpoint's key header is one too.
std::string_view header_said_twice(const http::Request& request, const Endpoint& endpoint) {
    const std::string_view once[] = {"Content-Type", "Content-Encoding",  "Authorization",
                                     "X-Api-Id",     "X-Api-Key",         "Origin",
                                     "Referer",      "X-Forebay-Request", endpoint.idempotency.header};
    return request.repeated(once);
}

Refused unavailable(broker::Refusal why) {
    if (why == broker::Refusal::message_too_long) {
        auto what = refusal(413, "too_large", "Too large", "this is larger than the queue takes; nothing was kept");
        what.kept = false;
        return what;
    }
    auto code = why == broker::Refusal::no_room      ? "no_room"
                : why == broker::Refusal::stopping   ? "stopping"
                : why == broker::Refusal::overloaded ? "overloaded"
                                                     : "unavailable";
    auto what = refusal(503, code, "Not accepted",
                        "this could not be stored safely just now, and nothing was kept; please send it again in a few seconds");
    what.kept = false;
    what.retry_after_s = 5;
    return what;
}

Refused validation(std::vector<FieldError> errors) {
    auto what = refusal(422, "validation", validation_title(errors.size()), {});
    what.errors = std::move(errors);
    return what;
}

Refused key_reused() {
    return refusal(422, "key_reused", "This key was used before",
                   "the idempotency key was used for another submission; send this one with a key of its own");
}

Refused same_content() {
    return refusal(422, "same_content", "This was sent before", "the same submission was accepted before; nothing more needs to be sent");
}

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

Refused key_in_progress() {
    auto what = refusal(409, "key_in_progress", "The first one is still under way",
                        "another post with the same key has not been answered yet; ask again in a second");
    what.retry_after_s = 1;
    return what;
}

/// For a post whose values are gone by now.
http::Response late_refusal(const PendingRecord& record, const Refused& what) {
    return record.as_html ? notice_page(*record.endpoint, what) : problem(record.endpoint, what);
}

void add_cors(http::Response& response, const std::string& origin) {
    if (origin.empty()) return;
    response.headers.emplace_back("Access-Control-Allow-Origin", origin);
    response.headers.emplace_back("Access-Control-Expose-Headers", "Record-Id, Location, Idempotent-Replayed, Retry-After");
    response.headers.emplace_back("Vary", "Origin");
}

/// Whether a field says a key, be it as a text, a list or a file.
bool holds_key(const PreparedEndpoint& endpoint, const Examination& examination) {
    if (endpoint.spec.key_secret_field.empty()) return false;
    auto& inputs = examination.inputs();
    return std::any_of(inputs.begin(), inputs.end(), [&](auto& input) { return input.name == endpoint.spec.key_secret_field; });
}

/// The body as it may be kept (FORMAT.md): without what the key's field says and, where that could be read, without
/// the same text elsewhere. What is too short to be a key may be any word of the post; of what is too long, copies stay.
std::string body_to_keep(const Call& call, const Examination* examination) {
    auto out = without_secret(call.request.body, call.endpoint.spec.key_secret_field, media_type_of(call.media_type).kind);
    auto secret = examination != nullptr ? examination->special(Special::key_secret) : std::string_view();
    if (secret.size() < shortest_secret || secret.size() > longest_secret) return out;
    for (auto at = out.find(secret); at != std::string::npos; at = out.find(secret, at + secret.size()))
        out.replace(at, secret.size(), secret.size(), '*');
    return out;
}

void replace_header(http::Response& response, std::string_view name) {
    std::erase_if(response.headers, [&](auto& header) { return header.first == name; });
}

Acceptance acceptance_of(const PendingRecord& record) {
    Acceptance what = record.what;
    what.flags = record.flags;
    what.receipt = record.receipt;
    what.next = record.next;
    return what;
}

}  // namespace

void Intake::State::respond(Asker& asker, const PreparedEndpoint& endpoint, const std::string& cors_origin, http::Response response) {
    add_cors(response, cors_origin);
    endpoint.counters.count_request(response.status);
    endpoint.counters.took.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - asker.since).count());
    asker.responder(std::move(response));
}

void Intake::State::take_post(Call call) {
    thread_local Examination examination;
    auto& endpoint = call.endpoint;
    if (auto header = header_said_twice(call.request, endpoint.spec); !header.empty()) return refuse_twice(std::move(call), header);
    auto type = media_type_of(call.media_type);
    if (!type.kind || !endpoint.accepts(*type.kind) || !type.charset_ok) {
        return refuse(std::move(call), nullptr,
                      refusal(415, "media_type", "This kind of body is not taken here",
                              "send application/json, application/x-www-form-urlencoded or multipart/form-data, in UTF-8"),
                      false);
    }
    // Unpacking is where a small post becomes a large one; without it the body would be kept as if it were text.
    auto encoding = call.request.find("Content-Encoding");
    if (!encoding.empty() && !http::equals_ignoring_case(encoding, "identity")) {
        return refuse(std::move(call), nullptr,
                      refusal(415, "content_encoding", "Compressed bodies are not taken here", "send the body without Content-Encoding"),
                      false);
    }
    call.caller = caller_of(endpoint, call.request);
    bool key_may_be_inside = call.caller.verdict == Caller::Verdict::missing && !endpoint.spec.key_secret_field.empty();
    if (call.caller.verdict != Caller::Verdict::known && !key_may_be_inside) return refuse_caller(std::move(call), nullptr);
    auto read = examination.read(endpoint, type, call.request.body);
    if (!read.ok()) return refuse_read(std::move(call), examination, read.error());
    if (key_may_be_inside) {
        auto secret = examination.special(Special::key_secret);
        if (!secret.empty()) call.caller = caller_with_key(endpoint, examination.special(Special::key_id), secret);
        if (call.caller.verdict != Caller::Verdict::known) return refuse_caller(std::move(call), &examination);
    }
    if (call.caller.rate != nullptr) {
        auto verdict = limiter.take(*call.caller.rate, call.caller.name, call.request.client_address, clock.now());
        if (!verdict.allowed) return refuse_rate(std::move(call), verdict);
    }
    if (!identify(call, examination)) {
        return refuse_read(std::move(call), examination,
                           {"idempotency_key_invalid", "the idempotency key is longer than 255 characters or contains control characters"});
    }
    std::vector<std::string> flags;
    if (auto code = suspicion(call, examination, flags); !code.empty()) return look_accepted(std::move(call), examination, code);

    std::string envelope;
    envelope.reserve(call.request.body.size() * 2 + call.request.body.size() / 4 + 512);
    record::EnvelopeWriter writer(envelope, call.id, endpoint.spec.name, call.received_at);
    auto errors = examination.check_and_write(writer);
    if (!errors.empty()) return refuse(std::move(call), &examination, validation(std::move(errors)), true);
    flags.insert(flags.end(), examination.flags().begin(), examination.flags().end());

    std::string hidden;
    std::string_view raw = call.request.body;
    if (holds_key(endpoint, examination)) raw = hidden = body_to_keep(call, &examination);
    auto& value = examination.value().empty() ? endpoint.spec.value : examination.value();
    bool is_text = *type.kind != MediaKind::multipart || json::is_utf8(raw);
    record::EnvelopeEnd end{call.media_type, raw, is_text, flags, call.request.client_address, value, endpoint.spec.currency};
    auto about = about_of(endpoint.spec, examination, call.id, writer, end);
    writer.finish(end);

    auto record = pending_record(call, examination, std::move(flags));
    if ((call.once && call.once->refuse_reuse) || (about && endpoint.spec.idempotency.content.action == Another::refuse))
        record->if_refused = Quarantined{call.id,
                                         endpoint.spec.name,
                                         call.received_at,
                                         422,
                                         {},
                                         {},
                                         std::string(call.media_type),
                                         std::string(raw),
                                         call.request.client_address,
                                         std::string(call.caller.name)};
    if (join(record)) return;
    queue::OutgoingMessage message;
    message.body =
        endpoint.spec.body == record::BodyForm::json ? std::move(envelope) : record::in_form(std::move(envelope), endpoint.spec.body);
    message.attributes.reserve(2);
    message.attributes.push_back({"record-id", "String", to_text(call.id)});
    if (auto trace = call.request.find("traceparent"); !trace.empty() && trace.size() <= 64)
        message.attributes.push_back({"traceparent", "String", std::string(trace)});
    message.is_record = true;
    hand_on(std::move(record), std::move(message), std::move(about));
}

bool Intake::State::identify(Call& call, Examination& examination) {
    auto& spec = call.endpoint.spec.idempotency;
    bool is_clients = true;
    auto sent = spec.header.empty() ? std::string_view() : call.request.find(spec.header);
    if (sent.empty()) sent = examination.special(Special::id);
    if (sent.empty() && call.request.from_trusted_proxy) {
        sent = call.request.find("x-forebay-request");
        is_clients = false;
    }
    auto client_key = client_key_of(sent);
    if (!client_key) return false;
    if (client_key->empty()) {
        call.id = fresh_id();
        return true;
    }
    auto identity = identity_with_key(call.caller.name, call.endpoint.spec.name, *client_key, examination.canonical());
    call.id = identity.id;
    call.once = identity.once;
    call.once->window = is_clients ? spec.window : proxy_key_window;
    call.once->refuse_reuse = is_clients && spec.reuse == Reuse::refuse;
    return true;
}

/// Why a post looks like a robot's, or nothing. Notes what is odd about an honest one in `flags`.
std::string_view Intake::State::suspicion(const Call& call, Examination& examination, std::vector<std::string>& flags) {
    if (!examination.special(Special::honeypot).empty()) return "honeypot";
    auto token = examination.special(Special::token);
    if (token.empty()) return {};
    auto made_at = signer.time_of_token(token, call.endpoint.spec.name);
    if (!made_at) {
        flags.emplace_back("token_invalid");
        return {};
    }
    auto age = call.received_at - *made_at;
    if (age < call.endpoint.spec.form.min_time) return "too_quick";
    if (call.caller.site != nullptr && age > call.caller.site->token_ttl) flags.emplace_back("token_expired");
    return {};
}

std::unique_ptr<PendingRecord> Intake::State::pending_record(Call& call, Examination& examination, std::vector<std::string> flags) {
    auto record = std::make_unique<PendingRecord>();
    record->asker = std::move(call.asker);
    record->rules = std::move(call.rules);
    record->endpoint = &call.endpoint;
    record->flags = std::move(flags);
    record->next = allowed_next(examination.special(Special::next), call.endpoint.spec.form.next_hosts);
    record->cors_origin = std::move(call.cors_origin);
    record->as_html = call.as_html;
    record->once = call.once;
    signer.append_receipt(record->receipt, call.received_at, call.id, call.endpoint.spec.name, sha256(call.request.body));
    record->what.id = call.id;
    record->what.received_at = call.received_at;
    // Made here and not on the sender's thread, which has everybody else's answers to give.
    record->response = accepted(*record->endpoint, acceptance_of(*record), record->as_html);
    return record;
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

void Intake::State::hand_on(std::unique_ptr<PendingRecord> record, queue::OutgoingMessage message, std::optional<broker::AboutKey> about) {
    broker::Send send;
    send.queue = record->endpoint->spec.queue;
    send.message = std::move(message);
    send.once = record->once;
    send.about = std::move(about);
    send.answer = [this, record = std::move(record)](Result<broker::Sent, broker::Refusal> sent) mutable {
        settled(std::move(record), sent);
    };
    sender.send(std::move(send));
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

void Intake::State::refuse_read(Call call, Examination& examination, ReadError error) {
    if (call.id.is_nil()) call.id = fresh_id();
    refuse(std::move(call), &examination, refusal(400, error.code, "This could not be read", std::move(error.detail)), true);
}

void Intake::State::refuse_twice(Call call, std::string_view header) {
    call.id = fresh_id();
    // Of two keys or origins none says who it is.
    if (call.endpoint.needs_auth()) call.caller.verdict = Caller::Verdict::missing;
    auto detail = "the header " + std::string(header) + " may be given once";
    refuse(std::move(call), nullptr, refusal(400, "duplicate_header", "Ambiguous", std::move(detail)), true);
}

void Intake::State::refuse_caller(Call call, Examination* examination) {
    call.id = fresh_id();
    auto what = [&] {
        switch (call.caller.verdict) {
            case Caller::Verdict::wrong_origin:
                return refusal(403, "wrong_origin", "This page may not post here",
                               "the page's origin is not one of those listed for this endpoint");
            case Caller::Verdict::missing:
                return refusal(401, "missing_api_key", "Not authorised",
                               "this endpoint needs a key: Authorization: Bearer …, or X-Api-Id and X-Api-Key");
            default:
                return refusal(401, "unknown_api_key", "Not authorised", "the key is not known here");
        }
    }();
    refuse(std::move(call), examination, std::move(what), true);
}

void Intake::State::refuse_rate(Call call, const RateLimiter::Verdict& verdict) {
    auto wait = std::to_string(verdict.retry_after_s) + (verdict.retry_after_s == 1 ? " second" : " seconds");
    auto what = refusal(429, "rate_limited", "Too many at once", "wait " + wait + " and send it again; nothing was kept");
    what.kept = false;
    what.retry_after_s = std::max<std::int64_t>(1, verdict.retry_after_s);
    auto& rate = *call.caller.rate;
    auto window = static_cast<std::int64_t>(std::max(1.0, rate.burst / rate.per_second));
    what.rate_policy = "\"" + std::string(call.caller.name) + "\";q=" + std::to_string(static_cast<std::int64_t>(rate.burst)) +
                       ";w=" + std::to_string(window);
    what.rate_state = "\"" + std::string(call.caller.name) + "\";r=0;t=" + std::to_string(what.retry_after_s);
    refuse(std::move(call), nullptr, std::move(what), false);
}

bool Intake::State::may_keep(const Call& call, std::uint64_t bytes) {
    if (call.endpoint.spec.on_reject == OnReject::discard) return false;
    if (call.caller.verdict != Caller::Verdict::known && !gate.admit_unauthorized(clock.now())) return false;
    if (gate.admit(bytes)) return true;
    not_kept.add();
    return false;
}

void Intake::State::refuse(Call call, Examination* examination, Refused what, bool keep) {
    auto& endpoint = call.endpoint;
    if (what.errors.empty()) endpoint.counters.count_refused(what.code);
    for (auto& error : what.errors) endpoint.counters.count_refused(error.code);
    what.id = call.id;
    auto pending = std::make_unique<PendingRefusal>();
    pending->endpoint = &endpoint;
    pending->as_html = call.as_html;
    pending->cors_origin = call.cors_origin;

    std::string message;
    Quarantined post;
    if (keep) {
        post = {call.id,
                endpoint.spec.name,
                call.received_at,
                what.status,
                std::string(what.code),
                what.errors,
                std::string(call.media_type),
                body_to_keep(call, examination),
                call.request.client_address,
                std::string(call.caller.name)};
        message = to_json(post);
        keep = may_keep(call, message.size());
        what.kept = keep;
    }
    if (log_limiter.take({20, 100, false, {}}, "refused", {}, clock.now()).allowed) {
        auto line = log_warn("record.refused");
        line.with("endpoint", endpoint.spec.name)
            .with("status", what.status)
            .with("code", what.code)
            .with("errors", what.errors.size())
            .with("kept", keep);
        if (keep) line.with("id", to_text(call.id));
    }
    if (call.as_html) {
        auto values = examination != nullptr ? std::span<const Input>(examination->inputs()) : std::span<const Input>();
        pending->response = problem_page(endpoint, what, values, to_text(fresh_id()),
                                         signer.token(call.received_at - endpoint.spec.form.min_time, endpoint.spec.name));
    } else {
        pending->response = problem(&endpoint, what);
    }
    pending->what = std::move(what);
    pending->asker = std::move(call.asker);
    pending->rules = std::move(call.rules);
    if (!keep) return respond(pending->asker, *pending->endpoint, pending->cors_origin, std::move(pending->response));
    send_to_quarantine(post, std::move(message), [this, pending = std::move(pending)](bool kept) mutable {
        if (!kept) {
            pending->what.kept = false;
            if (pending->as_html)
                replace_header(pending->response, "Record-Id");
            else
                pending->response = problem(pending->endpoint, pending->what);
        }
        respond(pending->asker, *pending->endpoint, pending->cors_origin, std::move(pending->response));
    });
}

/// A robot is told what a visitor is told, once its post is kept with the refused ones.
void Intake::State::look_accepted(Call call, Examination& examination, std::string_view code) {
    call.endpoint.counters.count_refused(code);
    Quarantined post{call.id,
                     call.endpoint.spec.name,
                     call.received_at,
                     422,
                     std::string(code),
                     {{"", code, "looks like a robot's"}},
                     std::string(call.media_type),
                     body_to_keep(call, &examination),
                     call.request.client_address,
                     std::string(call.caller.name)};
    auto message = to_json(post);
    bool keep = may_keep(call, message.size());
    auto record = pending_record(call, examination, {});
    // The receipt of a post that was not accepted must not prove that it was.
    record->receipt.clear();
    signer.append_receipt(record->receipt, record->what.received_at, record->what.id, "", sha256(call.request.body));
    record->response = accepted(*record->endpoint, acceptance_of(*record), record->as_html);
    auto answer = [this, record = std::move(record)](bool kept) mutable {
        auto& endpoint = *record->endpoint;
        respond(record->asker, endpoint, record->cors_origin,
                kept ? std::move(record->response) : late_refusal(*record, unavailable(broker::Refusal::overloaded)));
    };
    if (!keep) return answer(false);
    send_to_quarantine(post, std::move(message), std::move(answer));
}

void Intake::State::send_to_quarantine(const Quarantined& post, std::string message, UniqueFunction<void(bool)> done) {
    broker::Send send;
    send.queue = quarantine_queue;
    send.message.body = std::move(message);
    send.message.attributes.push_back({"record-id", "String", to_text(post.id)});
    if (post.id.version() == 8) {  // made from a client's key: the same post refused again is kept once
        send.once = identity_with_key("quarantine", post.endpoint, to_text(post.id), {}).once;
    }
    send.answer = [done = std::move(done)](Result<broker::Sent, broker::Refusal> sent) mutable {
        if (!sent.ok()) log_warn("record.not_kept").with("refusal", static_cast<int>(sent.error()));
        done(sent.ok());
    };
    sender.send(std::move(send));
}

}  // namespace forebay::intake
