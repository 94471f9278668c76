#include "cli/admin_client.h"

#include "http/message.h"

namespace forebay::cli {
namespace {

std::string reachable(const Listen& listen) {
    bool is_any = listen.address == "0.0.0.0" || listen.address == "::";
    return "http://" + address_text({is_any ? "127.0.0.1" : listen.address, listen.port});
}

std::string url_of(Invocation& invocation) {
    auto url = node_named_by(invocation);
    if (url.empty()) {
        auto configuration = invocation.whatever_is_configured();
        url = reachable(configuration.admin.listen.empty() ? Listen{"127.0.0.1", 8090} : configuration.admin.listen[0]);
    }
    if (url.find("://") == std::string::npos) url = "http://" + url;
    while (url.ends_with('/')) url.pop_back();
    return url;
}

int exit_code_of(unsigned status) {
    if (status == 401 || status == 403) return exit_code::permission;
    if (status == 503 || status == 429) return exit_code::try_again;
    return status >= 500 ? exit_code::bug : exit_code::data;
}

std::string problem_text(const http::ClientResponse& response) {
    auto problem = json::parse(response.body);
    if (problem && !(*problem)["detail"].text().empty()) return (*problem)["detail"].text();
    if (problem && !(*problem)["title"].text().empty()) return (*problem)["title"].text();
    return "the node answered " + std::to_string(response.status);
}

}  // namespace

std::string node_named_by(Invocation& invocation) {
    auto url = invocation.globals().node;
    for (const auto& [name, value] : invocation.world().variables)
        if (url.empty() && name == "FOREBAY_NODE") url = value;
    return url;
}

AdminClient::AdminClient(Invocation& invocation) : world_(invocation.world()), url_(url_of(invocation)) {}

Result<json::Value, AdminError> AdminClient::get(const std::string& path) {
    http::ClientRequest request;
    request.url = url_ + path;
    request.total_deadline = answer_deadline;
    return send(std::move(request));
}

Result<json::Value, AdminError> AdminClient::post(const std::string& path, const json::Value& body, Duration deadline) {
    http::ClientRequest request;
    request.method = "POST";
    request.url = url_ + path;
    request.headers = {{"Content-Type", "application/json"}};
    request.body = json::to_text(body);
    request.total_deadline = deadline;
    return send(std::move(request));
}

Result<json::Value, AdminError> AdminClient::send(http::ClientRequest request) {
    world_.terminal.detail(2, request.method + " " + request.url);
    auto response = world_.http(request);
    if (!response) {
        auto what = "no answer from " + url_ + ": " + response.error().detail;
        if (response.error().kind == http::ClientError::Kind::not_connected) what += ". Is it running? forebay dev, forebay serve";
        return Failure{AdminError{exit_code::unreachable, what}};
    }
    if (response->status >= 400) return Failure{AdminError{exit_code_of(response->status), problem_text(*response)}};
    auto value = json::parse(response->body);
    if (!value) return Failure{AdminError{exit_code::bug, url_ + " answered no JSON: " + value.error().what}};
    return std::move(*value);
}

int failed(Invocation& invocation, const AdminError& error) {
    invocation.terminal().complain(error.what);
    return error.exit_code;
}

std::string query_of(std::initializer_list<std::pair<std::string_view, std::string>> parameters) {
    std::string out;
    for (const auto& [name, value] : parameters)
        if (!value.empty()) out += (out.empty() ? "?" : "&") + std::string(name) + "=" + http::percent_encode(value);
    return out;
}

}  // namespace forebay::cli
