#include "cli/config/diagnostic.h"

#include <algorithm>
#include <cctype>
#include <tuple>

#include "cli/similar.h"
#include "cli/table.h"

namespace forebay::cli {
namespace {

constexpr std::string_view red = "\033[31m", yellow = "\033[33m", green = "\033[32m", bold = "\033[1m", plain = "\033[0m";

/// Blanks as wide as the line up to the column, tabs kept, so that the caret stands under its word.
std::string indent_to(std::string_view line, std::size_t column) {
    std::string out;
    std::size_t at = 1;
    for (char c : line) {
        if ((static_cast<unsigned char>(c) & 0xC0) == 0x80) continue;
        if (at++ >= column) break;
        out += c == '\t' ? '\t' : ' ';
    }
    return out;
}

/// The byte at which the character of that column begins.
std::size_t byte_of(std::string_view line, std::size_t column) {
    std::size_t at = 0;
    for (std::size_t character = 0; at < line.size(); ++at)
        if ((static_cast<unsigned char>(line[at]) & 0xC0) != 0x80 && ++character == column) break;
    return at;
}

/// A text of a TOML file, character by character as it is written.
class Written {
  public:
    /// From an opening quote on.
    Written(const std::vector<std::string>& lines, std::size_t line, std::size_t column)
        : lines_(lines), line_(line - 1), at_(byte_of(lines[line - 1], column)) {
        auto rest = std::string_view(lines_[line_]).substr(at_);
        is_basic_ = rest.starts_with('"');
        if (!is_basic_ && !rest.starts_with('\'')) return;
        bool has_lines = rest.starts_with("\"\"\"") || rest.starts_with("'''");
        at_ += has_lines ? 3 : 1;
        if (has_lines && at_ == lines_[line_].size()) next_line();
        is_text_ = true;
    }
    bool is_text() const { return is_text_; }
    std::size_t line() const { return line_ + 1; }
    std::size_t column() const { return width_of(std::string_view(lines_[line_]).substr(0, at_)) + 1; }
    bool is_over() const { return line_ >= lines_.size(); }

    /// Steps over what stands for this byte of the value. False: something else does.
    bool step(char byte) {
        const auto& line = lines_[line_];
        if (at_ == line.size()) return byte == '\n' && (next_line(), !is_over());
        if (!is_basic_ || line[at_] != '\\') return line[at_++] == byte;
        constexpr std::string_view written = "\"\\tnrbf", meant = "\"\\\t\n\r\b\f";
        auto which = at_ + 1 < line.size() ? written.find(line[at_ + 1]) : std::string_view::npos;
        at_ += 2;
        return which != std::string_view::npos && meant[which] == byte;
    }

