#include "admin/dead_edit.h"

#include "base/log_line.h"
#include "record/text.h"

namespace forebay::admin {
namespace {

/// All letters of one record; those of one effect if it is said which.
Result<std::vector<DeadLetter>, broker::Refusal> letters_of(broker::Commands& commands, const Routes& routes, const std::string& id,
                                                            const std::string& effect) {
    DeadFilter filter;
    filter.ids.insert(id);
    filter.effect = effect;
    std::vector<DeadLetter> letters;
    TRY(each_dead_letter(commands, routes(), filter, {}, [&](DeadLetter& letter) {
        letters.push_back(std::move(letter));
        return true;
    }));
    return letters;
}

/// Why these letters cannot be edited as one; nothing if they can.
std::optional<http::Response> refuse(const std::vector<DeadLetter>& letters) {
    if (letters.empty()) return http::problem(404, "not_dead", "No dead letter has this id: see forebay dead ls.");
    for (const auto& letter : letters)
        if (letter.effect != letters[0].effect)
            return http::problem(409, "several_effects",
                                 "The record is dead for " + letters[0].effect + " and for " + letter.effect + ": say which effect.");
    if (!letters[0].record) return http::problem(409, "no_record", "Its body is no record, so it has no fields to change.");
    if (!letters[0].route)
        return http::problem(409, "no_worker", "There is no worker \"" + letters[0].effect + "\" any more that could run it.");
    return std::nullopt;
}

/// A field without a rule keeps the kind it had.
json::Value value_like(const json::Value& before, const json::Value& given) {
    const auto& text = given.text();
    if (before.is_number() && record::is_json_number(text)) return json::Value::number(text);
    if (before.is_bool() && (text == "true" || text == "false")) return json::Value(text == "true");
    return given;
}

struct Edit {
    json::Value fields;
    std::vector<std::string> changed;
};

Edit apply(const json::Value& before, const json::Value& set) {
    Edit edit{json::Value::object(), {}};
    for (const auto& [name, value] : before.members()) {
        const auto* given = set.find(name);
        if (given == nullptr)
            edit.fields.set(name, value);
        else if (!given->is_null())
            edit.fields.set(name, value_like(value, *given));
    }
    for (const auto& [name, given] : set.members()) {
        if (before.find(name) == nullptr && !given.is_null()) edit.fields.set(name, given);
        edit.changed.push_back(name);
    }
    return edit;
}

/// What each changed field is in `fields`, null where there is none.
json::Value only(const std::vector<std::string>& names, const json::Value& fields) {
    auto out = json::Value::object();
    for (const auto& name : names) out.set(name, fields[name]);
    return out;
}

http::Response refuse_fields(const std::vector<intake::ReadmitResult::Error>& errors) {
    std::string detail;
    for (const auto& error : errors)
        detail += (detail.empty() ? "" : "; ") + (error.field.empty() ? "" : error.field + ": ") + error.code + ", " + error.detail;
    return http::problem(422, "validation", "The rules of the endpoint refuse this: " + detail + ". Nothing was changed.");
}

/// First the new message, then the letters away: after a crash between the two the record is run, and its letters still lie there.
std::optional<broker::Refusal> send_instead_of(broker::Commands& commands, const std::vector<DeadLetter>& letters,
                                               const record::Envelope& record) {
    broker::Send send;
    send.queue = letters[0].route->queue;
    send.message.body = record::encode(record, record::form_of(letters[0].item.message.body));
    send.message.attributes.push_back({"record-id", "String", to_text(record.id)});
    auto sent = broker::ask(commands, std::move(send));
    if (!sent.ok()) return sent.error();
    for (const auto& letter : letters) {
        broker::Delete gone;
        gone.queue = letter.queue;
        gone.receipts.push_back(letter.item.message.receipt);
        auto answer = broker::ask(commands, std::move(gone));
        if (!answer.ok()) return answer.error();
    }
    return std::nullopt;
}

}  // namespace

http::Response edit_dead(broker::Commands& commands, const Routes& routes, intake::Intake& intake, Clock& clock, const Call& call) {
    const auto& set = call.body["set"];
    const auto& reason = call.body["reason"].text();
    bool dry_run = call.body["dry_run"].boolean();
    if (!set.is_object() || set.members().empty()) return bad_request("\"set\" must name the fields to change.");
    if (!dry_run && reason.empty()) return bad_request("This needs a \"reason\".");
    auto letters = letters_of(commands, routes, call.body["id"].text(), call.body["effect"].text());
    if (!letters.ok()) return refused(letters.error(), "");
    if (auto refusal = refuse(*letters)) return std::move(*refusal);
    auto record = *letters->back().record;  // the newest, if it lies there twice
    auto edit = apply(record.fields, set);
    auto was = only(edit.changed, record.fields);
    if (!record.endpoint.empty()) {
        auto checked = intake.check_edit(record.endpoint, edit.fields, edit.changed);
        if (!checked.errors.empty()) return refuse_fields(checked.errors);
        edit.fields = std::move(checked.fields);
        if (!checked.value.empty()) record.value = checked.value;
    }
    auto now = only(edit.changed, edit.fields);
    if (now == was) return bad_request("The fields are like that already.");
    record.fields = std::move(edit.fields);
    record.discard.clear();
    record.edited.push(json::Value().set("at", to_rfc3339(clock.wall())).set("reason", reason).set("was", was));
    json::Value out;
    out.set("id", to_text(record.id)).set("effect", letters->front().effect).set("was", std::move(was)).set("now", std::move(now));
    out.set("endpoint", record.endpoint).set("dry_run", dry_run);
    if (dry_run) return json_response(out);
    if (auto refusal = send_instead_of(commands, *letters, record)) return refused(*refusal, letters->front().route->queue);
    LogLine line(LogLevel::warn, "dead.edited");
    line.with("id", to_text(record.id)).with("effect", letters->front().effect).with("reason", reason);
    for (const auto& name : edit.changed) line.with("field", name);
    return json_response(out);
}

}  // namespace forebay::admin
