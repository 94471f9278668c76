#include "http/addresses.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "http/text.h"

namespace forebay::http {
namespace {

constexpr std::array<unsigned char, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool is_mapped(const Address& address) { return std::equal(mapped.begin(), mapped.end(), address.bytes.begin()); }

Address from_ipv4(const void* four_bytes) {
    Address address;
    std::copy(mapped.begin(), mapped.end(), address.bytes.begin());
    std::memcpy(address.bytes.data() + mapped.size(), four_bytes, 4);
    return address;
}

std::optional<unsigned> small_number(std::string_view digits) {
    if (digits.empty() || digits.size() > 3 || !std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
    unsigned value = 0;
    for (char c : digits) value = value * 10 + static_cast<unsigned>(c - '0');
    return value;
}

/// An entry of X-Forwarded-For may carry a port: `1.2.3.4:5678`, `[2001:db8::1]:5678`.
std::string_view without_port(std::string_view entry) {
    if (entry.starts_with('[')) return entry.substr(1, entry.find(']') - 1);
    const auto colon = entry.find(':');
    return colon != entry.npos && entry.find(':', colon + 1) == entry.npos ? entry.substr(0, colon) : entry;
}

const std::vector<Network>& special_networks() {
    static const auto networks = [] {
        std::vector<Network> list;
        for (const char* text :
             {"0.0.0.0/8",    "10.0.0.0/8",     "100.64.0.0/10",  "127.0.0.0/8",   "169.254.0.0/16",  "172.16.0.0/12",  "192.0.0.0/24",
              "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
              "::/96",        "64:ff9b::/96",   "64:ff9b:1::/48", "100::/64",      "2001::/23",       "2001:db8::/32",  "2002::/16",
              "fc00::/7",     "fe80::/10",      "fec0::/10",      "ff00::/8"})
            list.push_back(*Network::parse(text));
        return list;
    }();
    return networks;
}

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
    if (text.find('\0') != text.npos) return std::nullopt;
    const std::string terminated(text);
    Address address;
    in_addr ipv4{};
    if (inet_pton(AF_INET, terminated.c_str(), &ipv4) == 1) return from_ipv4(&ipv4);
    if (inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) != 1) return std::nullopt;
    return address;
}

Address address_of(const sockaddr& socket_address) {
    Address address;
    if (socket_address.sa_family == AF_INET) return from_ipv4(&reinterpret_cast<const sockaddr_in&>(socket_address).sin_addr);
    if (socket_address.sa_family == AF_INET6)
        std::memcpy(address.bytes.data(), &reinterpret_cast<const sockaddr_in6&>(socket_address).sin6_addr, address.bytes.size());
    return address;
}

std::string to_text(const Address& address) {
    char text[INET6_ADDRSTRLEN];
    if (is_mapped(address)) return inet_ntop(AF_INET, address.bytes.data() + mapped.size(), text, sizeof text);
    return inet_ntop(AF_INET6, address.bytes.data(), text, sizeof text);
}

bool is_public(const Address& address) {
    const auto& networks = special_networks();
    return std::none_of(networks.begin(), networks.end(), [&](const Network& n) { return n.contains(address); });
}

std::optional<Network> Network::parse(std::string_view text) {
    const auto slash = text.find('/');
    const auto address = parse_address(text.substr(0, slash));
    if (!address) return std::nullopt;
    Network network;
    network.first_ = *address;
    if (slash == text.npos) return network;
    const auto bits = small_number(text.substr(slash + 1));
    const unsigned before = is_mapped(*address) ? 96 : 0;
    if (!bits || before + *bits > 128) return std::nullopt;
    network.bits_ = before + *bits;
    return network;
}

bool Network::contains(const Address& address) const {
    const auto whole = bits_ / 8;
    if (std::memcmp(first_.bytes.data(), address.bytes.data(), whole) != 0) return false;
    const unsigned rest = bits_ % 8;
    return rest == 0 || ((first_.bytes[whole] ^ address.bytes[whole]) >> (8 - rest)) == 0;
}

Result<TrustedProxies, std::string> TrustedProxies::parse(const std::vector<std::string>& texts) {
    TrustedProxies proxies;
    for (const auto& text : texts) {
        const auto network = Network::parse(text);
        if (!network) return Failure{"trusted proxy \"" + text + "\" is no address or network"};
        proxies.networks_.push_back(*network);
    }
    return proxies;
}

bool TrustedProxies::trusts(const Address& address) const {
    return std::any_of(networks_.begin(), networks_.end(), [&](const Network& n) { return n.contains(address); });
}

std::optional<Address> TrustedProxies::client_of(const Request& request) const {
    std::optional<Address> nearest;
    for (auto header = request.headers.rbegin(); header != request.headers.rend(); ++header) {
        if (!equals_ignoring_case(header->name, "x-forwarded-for")) continue;
        auto rest = header->value;
        while (!rest.empty()) {
            const auto comma = rest.rfind(',');
            const auto entry = trimmed(comma == rest.npos ? rest : rest.substr(comma + 1));
            rest = comma == rest.npos ? std::string_view() : rest.substr(0, comma);
            const auto address = parse_address(without_port(entry));
            if (!address) return nearest;
            nearest = address;
            if (!trusts(*address)) return nearest;
        }
    }
    return nearest;
}

}  // namespace forebay::http
