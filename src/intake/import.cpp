// The way of a row: checked as a post of JSON would be, and queued under an id made of where it stands and what it says, so
// that a file that is imported again adds only what is not there.

#include "base/digest.h"
#include "intake/state.h"

namespace forebay::intake {
namespace {

constexpr std::string_view row_type = "application/json";

/// The row's place is in the key, so that equal rows of one file are records of their own; what it says too, so that a mended row
/// is another one.
Identity identity_of_row(std::string_view endpoint, const RowPlace& place, std::string_view says) {
    auto key = place.source + ":" + std::to_string(place.line) + ":" + to_hex(sha256(says));
    return identity_with_key("import", endpoint, key, says);
}

std::string text_of(const RowPlace& place) { return place.source + ":" + std::to_string(place.line); }

std::string why_not_sent(broker::Refusal why) {
    switch (why) {
        case broker::Refusal::no_such_queue:
            return "the endpoint's queue does not exist";
        case broker::Refusal::no_room:
            return "the disk is full";
        case broker::Refusal::stopping:
            return "the node is stopping";
        default:
            return "the queue is not taking anything just now";
    }
}

RowResult refused_as(std::string field, std::string code, std::string detail) {
    RowResult result;
    result.outcome = RowResult::Outcome::refused;
    result.errors.push_back({std::move(field), std::move(code), std::move(detail)});
    return result;
}

RowResult no_such_endpoint(std::string_view name) {
    RowResult result;
    result.what = "there is no endpoint \"" + std::string(name) + "\"";
    return result;
}

Quarantined refused_row(const Endpoint& endpoint, const RowPlace& place, Timestamp at, std::string_view raw_type, std::string raw,
                        const RowResult& result) {
    Quarantined post;
    post.id = result.id;
    post.endpoint = endpoint.name;
    post.received_at = at;
    post.status = result.errors.size() == 1 && result.errors[0].field.empty() ? 400 : 422;
    post.code = post.status == 400 ? result.errors[0].code : "validation";
    post.raw_type = raw_type;
    post.raw = std::move(raw);
    post.key = "import";
    post.source = text_of(place);
    return post;
}

/// What the queue said of a row that passed.
RowResult outcome_of(RowResult result, const Endpoint& endpoint, const Result<broker::Sent, broker::Refusal>& sent) {
    using Outcome = RowResult::Outcome;
    if (!sent.ok()) {
        if (sent.error() == broker::Refusal::message_too_long) {
            auto refused = refused_as("", "too_large", "the record would be larger than the queue takes");
            refused.id = result.id;
            return refused;
        }
        result.outcome = Outcome::not_sent;
        result.what = why_not_sent(sent.error());
        return result;
    }
    result.outcome = sent->duplicate ? Outcome::already_in : Outcome::accepted;
    if (sent->duplicate || !sent->is_another || endpoint.idempotency.content.action == Another::flag) return result;
    if (endpoint.idempotency.content.action == Another::merge) {
        result.outcome = Outcome::merged;
        return result;
    }
    auto refused = refused_as("", "same_content", "the same submission was accepted before");
    refused.id = result.id;
    return refused;
}

}  // namespace

std::optional<broker::AboutKey> about_of(const Endpoint& endpoint, const Examination& examination, const Uuid& id,
                                         const record::EnvelopeWriter& writer, record::EnvelopeEnd end) {
    if (examination.content().empty()) return std::nullopt;
    auto about = about_key(endpoint.name, examination.content(), id);
    about.window = endpoint.idempotency.content.window;
    about.refuse = endpoint.idempotency.content.action != Another::flag;
    if (about.refuse) return about;
    std::vector<std::string> flags(end.flags.begin(), end.flags.end());
    flags.emplace_back("same_content");
    end.flags = flags;
    writer.copy(about.another).finish(end);
    if (endpoint.body != record::BodyForm::json) about.another = record::in_form(std::move(about.another), endpoint.body);
    return about;
}

Intake::State::ImportedRow Intake::State::examine_row(const Rules& in_force, std::string_view name, const RowPlace& place,
                                                      std::string_view json) {
    thread_local Examination examination;
    ImportedRow row;
    row.endpoint = in_force.named(name);
    row.result = no_such_endpoint(name);
    if (row.endpoint == nullptr) return row;
    auto& spec = row.endpoint->spec;
    auto at = wall();
    auto read = examination.read(*row.endpoint, media_type_of(row_type), json);
    if (!read.ok()) {
        row.result = refused_as("", std::string(read.error().code), read.error().detail);
        row.result.id = identity_of_row(spec.name, place, json).id;
        row.if_refused = refused_row(spec, place, at, row_type, std::string(json), row.result);
        return row;
    }
    auto identity = identity_of_row(spec.name, place, json);
    row.result = {};
    row.result.id = identity.id;
    std::string envelope;
    envelope.reserve(json.size() * 2 + json.size() / 4 + 512);
    record::EnvelopeWriter writer(envelope, identity.id, spec.name, at);
    for (auto& error : examination.check_and_write(writer))
        row.result.errors.push_back({error.field, std::string(error.code), error.detail});
    if (!row.result.errors.empty()) {
        row.result.outcome = RowResult::Outcome::refused;
        row.if_refused = refused_row(spec, place, at, row_type, std::string(json), row.result);
        return row;
    }
    auto flags = examination.flags();
    flags.emplace_back("imported");
    auto& value = examination.value().empty() ? spec.value : examination.value();
    record::EnvelopeEnd end{row_type, json, true, flags, {}, value, spec.currency};
    broker::Send send;
    send.about = about_of(spec, examination, identity.id, writer, end);
    writer.finish(end);
    if (send.about && spec.idempotency.content.action == Another::refuse)
        row.if_refused =
            refused_row(spec, place, at, row_type, std::string(json), refused_as("", "same_content", "the same was accepted before"));
    if (row.if_refused) row.if_refused->id = identity.id;
    send.queue = spec.queue;
    send.message.body = spec.body == record::BodyForm::json ? std::move(envelope) : record::in_form(std::move(envelope), spec.body);
    send.message.attributes.push_back({"record-id", "String", to_text(identity.id)});
    send.message.is_record = true;
    send.once = identity.once;
    send.once->window = spec.idempotency.window;
    row.send = std::move(send);
    row.result.outcome = RowResult::Outcome::would_pass;
    return row;
}

void Intake::State::keep_row(const PreparedEndpoint& endpoint, Quarantined post, RowResult result, UniqueFunction<void(RowResult)> done) {
    for (const auto& error : result.errors) {
        endpoint.counters.count_refused(error.code);
        post.errors.push_back({error.field, error.code, error.detail});  // their codes are views into `result`
    }
    auto message = to_json(post);
    post.errors.clear();
    if (endpoint.spec.on_reject == OnReject::discard || !gate.admit(message.size())) return done(std::move(result));
    send_to_quarantine(post, std::move(message), [result = std::move(result), done = std::move(done)](bool kept) mutable {
        result.kept = kept;
        done(std::move(result));
    });
}

RowResult Intake::check_row(std::string_view endpoint, const RowPlace& place, std::string_view json) {
    auto in_force = state_->rules();
    auto row = state_->examine_row(*in_force, endpoint, place, json);
    if (row.result.outcome != RowResult::Outcome::would_pass) return std::move(row.result);
    if (auto envelope = record::decode(row.send->message.body, row.result.id, Timestamp{}); envelope.ok())
        for (const auto& [name, value] : envelope->fields.members()) row.result.filled.push_back(name);
    return std::move(row.result);
}

void Intake::import_row(std::string_view endpoint, const RowPlace& place, std::string_view json, UniqueFunction<void(RowResult)> done) {
    auto in_force = state_->rules();
    auto row = state_->examine_row(*in_force, endpoint, place, json);
    if (row.endpoint == nullptr) return done(std::move(row.result));
    if (!row.send) return state_->keep_row(*row.endpoint, std::move(*row.if_refused), std::move(row.result), std::move(done));
    auto* state = state_.get();
    auto send = std::move(*row.send);
    send.answer = [state, in_force, prepared = row.endpoint, result = std::move(row.result), kept = std::move(row.if_refused),
                   done = std::move(done)](Result<broker::Sent, broker::Refusal> sent) mutable {
        auto outcome = outcome_of(std::move(result), prepared->spec, sent);
        if (outcome.outcome == RowResult::Outcome::accepted) prepared->counters.accepted.add();
        if (outcome.outcome == RowResult::Outcome::already_in) prepared->counters.duplicate.add();
        if (sent.ok() && sent->is_another) prepared->counters.same_content.add();
        if (outcome.outcome == RowResult::Outcome::refused && kept)
            return state->keep_row(*prepared, std::move(*kept), std::move(outcome), std::move(done));
        done(std::move(outcome));
    };
    state_->sender.send(std::move(send));
}

void Intake::quarantine_row(std::string_view endpoint, const RowPlace& place, BadRow row, UniqueFunction<void(RowResult)> done) {
    auto in_force = state_->rules();
    auto* prepared = in_force->named(endpoint);
    if (prepared == nullptr) return done(no_such_endpoint(endpoint));
    auto result = refused_as("", std::move(row.code), std::move(row.detail));
    result.id = identity_of_row(endpoint, place, row.raw).id;
    auto post = refused_row(prepared->spec, place, state_->wall(), row.raw_type, std::move(row.raw), result);
    state_->keep_row(*prepared, std::move(post), std::move(result), std::move(done));
}

std::vector<Endpoint> Intake::endpoints() const {
    std::vector<Endpoint> out;
    for (const auto& endpoint : state_->rules()->all()) out.push_back(endpoint->spec);
    return out;
}

}  // namespace forebay::intake
