#pragma once
// TCP sockets that listen: opened here, or inherited from whoever opened them (a parent, systemd). All get the same options,
// which accepted connections inherit. Nobody is accepted here.

#include <cstdint>
#include <string>

#include "base/result.h"

namespace forebay::http {

/// Listens on an IPv4 or IPv6 address; port 0 is one that is free. The descriptor is the caller's; it is close-on-exec and does
/// not block. With `share_port` others may listen there too (SO_REUSEPORT), each with a queue of its own.
/// The error says what could not be listened on, and why.
Result<int, std::string> listen_on(const std::string& address, std::uint16_t port, bool share_port = false);

/// Sets the options of listen_on() on a socket that listens already. The error says what the descriptor is instead.
Result<void, std::string> take_up_listener(int descriptor);

/// A copy of a listening socket; both take from one queue.
Result<int, std::string> copy_listener(int descriptor);

std::uint16_t port_of(int socket);
bool is_ipv6(int socket);

}  // namespace forebay::http
