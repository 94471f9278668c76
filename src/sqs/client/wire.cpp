#include "sqs/client/wire.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/digest.h"
#include "sqs/message_attributes.h"

namespace forebay::sqs::client {
namespace {

bool is_binary(std::string_view type) { return type == "Binary" || type.starts_with("Binary."); }

MessageAttributes attributes_of(const json::Value& message) {
    MessageAttributes out;
    for (auto& [name, value] : message["MessageAttributes"].members()) {
        auto& type = value["DataType"].text();
        auto bytes = is_binary(type) ? from_base64(value["BinaryValue"].text()) : std::optional(value["StringValue"].text());
        out.push_back({name, type, std::move(bytes).value_or("")});
    }
    return out;
}

bool is_digest_of(const json::Value& said, std::string_view body) { return said.text() == to_hex(md5(body)); }
bool is_digest_of(const json::Value& said, const MessageAttributes& attributes) { return said.text() == md5_of(attributes).value_or(""); }

}  // namespace

std::int64_t ReceivedMessage::number(std::string_view name) const {
    auto found = system_attributes.find(name);
    std::int64_t n = 0;
    if (found != system_attributes.end()) std::from_chars(found->second.data(), found->second.data() + found->second.size(), n);
    return n;
}

json::Value entry_of(const queue::OutgoingMessage& message) {
    auto out = json::Value::object();
    out.set("MessageBody", message.body);
    if (!message.attributes.empty()) out.set("MessageAttributes", to_json(message.attributes));
    if (!message.system_attributes.empty()) out.set("MessageSystemAttributes", to_json(message.system_attributes));
    if (message.delay) out.set("DelaySeconds", seconds_rounded_up(*message.delay));
    if (!message.group.empty()) out.set("MessageGroupId", message.group);
    if (!message.deduplication.empty()) out.set("MessageDeduplicationId", message.deduplication);
    return out;
}

std::uint64_t bytes_of(const queue::OutgoingMessage& message) { return message.body.size() + sqs::bytes_of(message.attributes); }

Result<void, std::string> check_digests(const queue::OutgoingMessage& sent, const json::Value& entry) {
    if (!is_digest_of(entry["MD5OfMessageBody"], sent.body)) return Failure{std::string("its body did not arrive as it was sent")};
    if (!is_digest_of(entry["MD5OfMessageAttributes"], sent.attributes) ||
        !is_digest_of(entry["MD5OfMessageSystemAttributes"], sent.system_attributes))
        return Failure{std::string("its attributes did not arrive as they were sent")};
    return {};
}

Result<ReceivedMessage, std::string> message_of(const json::Value& message) {
    ReceivedMessage out;
    for (auto& [name, value] : message["Attributes"].members()) out.system_attributes.emplace(name, value.text());
    out.attributes = attributes_of(message);
    out.message_id = message["MessageId"].text();
    out.handle = message["ReceiptHandle"].text();
    out.body = message["Body"].text();
    if (!is_digest_of(message["MD5OfBody"], out.body)) return Failure{"message " + out.message_id + ": its body is not what its MD5 says"};
    if (!is_digest_of(message["MD5OfMessageAttributes"], out.attributes))
        return Failure{"message " + out.message_id + ": its attributes are not what their MD5 says"};
    return out;
}

std::int64_t seconds_rounded_up(Duration d) { return std::chrono::ceil<std::chrono::seconds>(std::max(d, Duration(0))).count(); }

}  // namespace forebay::sqs::client
