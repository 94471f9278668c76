#include "admin/erase.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "base/digest.h"
#include "base/log_line.h"
#include "broker/log_record.h"
#include "http/message.h"
#include "journal/rewrite.h"
#include "record/erased.h"

namespace forebay::admin {
namespace {

constexpr std::size_t ids_max = 1000;
/// How our own writers begin every body that they do not pack.
constexpr std::string_view own_beginning = "{\"v\":1,\"id\":\"";
constexpr std::size_t uuid_characters = 36;

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

/// The record that a body is of; a body that is no record has none.
std::optional<Uuid> record_of(std::string_view body, const Uuid& message_id, Timestamp sent_at) {
    if (body.starts_with(own_beginning)) return parse_uuid(body.substr(own_beginning.size(), uuid_characters));
    auto envelope = record::decode(body, message_id, sent_at);
    return envelope.ok() ? std::optional(envelope->id) : std::nullopt;
}

bool says(const json::Value& value, const std::string& wanted) {
    if (lower(value.text()) == wanted) return true;
    for (const auto& element : value.elements())
        if (says(element, wanted)) return true;
    for (const auto& [name, member] : value.members())
        if (says(member, wanted)) return true;
    return false;
}

/// A refused body has no fields: it is looked through as it was posted.
bool says_refused(std::string_view body, const std::string& wanted) {
    auto refused = json::parse(body);
    if (!refused.ok() || (*refused)["status"].is_null()) return false;
    const auto& encoded = (*refused)["raw_base64"].text();
    auto raw = encoded.empty() ? (*refused)["raw"].text() : from_base64(encoded).value_or("");
    return lower(http::percent_decode(raw, true)).find(wanted) != std::string::npos;
}

json::Value to_json(const broker::Erased& erased) {
    return json::Value()
        .set("messages", erased.messages)
        .set("messages_left", erased.messages_left)
        .set("bodies", erased.bodies)
        .set("bodies_left", erased.bodies_left)
        .set("segments", erased.segments);
}

}  // namespace

http::Response find_to_erase(disk::Disk& disk, const Call& call) {
    auto wanted = lower(call.body["text"].text());
    if (wanted.size() < 3) return bad_request("\"text\" must be at least 3 characters.");
    std::set<Uuid> ids;
    auto visited = journal::visit_everything(disk, [&](const journal::Entry& entry) {
        auto message = broker::message_of(entry.type, entry.flags, entry.body);
        if (!message) return true;
        auto envelope = record::decode(message->body, message->id, message->sent_at);
        if (envelope.ok() ? says(envelope->fields, wanted) : says_refused(message->body, wanted))
            if (auto id = record_of(message->body, message->id, message->sent_at)) ids.insert(*id);
        return ids.size() < ids_max;
    });
    if (!visited.ok()) return bad_request("The log cannot be read: " + visited.error().text() + ".");
    json::Value found = json::Value::array();
    for (const auto& id : ids) found.push(to_text(id));
    return json_response(json::Value().set("ids", std::move(found)).set("more", ids.size() >= ids_max));
}

http::Response erase_records(disk::Disk& disk, broker::Commands& commands, broker::LogKeeper& log, const Call& call) {
    if (call.body["reason"].text().empty()) return bad_request("Erasing needs a \"reason\".");
    const auto& given = call.body["ids"].elements();
    if (given.empty() || given.size() > ids_max) return bad_request("\"ids\" must be 1 to 1000 ids.");
    std::set<Uuid> ids;
    for (const auto& text : given) {
        auto id = parse_uuid(text.text());
        if (!id) return bad_request("\"" + text.text() + "\" is not an id (36 characters).");
        ids.insert(*id);
    }
    broker::IsWanted is_wanted = [&](std::string_view body, const Uuid& message_id, Timestamp sent_at) {
        auto id = record_of(body, message_id, sent_at);
        return id && ids.contains(*id);
    };
    broker::Blank blank = [](std::string_view body, const Uuid& message_id, Timestamp sent_at) {
        return record::erased_body(body, message_id, sent_at);
    };
    auto erased = broker::erase(disk, commands, log, is_wanted, blank);
    if (!erased.ok()) return http::problem(503, "not_erased", "Not everything is erased: " + erased.error() + ". Try again.");
    // Which they were is no more than what the log says of them anyway.
    for (const auto& id : ids) log_warn("record.erased").with("id", to_text(id)).with("reason", call.body["reason"].text());
    return json_response(to_json(*erased));
}

}  // namespace forebay::admin