  private:
    void next_line() {
        ++line_;
        at_ = 0;
    }
    const std::vector<std::string>& lines_;
    std::size_t line_, at_;
    bool is_basic_ = false, is_text_ = false;
};

/// Keys whose values nobody should read over a shoulder, in a ticket or in a log. A misspelt one counts too.
bool is_secret(const std::string& key) {
    static const std::vector<std::string> secrets = {"hash",    "secret", "password", "passwd",      "pass",       "token",
                                                     "api_key", "apikey", "key",      "private_key", "secret_key", "encrypt"};
    if (key == "token_field" || key == "token_ttl" || key == "path" || key == "has") return false;
    return !nearest(key, secrets).empty();
}

/// The line with the values of secret keys starred out, as wide as it was, so that carets stay right.
std::string without_secrets(std::string line) {
    auto is_word = [&](std::size_t i) {
        auto c = static_cast<unsigned char>(line[i]);
        return std::isalnum(c) != 0 || c == '_' || c == '-';
    };
    for (auto equals = line.find('='); equals != std::string::npos; equals = line.find('=', equals + 1)) {
        auto end = equals;
        while (end > 0 && (line[end - 1] == ' ' || line[end - 1] == '"')) --end;
        auto begin = end;
        while (begin > 0 && is_word(begin - 1)) --begin;
        auto value = line.find_first_not_of(' ', equals + 1);
        if (value == std::string::npos || !is_secret(line.substr(begin, end - begin))) continue;
        bool is_quoted = line[value] == '"' || line[value] == '\'';
        auto from = is_quoted ? value + 1 : value;
        auto to = is_quoted ? line.find(line[value], from) : line.find_first_of(" ,}#", from);
        for (auto i = from; i < std::min(to, line.size()); ++i) line[i] = '*';
    }
    return line;
}

std::string plural(std::size_t n, std::string_view what) { return std::to_string(n) + " " + std::string(what) + (n == 1 ? "" : "s"); }

}  // namespace

void Diagnostics::add_source(const std::string& file, std::string_view text) {
    auto [entry, is_new] = lines_.try_emplace(file);
    if (is_new) order_.push_back(file);
    entry->second.clear();
    while (!text.empty()) {
        auto end = text.find('\n');
        entry->second.emplace_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
}

void Diagnostics::error(const Place& place, std::string message, std::string hint) {
    all_.push_back({Severity::error, place, std::move(message), std::move(hint)});
}

void Diagnostics::warning(const Place& place, std::string message, std::string hint) {
    all_.push_back({Severity::warning, place, std::move(message), std::move(hint)});
}

std::optional<Place> Diagnostics::within(const Place& place, std::string_view value, std::size_t offset, std::size_t length) const {
    auto source = lines_.find(place.file);
    bool is_shown = place.column > 0 && source != lines_.end() && place.line > 0 && place.line <= source->second.size();
    if (!is_shown || offset > value.size()) return std::nullopt;
    Written written(source->second, place.line, place.column);
    if (!written.is_text()) return std::nullopt;
    for (char byte : value.substr(0, offset))
        if (!written.step(byte)) return std::nullopt;
    auto found = place;
    found.line = written.line();
    found.column = written.column();
    found.length = 1;
    for (char byte : value.substr(offset, length))
        if (!written.step(byte) || written.line() != found.line)
            break;
        else
            found.length = std::max<std::size_t>(written.column() - found.column, 1);
    return found;
}

std::size_t Diagnostics::errors() const {
    return static_cast<std::size_t>(
        std::count_if(all_.begin(), all_.end(), [](const Diagnostic& d) { return d.severity == Severity::error; }));
}

std::string Diagnostics::text_of(const Diagnostic& diagnostic, bool colour) const {
    const auto& place = diagnostic.place;
    auto paint = [&](std::string_view code) { return colour ? std::string(code) : std::string(); };
    bool is_error = diagnostic.severity == Severity::error;
    std::string out = paint(bold);
    if (place.is_known()) out += place.file + ":";
    if (place.line > 0) out += std::to_string(place.line) + ":";
    if (place.line > 0 && place.column > 0) out += std::to_string(place.column) + ":";
    if (place.is_known()) out += " ";
    out += paint(is_error ? red : yellow) + (is_error ? "error: " : "warning: ") + paint(plain) + diagnostic.message + "\n";
    auto source = lines_.find(place.file);
    if (place.column == 0 || source == lines_.end() || place.line == 0 || place.line > source->second.size()) {
        if (!diagnostic.hint.empty()) out += "  " + diagnostic.hint + "\n";
        return out;
    }
    auto line = without_secrets(source->second[place.line - 1]);
    auto number = std::to_string(place.line);
    out += "  " + number + " | " + line + "\n  " + std::string(number.size(), ' ') + " | " + indent_to(line, place.column) + paint(green) +
           std::string(std::max<std::size_t>(place.length, 1), '^') + (diagnostic.hint.empty() ? "" : " " + diagnostic.hint) +
           paint(plain) + "\n";
    return out;
}

std::string Diagnostics::text(bool colour) const {
    auto rank = [&](const Diagnostic& d) {
        auto file = std::find(order_.begin(), order_.end(), d.place.file) - order_.begin();
        return std::tuple(file, d.place.line, d.place.column);
    };
    auto sorted = all_;
    std::stable_sort(sorted.begin(), sorted.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
    std::string out;
    for (const auto& diagnostic : sorted) out += text_of(diagnostic, colour);
    return out;
}

std::string Diagnostics::summary() const {
    auto bad = errors();
    if (all_.empty()) return "no problems";
    if (bad == 0) return plural(all_.size(), "warning");
    if (bad == all_.size()) return plural(bad, "error");
    return plural(all_.size(), "problem") + " (" + plural(bad, "error") + ")";
}

}  // namespace forebay::cli
