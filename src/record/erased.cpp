#include "record/erased.h"

#include <algorithm>

#include "base/crc32c.h"
#include "base/crc32c_same.h"
#include "record/text.h"

namespace forebay::record {
namespace {

constexpr std::string_view erased = "erased";

/// Who the record was. Of a refused post, which is no envelope, its own members say it.
std::optional<Envelope> identity_of(std::string_view body, const Uuid& message_id, Timestamp sent_at) {
    if (auto envelope = decode(body, message_id, sent_at); envelope.ok()) return std::move(*envelope);
    auto refused = json::parse(body);
    if (!refused.ok()) return std::nullopt;
    auto id = parse_uuid((*refused)["id"].text());
    auto at = parse_timestamp((*refused)["received_at"].text());
    if (!id || !at) return std::nullopt;
    Envelope envelope;
    envelope.id = *id;
    envelope.endpoint = (*refused)["endpoint"].text();
    envelope.received_at = *at;
    return envelope;
}

/// Everything before the filler.
std::string beginning_of(const Envelope& envelope) {
    std::string out = "{\"v\":1,\"id\":\"" + to_text(envelope.id) + "\",\"endpoint\":";
    append_json_string(out, envelope.endpoint);
    out += ",\"received_at\":\"";
    append_timestamp(out, envelope.received_at);
    return out + "\",\"fields\":{},\"flags\":[\"erased\"],\"erased\":\"";
}

constexpr std::string_view shortest_beginning = "{\"erased\":\"", end = "\"}";

}  // namespace

std::optional<std::string> erased_body(std::string_view body, const Uuid& message_id, Timestamp sent_at) {
    std::string out;
    if (auto envelope = identity_of(body, message_id, sent_at)) out = beginning_of(*envelope);
    if (out.empty() || out.size() + filler_bytes_min + end.size() > body.size()) out = shortest_beginning;
    if (out.size() + filler_bytes_min + end.size() > body.size()) return std::nullopt;
    auto at = out.size();
    auto count = body.size() - at - end.size();
    out.append(count, filler_byte).append(end);
    if (!choose_filler(out, at, count, crc32c(body))) return std::nullopt;
    return out;
}

bool is_erased(const Envelope& envelope) {
    if (std::find(envelope.flags.begin(), envelope.flags.end(), erased) != envelope.flags.end()) return true;
    const auto& members = envelope.fields.members();
    if (!envelope.endpoint.empty() || members.size() != 1 || members[0].first != erased) return false;
    const auto& filler = members[0].second.text();
    return filler.size() >= filler_bytes_min && std::all_of(filler.begin(), filler.end(), [](char c) { return (c & 0xf0) == filler_byte; });
}

}  // namespace forebay::record
