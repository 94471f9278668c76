#include "cli/import/rows.h"

#include <algorithm>

#include "intake/utf8.h"

namespace forebay::cli {
namespace {

/// Nearly every file that is not UTF-8 comes from Windows.
std::string about_encoding(std::string_view text) {
    auto at = intake::find_bad_utf8(text).value_or(0);
    return "is not UTF-8 at byte " + std::to_string(at + 1) + " of the row: iconv -f WINDOWS-1252 -t UTF-8 makes it so";
}

void make_bad(SourceRow& row, std::string raw, std::string_view type, std::string code, std::string detail) {
    row.json.clear();
    row.raw = std::move(raw);
    row.raw_type = type;
    row.code = std::move(code);
    row.detail = std::move(detail);
}

class CsvRows final : public Rows {
  public:
    CsvRows(Input& input, char delimiter, std::uint64_t line, std::vector<Column> columns)
        : reader_(input, delimiter, line), columns_(std::move(columns)) {}

    std::uint64_t line() const override { return reader_.line(); }

    bool next(SourceRow& row) override {
        if (!reader_.next(read_)) return false;
        row.line = read_.line;
        auto bad = [&](std::string code, std::string detail) {
            make_bad(row, std::move(read_.raw), "text/csv", std::move(code), std::move(detail));
            return true;
        };
        if (!read_.problem.empty()) return bad("csv_invalid", read_.problem);
        if (!json::is_utf8(read_.raw)) return bad("utf8_invalid", about_encoding(read_.raw));
        while (read_.cells.size() > columns_.size() && read_.cells.back().empty()) read_.cells.pop_back();
        if (read_.cells.size() != columns_.size())
            return bad("csv_columns",
                       "has " + std::to_string(read_.cells.size()) + " columns, the heading has " + std::to_string(columns_.size()));
        if (auto why = write(row.json); !why.empty()) return bad("csv_invalid", why);
        return true;
    }

  private:
    /// An empty cell is a field that was not sent. Why it cannot be, otherwise empty.
    std::string write(std::string& out) const {
        out = "{";
        auto name_it = [&](std::string_view name) {
            if (out.size() > 1) out += ',';
            json::append_string(out, name);
            out += ':';
        };
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            auto cell = unguarded(read_.cells[i]);
            if (cell.empty()) continue;
            if (columns_[i].holds_others) {
                auto others = json::parse(cell);
                if (!others.ok() || !others->is_object()) return "the column _other must be a JSON object";
                for (const auto& [name, value] : others->members()) {
                    name_it(name);
                    json::append(out, value);
                }
            } else if (!columns_[i].name.empty()) {
                name_it(columns_[i].name);
                json::append_string(out, cell);
            }
        }
        out += '}';
        return {};
    }

    CsvReader reader_;
    std::vector<Column> columns_;
    CsvRow read_;
};

class JsonRows final : public Rows {
  public:
    JsonRows(Input& input, std::uint64_t line) : input_(input), line_(line) {}
    std::uint64_t line() const override { return line_; }

    bool next(SourceRow& row) override {
        std::string text;
        do {
            row.line = line_;
            if (!take_line(text)) return false;
        } while (text.find_first_not_of(" \t\r") == std::string::npos);
        if (text.size() > row_bytes_max) {
            text.resize(row_bytes_max);
            make_bad(row, std::move(text), "application/json", "too_large", "is longer than 1 MiB");
        } else if (!json::is_utf8(text)) {
            auto why = about_encoding(text);
            make_bad(row, std::move(text), "application/json", "utf8_invalid", std::move(why));
        } else {
            row.json = without_export_names(std::move(text));
        }
        return true;
    }

  private:
    /// Only an export has these, so other lines stay as they are.
    static std::string without_export_names(std::string text) {
        if (text.find("\"_record\"") == std::string::npos) return text;
        auto object = json::parse(text);
        if (!object.ok() || !object->is_object()) return text;
        json::Value out = json::Value::object();
        for (auto& [name, value] : object->members())
            if (!is_of_export(name)) out.set(name, std::move(value));
        return json::to_text(out);
    }

    /// One byte more than a row may have tells that there is too much; the rest of such a line is passed over.
    bool take_line(std::string& line) {
        std::size_t searched = 0;
        for (;;) {
            auto seen = input_.look(searched + 1);
            auto end = seen.find('\n', searched);
            bool is_end = seen.size() == searched;
            if (is_end && seen.empty()) return false;
            if (end == std::string_view::npos && !is_end && seen.size() <= row_bytes_max) {
                searched = seen.size();
                continue;
            }
            line = seen.substr(0, std::min({end, seen.size(), row_bytes_max + 1}));
            input_.use(std::min(end, seen.size()));
            break;
        }
        for (;;) {
            auto seen = input_.look(1);
            if (seen.empty()) break;
            auto end = seen.find('\n');
            input_.use(end == std::string_view::npos ? seen.size() : end + 1);
            if (end != std::string_view::npos) break;
        }
        ++line_;
        return true;
    }

    Input& input_;
    std::uint64_t line_;
};

}  // namespace

std::unique_ptr<Rows> csv_rows(Input& input, char delimiter, std::uint64_t line, std::vector<Column> columns) {
    return std::make_unique<CsvRows>(input, delimiter, line, std::move(columns));
}
std::unique_ptr<Rows> json_rows(Input& input, std::uint64_t line) { return std::make_unique<JsonRows>(input, line); }

FileFormat format_of(const std::string& path, std::string_view beginning) {
    for (auto ending : {".jsonl", ".ndjson", ".json"})
        if (path.ends_with(ending)) return FileFormat::jsonl;
    for (auto ending : {".csv", ".tsv", ".txt"})
        if (path.ends_with(ending)) return FileFormat::csv;
    auto at = beginning.find_first_not_of(" \t\r\n");
    return at != std::string_view::npos && beginning[at] == '{' ? FileFormat::jsonl : FileFormat::csv;
}

bool is_of_export(std::string_view column) {
    constexpr std::string_view names[] = {"_record", "_endpoint", "_received_at", "_value", "_currency", "_flags", "_effects"};
    return std::find(std::begin(names), std::end(names), column) != std::end(names);
}

}  // namespace forebay::cli
