#include "cli/import/csv.h"

#include <algorithm>

namespace forebay::cli {
namespace {

constexpr int end_of_input = -1;

bool is_line_end(int c) { return c == '\n' || c == '\r' || c == end_of_input; }

/// `-5`, `+1555`, `1,000.50`: no formula, whatever sign it begins with.
bool is_number(std::string_view text) {
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    return !text.empty() && text.find_first_not_of("0123456789.,") == std::string_view::npos;
}

/// How many quotation marks stand before something that a spreadsheet would calculate; nothing if nothing does.
bool begins_formula(std::string_view text) {
    auto at = text.find_first_not_of('\'');
    return at != std::string_view::npos && std::string_view("=+-@\t\r").find(text[at]) != std::string_view::npos;
}

}  // namespace

int CsvReader::byte_at(std::size_t at) {
    if (at < seen_.size()) return static_cast<unsigned char>(seen_[at]);
    seen_ = input_.look(at + 1);
    return at < seen_.size() ? static_cast<unsigned char>(seen_[at]) : end_of_input;
}

bool CsvReader::next(CsvRow& row) {
    for (;;) {
        row.cells.clear();
        row.problem.clear();
        problem_.clear();
        row.line = line_;
        seen_ = input_.look(1);
        if (seen_.empty()) return false;
        if (!read_row(row)) read_bad_line(row);
        bool is_empty = row.problem.empty() && row.cells.size() == 1 && row.cells[0].empty();
        if (!is_empty) return true;
    }
}

/// False when no row can be made of it: `problem_` says why, and nothing is used.
bool CsvReader::read_row(CsvRow& row) {
    std::size_t at = 0;
    for (;;) {
        auto& cell = row.cells.emplace_back();
        if (byte_at(at) == '"') {
            if (!read_quoted(at, cell)) return false;
        } else {
            auto start = at;
            int c = byte_at(at);
            while (!is_line_end(c) && c != static_cast<unsigned char>(delimiter_) && at - start <= row_bytes_max) c = byte_at(++at);
            cell.assign(seen_.substr(start, at - start));
        }
        if (at > row_bytes_max) {
            problem_ = "is longer than 1 MiB";
            return false;
        }
        int c = byte_at(at);
        if (is_line_end(c)) break;
        ++at;  // the delimiter
    }
    row.raw = seen_.substr(0, at);
    for (std::size_t i = 0; i < at; ++i) line_ += row.raw[i] == '\n' || (row.raw[i] == '\r' && (i + 1 == at || row.raw[i + 1] != '\n'));
    use(at);
    use_line_end();
    return true;
}

bool CsvReader::read_quoted(std::size_t& at, std::string& cell) {
    auto opened = at++;
    for (;;) {
        int c = byte_at(at);
        if (c == end_of_input || at - opened > row_bytes_max) {
            problem_ = "a quotation mark is opened and not closed";
            return false;
        }
        ++at;
        if (c != '"') {
            cell += static_cast<char>(c);
            continue;
        }
        if (byte_at(at) != '"') break;
        cell += '"';
        ++at;
    }
    int c = byte_at(at);
    if (is_line_end(c) || c == static_cast<unsigned char>(delimiter_)) return true;
    problem_ = "something stands between a closing quotation mark and the next column";
    return false;
}

void CsvReader::read_bad_line(CsvRow& row) {
    std::size_t at = 0;
    while (!is_line_end(byte_at(at)) && at < row_bytes_max) ++at;
    row.cells.clear();
    row.raw = seen_.substr(0, at);
    row.problem = problem_;
    use(at);
    while (!is_line_end(byte_at(0))) use(std::min(seen_.find_first_of("\r\n"), seen_.size()));
    use_line_end();
}

void CsvReader::use(std::size_t bytes) {
    input_.use(bytes);
    seen_ = {};
}

void CsvReader::use_line_end() {
    int c = byte_at(0);
    if (c == end_of_input) return;
    use(c == '\r' && byte_at(1) == '\n' ? 2 : 1);
    ++line_;
}

char delimiter_of(std::string_view first_lines) {
    constexpr std::string_view candidates = ",;\t|";
    std::size_t counts[candidates.size()] = {};
    bool in_quotes = false;
    for (char c : first_lines) {
        if (c == '"') in_quotes = !in_quotes;
        if (in_quotes) continue;
        if (c == '\n' || c == '\r') break;
        if (auto which = candidates.find(c); which != std::string_view::npos) ++counts[which];
    }
    return candidates[static_cast<std::size_t>(std::max_element(std::begin(counts), std::end(counts)) - std::begin(counts))];
}

std::string_view name_of_delimiter(char delimiter) {
    switch (delimiter) {
        case ',':
            return "commas";
        case ';':
            return "semicolons";
        case '\t':
            return "tabs";
        default:
            return "bars";
    }
}

void append_cell(std::string& out, std::string_view text) {
    bool is_plain = text.find_first_of(",;\t|\"\r\n") == std::string_view::npos && !text.starts_with(' ') && !text.ends_with(' ');
    if (is_plain) {
        out += text;
        return;
    }
    out += '"';
    for (char c : text) {
        if (c == '"') out += '"';
        out += c;
    }
    out += '"';
}

std::string guarded(std::string_view text) {
    return begins_formula(text) && !is_number(text) ? "'" + std::string(text) : std::string(text);
}

std::string_view unguarded(std::string_view cell) { return cell.starts_with('\'') && begins_formula(cell) ? cell.substr(1) : cell; }

}  // namespace forebay::cli
