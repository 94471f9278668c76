#pragma once
// Whether the configured addresses can be listened on, asked before a node is started that would fail at it again
// and again.

#include <optional>
#include <string>

#include "cli/config/configuration.h"

namespace forebay::cli {

struct PortProblem {
    int exit_code = 0;
    std::string address;  ///< `127.0.0.1:8080`
    std::string setting;  ///< `intake.listen`
    std::string why;
    std::string next;  ///< what to do about it
};

/// Why nobody could listen on that address of a setting now. The caller's own listener would be in the way too.
std::optional<PortProblem> port_problem(const std::string& setting, const Listen& at);

/// `nginx (pid 812)`: whoever listens on that TCP port; empty when it is nobody, or not ours to see.
std::string who_listens(std::uint16_t port);

}  // namespace forebay::cli
