// Posts that are not taken: what their clients are told, and how they are kept. Whatever is said to be kept lies in quarantine by then.

#include "base/log_line.h"
#include "intake/pages.h"
#include "intake/refusals.h"
#include "intake/secret_mask.h"
#include "intake/state.h"

namespace forebay::intake {
namespace {

constexpr std::size_t shortest_secret = 8;
constexpr std::size_t longest_secret = 1024;  // std::string::find takes as many steps for each byte of the body

void replace_header(http::Response& response, std::string_view name) {
    std::erase_if(response.headers, [&](auto& header) { return header.first == name; });
}

}  // namespace

std::string body_to_keep(const Call& call, const Examination* examination) {
    auto out = without_secret(call.request.body, call.endpoint.spec.key_secret_field, media_type_of(call.media_type).kind);
    auto secret = examination != nullptr ? examination->special(Special::key_secret) : std::string_view();
    if (secret.size() < shortest_secret || secret.size() > longest_secret) return out;
    for (auto at = out.find(secret); at != std::string::npos; at = out.find(secret, at + secret.size()))
        out.replace(at, secret.size(), secret.size(), '*');
    return out;
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
    auto what = not_authorised(call.caller.verdict);
    refuse(std::move(call), examination, std::move(what), true);
}

void Intake::State::refuse_rate(Call call, const RateLimiter::Verdict& verdict) {
    auto what = rate_limited(call.caller, verdict);
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
