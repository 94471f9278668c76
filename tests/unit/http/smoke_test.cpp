#include "http/server.h"

#include <gtest/gtest.h>

#include "http/client.h"

namespace forebay::http {
namespace {

TEST(Server, answers_two_requests_on_one_connection) {
    auto server = Server::open({}, [](const Request& request, Responder responder) {
        Response response;
        response.body = std::string(request.method) + ' ' + std::string(request.path) + ' ' + std::string(request.body);
        responder(std::move(response));
    });
    ASSERT_TRUE(server);
    Client client;
    for (int i = 0; i < 2; ++i) {
        const auto answer = client.send({.method = "POST", .url = "http://127.0.0.1:" + std::to_string((*server)->port()) + "/a?b=c", .body = "hello"});
        ASSERT_TRUE(answer) << answer.error().detail;
        EXPECT_EQ(answer->status, 200u);
        EXPECT_EQ(answer->body, "POST /a hello");
    }
    EXPECT_LE((*server)->connections(), 1u);
}

}  // namespace
}  // namespace forebay::http
