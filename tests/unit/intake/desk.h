#pragma once
// An Intake with a Sender that answers when the test says so, and a Sink that keeps what clients are told.

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/json.h"
#include "intake/intake.h"

namespace forebay::intake {

class TestClock final : public Clock {
  public:
    Timestamp wall() override { return wall_at; }
    Instant now() override { return now_at; }
    void pass(Duration d) {
        wall_at = wall_at + d;
        now_at = now_at + d;
    }
    Timestamp wall_at{1'789'999'391'482};
    Instant now_at{1'000'000};
};

class TestEntropy final : public Entropy {
  public:
    void fill(std::span<unsigned char> out) override {
        for (auto& byte : out) byte = static_cast<unsigned char>((state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL) >> 56);
    }

  private:
    std::uint64_t state_ = 1;
};

/// Keeps messages as the broker would, once keys included. `hold` delays the answers.
class TestSender final : public transport::Sender {
  public:
    void send(broker::Send send) override {
        if (refuse) return send.answer(Failure{*refuse});
        held.push_back(std::move(send));
        if (!hold) release();
    }
    void release() {
        while (!held.empty()) {
            auto send = std::move(held.front());
            held.pop_front();
            send.answer(decide(send));
        }
    }
    const std::vector<std::string>& queue(const std::string& name) { return queues[name]; }

    bool hold = false;
    std::optional<broker::Refusal> refuse;
    std::deque<broker::Send> held;
    std::map<std::string, std::vector<std::string>> queues;
    std::map<std::string, std::vector<queue::OutgoingMessage>> messages;

