// Provoked failures write their log lines by the hundred: only errors are shown.

#include "base/log_line.h"

namespace {

const bool is_quiet = [] {
    forebay::set_log(forebay::LogLevel::error, forebay::LogFormat::logfmt);
    return true;
}();

}  // namespace
