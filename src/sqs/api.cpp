#include "sqs/api.h"

#include <charconv>

#include "base/bytes.h"
#include "http/problem.h"
#include "sqs/action.h"
#include "sqs/json.h"
#include "sqs/query_xml.h"

namespace forebay::sqs {
namespace {

/// The host and port of `https://host:port/…`; what is no URL stays as it is.
std::string_view authority_of(std::string_view origin) {
    auto scheme = origin.find("://");
    if (scheme == std::string_view::npos) return origin;
    origin.remove_prefix(scheme + 3);
    return origin.substr(0, origin.find('/'));
}

/// A page of another site in the browser of someone who can reach this port: its forms and scripts may send
/// anything, and no queue is theirs to purge.
bool is_of_a_foreign_page(const http::Request& request) {
    auto site = request.find("sec-fetch-site");
    if (site == "cross-site" || site == "same-site") return true;
    auto origin = request.find("origin");
    return !origin.empty() && authority_of(origin) != request.find("host");
}

Error foreign_page() {
    return {ErrorKind::access_denied, "Requests from web pages of another origin are refused (Origin, Sec-Fetch-Site)."};
}

Error foreign_host(const http::Request& request) {
    return {ErrorKind::access_denied, "This port does not answer to the name \"" + std::string(request.find("host").substr(0, 255)) +
                                          "\". Call it by its address or as localhost, or list the name in [sqs] hosts."};
}

constexpr std::string_view said_once[] = {
    "Authorization", "Content-Type",         "Origin",       "Sec-Fetch-Site",    "X-Amz-Content-Sha256",
    "X-Amz-Date",    "X-Amz-Security-Token", "X-Amz-Target", "X-Forebay-Attempt", "X-Forebay-Release"};

Error said_twice(std::string_view header) {
    return {ErrorKind::invalid_parameter_value, "The header " + std::string(header) + " may be given once."};
}

Error unknown_action(std::string_view name) {
    return {ErrorKind::invalid_action, "The action " + std::string(name.substr(0, 100)) + " is not valid for this endpoint."};
}

/// Clients use POST and GET. Of HEAD, OPTIONS or a word nobody knows, what stands between may think that it changes nothing.
bool has_a_method_of_ours(const http::Request& request) { return request.method == "POST" || request.method == "GET"; }

http::Response wrong_method() {
    auto response = http::problem(405, "method_not_allowed", "The queue port takes POST and GET.");
    response.headers.emplace_back("Allow", "POST, GET");
    return response;
}

Protocol protocol_of(const http::Request& request) { return json_protocol::speaks(request) ? Protocol::json : Protocol::query; }

struct Entry {
    broker::Commands& commands;
    Gatekeeper& gate;
    const ApiOptions& options;
    const http::Request& request;
    http::Responder responder;
    Caller caller{};

    void refuse(Protocol protocol, const Error& error) { Reply(std::move(responder), protocol, {}, false).fail(error); }

    void run(Protocol protocol, const Action& action, json::Value& members) {
        auto typing = protocol == Protocol::json ? Typing::strict : Typing::text_only;
        Call call{commands,
                  options,
                  gate,
                  std::move(caller),
                  action,
                  request,
                  Arguments(members, typing),
                  Reply(std::move(responder), protocol, action.name, action.has_result)};
        if (auto done = action.run(call); !done.ok()) call.reply.fail(done.error());
    }

    void serve_json() {
        auto name = json_protocol::action_of(request);
        if (!name.ok()) return refuse(Protocol::json, name.error());
        auto* action = find_action(*name);
        if (action == nullptr)
            return refuse(Protocol::json, {ErrorKind::unknown_operation, "There is no action " + std::string(name->substr(0, 100)) + "."});
        auto members = json_protocol::decode(request.body);
        if (!members.ok()) return refuse(Protocol::json, members.error());
        run(Protocol::json, *action, *members);
    }

    void serve_query() {
        auto parameters = query_protocol::decode(request);
        if (!parameters.ok()) return refuse(Protocol::query, parameters.error());
        if (parameters->action.empty()) return responder(query_protocol::no_action());
        auto* action = find_action(parameters->action);
        bool at_a_queue = !name_of_url(request.path).empty();
        if (action == nullptr || (at_a_queue && !action->works_at_a_queue))
            return refuse(Protocol::query, unknown_action(parameters->action));
        run(Protocol::query, *action, parameters->members);
    }
};

/// Longer than what nearly all requests have, and short enough to be read from anybody.
bool has_long_body(const http::Request& head) {
    if (!head.find("transfer-encoding").empty()) return true;
    auto length = head.find("content-length");
    std::uint64_t bytes = 0;
    std::from_chars(length.data(), length.data() + length.size(), bytes);
    return bytes > 64_KiB;
}

}  // namespace

std::optional<http::Response> Api::refuse_early(const http::Request& head) {
    if (!has_long_body(head)) return std::nullopt;
    auto known = gate_.look_at_head(head);
    return known.ok() ? std::nullopt : std::optional(refusal(protocol_of(head), known.error()));
}

void Api::handle(const http::Request& request, http::Responder responder) {
    if (!has_a_method_of_ours(request)) return responder(wrong_method());
    Entry entry{commands_, gate_, options_, request, std::move(responder)};
    if (auto header = request.repeated(said_once); !header.empty()) return entry.refuse(protocol_of(request), said_twice(header));
    if (is_of_a_foreign_page(request)) return entry.refuse(protocol_of(request), foreign_page());
    auto caller = gate_.identify(request);
    if (!caller.ok()) return entry.refuse(protocol_of(request), caller.error());
    entry.caller = std::move(*caller);
    if (protocol_of(request) == Protocol::json)
        entry.serve_json();
    else
        entry.serve_query();
}

void Api::refuse_host(const http::Request& request, http::Responder responder) {
    Reply(std::move(responder), protocol_of(request), {}, false).fail(foreign_host(request));
}

}  // namespace forebay::sqs
