#pragma once
// What `$?` says. Source: LSB for status, sysexits.h for the rest.

namespace forebay::cli::exit_code {

inline constexpr int done = 0;
inline constexpr int check_failed = 1;  ///< something was compared and differs
inline constexpr int not_running = 3;   ///< status: some process is not RUNNING
inline constexpr int cannot_tell = 4;   ///< status: the node or the supervisor did not answer
inline constexpr int usage = 64;
inline constexpr int data = 65;
inline constexpr int unreachable = 69;
inline constexpr int bug = 70;
inline constexpr int io = 74;
inline constexpr int try_again = 75;
inline constexpr int permission = 77;
inline constexpr int configuration = 78;

}  // namespace forebay::cli::exit_code
