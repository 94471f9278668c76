// The way of a post: who, how fast, what, and then to the queue. settle.cpp has its answer, refuse.cpp what is not taken.

#include <algorithm>

#include "http/text.h"
#include "intake/refusals.h"
#include "intake/state.h"

namespace forebay::intake {
namespace {

constexpr Duration proxy_key_window = 10min;  // how long a balancer may take to send a post again

/// Headers that decide who posts, what it is or which record it becomes. The endpoint's key header is one too.
std::string_view header_said_twice(const http::Request& request, const Endpoint& endpoint) {
    const std::string_view once[] = {"Content-Type", "Content-Encoding",  "Authorization",
                                     "X-Api-Id",     "X-Api-Key",         "Origin",
                                     "Referer",      "X-Forebay-Request", endpoint.idempotency.header};
    return request.repeated(once);
}

/// Whether a field says a key, be it as a text, a list or a file.
bool holds_key(const PreparedEndpoint& endpoint, const Examination& examination) {
    if (endpoint.spec.key_secret_field.empty()) return false;
    auto& inputs = examination.inputs();
    return std::any_of(inputs.begin(), inputs.end(), [&](auto& input) { return input.name == endpoint.spec.key_secret_field; });
}

}  // namespace

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

}  // namespace forebay::intake
