#include "cli/table.h"

#include <algorithm>
#include <utility>

#include "cli/words.h"

namespace forebay::cli {

std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string cut_lines(std::string_view text, std::size_t most) {
    std::string out;
    std::size_t shown = 0;
    bool is_in_escape = false, is_painted = false;
    for (char c : text) {
        bool is_escape = is_in_escape || c == '\033';
        if (is_escape) {
            is_in_escape = c != 'm';
            is_painted = true;
        } else if (c == '\n') {
            if (std::exchange(is_painted, false)) out += "\033[0m";
            shown = 0;
        } else {
            bool goes_on = (static_cast<unsigned char>(c) & 0xC0) == 0x80;
            if (!goes_on) ++shown;
            if (shown > most) continue;
        }
        out += c;
    }
    return out;
}

Table::Table(std::vector<std::string> headings) : headings_(std::move(headings)) {
    for (auto& heading : headings_) {
        is_right_.push_back(heading.starts_with('>'));
        if (heading.starts_with('>')) heading.erase(0, 1);
    }
}

void Table::add(std::vector<Cell> row) {
    row.resize(headings_.size(), Cell(""));
    for (auto& cell : row) cell.text = printable(cell.text);
    rows_.push_back(std::move(row));
}

std::string Table::text(const Terminal& terminal) const {
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < headings_.size(); ++i) {
        auto width = width_of(headings_[i]);
        for (const auto& row : rows_) width = std::max(width, width_of(row[i].text));
        widths.push_back(width);
    }
    std::string out;
    auto add_line = [&](auto cell_at) {
        std::string line;
        for (std::size_t i = 0; i < headings_.size(); ++i) {
            const Cell cell = cell_at(i);
            std::string blanks(widths[i] - width_of(cell.text), ' ');
            auto painted = terminal.painted(cell.text, cell.text.empty() ? Colour::plain : cell.colour);
            line += (i > 0 ? "  " : "") + (is_right_[i] ? blanks + painted : painted + blanks);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
    };
    add_line([&](std::size_t i) { return Cell(headings_[i], Colour::heading); });
    for (const auto& row : rows_) add_line([&](std::size_t i) { return row[i]; });
    return out;
}

}  // namespace forebay::cli
