#pragma once
// A database as `status` finds it when it looks into it just now.

#include <string>

#include "base/json.h"
#include "cli/config/configuration.h"
#include "cli/terminal.h"

namespace forebay::cli {

struct SeenDatabase {
    enum class State { up, down, not_made };
    std::string name, path;
    State state = State::up;
    Duration took{};  ///< of the look, when it is up
    std::string why;  ///< when it is down

    /// `DB main  forebay-data/forebay.db  up 1ms`
    std::string line(const Terminal& terminal) const;
    json::Value to_json() const;
};

/// Reads one row, and waits for a lock only shortly.
SeenDatabase look_at(const DatabaseConfiguration& database, Clock& clock);

/// Complains of each database that was made and is not there: what it knew counts as missing.
void complain_of_gone(const Configuration& configuration, Terminal& terminal);

}  // namespace forebay::cli