  private:
    struct Known {
        Uuid content, record;
    };
    Result<broker::Sent, broker::Refusal> decide(broker::Send& send) {
        broker::Sent sent;
        if (send.once) {
            auto [known, fresh] = known_.try_emplace(send.once->key, Known{send.once->content, send.once->record});
            sent.duplicate = !fresh && known->second.content == send.once->content;
            sent.key_reused = !fresh && !sent.duplicate;
            sent.original_record = known->second.record;
        }
        if (sent.duplicate || (sent.key_reused && send.once->refuse_reuse)) return sent;
        if (send.about) {
            auto [known, fresh] = known_.try_emplace(send.about->key, Known{{}, send.about->record});
            sent.is_another = !fresh;
            sent.original_record = known->second.record;
            if (!fresh && send.about->refuse) return sent;
            if (!fresh) send.message.body = send.about->another;
        }
        queues[send.queue].push_back(send.message.body);
        messages[send.queue].push_back(std::move(send.message));
        return sent;
    }
    std::map<Uuid, Known> known_;
};

class TestSink final : public http::Responder::Sink {
  public:
    void respond(std::uint64_t token, http::Response response) override {
        EXPECT_FALSE(answers.contains(token)) << "one request, one answer";
        answers.emplace(token, std::move(response));
    }
    bool is_connected(std::uint64_t) override { return true; }
    std::map<std::uint64_t, http::Response> answers;
};

/// A post as a test writes it.
struct Said {
    std::string body;
    std::string content_type = "application/json";
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::string path = "/v1/lead";
    std::string method = "POST";
    bool from_trusted_proxy = false;
    std::string client = "192.0.2.7";
};

inline Field field(std::string name, FieldType type, bool required = false) {
    Field f;
    f.name = std::move(name);
    f.type = type;
    f.required = required;
    return f;
}

/// The endpoint of forebay.example.toml.
inline Endpoint lead() {
    Endpoint e;
    e.name = "lead";
    e.queue = "leads";
    auto email = field("email", FieldType::email, true);
    email.clean = {Clean::trim, Clean::lower};
    auto first = field("first_name", FieldType::string, true);
    first.max = "80";
    first.aliases = {"first", "fname"};
    auto state = field("state", FieldType::enumeration);
    state.values = {"@us_states"};
    state.clean = {Clean::upper};
    auto zip = field("zip", FieldType::string);
    zip.pattern = R"(^\d{5}(-\d{4})?$)";
    auto amount = field("amount", FieldType::integer);
    amount.min = "1000";
    amount.max = "1000000";
    auto consent = field("consent", FieldType::boolean);
    consent.must_be = "true";
    auto cert = field("trustedform_cert", FieldType::url);
    cert.hosts = {"cert.trustedform.com"};
    auto worth = field("lead_value", FieldType::decimal);
    worth.as = "value";
    e.fields = {email, field("phone", FieldType::phone), first, state, zip, amount, consent, cert, worth};
    return e;
}

inline Key website() {
    Key key;
    key.name = "website";
    key.hash = "sha256:" + to_hex(sha256("ik_live_secret"));
    return key;
}

inline Site quotes() {
    Site site;
    site.name = "quotes";
    site.origins = {"https://quotes.example.com", "https://*.quotes.example.com"};
    return site;
}

inline const std::string good_json = R"({"email":" Jane@Example.com ","first_name":"Jane","campaign":"auto"})";
inline const std::string good_form = "email=Jane%40Example.com&first_name=Jane&campaign=auto";
inline const std::string form_type = "application/x-www-form-urlencoded";
inline const std::string browser_accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

class Desk : public testing::Test {
  protected:
    void open(Endpoint endpoint, std::vector<Key> keys = {}, std::vector<Site> sites = {}) {
        options.endpoints = {std::move(endpoint)};
        options.keys = std::move(keys);
        options.sites = std::move(sites);
        options.secret = "a secret of the data directory";
        intake.reset();
        auto opened = Intake::open(options, sender, clock, entropy, &registry);
        ASSERT_TRUE(opened.ok()) << opened.error();
        intake = std::move(*opened);
    }
    /// Hands a request in; the answer is at `sink.answers[the returned token]`, now or later.
    std::uint64_t hand_in(const Said& said) {
        http::Request request;
        request.method = said.method;
        request.target = said.path;
        request.path = std::string_view(said.path).substr(0, said.path.find('?'));
        request.query =
            said.path.find('?') == std::string::npos ? std::string_view() : std::string_view(said.path).substr(said.path.find('?') + 1);
        if (!said.content_type.empty()) request.headers.push_back({"Content-Type", said.content_type});
        for (auto& [name, value] : said.headers) request.headers.push_back({name, value});
        request.body = said.body;
        request.client_address = said.client;
        request.from_trusted_proxy = said.from_trusted_proxy;
        auto token = next_token_++;
        intake->handle(request, {sink, token});
        return token;
    }
    http::Response post(const Said& said) {
        auto token = hand_in(said);
        EXPECT_TRUE(sink.answers.contains(token)) << "no answer yet";
        return std::move(sink.answers[token]);
    }
    http::Response get(std::string path) { return post({"", "", {}, std::move(path), "GET"}); }
    static std::string header(const http::Response& response, std::string_view name) {
        for (auto& [key, value] : response.headers)
            if (key == name) return value;
        return {};
    }
    static json::Value body_of(const http::Response& response) {
        auto parsed = json::parse(response.body);
        EXPECT_TRUE(parsed.ok()) << response.body;
        return parsed.ok() ? *parsed : json::Value();
    }
    /// The codes of errors[], in order, as "field:code".
    static std::string errors_of(const http::Response& response) {
        std::string out;
        auto body = body_of(response);
        for (auto& error : body["errors"].elements()) out += (out.empty() ? "" : " ") + error["field"].text() + ":" + error["code"].text();
        return out;
    }
    json::Value record(std::size_t n = 0) { return *json::parse(sender.queue("leads").at(n)); }
    json::Value quarantined(std::size_t n = 0) { return *json::parse(sender.queue("forebay-quarantine").at(n)); }
    std::size_t records() { return sender.queue("leads").size(); }
    std::size_t kept() { return sender.queue("forebay-quarantine").size(); }

    TestClock clock;
    TestEntropy entropy;
    TestSink sink;
    TestSender sender;  // after the sink: answers it still holds end there
    metrics::Registry registry;
    IntakeOptions options;
    std::unique_ptr<Intake> intake;

  private:
    std::uint64_t next_token_ = 1;
};

}  // namespace forebay::intake
