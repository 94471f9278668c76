#pragma once
// Which records a verb is about: --since, --from and --to, --endpoint, --where.

#include <optional>
#include <string>

#include "base/time.h"
#include "cli/verb.h"
#include "condition/condition.h"
#include "record/envelope.h"

namespace forebay::cli {

struct ChosenRecords {
    Timestamp from{0}, to{INT64_MAX};
    std::string endpoint;  ///< empty: of every endpoint
    std::optional<condition::Condition> where;

    /// By endpoint and condition; the time is for whoever reads the log.
    bool take(const record::Envelope& record) const;
};

/// What the options say; after a complaint the exit code.
Result<ChosenRecords, int> chosen_by(Invocation& invocation);

}  // namespace forebay::cli
