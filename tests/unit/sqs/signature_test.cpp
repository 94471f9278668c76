// The cases of AWS's signing test suite for Signature Version 4, as rows, and what the suite does not ask.

#include "sqs/signature.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace forebay::sqs {
namespace {

const Credentials example{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};
constexpr std::string_view region = "us-east-1", service = "service", time_of_all = "20150830T123600Z";
constexpr std::string_view unreserved = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

struct Case {
    std::string_view name, method;
    std::string path, query;
    std::vector<http::Header> headers;  ///< besides Host and X-Amz-Date
    std::string_view body, signature, token = {};
};

const std::vector<Case>& published() {
    static const std::vector<Case> cases{
        {"get-header-key-duplicate",
         "GET",
         "/",
         "",
         {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}},
         "",
         "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
        {"get-header-value-order",
         "GET",
         "/",
         "",
         {{"My-Header1", "value4"}, {"My-Header1", "value1"}, {"My-Header1", "value3"}, {"My-Header1", "value2"}},
         "",
         "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
        {"get-header-value-trim",
         "GET",
         "/",
         "",
         {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}},
         "",
         "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
        {"get-relative-relative",
         "GET",
         "/example1/example2/../..",
         "",
         {},
         "",
         "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
        {"get-slash-pointless-dot", "GET", "/./example", "", {}, "", "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"},
        {"get-slashes", "GET", "//example//", "", {}, "", "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
        {"get-space", "GET", "/example space/", "", {}, "", "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
        {"get-utf8", "GET", "/\u1234", "", {}, "", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
        {"get-unreserved",
         "GET",
         "/" + std::string(unreserved),
         "",
         {},
         "",
         "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
        {"get-vanilla-empty-query-key",
         "GET",
         "/",
         "Param1=value1",
         {},
         "",
         "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
        {"get-vanilla-query-order-key-case",
         "GET",
         "/",
         "Param2=value2&Param1=value1",
         {},
         "",
         "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
        {"get-vanilla-query-order-encoded",
         "GET",
         "/",
         "Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
         {},
         "",
         "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"},
        {"get-vanilla-query-unreserved",
         "GET",
         "/",
         std::string(unreserved) + "=" + std::string(unreserved),
         {},
         "",
         "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
        {"get-vanilla-utf8-query", "GET", "/", "\u1234=bar", {}, "", "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
        {"get-vanilla-with-session-token",
         "GET",
         "/",
         "",
         {},
         "",
         "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
         "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"},
        {"post-vanilla-query", "POST", "/", "Param1=value1", {}, "", "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"},
        {"post-header-value-case",
         "POST",
         "/",
         "",
         {{"My-Header1", "VALUE1"}},
         "",
         "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
        {"post-x-www-form-urlencoded",
         "POST",
         "/",
         "",
         {{"Content-Type", "application/x-www-form-urlencoded"},
          {"Content-Length", "13"},
          {"x-amz-content-sha256", "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"}},
         "Param1=value1",
         "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b"},
        {"post-x-www-form-urlencoded-parameters",
         "POST",
         "/",
         "",
         {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
          {"Content-Length", "13"},
          {"x-amz-content-sha256", "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"}},
         "Param1=value1",
         "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422"},
    };
    return cases;
}

std::string authorization_of(const Case& one, SigningKeys& keys) {
    auto headers = one.headers;
    headers.push_back({"Host", "example.amazonaws.com"});
    SignedParts parts{one.method, one.path, one.query, headers, {}, {}};
    auto credentials = example;
    credentials.session_token = one.token;
    return sign(parts, one.body, credentials, region, service, *parse_signature_time(time_of_all), keys).back().second;
}

TEST(Signature, every_case_of_awss_test_suite_is_signed_as_published) {
    SigningKeys keys;
    for (const auto& one : published()) {
        auto authorization = authorization_of(one, keys);
        EXPECT_EQ(authorization.substr(authorization.rfind('=') + 1), one.signature) << one.name;
    }
    EXPECT_EQ(keys.kept(), 1u);
}

TEST(Signature, the_authorization_names_the_scope_and_the_signed_headers_in_order) {
    SigningKeys keys;
    auto authorization = authorization_of(published().front(), keys);
    EXPECT_TRUE(
        authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
                                  "SignedHeaders=host;my-header1;x-amz-date, Signature="))
        << authorization;
}

TEST(Signature, a_presigned_query_is_signed_as_published) {
    SigningKeys keys;
    auto query = presign("GET", "example.amazonaws.com", "/", "Param2=value2&Param1=value1", example, region, service, 3600s,
                         *parse_signature_time(time_of_all), keys);
    EXPECT_EQ(query.substr(query.rfind('=') + 1), "86012e2c9ad4d77369f5d81c11f75158aae4f895a085212cc6d3f923d300bed5");
    auto temporary = example;
    temporary.session_token = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";
    query = presign("GET", "example.amazonaws.com", "/", "", temporary, region, service, 3600s, *parse_signature_time(time_of_all), keys);
    EXPECT_EQ(query.substr(query.rfind('=') + 1), "7ff2b50b376cb4d151970630573d6291dc128cc5c2a12ffb237f73cc53f67b6c");
}

TEST(Signature, a_plus_in_a_query_is_signed_as_the_space_it_is_read_as) {
    SignedParts plus{"GET", "/", "a=b+c", {}, {}, "hash"}, space{"GET", "/", "a=b%20c", {}, {}, "hash"};
    EXPECT_EQ(canonical_request(plus), canonical_request(space));
}

TEST(Signature, only_so_many_keys_are_kept_and_the_one_last_used_stays) {
    SigningKeys keys;
    Scope often{"20150830", "often", "sqs"};
    auto first = keys.sign("secret", often, "text");
    for (std::size_t i = 0; i < 3 * SigningKeys::kept_max; ++i) {
        keys.sign("secret", {"20150830", "region-" + std::to_string(i), "sqs"}, "text");
        EXPECT_EQ(keys.sign("secret", often, "text"), first);
    }
    EXPECT_EQ(keys.kept(), SigningKeys::kept_max);
}

TEST(Signature, the_time_of_a_signature_is_read_as_it_is_written) {
    EXPECT_EQ(to_signature_time(*parse_signature_time(time_of_all)), time_of_all);
    for (auto wrong : {"", "20150830", "20150830T123600", "20150830T123600+", "2015-08-30T12:36Z", "20151330T123600Z"})
        EXPECT_FALSE(parse_signature_time(wrong)) << wrong;
}

}  // namespace
}  // namespace forebay::sqs
