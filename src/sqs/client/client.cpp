#include "sqs/client/client.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "queue/limits.h"

namespace forebay::sqs::client {
namespace {

namespace limits = queue::limits;

bool is_url(std::string_view queue) { return queue.find("://") != std::string_view::npos; }
std::string name_of(std::string_view queue) { return std::string(is_url(queue) ? queue.substr(queue.rfind('/') + 1) : queue); }

json::Value list_of(const std::vector<std::string>& texts) {
    auto out = json::Value::array();
    for (const auto& text : texts) out.push(text);
    return out;
}

std::int64_t whole_seconds(Duration d) {
    return std::chrono::floor<std::chrono::seconds>(std::clamp(d, Duration(0), limits::wait_max)).count();
}

Call receive_call(const std::string& queue, const ReceiveRequest& request, unsigned most) {
    Call out{"ReceiveMessage", name_of(queue), json::Value::object()};
    out.repeatable = false;
    const auto wait = whole_seconds(request.wait);
    out.wait = std::chrono::seconds(wait);
    out.members.set("MaxNumberOfMessages", std::clamp(request.max_messages, 1u, most));
    out.members.set("WaitTimeSeconds", wait);
    if (request.visibility) out.members.set("VisibilityTimeout", seconds_rounded_up(*request.visibility));
    // The older name of MessageSystemAttributeNames, which every server knows.
    if (!request.system_attributes.empty()) out.members.set("AttributeNames", list_of(request.system_attributes));
    out.members.set("MessageAttributeNames", list_of({"All"}));
    return out;
}

}  // namespace

Result<std::string, ClientError> Client::queue_url(const std::string& name) {
    auto tries = caller_.tries();
    Call call{"GetQueueUrl", name, json::Value::object()};
    call.members.set("QueueName", name);
    TRY_ASSIGN(auto answer, caller_.call(call, tries));
    auto url = answer.members["QueueUrl"].text();
    if (url.empty()) return Failure{caller_.damaged(call, answer, "the answer has no QueueUrl")};
    return url;
}

Result<std::string, ClientError> Client::url_of(const std::string& queue) {
    if (is_url(queue)) return queue;
    if (auto known = urls_.find(queue); known != urls_.end()) return known->second;
    TRY_ASSIGN(auto url, queue_url(queue));
    if (urls_.size() >= kept_urls_max) urls_.clear();
    return urls_[queue] = std::move(url);
}

Result<Answer, ClientError> Client::ask(const std::string& queue, Call& call, Tries& tries) {
    TRY_ASSIGN(auto url, url_of(queue));
    call.members.set("QueueUrl", std::move(url));
    auto answer = caller_.call(call, tries);
    if (!answer.ok() && answer.error().code == "QueueDoesNotExist") urls_.erase(queue);
    return answer;
}

Result<std::vector<ReceivedMessage>, ClientError> Client::receive(const std::string& queue, const ReceiveRequest& request) {
    auto call = receive_call(queue, request, caller_.batch_max());
    auto tries = caller_.tries();
    TRY_ASSIGN(auto answer, ask(queue, call, tries));
    std::vector<ReceivedMessage> out;
    for (auto& element : answer.members["Messages"].elements()) {
        auto message = message_of(element);
        if (!message.ok()) return Failure{caller_.damaged(call, answer, message.error())};
        out.push_back(std::move(*message));
    }
    return out;
}

Result<std::uint64_t, ClientError> Client::ready(const std::string& queue) {
    constexpr std::string_view wanted = "ApproximateNumberOfMessages";
    Call call{"GetQueueAttributes", name_of(queue), json::Value::object()};
    call.members.set("AttributeNames", list_of({std::string(wanted)}));
    auto tries = caller_.tries();
    TRY_ASSIGN(auto answer, ask(queue, call, tries));
    const auto& text = answer.members["Attributes"][wanted].text();
    std::uint64_t ready = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ready);
    if (error != std::errc() || end != text.data() + text.size())
        return Failure{caller_.damaged(call, answer, "the answer has no " + std::string(wanted))};
    return ready;
}

/// Until each has succeeded, has failed for good or there may be no more tries. Fails when the call as a whole did.
Result<void, ClientError> Client::run(const std::string& queue, OpenEntries entries) {
    for (auto tries = caller_.tries();;) {
        auto call = entries.call(name_of(queue));
        auto answer = ask(queue, call, tries);
        if (!answer.ok()) {
            entries.fail(answer.error());
            return Failure{answer.error()};
        }
        entries.settle(*answer, caller_, call);
        if (entries.empty() || !tries.pause()) return {};
    }
}

Outcomes Client::run(const std::string& queue, Batch batch) {
    batch.most = caller_.batch_max();
    Outcomes outcomes(batch.entries.size());
    for (std::size_t from = 0; from < batch.entries.size();) {
        const auto to = batch.end_of_call(from);
        auto done = run(queue, OpenEntries(batch, from, to, outcomes));
        if (!done.ok()) std::fill(outcomes.begin() + static_cast<std::ptrdiff_t>(to), outcomes.end(), done);
        from = done.ok() ? to : batch.entries.size();
    }
    return outcomes;
}

Outcomes Client::send(const std::string& queue, std::span<const queue::OutgoingMessage> messages) {
    Batch batch{"SendMessageBatch"};
    for (const auto& message : messages) {
        batch.entries.push_back(entry_of(message));
        batch.bytes.push_back(bytes_of(message));
    }
    batch.check = [&](std::size_t entry, const json::Value& element) { return check_digests(messages[entry], element); };
    return run(queue, batch);
}

Outcomes Client::remove(const std::string& queue, std::span<const std::string> handles) {
    Batch batch{"DeleteMessageBatch"};
    for (const auto& handle : handles) batch.entries.emplace_back().set("ReceiptHandle", handle);
    return run(queue, batch);
}

Outcomes Client::change_visibility(const std::string& queue, std::span<const HandleTimeout> changes, const Headers& headers) {
    Batch batch{"ChangeMessageVisibilityBatch", {}, {}, headers};
    for (const auto& change : changes) {
        auto& entry = batch.entries.emplace_back();
        entry.set("ReceiptHandle", change.handle);
        entry.set("VisibilityTimeout", seconds_rounded_up(change.timeout));
    }
    return run(queue, batch);
}

}  // namespace forebay::sqs::client
