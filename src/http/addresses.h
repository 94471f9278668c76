#pragma once
// IP addresses as numbers, and which of them are proxies whose word about the client is believed.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/message.h"

struct sockaddr;

namespace forebay::http {

/// IPv6; an IPv4 address is mapped into ::ffff:0:0/96, so both compare as the same thing.
struct Address {
    std::array<unsigned char, 16> bytes{};
    bool operator==(const Address&) const = default;
};

std::optional<Address> parse_address(std::string_view text);
Address address_of(const sockaddr& socket_address);
std::string to_text(const Address& address);

/// Neither loopback, link-local, private, multicast nor any other special purpose: an address of the public Internet.
bool is_public(const Address& address);

class Network {
  public:
    /// `10.1.2.3`, `10.0.0.0/8`, `fd00::/8`.
    static std::optional<Network> parse(std::string_view text);
    bool contains(const Address& address) const;

  private:
    Address first_;
    unsigned bits_ = 128;
};

class TrustedProxies {
  public:
    /// The error names what is no address or network.
    static Result<TrustedProxies, std::string> parse(const std::vector<std::string>& texts);
    bool trusts(const Address& address) const;
    /// Who the client is according to the X-Forwarded-For of a trusted peer: the nearest address that is not
    /// itself trusted. Nothing if the field is missing or its nearest entry is no address.
    std::optional<Address> client_of(const Request& request) const;

  private:
    std::vector<Network> networks_;
};

}  // namespace forebay::http
