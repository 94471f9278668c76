#include "http/hosts.h"

#include <algorithm>

#include "http/addresses.h"
#include "http/text.h"

namespace forebay::http {
namespace {

bool is_loopback(std::string_view text) {
    static const auto ipv4 = *Network::parse("127.0.0.0/8"), ipv6 = *Network::parse("::1");
    const auto address = parse_address(text);
    return address && (ipv4.contains(*address) || ipv6.contains(*address));
}

bool is_localhost(std::string_view name) {
    static constexpr std::string_view localhost = "localhost";
    if (name.size() < localhost.size() || !equals_ignoring_case(name.substr(name.size() - localhost.size()), localhost)) return false;
    return name.size() == localhost.size() || name[name.size() - localhost.size() - 1] == '.';
}

}  // namespace

std::string_view name_of_host(std::string_view host) {
    if (host.starts_with('[')) {
        const auto end = std::min(host.find(']'), host.size());
        const bool is_whole = end + 1 >= host.size() || host[end + 1] == ':';
        return is_whole ? host.substr(1, end - 1) : host;
    }
    host = host.substr(0, host.find(':'));
    if (host.ends_with('.')) host.remove_suffix(1);
    return host;
}

Hosts Hosts::of(std::string_view address, std::vector<std::string> names) {
    Hosts hosts;
    hosts.any_ = names.empty() && !is_loopback(address);
    hosts.names_ = std::move(names);
    return hosts;
}

void Hosts::add(std::string_view host) {
    if (const auto name = name_of_host(host); !name.empty()) names_.emplace_back(name);
}

bool Hosts::admit(const Request& request) const {
    if (any_) return true;
    const auto host = request.find("host");
    const auto name = name_of_host(host);
    if (host.empty() || is_localhost(name) || parse_address(name)) return true;
    return std::any_of(names_.begin(), names_.end(), [&](const std::string& known) { return equals_ignoring_case(name, known); });
}

}  // namespace forebay::http
