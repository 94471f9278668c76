#pragma once
// The queue port without a network: requests in either protocol, answers as they would go out.

#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>

#include "base/json.h"
#include "fake_broker.h"
#include "sqs/api.h"

namespace forebay::sqs {

class Port final : public http::Responder::Sink {
  public:
    explicit Port(broker::Commands& commands, ApiOptions options = {}, AccessRules rules = {})
        : gate_(clock_, std::move(rules), options.account, options.region), api_(commands, gate_, std::move(options)) {}

    struct Headers : std::vector<http::Header> {
        using std::vector<http::Header>::vector;
    };
    /// Answers given so far, by the number of their request.
    std::map<std::uint64_t, http::Response> answers;
    bool connected = true;

    std::uint64_t start(http::Request request) {
        api_.handle(request, http::Responder(*this, ++last_));
        return last_;
    }
    http::Response ask(http::Request request) {
        auto number = start(std::move(request));
        std::unique_lock lock(mutex_);
        bool answered = answered_.wait_for(lock, std::chrono::seconds(20), [&] { return answers.contains(number); });
        EXPECT_TRUE(answered) << "no answer";
        return std::move(answers[number]);
    }

    static http::Request json_request(std::string_view target, std::string_view body, Headers more = {}) {
        http::Request request;
        request.method = "POST";
        request.target = request.path = "/";
        request.headers = {{"Host", "localhost:9324"}, {"Content-Type", "application/x-amz-json-1.0"}, {"X-Amz-Target", target}};
        request.headers.insert(request.headers.end(), more.begin(), more.end());
        request.body = body;
        return request;
    }
    static http::Request query_request(std::string_view form, std::string_view path = "/", Headers more = {}) {
        http::Request request;
        request.method = "POST";
        request.target = request.path = path;
        request.headers = {{"Host", "localhost:9324"}, {"Content-Type", "application/x-www-form-urlencoded"}};
        request.headers.insert(request.headers.end(), more.begin(), more.end());
        request.body = form;
        return request;
    }

    http::Response json(const std::string& action, std::string_view body, Headers more = {}) {
        auto target = "AmazonSQS." + action;
        return ask(json_request(target, body, std::move(more)));
    }
    http::Response query(std::string_view form, std::string_view path = "/", Headers more = {}) {
        return ask(query_request(form, path, std::move(more)));
    }

    /// The result of a call that must succeed.
    json::Value result(const std::string& action, std::string_view body, Headers more = {}) {
        auto response = json(action, body, std::move(more));
        EXPECT_EQ(response.status, 200u) << response.body;
        auto value = json::parse(response.body);
        EXPECT_TRUE(value.ok()) << response.body;
        return value.ok() ? *value : json::Value();
    }
    /// "STATUS SHAPE: sentence" of a call that must be refused.
    std::string refusal(const std::string& action, std::string_view body, Headers more = {}) {
        return summary(json(action, body, std::move(more)));
    }
    static std::string summary(const http::Response& response) {
        auto value = json::parse(response.body);
        if (!value.ok()) return "no JSON: " + response.body;
        return std::to_string(response.status) + " " + (*value)["__type"].text() + ": " + (*value)["message"].text();
    }
    /// The same without the shape's namespace.
    static std::string brief(const http::Response& response) {
        auto text = summary(response);
        auto hash = text.find('#');
        if (hash < text.find(':')) text.erase(4, hash - 3);
        return text;
    }
    static std::string header(const http::Response& response, std::string_view name) {
        for (auto& [key, value] : response.headers)
            if (key == name) return value;
        return "";
    }
    /// An XML answer with the random request id taken out.
    static std::string without_id(const http::Response& response) {
        auto text = response.body;
        auto at = text.find("<RequestId>");
        if (at != std::string::npos) text.replace(at + 11, 36, "ID");
        return text;
    }

  private:
    void respond(std::uint64_t token, http::Response response) override {
        std::lock_guard lock(mutex_);
        answers.insert_or_assign(token, std::move(response));
        answered_.notify_all();
    }
    bool is_connected(std::uint64_t) override { return connected; }

    std::mutex mutex_;  ///< guards `answers` when a broker's thread answers
    std::condition_variable answered_;
    SystemClock clock_;
    Gatekeeper gate_;
    Api api_;
    std::uint64_t last_ = 0;
};

/// A port with a queue named `q`.
struct PortTest : ::testing::Test {
    FakeBroker broker;
    Port port{broker};
    void SetUp() override { port.result("CreateQueue", R"({"QueueName":"q"})"); }
    std::string send(std::string_view body = "hello") {
        return port.result("SendMessage", R"({"QueueUrl":"q","MessageBody":")" + std::string(body) + "\"}")["MessageId"].text();
    }
    json::Value receive(std::string_view members = "") {
        auto result = port.result("ReceiveMessage", R"({"QueueUrl":"q","MaxNumberOfMessages":10)" + std::string(members) + "}");
        return result["Messages"];
    }
    std::string handle() { return receive().elements().at(0)["ReceiptHandle"].text(); }
};

}  // namespace forebay::sqs
