// forebay work WORKER [N]: one numbered worker process in the foreground.

#include <charconv>

#include "base/log_line.h"
#include "cli/process/work.h"
#include "cli/run_verbs.h"
#include "cli/verb.h"

namespace forebay::cli {

int run_work(Invocation& invocation) {
    auto number = invocation.word(1);
    unsigned n = 1;
    if (!number.empty()) {
        auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), n);
        if (error != std::errc() || end != number.data() + number.size() || n == 0)
            return invocation.misused("\"" + number + "\" is not a process number; they start at 1");
    }
    auto configuration = invocation.configuration();
    if (!configuration) return exit_code::configuration;
    set_log(configuration->log.level, configuration->log.format);
    return run_work_process(*configuration, invocation.word(0), n);
}

}  // namespace forebay::cli
