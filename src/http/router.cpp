#include "http/router.h"

#include <algorithm>
#include <optional>

#include "http/problem.h"
#include "http/text.h"

namespace forebay::http {
namespace {

std::vector<std::string_view> split(std::string_view path) {
    std::vector<std::string_view> segments;
    if (path.starts_with('/')) path.remove_prefix(1);
    while (true) {
        const auto slash = path.find('/');
        segments.push_back(path.substr(0, slash));
        if (slash == path.npos) return segments;
        path.remove_prefix(slash + 1);
    }
}

/// Segments as names: decoded, and none that a file system or a log could take for something else.
std::optional<std::vector<std::string>> safe_segments(std::string_view path) {
    std::vector<std::string> out;
    const auto segments = split(path);
    for (std::size_t i = 0; i < segments.size(); ++i) {
        auto name = percent_decode(segments[i], false);
        const bool empty_inside = name.empty() && i + 1 < segments.size();
        if (empty_inside || name == "." || name == ".." || name.find('/') != name.npos || std::any_of(name.begin(), name.end(), is_control))
            return std::nullopt;
        out.push_back(std::move(name));
    }
    return out;
}

std::optional<Captures> match(const std::vector<std::string>& pattern, bool takes_rest, const std::vector<std::string>& path) {
    if (takes_rest ? path.size() <= pattern.size() : path.size() != pattern.size()) return std::nullopt;
    Captures captures;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] == "{}" && !path[i].empty())
            captures.push_back(path[i]);
        else if (pattern[i] != path[i])
            return std::nullopt;
    }
    if (takes_rest) {
        std::string rest = path[pattern.size()];
        for (auto i = pattern.size() + 1; i < path.size(); ++i) rest += '/' + path[i];
        captures.push_back(std::move(rest));
    }
    return captures;
}

}  // namespace

Router& Router::add(std::string_view method, std::string_view pattern, Route route) {
    Entry entry{std::string(method), {}, pattern.ends_with("/*"), std::move(route)};
    if (entry.takes_rest) pattern.remove_suffix(2);
    if (!pattern.empty() || !entry.takes_rest)
        for (auto segment : split(pattern)) entry.segments.emplace_back(segment);
    entries_.push_back(std::move(entry));
    return *this;
}

void Router::operator()(const Request& request, Responder responder) {
    const auto path = safe_segments(request.path);
    if (!path) return responder(problem(400, "bad_path", "The path holds a part that cannot be a name."));
    const std::string_view method = request.method == "HEAD" ? "GET" : request.method;
    std::string allowed;
    for (auto& entry : entries_) {
        const auto captures = match(entry.segments, entry.takes_rest, *path);
        if (!captures) continue;
        if (entry.method == method) return entry.route(request, *captures, std::move(responder));
        allowed += (allowed.empty() ? "" : ", ") + entry.method + (entry.method == "GET" ? ", HEAD" : "");
    }
    if (allowed.empty()) return responder(problem(404, "not_found", "There is nothing at this address."));
    auto response = problem(405, "method_not_allowed", "This address is there, but not for this method.");
    response.headers.emplace_back("Allow", std::move(allowed));
    responder(std::move(response));
}

}  // namespace forebay::http
