#pragma once
// Broken invariants end the process, in release builds too: the supervisor restarts it and the log
// restores what was promised. Nothing tries to go on with a state that is known to be wrong.

#include <string_view>

namespace forebay {

/// Writes one line (file, line, the invariant) to standard error and aborts.
[[noreturn]] void panic(std::string_view what, const char* file, int line);

}  // namespace forebay

/// Aborts with `why` unless `condition` holds: `CHECK(next > last, "journal positions grow");`
#define CHECK(condition, why)                                        \
    do {                                                             \
        if (!(condition)) ::forebay::panic(why, __FILE__, __LINE__); \
    } while (false)
