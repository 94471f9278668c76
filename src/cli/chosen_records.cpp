#include "cli/chosen_records.h"

#include "cli/similar.h"
#include "cli/words.h"
#include "condition/record_scope.h"

namespace forebay::cli {
namespace {

/// Its moment, the usual one if the option was not given, nothing if it is none.
std::optional<Timestamp> moment_of(const Invocation& invocation, std::string_view option, Timestamp usual, Timestamp now) {
    auto given = invocation.value(option);
    return given ? parse_moment(*given, now) : usual;
}

Failure<int> no_moment(Invocation& invocation, const std::string& option) {
    return Failure{invocation.misused("--" + option + " " + invocation.value(option).value_or("") +
                                      " is no moment, such as 2026-09-19, \"2026-09-19 08:00\" or 2h (ago)")};
}

/// A name that the configuration does not have may still be that of old records.
void remark_unknown(Invocation& invocation, const std::string& endpoint) {
    std::vector<std::string> names;
    for (const auto& known : invocation.whatever_is_configured().endpoints) names.push_back(known.name);
    for (const auto& name : names)
        if (name == endpoint) return;
    auto meant = nearest(endpoint, names);
    invocation.terminal().talk("There is no endpoint \"" + printable(endpoint) + "\" now" +
                               (meant.empty() ? "." : "; did you mean \"" + meant + "\"?"));
}

}  // namespace

bool ChosenRecords::take(const record::Envelope& record) const {
    if (!endpoint.empty() && record.endpoint != endpoint) return false;
    return !where || condition::holds_for(*where, record);
}

Result<ChosenRecords, int> chosen_by(Invocation& invocation) {
    auto now = invocation.world().clock.wall();
    ChosenRecords chosen;
    if (invocation.has("since") && invocation.has("from")) return Failure{invocation.misused("--since and --from say the same; give one")};
    for (auto option : {"since", "from"}) {
        auto from = moment_of(invocation, option, chosen.from, now);
        if (!from) return no_moment(invocation, option);
        chosen.from = *from;
    }
    auto to = moment_of(invocation, "to", chosen.to, now);
    if (!to) return no_moment(invocation, "to");
    chosen.to = *to;
    if (chosen.from >= chosen.to) return Failure{invocation.misused("--from must be before --to")};
    chosen.endpoint = invocation.value("endpoint").value_or("");
    if (!chosen.endpoint.empty()) remark_unknown(invocation, chosen.endpoint);
    if (auto text = invocation.value("where")) {
        auto condition = condition::Condition::parse(*text);
        if (!condition.ok()) {
            invocation.terminal().error_text(condition::error_text("--where", *text, condition.error()));
            return Failure{int(exit_code::usage)};
        }
        chosen.where = std::move(*condition);
    }
    return chosen;
}

}  // namespace forebay::cli
