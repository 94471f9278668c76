// What arrives as bytes: everything that two HTTP parsers could read differently is refused and the connection closed.

#include <ctime>
#include <thread>

#include "raw_client.h"

namespace forebay::http {
namespace {

std::string repeated(std::string_view text, std::size_t times) {
    std::string out;
    while (times-- > 0) out += text;
    return out;
}

template <std::size_t n>
std::string with_nul(const char (&text)[n]) {
    return {text, n - 1};
}

std::string post(std::string_view fields, std::string_view body = {}) {
    return "POST /a HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n" + std::string(body);
}
std::string chunked(std::string_view body) { return post("Transfer-Encoding: chunked\r\n", body); }

struct Hostile {
    const char* what;
    std::string bytes;
    unsigned status;
};

std::vector<Hostile> hostile() {
    return {
        // 4: sizes
        {"a header line of 1 MiB", "GET / HTTP/1.1\r\nHost: a\r\nX: " + repeated("x", 1 << 20) + "\r\n\r\n", 431},
        {"10,000 headers", "GET / HTTP/1.1\r\nHost: a\r\n" + repeated("X: y\r\n", 10000) + "\r\n", 431},
        {"101 small headers", "GET / HTTP/1.1\r\nHost: a\r\n" + repeated("X: y\r\n", 100) + "\r\n", 431},
        {"a head of more than 32 KiB", "GET / HTTP/1.1\r\nHost: a\r\n" + repeated("X: " + repeated("y", 1000) + "\r\n", 33) + "\r\n", 431},
        {"an address of 64 KiB", "GET /" + repeated("a", 65536) + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
        {"an address of 8 KiB and a byte", "GET /" + repeated("a", 8192) + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
        // 5: two lengths, or none that is a number
        {"length and chunked", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
        {"chunked and length", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"), 400},
        {"two different lengths", post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello!"), 400},
        {"two equal lengths", post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), 400},
        {"a list of lengths", post("Content-Length: 5, 5\r\n", "hello"), 400},
        {"a length with a sign", post("Content-Length: +5\r\n", "hello"), 400},
        {"a negative length", post("Content-Length: -5\r\n", "hello"), 400},
        {"a length in hexadecimal", post("Content-Length: 0x5\r\n", "hello"), 400},
        {"an empty length", post("Content-Length: \r\n", "hello"), 400},
        {"a length beyond 64 bits", post("Content-Length: 18446744073709551621\r\n", "hello"), 400},
        {"a length with a space", post("Content-Length: 1 1\r\n", "hello"), 400},
        // 6: codings
        {"chunked, identity", post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"), 501},
        {"identity, chunked", post("Transfer-Encoding: identity, chunked\r\n", "0\r\n\r\n"), 501},
        {"xchunked", post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), 501},
        {"gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 501},
        {"chunked with a parameter", post("Transfer-Encoding: chunked;a=b\r\n", "0\r\n\r\n"), 501},
        {"an empty coding", post("Transfer-Encoding:\r\n", "0\r\n\r\n"), 501},
        {"chunked behind a vertical tab", post("Transfer-Encoding: \vchunked\r\n", "0\r\n\r\n"), 400},
        {"chunked twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
        {"chunked, then identity", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"), 400},
        {"a coding behind a folded line", post("X: y\r\n Transfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
        {"a coding in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        // 7: chunks
        {"a chunk size that overflows", chunked("FFFFFFFFFFFFFFFFF\r\n"), 400},
        {"a chunk size of 16 digits", chunked("0000000000000001\r\nx\r\n0\r\n\r\n"), 400},
        {"a negative chunk size", chunked("-1\r\nx\r\n0\r\n\r\n"), 400},
        {"a chunk size with 0x", chunked("0x1\r\nx\r\n0\r\n\r\n"), 400},
        {"a chunk size with a space before", chunked(" 1\r\nx\r\n0\r\n\r\n"), 400},
        {"a chunk size with a space after", chunked("1 \r\nx\r\n0\r\n\r\n"), 400},
        {"no chunk size", chunked("\r\nx\r\n0\r\n\r\n"), 400},
        {"a chunk size before a bare line feed", chunked("1\nx\r\n0\r\n\r\n"), 400},
        {"a chunk before a bare line feed", chunked("1\r\nx\n0\r\n\r\n"), 400},
        {"a chunk longer than its size", chunked("1\r\nxy\r\n0\r\n\r\n"), 400},
        {"a bare line feed after the last chunk", chunked("1\r\nx\r\n0\n\r\n"), 400},
        {"a bare line feed at the very end", chunked("1\r\nx\r\n0\r\n\n"), 400},
        {"a chunk extension of 1 MiB", chunked("1;" + repeated("e", 1 << 20) + "\r\nx\r\n0\r\n\r\n"), 400},
        {"a chunk extension with a line feed", chunked("1;a\nb\r\nx\r\n0\r\n\r\n"), 400},
        {"a carriage return in a chunk size", chunked("1\r\r\nx\r\n0\r\n\r\n"), 400},
        {"a trailer that sets the length", chunked("0\r\nContent-Length: 5\r\n\r\n"), 400},
        {"a trailer that sets the coding", chunked("0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400},
        {"a trailer that sets the host", chunked("0\r\nHost: b\r\n\r\n"), 400},
        {"a trailer that is no field", chunked("0\r\nnothing\r\n\r\n"), 400},
        {"a folded trailer", chunked("0\r\nX: y\r\n z: w\r\n\r\n"), 400},
        {"trailers of 8 KiB", chunked("0\r\nX: " + repeated("y", 8192) + "\r\n\r\n"), 431},
        // 9: the form of a head
        {"a folded field", "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n", 400},
        {"a field folded by a tab", "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\tz\r\n\r\n", 400},
        {"white space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
        {"NUL in a field", with_nul("GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"), 400},
        {"NUL in a name", with_nul("GET / HTTP/1.1\r\nHost: a\r\nX\0: b\r\n\r\n"), 400},
        {"NUL in the address", with_nul("GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
        {"a control character in a field", "GET / HTTP/1.1\r\nHost: a\r\nX: a\x01z\r\n\r\n", 400},
        {"DEL in a field", "GET / HTTP/1.1\r\nHost: a\r\nX: a\x7fz\r\n\r\n", 400},
        {"a carriage return in a field", "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", 400},
        {"a bare carriage return as line end", "GET / HTTP/1.1\rHost: a\r\n\r\n", 400},
        {"bare line feeds", "GET / HTTP/1.1\nHost: a\n\n", 400},
        {"one bare line feed", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400},
        {"a bare line feed at the end of the head", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400},
        {"a space before the colon", "GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n", 400},
        {"a tab before the colon", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length\t: 5\r\n\r\nhello", 400},
        {"no colon", "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", 400},
        {"no name", "GET / HTTP/1.1\r\nHost: a\r\n: y\r\n\r\n", 400},
        {"a name with a bracket", "GET / HTTP/1.1\r\nHost: a\r\nX(y): z\r\n\r\n", 400},
        {"no host", "GET / HTTP/1.1\r\n\r\n", 400},
        {"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
        {"an empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
        {"two hosts in one field", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
        {"a host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
        {"a host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
        {"a host with a port that is none", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400},
        {"absolute form of another host", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"absolute form of no host", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"an address without a slash", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"an asterisk for GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"an address with a fragment", "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"an address that is not ASCII", "GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"a tunnel", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 501},
        {"HTTP/0.9", "GET /\r\n\r\n", 400},
        {"two spaces in the request line", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"a tab in the request line", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"a space after the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
        {"a version in lower case", "GET / http/1.1\r\nHost: a\r\n\r\n", 400},
        {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        {"HTTP/3.0", "GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505},
        {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
        {"a space before the method", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"several empty lines first", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400},
        {"bytes of no meaning", "\xff\xfe\xfd\xfc\r\n\r\n", 400},
        {"a bad Connection field", "GET / HTTP/1.1\r\nHost: a\r\nConnection: =\r\n\r\n", 400},
        {"an expectation nobody knows", post("Content-Length: 5\r\nExpect: more\r\n"), 417},
        // 10: bodies that are too large
        {"a length above the limit", post("Content-Length: 1048577\r\n"), 413},
        {"a length above the limit that waits for 100", post("Content-Length: 1048577\r\nExpect: 100-continue\r\n"), 413},
        {"a chunk above the limit", chunked("100001\r\n"), 413},
        {"chunks above the limit together", chunked("80000\r\n" + repeated("x", 0x80000) + "\r\n80001\r\n"), 413},
    };
}

class Framing : public ServerTest {};

TEST_F(Framing, whatever_could_be_read_in_two_ways_is_refused_and_the_connection_closed) {
    open();
    for (const auto& row : hostile()) {
        RawClient client(server->port());
        client.send(row.bytes + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
        const auto answer = client.answer();
        EXPECT_EQ(answer.status, row.status) << row.what << '\n' << answer.head << answer.body;
        EXPECT_TRUE(answer.has("Connection: close")) << row.what;
        EXPECT_TRUE(answer.has("application/problem+json")) << row.what;
        EXPECT_TRUE(client.is_closed()) << row.what;
    }
    EXPECT_EQ(handled, 0);
}

TEST_F(Framing, the_same_is_refused_when_it_comes_byte_by_byte) {
    open();
    for (const auto& row : hostile()) {
        if (row.bytes.size() > 300) continue;
        RawClient client(server->port());
        client.send_bytewise(row.bytes);
        EXPECT_EQ(client.answer().status, row.status) << row.what;
        EXPECT_TRUE(client.is_closed()) << row.what;
    }
    EXPECT_EQ(handled, 0);
}

struct Good {
    const char* what;
    std::string bytes;
    std::string body;
};

std::vector<Good> good() {
    return {
        {"the least", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / "},
        {"a body of known length", post("Content-Length: 5\r\n", "hello"), "POST /a hello"},
        {"an empty body", post("Content-Length: 0\r\n"), "POST /a "},
        {"leading zeros in a length", post("Content-Length: 005\r\n", "hello"), "POST /a hello"},
        {"chunks", chunked("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"), "POST /a hello world"},
        {"an empty chunked body", chunked("0\r\n\r\n"), "POST /a "},
        {"chunk extensions within the bound", chunked("5;a=b;c=\"d\"\r\nhello\r\n0;" + repeated("e", 200) + "\r\n\r\n"), "POST /a hello"},
        {"trailers, which are dropped", chunked("5\r\nhello\r\n000\r\nX-Checksum: 1\r\nX: y\r\n\r\n"), "POST /a hello"},
        {"chunk sizes in both cases", chunked("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"), "POST /a 01234567890123456789"},
        {"chunked in capitals", post("Transfer-Encoding: CHUNKED\r\n", "1\r\nx\r\n0\r\n\r\n"), "POST /a x"},
        {"white space around values", post("Content-Length:  \t5 \t\r\n", "hello"), "POST /a hello"},
        {"absolute form", "GET http://a/b?c HTTP/1.1\r\nHost: a\r\n\r\n", "GET /b "},
        {"absolute form without a path", "GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", "GET / "},
        {"an asterisk for OPTIONS", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * "},
        {"an empty line first", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / "},
        {"an IPv6 host with a port", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", "GET / "},
        {"a field beyond ASCII", "GET / HTTP/1.1\r\nHost: a\r\nX: \xc3\xa4\r\n\r\n", "GET / "},
        {"an empty field", "GET / HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n", "GET / "},
        {"an address of 8 KiB", "GET /" + repeated("a", 8191) + " HTTP/1.1\r\nHost: a\r\n\r\n", "GET /" + repeated("a", 8191) + " "},
        {"100 fields", "GET / HTTP/1.1\r\nHost: a\r\n" + repeated("X: y\r\n", 99) + "\r\n", "GET / "},
        {"a body with everything in it", post("Content-Length: 8\r\n", std::string("\0\r\n\r\n\xff\x7f\n", 8)),
         std::string("POST /a \0\r\n\r\n\xff\x7f\n", 16)},
        {"a body of 1 MiB", post("Content-Length: 1048576\r\n", repeated("x", 1 << 20)), "POST /a " + repeated("x", 1 << 20)},
    };
}

TEST_F(Framing, what_is_right_is_taken_and_the_connection_kept) {
    open();
    RawClient client(server->port());
    for (const auto& row : good()) {
        const auto answer = client.send(row.bytes).answer();
        EXPECT_EQ(answer.status, 200u) << row.what << '\n' << answer.body;
        EXPECT_EQ(answer.body, row.body) << row.what;
        EXPECT_FALSE(answer.has("Connection:")) << row.what;
    }
}

TEST_F(Framing, what_is_right_is_taken_byte_by_byte) {
    open();
    RawClient client(server->port());
    for (const auto& row : good()) {
        if (row.bytes.size() > 300) continue;
        EXPECT_EQ(client.send_bytewise(row.bytes).answer().body, row.body) << row.what;
    }
}

TEST_F(Framing, more_bytes_than_the_length_says_are_the_next_request) {
    open();
    RawClient client(server->port());
    client.send(post("Content-Length: 3\r\n", "hel\x01o"));
    EXPECT_EQ(client.answer().body, "POST /a hel");
    EXPECT_EQ(client.answer().status, 400u);
    EXPECT_TRUE(client.is_closed());
}

TEST_F(Framing, an_incomplete_request_is_neither_carried_out_nor_answered) {
    open();
    for (const auto& bytes : {post("Content-Length: 9\r\n", "hello"), chunked("5\r\nhello\r\n"), chunked("5\r\nhello\r\n0\r\n"),
                              std::string("GET / HTT"), std::string("GET / HTTP/1.1\r\nHost: a\r\n")}) {
        RawClient client(server->port());
        client.send(bytes).end_sending();
        EXPECT_EQ(client.answer().status, 0u) << bytes;
        EXPECT_TRUE(client.is_closed()) << bytes;
    }
    EXPECT_EQ(handled, 0);
}

TEST_F(Framing, a_client_that_waits_for_100_is_told_to_go_on) {
    open();
    RawClient client(server->port());
    client.send(post("Content-Length: 5\r\nExpect: 100-continue\r\n"));
    EXPECT_EQ(client.answer().status, 100u);
    EXPECT_EQ(client.send("hello").answer().body, "POST /a hello");
}

TEST_F(Framing, a_client_that_does_not_wait_for_100_is_not_told) {
    open();
    RawClient client(server->port());
    client.send(post("Content-Length: 5\r\nExpect: 100-continue\r\n", "hello"));
    EXPECT_EQ(client.answer().body, "POST /a hello");
    client.send(post("Expect: 100-continue\r\n"));
    EXPECT_EQ(client.answer().body, "POST /a ");
}

TEST_F(Framing, the_100_comes_after_the_answers_before_it) {
    open();
    RawClient client(server->port());
    client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n" + post("Content-Length: 5\r\nExpect: 100-continue\r\n"));
    waiting.answer(0, "first");
    EXPECT_EQ(client.answer().body, "first");
    EXPECT_EQ(client.answer().status, 100u);
    EXPECT_EQ(client.send("hello").answer().body, "POST /a hello");
}

TEST_F(Framing, HEAD_has_the_fields_of_the_body_without_the_body) {
    open();
    RawClient client(server->port());
    const auto answer = client.send("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n").answer(true);
    EXPECT_TRUE(answer.has("Content-Length: 8\r\n"));
    EXPECT_EQ(client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").answer().body, "GET / ");
}

TEST_F(Framing, HTTP_1_0_closes_unless_it_asks_to_keep) {
    open();
    RawClient once(server->port());
    EXPECT_TRUE(once.send("GET / HTTP/1.0\r\n\r\n").answer().has("Connection: close"));
    EXPECT_TRUE(once.is_closed());
    RawClient kept(server->port());
    for (int i = 0; i < 2; ++i)
        EXPECT_TRUE(kept.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").answer().has("Connection: keep-alive"));
}

TEST_F(Framing, a_client_that_says_close_gets_its_answer_and_the_end) {
    open();
    RawClient client(server->port());
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /never HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(client.answer().has("Connection: close"));
    EXPECT_TRUE(client.is_closed());
    EXPECT_EQ(handled, 1);
}

TEST_F(Framing, an_answer_says_date_type_and_length_and_no_value_can_add_a_field) {
    open_with({}, [](const Request&, Responder responder) {
        Response response{201, {{"Location", "/a\r\nX-Injected: 1\n\x1b[31m"}}, "text/plain", "hi"};
        responder(std::move(response));
    });
    RawClient client(server->port());
    const auto answer = client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").answer();
    const auto date = answer.head.find("Date: ");
    ASSERT_NE(date, std::string::npos);
    const auto line = answer.head.substr(date, answer.head.find("\r\n", date) - date);
    std::tm parsed{};
    const char* rest = strptime(line.c_str(), "Date: %a, %d %b %Y %H:%M:%S GMT", &parsed);
    ASSERT_NE(rest, nullptr) << line;
    EXPECT_EQ(*rest, 0);
    EXPECT_LE(std::abs(timegm(&parsed) - time(nullptr)), 2);
    auto without_date = answer.head;
    EXPECT_EQ(without_date.erase(date, line.size() + 2),
              "HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\nLocation: /a  X-Injected: 1  [31m\r\nContent-Length: 2\r\n\r\n");
}

TEST_F(Framing, an_answer_of_204_has_neither_body_nor_length) {
    open_with({}, [](const Request&, Responder responder) { responder(Response{204, {}, "text/plain", "ignored"}); });
    RawClient client(server->port());
    for (int i = 0; i < 2; ++i) {
        const auto answer = client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").answer();
        EXPECT_EQ(answer.status, 204u);
        EXPECT_FALSE(answer.has("Content-"));
    }
}

}  // namespace
}  // namespace forebay::http
