// A refused post, held against today's rules.

#include "intake/state.h"

namespace forebay::intake {
namespace {

ReadmitResult unreadable(std::string what) {
    ReadmitResult result;
    result.what = std::move(what);
    return result;
}

/// Why the queue did not take it, for an operator.
std::string sentence(broker::Refusal why) {
    switch (why) {
        case broker::Refusal::no_such_queue:
            return "the endpoint's queue does not exist";
        case broker::Refusal::message_too_long:
            return "the record is larger than the queue takes";
        case broker::Refusal::no_room:
            return "the disk is full";
        default:
            return "the queue is not taking anything just now; try again";
    }
}

}  // namespace

Intake::State::Recheck Intake::State::recheck(std::string_view quarantined_body) {
    thread_local Examination examination;
    Recheck out;
    auto post = quarantined_of(quarantined_body);
    if (!post.ok()) {
        out.result = unreadable(post.error());
        return out;
    }
    auto in_force = rules();
    auto* endpoint = in_force->named(post->endpoint);
    out.result.id = out.id = post->id;
    out.result.endpoint = post->endpoint;
    if (endpoint == nullptr) {
        out.result.what = "the endpoint \"" + post->endpoint + "\" is not configured any more";
        return out;
    }
    out.result.outcome = ReadmitResult::Outcome::still_refused;
    auto type = media_type_of(post->raw_type);
    if (!type.kind) {
        out.result.errors.push_back({"", "media_type", "a kind of body that is not taken"});
        return out;
    }
    auto read = examination.read(*endpoint, type, post->raw);
    if (!read.ok()) {
        out.result.errors.push_back({"", std::string(read.error().code), read.error().detail});
        return out;
    }
    record::EnvelopeWriter writer(out.envelope, post->id, endpoint->spec.name, post->received_at);
    for (auto& error : examination.check_and_write(writer))
        out.result.errors.push_back({error.field, std::string(error.code), error.detail});
    if (!out.result.errors.empty()) return out;
    std::vector<std::string> flags = examination.flags();
    flags.emplace_back("readmitted");
    auto& value = examination.value().empty() ? endpoint->spec.value : examination.value();
    writer.finish({post->raw_type, post->raw, json::is_utf8(post->raw), flags, post->client_ip, value, endpoint->spec.currency});
    out.queue = endpoint->spec.queue;
    out.form = endpoint->spec.body;
    out.result.outcome = ReadmitResult::Outcome::would_pass;
    return out;
}

ReadmitResult Intake::check_again(std::string_view quarantined_body) { return state_->recheck(quarantined_body).result; }

void Intake::readmit(std::string_view quarantined_body, UniqueFunction<void(ReadmitResult)> done) {
    auto checked = state_->recheck(quarantined_body);
    if (checked.result.outcome != ReadmitResult::Outcome::would_pass) return done(std::move(checked.result));
    broker::Send send;
    send.queue = checked.queue;
    send.message.body = record::in_form(std::move(checked.envelope), checked.form);
    send.message.attributes.push_back({"record-id", "String", to_text(checked.id)});
    send.message.is_record = true;
    send.once = identity_with_key("readmit", checked.result.endpoint, to_text(checked.id), {}).once;
    send.once->record = checked.id;
    auto in_force = state_->rules();
    send.answer = [result = std::move(checked.result), done = std::move(done),
                   in_force = std::move(in_force)](Result<broker::Sent, broker::Refusal> sent) mutable {
        result.outcome = sent.ok() ? ReadmitResult::Outcome::readmitted : ReadmitResult::Outcome::not_sent;
        if (!sent.ok()) result.what = sentence(sent.error());
        if (auto* endpoint = in_force->named(result.endpoint); sent.ok() && !sent->duplicate && endpoint != nullptr)
            endpoint->counters.accepted.add();
        done(std::move(result));
    };
    state_->sender.send(std::move(send));
}

}  // namespace forebay::intake
