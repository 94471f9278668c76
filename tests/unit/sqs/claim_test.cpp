#include "sqs/claim.h"

#include <gtest/gtest.h>

namespace forebay::sqs {
namespace {

const Timestamp noon = *parse_signature_time("20261125T120000Z");
const Credentials holder{"AKIDEXAMPLE", "secret", ""};

/// A request that `holder` signed at noon, kept together with what it points into.
struct Signed {
    http::Request request;
    std::vector<std::pair<std::string, std::string>> added;
    std::string query;

    explicit Signed(std::string_view body = "{}", Timestamp at = noon) {
        SigningKeys keys;
        request.method = "POST";
        request.path = request.target = "/";
        request.headers = {{"Host", "localhost:9324"}, {"X-Amz-Target", "AmazonSQS.SendMessage"}};
        request.body = body;
        added = sign({request.method, request.path, "", request.headers, {}, {}}, body, holder, "us-east-1", "sqs", at, keys);
        for (auto& [name, value] : added) request.headers.push_back({name, value});
    }
    std::string& authorization() { return added.back().second; }
    void authorize(std::string text) {
        authorization() = std::move(text);
        request.headers.back().value = authorization();
    }
    void replace(std::string_view what, std::string_view by) {
        auto text = authorization();
        authorize(text.replace(text.find(what), what.size(), by));
    }
};

bool is_good(const http::Request& request, Timestamp now = noon, std::string_view secret = "secret") {
    SigningKeys keys;
    auto claim = read_claim(request, {}, now);
    return claim.ok() && is_signed_with(request, *claim, secret, keys);
}

std::string refusal(const http::Request& request, Timestamp now = noon, ClaimRules rules = {}) {
    auto claim = read_claim(request, rules, now);
    return claim.ok() ? "none" : std::string(row_of(claim.error().kind).query_code) + ": " + claim.error().message;
}

http::Request presigned(const std::string& query) {
    http::Request request;
    request.method = "GET";
    request.path = request.target = "/";
    request.query = query;
    request.headers = {{"Host", "localhost:9324"}};
    return request;
}

TEST(Claim, a_signed_request_is_known_by_its_secret_alone) {
    Signed one;
    EXPECT_TRUE(is_good(one.request));
    EXPECT_FALSE(is_good(one.request, noon, "another"));
}

TEST(Claim, a_body_changed_on_the_way_is_noticed) {
    Signed one;
    one.request.body = "{ }";
    EXPECT_FALSE(is_good(one.request));
}

TEST(Claim, a_clock_may_be_a_quarter_of_an_hour_off_either_way) {
    Signed one;
    EXPECT_TRUE(is_good(one.request, noon + 15min));
    EXPECT_TRUE(is_good(one.request, noon - 15min));
    EXPECT_EQ(
        refusal(one.request, noon + 15min + 1s),
        "SignatureDoesNotMatch: Signature expired: 20261125T120000Z is now earlier than 20261125T120001Z (20261125T121501Z - 15 min.)");
    EXPECT_EQ(
        refusal(one.request, noon - 15min - 1s),
        "SignatureDoesNotMatch: Signature not yet current: 20261125T120000Z is still later than 20261125T115959Z (20261125T114459Z + 15 "
        "min.)");
}

TEST(Claim, what_is_missing_is_named) {
    EXPECT_EQ(refusal(presigned("")), "MissingAuthenticationToken: Request is missing Authentication Token");
    EXPECT_EQ(refusal(presigned("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20261125T120000Z&X-Amz-SignedHeaders=host")),
              "IncompleteSignature: AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include "
              "'X-Amz-Signature'. Re-examine the query-string parameters.");
    Signed one;
    one.replace("Signature=", "Sign=");
    EXPECT_TRUE(refusal(one.request).starts_with("IncompleteSignature: Authorization header requires 'Signature' parameter. (Hashed"));
}

TEST(Claim, a_part_that_is_there_twice_is_as_good_as_none) {
    for (std::string part : {"Credential", "SignedHeaders", "Signature"}) {
        Signed one;
        one.replace(part + "=", part + "=x, " + part + "=");
        EXPECT_TRUE(
            refusal(one.request).starts_with("IncompleteSignature: Authorization header requires '" + part + "' parameter. (Hashed"))
            << part;
    }
}

TEST(Claim, what_is_not_utf8_is_not_said_back) {
    for (const char* query : {"X-Amz-Date=%FF", "X-Amz-Algorithm=%C0%80", "X-Amz-%FE=1"})
        EXPECT_EQ(refusal(presigned(query)), "IncompleteSignature: A parameter is not UTF-8.") << query;
}

TEST(Claim, a_scope_of_another_region_service_or_day_is_refused) {
    Signed one;
    EXPECT_EQ(refusal(one.request, noon, {"eu-west-1"}),
              "SignatureDoesNotMatch: Credential should be scoped to a valid region, not 'us-east-1'.");
    one.replace("20261125/us-east-1/sqs/aws4_request", "20261124/us-east-1/sns/aws4");
    EXPECT_EQ(refusal(one.request),
              "SignatureDoesNotMatch: Credential should be scoped to correct service: 'sqs'. Credential should be scoped with a valid "
              "terminator: 'aws4_request', not 'aws4'. Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
              "HTTP: '20261124' != '20261125', from '20261125T120000Z'.");
}

TEST(Claim, headers_that_decide_something_must_be_signed) {
    Signed one;
    one.request.headers.push_back({"X-Forebay-Release", "hold"});
    EXPECT_EQ(refusal(one.request), "SignatureDoesNotMatch: 'x-forebay-release' must be a 'SignedHeader' in the AWS Authorization.");
}

TEST(Claim, a_presigned_address_is_good_until_it_expires_and_for_at_most_a_week) {
    SigningKeys keys;
    auto address = [&](Duration expires) {
        return presign("GET", "localhost:9324", "/", "Action=ListQueues", holder, "us-east-1", "sqs", expires, noon, keys);
    };
    auto week = address(7 * 24h), longer = address(7 * 24h + 1s);
    EXPECT_TRUE(is_good(presigned(week), noon + 7 * 24h));
    EXPECT_EQ(refusal(presigned(week), noon + 7 * 24h + 1s), "RequestExpired: Request has expired.");
    EXPECT_EQ(refusal(presigned(longer)), "IncompleteSignature: X-Amz-Expires must be a number of seconds from 1 to 604800.");
    auto other = week + "&QueueNamePrefix=a";
    EXPECT_FALSE(is_good(presigned(other)));
}

}  // namespace
}  // namespace forebay::sqs
