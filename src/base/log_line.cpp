#include "base/log_line.h"

#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstdio>
#include <utility>

#include "base/json.h"
#include "base/time.h"

namespace forebay {
namespace {
std::atomic<LogLevel> least_level{LogLevel::info};
std::atomic<LogFormat> line_format{LogFormat::logfmt};
std::atomic<int> descriptor{2};
thread_local GatherLogLines* gathering = nullptr;

constexpr std::string_view names[] = {"debug", "info", "warn", "error"};

bool needs_quotes(std::string_view value) {
    for (char c : value)
        if (static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '=' || c == '\\' || c == 127) return true;
    return value.empty();
}

void write_out(std::string_view left) {
    while (!left.empty()) {
        auto n = ::write(descriptor, left.data(), left.size());
        if (n <= 0) break;
        left.remove_prefix(static_cast<std::size_t>(n));
    }
}
}  // namespace

void set_log(LogLevel least, LogFormat format) {
    least_level = least;
    line_format = format;
}
void set_log_descriptor(int fd) { descriptor = fd; }

LogLine::LogLine(LogLevel level, std::string_view event) : active_(level >= least_level) {
    if (!active_) return;
    auto ts = to_rfc3339(SystemClock().wall());
    auto name = names[static_cast<int>(level)];
    switch (line_format.load()) {
        case LogFormat::json:
            line_.append("{\"ts\":\"")
                .append(ts)
                .append("\",\"level\":\"")
                .append(name)
                .append("\",\"event\":\"")
                .append(event)
                .append("\"");
            break;
        case LogFormat::logfmt:
            line_.append("ts=").append(ts).append(" level=").append(name).append(" event=").append(event);
            break;
        case LogFormat::text:
            line_.append(ts, 11, 12).append(" ");
            if (level >= LogLevel::warn) line_.append(name).append(": ");
            line_.append(event);
            break;
    }
}

LogLine::~LogLine() {
    if (!active_) return;
    line_ += line_format == LogFormat::json ? "}\n" : "\n";
    if (gathering != nullptr)
        gathering->add(line_);
    else
        write_out(line_);
}

GatherLogLines::GatherLogLines() { gathering = this; }

GatherLogLines::~GatherLogLines() {
    gathering = nullptr;
    write_out(lines_);
}

void GatherLogLines::add(std::string_view line) {
    if (lines_.size() + line.size() > PIPE_BUF) write_out(std::exchange(lines_, {}));
    lines_.append(line);
}

LogLine& LogLine::with(std::string_view key, std::string_view value) {
    if (!active_) return *this;
    if (line_format == LogFormat::json) {
        line_.append(",\"").append(key).append("\":");
        json::append_string(line_, value);
    } else {
        line_.append(" ").append(key).append("=");
        if (needs_quotes(value))
            json::append_string(line_, value);
        else
            line_.append(value);
    }
    return *this;
}

LogLine& LogLine::with(std::string_view key, double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", value);
    return with_number(key, text);
}

LogLine& LogLine::with_number(std::string_view key, std::string_view digits) {
    if (!active_) return *this;
    if (line_format == LogFormat::json)
        line_.append(",\"").append(key).append("\":").append(digits);
    else
        line_.append(" ").append(key).append("=").append(digits);
    return *this;
}

}  // namespace forebay
