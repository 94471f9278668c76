#include "cli/terminal.h"

namespace forebay::cli {
namespace {

std::string_view code_of(Colour colour) {
    switch (colour) {
        case Colour::plain:
            return "";
        case Colour::good:
        case Colour::name:
            return "\033[32m";
        case Colour::bad:
            return "\033[31m";
        case Colour::warn:
        case Colour::heading:
            return "\033[33m";
    }
    return "";
}

}  // namespace

void Terminal::result(std::string_view text) {
    if (!quiet_) out_ << text;
}

void Terminal::result_json(const json::Value& value) { out_ << json::to_pretty_text(value) << '\n'; }

void Terminal::talk(std::string_view line) {
    if (quiet_) return;
    out_.flush();
    take_progress_away();
    err_ << line << '\n';
}

void Terminal::detail(int level, std::string_view line) {
    if (verbosity_ >= level) talk(line);
}

void Terminal::complain(std::string_view line) {
    out_.flush();
    take_progress_away();
    err_ << "forebay: " << line << '\n';
}

void Terminal::error_text(std::string_view text) {
    out_.flush();
    err_ << text;
}

void Terminal::progress(std::string_view line) {
    if (!options_.err_is_terminal || quiet_ || json_) return;
    take_progress_away();
    err_ << line << std::flush;
    has_progress_ = !line.empty();
}

void Terminal::take_progress_away() {
    if (has_progress_) err_ << "\r\033[K";
    has_progress_ = false;
}

void Terminal::flush() {
    out_.flush();
    err_.flush();
}

std::optional<std::string> Terminal::ask(std::string_view question) {
    if (!options_.can_ask) return std::nullopt;
    out_.flush();
    err_ << question << ' ' << std::flush;
    std::string line;
    if (!std::getline(in_, line)) return std::nullopt;
    return line;
}

std::optional<std::string> Terminal::read_line(std::string_view prompt) {
    out_.flush();
    if (options_.can_ask) err_ << prompt << std::flush;
    std::string line;
    if (!std::getline(in_, line)) return std::nullopt;
    return line;
}

std::string Terminal::painted(std::string_view text, Colour colour) const {
    if (!options_.colour_out || colour == Colour::plain) return std::string(text);
    return std::string(code_of(colour)) + std::string(text) + "\033[0m";
}

}  // namespace forebay::cli
