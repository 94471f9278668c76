#include "supervisor/supervisor.h"

namespace forebay::supervisor {

bool matches(std::string_view pattern, const ProcessStatus& process) {
    if (pattern == "all" || pattern == "*" || pattern == process.name || pattern == process.worker) return true;
    auto colon = pattern.find(':');
    if (colon == std::string_view::npos) return false;
    auto left = pattern.substr(0, colon), right = pattern.substr(colon + 1);
    if (left == process.worker) return right == "*";
    if (left != process.group) return false;
    // `core:*`, `core:store`, `core:store:1`, `core:store:*`
    return right == "*" || matches(right, process);
}

}  // namespace forebay::supervisor
