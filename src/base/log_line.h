#pragma once
// One structured line per thing an operator acts on, on standard error. Never bodies, never secrets.
//   log_info("record.accepted").with("endpoint", name).with("ms", 4);      // the line is written at the `;`

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace forebay {

enum class LogLevel { debug, info, warn, error };
enum class LogFormat { logfmt, json, text };

/// Process-wide; set once by cli/ before threads start.
void set_log(LogLevel least, LogFormat format);
/// Where lines go (a file descriptor, default 2). Lines are written whole, in one call.
void set_log_descriptor(int fd);

class LogLine {
  public:
    LogLine(LogLevel level, std::string_view event);
    ~LogLine();
    LogLine(const LogLine&) = delete;
    LogLine& operator=(const LogLine&) = delete;
    LogLine& with(std::string_view key, std::string_view value);
    LogLine& with(std::string_view key, const char* value) { return with(key, std::string_view(value)); }
    LogLine& with(std::string_view key, std::integral auto value) { return with_number(key, std::to_string(value)); }
    LogLine& with(std::string_view key, bool value) { return with_number(key, value ? "true" : "false"); }
    LogLine& with(std::string_view key, double value);

  private:
    LogLine& with_number(std::string_view key, std::string_view digits);
    bool active_;
    std::string line_;
};

/// While it lives, the lines of its thread are gathered and written together: as many in one call as a pipe takes whole, the rest at
/// its end. For many lines about one act; one at a time.
class GatherLogLines {
  public:
    GatherLogLines();
    ~GatherLogLines();
    GatherLogLines(const GatherLogLines&) = delete;
    GatherLogLines& operator=(const GatherLogLines&) = delete;

  private:
    friend class LogLine;
    void add(std::string_view line);
    std::string lines_;
};

inline LogLine log_debug(std::string_view event) { return {LogLevel::debug, event}; }
inline LogLine log_info(std::string_view event) { return {LogLevel::info, event}; }
inline LogLine log_warn(std::string_view event) { return {LogLevel::warn, event}; }
inline LogLine log_error(std::string_view event) { return {LogLevel::error, event}; }

}  // namespace forebay
