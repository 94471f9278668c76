// Both protocols of the queue port, up to the members that actions get. The first byte chooses: a JSON body, a form, an address.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "sqs/json.h"
#include "sqs/query_xml.h"

namespace {

using namespace forebay;

/// What an action sees can be told to a client in either protocol.
void answer(const json::Value& members) {
    CHECK(json::parse(json::to_text(members)).ok(), "members are JSON");
    CHECK(sqs::query_protocol::success("SendMessage", true, members, "id").status == 200, "members can be XML");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto text = std::string_view(reinterpret_cast<const char*>(data) + 1, size - 1);
    if (data[0] % 3 == 0) {
        auto members = sqs::json_protocol::decode(text);
        if (members.ok()) answer(*members);
        return 0;
    }
    http::Request request;
    request.method = data[0] % 3 == 1 ? "POST" : "GET";
    request.target = request.path = "/";
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
    (data[0] % 3 == 1 ? request.body : request.query) = text;
    auto parameters = sqs::query_protocol::decode(request);
    if (parameters.ok()) answer(parameters->members);
    return 0;
}
