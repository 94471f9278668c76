#include "intake/quarantine.h"

#include "base/digest.h"
#include "base/json.h"
#include "base/log_line.h"
#include "record/text.h"

namespace forebay::intake {
namespace {

constexpr int quarantine_version = 1;

void member(std::string& out, std::string_view name, std::string_view text) {
    out.append(",\"").append(name).append("\":");
    record::append_json_string(out, text);
}

}  // namespace

std::string to_json(const Quarantined& post) {
    std::string out = "{\"v\":1";
    member(out, "id", to_text(post.id));
    member(out, "endpoint", post.endpoint);
    member(out, "received_at", to_rfc3339(post.received_at));
    out.append(",\"status\":").append(std::to_string(post.status));
    member(out, "code", post.code);
    out += ",\"errors\":[";
    for (auto& error : post.errors) {
        out += out.back() == '[' ? "{\"field\":" : ",{\"field\":";
        record::append_json_string(out, error.field);
        member(out, "code", error.code);
        member(out, "detail", error.detail);
        out += '}';
    }
    out += ']';
    member(out, "raw_type", post.raw_type);
    if (json::is_utf8(post.raw))
        member(out, "raw", post.raw);
    else
        member(out, "raw_base64", to_base64(post.raw));
    member(out, "ip", post.client_ip);
    member(out, "key", post.key);
    if (!post.source.empty()) member(out, "source", post.source);
    return out += '}';
}

Result<Quarantined, std::string> quarantined_of(std::string_view text) {
    auto parsed = json::parse(text);
    if (!parsed.ok()) return Failure{"not JSON: " + parsed.error().what};
    auto& object = *parsed;
    auto id = parse_uuid(object["id"].text());
    auto received_at = parse_timestamp(object["received_at"].text());
    if (object["v"].integer() != quarantine_version || !id || !received_at || !object["endpoint"].is_string())
        return Failure{std::string("not a refused post: v, id, endpoint or received_at is missing")};
    Quarantined post{*id,
                     object["endpoint"].text(),
                     *received_at,
                     static_cast<unsigned>(object["status"].integer().value_or(0)),
                     object["code"].text(),
                     {},
                     object["raw_type"].text(),
                     object["raw"].text(),
                     object["ip"].text(),
                     object["key"].text(),
                     object["source"].text()};
    if (auto* encoded = object.find("raw_base64"); encoded != nullptr) {
        auto raw = from_base64(encoded->text());
        if (!raw) return Failure{std::string("not a refused post: raw_base64 is damaged")};
        post.raw = std::move(*raw);
    }
    return post;
}

bool QuarantineGate::admit(std::uint64_t bytes) {
    auto before = bytes_.fetch_add(bytes);
    auto after = before + bytes;
    if (after > bytes_max_) {
        bytes_.fetch_sub(bytes);
        return false;
    }
    if (after > bytes_max_ / 5 * 4 && !warned_.exchange(true)) log_warn("quarantine.filling").with("bytes", after).with("max", bytes_max_);
    return true;
}

void QuarantineGate::set_bytes(std::uint64_t bytes) {
    bytes_ = bytes;
    if (bytes < bytes_max_ / 5 * 4) warned_ = false;
}

}  // namespace forebay::intake
