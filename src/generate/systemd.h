#pragma once
// Units for systemd 247 and later: the whole of Forebay as one service, or its node and each worker as services of their own.

#include <string>
#include <vector>

#include "generate/processes.h"

namespace forebay::generate {

struct Unit {
    std::string name;  ///< `forebay.service`
    std::string text;
};

struct UnitOptions {
    bool split = false;   ///< a node, a template for each worker, and a target
    bool socket = false;  ///< systemd listens for posts, also while the service starts again
};

std::vector<Unit> systemd_units(const Processes& processes, UnitOptions options);

/// A word of a command line in a unit.
std::string exec_word(std::string_view word);
/// A word of a list of paths in a unit.
std::string unit_word(std::string_view word);

}  // namespace forebay::generate
