#pragma once
// Which names a listener answers to. A web page whose own name was pointed at this machine (DNS rebinding) is of
// the same origin as a listener here, so neither Origin nor Sec-Fetch-Site gives it away; the Host it must say does.

#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace forebay::http {

class Hosts {
  public:
    /// Every name.
    Hosts() = default;
    /// What a listener on `address` answers to. On a loopback address, or where `names` are given, only an IP
    /// address, localhost, *.localhost, and those names; else every name.
    static Hosts of(std::string_view address, std::vector<std::string> names);

    /// One more name, where not every one is answered to; "name:port" too. An empty one is none.
    void add(std::string_view host);

    /// Whether the request's Host may be answered. One without Host comes from no browser and may.
    bool admit(const Request& request) const;

  private:
    bool any_ = true;
    std::vector<std::string> names_;
};

/// `example.com` of `Example.COM.:8080`, without the brackets of an IPv6 address; case stays as it is.
std::string_view name_of_host(std::string_view host);

}  // namespace forebay::http
