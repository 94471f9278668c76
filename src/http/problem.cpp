#include "http/problem.h"

#include "base/json.h"

namespace forebay::http {

Response problem(unsigned status, std::string_view code, std::string_view detail) {
    Response response;
    response.status = status;
    response.content_type = "application/problem+json";
    std::string& body = response.body;
    body = "{\"type\":\"about:blank\",\"title\":";
    json::append_string(body, reason_of(status));
    body += ",\"status\":" + std::to_string(status) + ",\"code\":";
    json::append_string(body, code);
    body += ",\"detail\":";
    json::append_string(body, detail);
    body += "}";
    return response;
}

}  // namespace forebay::http
