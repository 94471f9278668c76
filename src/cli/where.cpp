#include "cli/where.h"

#include <algorithm>

#include "cli/similar.h"
#include "condition/record_scope.h"

namespace forebay::cli {

std::optional<std::string> unknown_field(const Configuration& configuration, const std::string& queue, const std::string& name) {
    if (condition::RecordScope::is_own(name)) return std::nullopt;
    std::vector<std::string> known;
    for (const auto& endpoint : configuration.endpoints) {
        if (!queue.empty() && endpoint.queue != queue) continue;
        for (const auto& field : endpoint.fields) known.push_back(field.name);
    }
    if (known.empty() || std::find(known.begin(), known.end(), name) != known.end()) return std::nullopt;
    return nearest(name, known);
}

Result<std::string, int> read_where(Invocation& invocation, const Configuration& configuration) {
    auto text = invocation.value("where");
    if (!text) return std::string();
    auto condition = condition::Condition::parse(*text);
    if (!condition) {
        invocation.terminal().error_text(condition::error_text("--where", *text, condition.error()));
        return Failure{int{exit_code::usage}};
    }
    for (const auto& path : condition->paths()) {
        auto meant = unknown_field(configuration, {}, path.names[0]);
        if (meant)
            invocation.terminal().talk("--where: no endpoint lists a field \"" + path.names[0] + "\"" +
                                       (meant->empty() ? "" : "; did you mean \"" + *meant + "\"?"));
    }
    return *text;
}

}  // namespace forebay::cli
