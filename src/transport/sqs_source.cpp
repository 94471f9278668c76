#include "transport/sqs_source.h"

#include <algorithm>
#include <charconv>
#include <thread>

#include "base/digest.h"
#include "queue/limits.h"

namespace forebay::transport {
namespace {

namespace limits = queue::limits;
using Kind = SourceError::Kind;

constexpr std::size_t answer_bytes_max = 64_MiB;  // ten bodies of 1 MiB, each byte escaped to six
constexpr unsigned server_error = 500, service_unavailable = 503;

std::int64_t rounded_up_seconds(Duration d) { return std::chrono::ceil<std::chrono::seconds>(std::max(d, Duration(0))).count(); }
std::int64_t whole_seconds(Duration d) {
    return std::chrono::floor<std::chrono::seconds>(std::clamp(d, Duration(0), limits::wait_max)).count();
}

json::Value list_of(std::initializer_list<const char*> texts) {
    auto out = json::Value::array();
    for (auto* text : texts) out.push(text);
    return out;
}

bool is_binary(std::string_view type) { return type == "Binary" || type.starts_with("Binary."); }

json::Value attributes_to_json(const std::vector<queue::MessageAttribute>& attributes) {
    auto out = json::Value::object();
    for (auto& attribute : attributes) {
        auto value = json::Value::object();
        value.set("DataType", attribute.type);
        if (is_binary(attribute.type))
            value.set("BinaryValue", to_base64(attribute.value));
        else
            value.set("StringValue", attribute.value);
        out.set(attribute.name, std::move(value));
    }
    return out;
}

std::vector<queue::MessageAttribute> attributes_of(const json::Value& message) {
    std::vector<queue::MessageAttribute> out;
    for (auto& [name, value] : message["MessageAttributes"].members()) {
        auto& type = value["DataType"].text();
        auto bytes = is_binary(type) ? from_base64(value["BinaryValue"].text()) : std::optional(value["StringValue"].text());
        out.push_back({name, type, std::move(bytes).value_or("")});
    }
    return out;
}

/// SQS gives numbers as texts.
std::int64_t number_in(const json::Value& attributes, std::string_view name) {
    auto& text = attributes[name].text();
    std::int64_t n = 0;
    std::from_chars(text.data(), text.data() + text.size(), n);
    return n;
}

std::string take(json::Value& object, std::string_view name) {
    for (auto& [key, value] : object.members())
        if (key == name) return value.take_text();
    return {};
}

Received received_of(json::Value& message) {
    Received out;
    auto& attributes = message["Attributes"];
    out.sent_at.ms = number_in(attributes, "SentTimestamp");
    out.first_received_at.ms = number_in(attributes, "ApproximateFirstReceiveTimestamp");
    out.receive_count = static_cast<std::uint32_t>(number_in(attributes, "ApproximateReceiveCount"));
    out.attempts = static_cast<std::uint32_t>(number_in(attributes, "ForebayAttempts"));
    out.attributes = attributes_of(message);
    out.message_id = take(message, "MessageId");
    out.handle = take(message, "ReceiptHandle");
    out.body = take(message, "Body");
    return out;
}

/// "QueueDoesNotExist: The specified queue does not exist." of an error's answer, or its status when it is no such.
std::string said(const http::ClientResponse& response) {
    auto body = json::parse(response.body);
    if (!body.ok() || !(*body)["__type"].is_string()) return "HTTP " + std::to_string(response.status);
    auto& type = (*body)["__type"].text();
    return type.substr(type.find('#') + 1) + ": " + (*body)["message"].text();
}

std::size_t bytes_of(const OutgoingBody& message) {
    std::size_t sum = message.body.size();
    for (auto& attribute : message.attributes) sum += attribute.name.size() + attribute.type.size() + attribute.value.size();
    return sum;
}

json::Value entry_of(const OutgoingBody& message) {
    auto out = json::Value::object();
    out.set("MessageBody", message.body);
    if (!message.attributes.empty()) out.set("MessageAttributes", attributes_to_json(message.attributes));
    if (message.delay) out.set("DelaySeconds", rounded_up_seconds(*message.delay));
    return out;
}

std::size_t index_of(const json::Value& failed, std::size_t count) {
    auto& id = failed["Id"].text();
    std::size_t n = count;
    std::from_chars(id.data(), id.data() + id.size(), n);
    return n;
}

}  // namespace

SourceError SqsSource::error(Kind kind, std::string_view action, const std::string& queue, std::string_view why) const {
    return {kind, "queue " + queue + " at " + options_.endpoint_url + ": " + std::string(action) + ": " + std::string(why)};
}

void SqsSource::pause_after(unsigned attempt) const { std::this_thread::sleep_for(options_.pause * (1u << std::min(attempt - 1, 6u))); }

Result<json::Value, SqsSource::NotDone> SqsSource::call_once(std::string_view action, const std::string& queue,
                                                             const http::ClientRequest& request) {
    auto response = client_.send(request);
    if (!response.ok()) return Failure{NotDone{error(Kind::unreachable, action, queue, response.error().detail)}};
    if (response->status != 200) {
        auto kind = response->status >= server_error ? Kind::unreachable : Kind::refused;
        return Failure{NotDone{error(kind, action, queue, said(*response)), response->status == service_unavailable}};
    }
    if (response->body.empty()) return json::Value::object();
    auto parsed = json::parse(response->body);
    if (!parsed.ok()) return Failure{NotDone{error(Kind::unreachable, action, queue, "the answer is no JSON: " + parsed.error().what)}};
    return std::move(*parsed);
}

Result<json::Value, SourceError> SqsSource::call(std::string_view action, const std::string& queue, json::Value members, Headers headers,
                                                 Duration wait) {
    members.set("QueueUrl", options_.endpoint_url + "/" + options_.account + "/" + queue);
    http::ClientRequest request;
    request.method = "POST";
    request.url = options_.endpoint_url;
    request.headers = std::move(headers);
    request.headers.emplace_back("Content-Type", "application/x-amz-json-1.0");
    request.headers.emplace_back("X-Amz-Target", "AmazonSQS." + std::string(action));
    request.body = json::to_text(members);
    request.connect_deadline = options_.connect_deadline;
    request.total_deadline = options_.answer_deadline + wait;
    request.response_bytes_max = answer_bytes_max;
    for (unsigned attempt = 1;; ++attempt) {
        auto answer = call_once(action, queue, request);
        if (answer.ok()) return std::move(*answer);
        if (!answer.error().is_busy || attempt >= options_.tries) return Failure{answer.error().error};
        pause_after(attempt);
    }
}

Result<void, SourceError> SqsSource::call_batch(std::string_view action, const std::string& queue, std::vector<json::Value> entries) {
    for (unsigned attempt = 1;; ++attempt) {
        auto list = json::Value::array();
        for (std::size_t i = 0; i < entries.size(); ++i) {
            entries[i].set("Id", std::to_string(i));
            list.push(entries[i]);
        }
        auto members = json::Value::object();
        members.set("Entries", std::move(list));
        TRY_ASSIGN(auto answer, call(action, queue, std::move(members)));
        auto& failed = answer["Failed"].elements();
        if (failed.empty()) return {};
        std::vector<json::Value> again;
        for (auto& one : failed) {
            auto index = index_of(one, entries.size());
            bool hopeless = one["SenderFault"].boolean() || index >= entries.size();
            if (hopeless || attempt >= options_.tries)
                return Failure{
                    error(hopeless ? Kind::refused : Kind::unreachable, action, queue, one["Code"].text() + ": " + one["Message"].text())};
            again.push_back(std::move(entries[index]));
        }
        entries = std::move(again);
        pause_after(attempt);
    }
}

Result<std::vector<Received>, SourceError> SqsSource::receive(const std::string& queue, unsigned max, Duration wait,
                                                              std::optional<Duration> visibility) {
    auto members = json::Value::object();
    members.set("MaxNumberOfMessages", std::clamp(max, 1u, limits::receive_max));
    members.set("WaitTimeSeconds", whole_seconds(wait));
    if (visibility) members.set("VisibilityTimeout", rounded_up_seconds(*visibility));
    auto names = list_of({"SentTimestamp", "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp"});
    if (options_.is_forebay) names.push("ForebayAttempts");
    members.set("AttributeNames", std::move(names));
    members.set("MessageAttributeNames", list_of({"All"}));
    TRY_ASSIGN(auto answer, call("ReceiveMessage", queue, std::move(members), {}, wait));
    std::vector<Received> out;
    for (auto& [name, value] : answer.members())
        if (name == "Messages")
            for (auto& message : value.elements()) out.push_back(received_of(message));
    return out;
}

Result<void, SourceError> SqsSource::settle(const std::string& queue, const std::vector<std::string>& handles) {
    for (std::size_t from = 0; from < handles.size(); from += limits::batch_entries_max) {
        std::vector<json::Value> entries;
        for (std::size_t i = from; i < std::min<std::size_t>(from + limits::batch_entries_max, handles.size()); ++i)
            entries.emplace_back().set("ReceiptHandle", handles[i]);
        TRY(call_batch("DeleteMessageBatch", queue, std::move(entries)));
    }
    return {};
}

Result<void, SourceError> SqsSource::extend(const std::string& queue, const std::string& handle, Duration timeout,
                                            std::optional<std::uint32_t> attempts) {
    auto members = json::Value::object();
    members.set("ReceiptHandle", handle);
    members.set("VisibilityTimeout", rounded_up_seconds(timeout));
    Headers headers;
    if (attempts && options_.is_forebay) headers.emplace_back("x-forebay-attempt", std::to_string(*attempts));
    TRY(call("ChangeMessageVisibility", queue, std::move(members), std::move(headers)));
    return {};
}

Result<void, SourceError> SqsSource::release(const std::string& queue, const std::string& handle) {
    auto members = json::Value::object();
    members.set("ReceiptHandle", handle);
    members.set("VisibilityTimeout", 0);
    Headers headers;
    if (options_.is_forebay) headers.emplace_back("x-forebay-release", "hold");
    TRY(call("ChangeMessageVisibility", queue, std::move(members), std::move(headers)));
    return {};
}

Result<void, SourceError> SqsSource::send(const std::string& queue, const std::vector<OutgoingBody>& messages) {
    std::vector<json::Value> entries;
    std::size_t bytes = 0;
    for (auto& message : messages) {
        auto more = bytes_of(message);
        bool full = entries.size() == limits::batch_entries_max || bytes + more > limits::message_bytes_max;
        if (full && !entries.empty()) {
            TRY(call_batch("SendMessageBatch", queue, std::exchange(entries, {})));
            bytes = 0;
        }
        entries.push_back(entry_of(message));
        bytes += more;
    }
    if (entries.empty()) return {};
    return call_batch("SendMessageBatch", queue, std::move(entries));
}

}  // namespace forebay::transport
