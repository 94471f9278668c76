#include "http/message.h"

#include <gtest/gtest.h>

#include "http/addresses.h"
#include "http/problem.h"
#include "http/router.h"

namespace forebay::http {
namespace {

TEST(Request, a_header_is_found_whatever_its_case_and_the_first_counts) {
    Request request;
    request.headers = {{"Content-Type", "text/plain"}, {"x-a", "1"}, {"X-A", "2"}};
    EXPECT_EQ(request.find("content-type"), "text/plain");
    EXPECT_EQ(request.find("X-a"), "1");
    EXPECT_EQ(request.find("x-b"), "");
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

TEST(Request, a_header_that_came_twice_is_found_among_those_asked_for) {
    Request request;
    request.headers = {{"Accept", "a"}, {"X-Key", "1"}, {"accept", "b"}, {"x-kEY", "1"}};
    auto repeated = [&](std::vector<std::string_view> names) { return std::string(request.repeated(names)); };
    EXPECT_EQ(repeated({"Origin", "X-Key"}), "X-Key");
    EXPECT_EQ(repeated({"Accept"}), "Accept");
    EXPECT_EQ(repeated({"Origin", ""}), "");
}

TEST(Query, is_read_as_forms_write_it) {
    struct Row {
        std::string_view text;
        Pairs pairs;
    };
    const Row rows[] = {
        {"", {}},
        {"a=1", {{"a", "1"}}},
        {"a=1&b=x%20y&c=p+q", {{"a", "1"}, {"b", "x y"}, {"c", "p q"}}},
        {"a", {{"a", ""}}},
        {"=b", {{"", "b"}}},
        {"a=b=c", {{"a", "b=c"}}},
        {"&&a=1&&", {{"a", "1"}}},
        {"a%5Bb%5D=%C3%A4", {{"a[b]", "\xc3\xa4"}}},
        {"a=%zz%1&b=%", {{"a", "%zz%1"}, {"b", "%"}}},
        {"a=1&a=2", {{"a", "1"}, {"a", "2"}}},
    };
    for (const auto& row : rows) {
        Pairs pairs;
        EXPECT_TRUE(parse_query(row.text, 10, pairs)) << row.text;
        EXPECT_EQ(pairs, row.pairs) << row.text;
    }
}

TEST(Query, with_more_pairs_than_allowed_yields_nothing) {
    Pairs pairs;
    EXPECT_TRUE(parse_query("a&b&c", 3, pairs));
    EXPECT_FALSE(parse_query("a&b&c&d", 3, pairs));
    EXPECT_TRUE(pairs.empty());
}

TEST(Percent, what_is_encoded_decodes_to_itself) {
    std::string every;
    for (int c = 0; c < 256; ++c) every += static_cast<char>(c);
    EXPECT_EQ(percent_decode(percent_encode(every), false), every);
    EXPECT_EQ(percent_encode("a b/\xc3\xa4~"), "a%20b%2F%C3%A4~");
    EXPECT_EQ(percent_decode("a+b%2", false), "a+b%2");
}

TEST(Problem, escapes_what_it_is_told) {
    const auto response = problem(400, "bad_json", "a \"quote\" and \n a line");
    EXPECT_EQ(response.status, 400u);
    EXPECT_EQ(response.content_type, "application/problem+json");
    EXPECT_EQ(response.body,
              R"({"type":"about:blank","title":"Bad Request","status":400,"code":"bad_json","detail":"a \"quote\" and \n a line"})");
}

/// Keeps the answer.
struct Kept final : Responder::Sink {
    void respond(std::uint64_t, Response given) override {
        ++answers;
        response = std::move(given);
    }
    bool is_connected(std::uint64_t) override { return true; }
    int answers = 0;
    Response response;
};

TEST(Responder, answers_exactly_once_also_when_moved_or_dropped) {
    Kept sink;
    {
        Responder dropped(sink, 1);
    }
    EXPECT_EQ(sink.answers, 1);
    EXPECT_EQ(sink.response.status, 500u);
    {
        Responder first(sink, 1);
        Responder second(std::move(first));
        second(Response{});
    }
    EXPECT_EQ(sink.answers, 2);
    {
        Responder first(sink, 1), second(sink, 2);
        first = std::move(second);
        EXPECT_EQ(sink.answers, 3) << "what is replaced is answered";
    }
    EXPECT_EQ(sink.answers, 4);
    EXPECT_FALSE(Responder().is_connected());
}

std::string route(Router& router, std::string_view method, std::string_view path) {
    Kept sink;
    Request request;
    request.method = method;
    request.path = path;
    router(request, Responder(sink, 0));
    EXPECT_EQ(sink.answers, 1);
    std::string out = std::to_string(sink.response.status);
    for (const auto& [name, value] : sink.response.headers) out += ' ' + std::string(name) + '=' + value;
    return sink.response.status == 200 ? sink.response.body : out;
}

Router::Route says(std::string name) {
    return [name](const Request&, const Captures& captures, Responder responder) {
        auto body = name;
        for (const auto& capture : captures) body += '(' + capture + ')';
        responder(Response{.headers = {}, .content_type = {}, .body = body});
    };
}

TEST(Router, finds_the_first_pattern_that_fits) {
    Router router;
    router.add("GET", "/", says("root"))
        .add("GET", "/api/queues", says("list"))
        .add("GET", "/api/queues/{}/peek", says("peek"))
        .add("POST", "/api/queues/{}/send", says("send"))
        .add("GET", "/api/queues/{}", says("one"))
        .add("DELETE", "/api/queues/{}", says("delete"))
        .add("GET", "/static/*", says("file"));
    struct Row {
        std::string_view method, path, expected;
    };
    const Row rows[] = {
        {"GET", "/", "root"},
        {"HEAD", "/", "root"},
        {"GET", "/api/queues", "list"},
        {"GET", "/api/queues/", "404"},
        {"GET", "/api/queues/lead", "one(lead)"},
        {"GET", "/api/queues/a%20b", "one(a b)"},
        {"GET", "/api/queues/lead/peek", "peek(lead)"},
        {"GET", "/api/queues/lead/peek/", "404"},
        {"POST", "/api/queues/lead/send", "send(lead)"},
        {"PUT", "/api/queues/lead/send", "405 Allow=POST"},
        {"POST", "/api/queues/lead", "405 Allow=GET, HEAD, DELETE"},
        {"GET", "/static/a/b.css", "file(a/b.css)"},
        {"GET", "/static/", "file()"},
        {"GET", "/static", "404"},
        {"GET", "/nothing", "404"},
        {"GET", "*", "404"},
        {"GET", "/static/../secret", "400"},
        {"GET", "/static/%2e%2e/secret", "400"},
        {"GET", "/static/%2E./secret", "400"},
        {"GET", "/static/./a", "400"},
        {"GET", "/static//a", "400"},
        {"GET", "/static/a%2fb", "400"},
        {"GET", "/static/a%00b", "400"},
        {"GET", "/api/queues/%0d%0a", "400"},
        {"GET", "/api/queues/%", "one(%)"},
    };
    for (const auto& row : rows) EXPECT_EQ(route(router, row.method, row.path), row.expected) << row.method << ' ' << row.path;
}

TEST(Addresses, are_read_and_written) {
    for (std::string_view text : {"0.0.0.0", "127.0.0.1", "255.255.255.255", "::1", "2001:db8::8a2e:370:7334"})
        EXPECT_EQ(to_text(*parse_address(text)), text);
    EXPECT_EQ(to_text(*parse_address("::ffff:192.0.2.1")), "192.0.2.1");
    for (std::string_view text : {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "::1::", "a", "1.2.3.4 ", "01.2.3.4x"})
        EXPECT_FALSE(parse_address(text)) << text;
    EXPECT_FALSE(parse_address(std::string_view("1.2.3.4\0x", 9)));
}

TEST(Addresses, a_network_contains_what_its_bits_say) {
    struct Row {
        std::string_view network, address;
        bool inside;
    };
    const Row rows[] = {
        {"10.0.0.0/8", "10.255.1.2", true},      {"10.0.0.0/8", "11.0.0.0", false},   {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.128/25", "192.0.2.255", true}, {"192.0.2.1", "192.0.2.1", true},    {"192.0.2.1", "192.0.2.2", false},
        {"0.0.0.0/0", "203.0.113.9", true},      {"0.0.0.0/0", "2001:db8::1", false}, {"fd00::/8", "fd12::1", true},
        {"fd00::/8", "fe80::1", false},          {"::/0", "1.2.3.4", true},           {"2001:db8::/33", "2001:db8:8000::", false},
    };
    for (const auto& row : rows)
        EXPECT_EQ(Network::parse(row.network)->contains(*parse_address(row.address)), row.inside) << row.network << ' ' << row.address;
}

TEST(Addresses, only_those_of_the_Internet_are_public) {
    for (std::string_view text : {"8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111"})
        EXPECT_TRUE(is_public(*parse_address(text))) << text;
    for (std::string_view text : {"127.0.0.1",
                                  "127.9.9.9",
                                  "10.0.0.1",
                                  "172.16.0.1",
                                  "192.168.1.1",
                                  "169.254.169.254",
                                  "100.64.0.1",
                                  "0.0.0.0",
                                  "224.0.0.1",
                                  "255.255.255.255",
                                  "::1",
                                  "::",
                                  "fe80::1",
                                  "fd00:ec2::254",
                                  "ff02::1",
                                  "::ffff:127.0.0.1",
                                  "::ffff:169.254.169.254",
                                  "64:ff9b::7f00:1",
                                  "2002:7f00:1::",
                                  "2001:db8::1"})
        EXPECT_FALSE(is_public(*parse_address(text))) << text;
}

}  // namespace
}  // namespace forebay::http
