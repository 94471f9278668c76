// Files as import reads them: CSV in all its forms, JSON lines, headings.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "cli/import/rows.h"

using namespace forebay;
using namespace forebay::cli;

namespace {

class File : public testing::Test {
  protected:
    ~File() override { ::unlink(path_.c_str()); }
    Input& holding(std::string_view text) {
        std::ofstream(path_, std::ios::binary | std::ios::trunc) << text;
        input_ = std::move(Input::open(path_).value());
        return *input_;
    }
    /// `1:a|b`, a row each; of one that cannot be read its problem behind a `!`.
    std::vector<std::string> rows_of(std::string_view text, char delimiter = ',') {
        CsvReader reader(holding(text), delimiter);
        std::vector<std::string> out;
        CsvRow row;
        while (reader.next(row)) {
            auto line = std::to_string(row.line) + ":";
            for (std::size_t i = 0; i < row.cells.size(); ++i) line += (i > 0 ? "|" : "") + row.cells[i];
            out.push_back(row.problem.empty() ? line : line + "!" + row.problem);
        }
        return out;
    }
    /// The rows as JSON, or their code.
    std::vector<std::string> taken(Rows& rows) {
        std::vector<std::string> out;
        SourceRow row;
        while (rows.next(row)) out.push_back(std::to_string(row.line) + ":" + (row.json.empty() ? row.code : row.json));
        return out;
    }

  private:
    std::string path_ = testing::TempDir() + "forebay_import_" + std::to_string(::getpid());
    std::unique_ptr<Input> input_;
};
using Csv = File;
using JsonLines = File;
using Lines = std::vector<std::string>;

TEST_F(Csv, rows_end_as_they_may) {
    EXPECT_EQ(rows_of("a,b\nc,d\n"), (Lines{"1:a|b", "2:c|d"}));
    EXPECT_EQ(rows_of("a,b\r\nc,d"), (Lines{"1:a|b", "2:c|d"}));
    EXPECT_EQ(rows_of("a,b\rc,d\r"), (Lines{"1:a|b", "2:c|d"}));
    EXPECT_EQ(rows_of("\n\na\n\n\nb\n"), (Lines{"3:a", "6:b"})) << "empty lines are counted and passed over";
    EXPECT_EQ(rows_of(""), Lines{});
    EXPECT_EQ(rows_of("a;b", ';'), (Lines{"1:a|b"}));
}

TEST_F(Csv, quotes_hold_anything) {
    EXPECT_EQ(rows_of("\"a,b\",\"c \"\"d\"\"\",\"\"\n"), (Lines{"1:a,b|c \"d\"|"}));
    EXPECT_EQ(rows_of("\"a\nb\r\nc\",d\ne,f\n"), (Lines{"1:a\nb\r\nc|d", "4:e|f"}));
    EXPECT_EQ(rows_of("5\" pipe,x\n"), (Lines{"1:5\" pipe|x"})) << "a quotation mark inside of a cell is only one at its start";
}

TEST_F(Csv, what_cannot_be_read_is_one_line) {
    EXPECT_EQ(rows_of("a\n\"open,b\nc,d\n"), (Lines{"1:a", "2:!a quotation mark is opened and not closed", "3:c|d"}));
    EXPECT_EQ(rows_of("\"a\"b,c\nd\n"), (Lines{"1:!something stands between a closing quotation mark and the next column", "2:d"}));
    auto rows = rows_of("a\n" + std::string(row_bytes_max + 5, 'x') + "\nb\n");
    EXPECT_EQ(rows, (Lines{"1:a", "2:!is longer than 1 MiB", "3:b"}));
    rows = rows_of("a\n\"" + std::string(3 * row_bytes_max, 'x') + "\nb\n");
    EXPECT_EQ(rows, (Lines{"1:a", "2:!a quotation mark is opened and not closed", "3:b"}));
}

TEST_F(Csv, reading_goes_on_where_it_stopped) {
    std::string text = "h\n";
    for (int i = 0; i < 1000; ++i) text += "\"row\n" + std::to_string(i) + "\"\r\n";
    auto& input = holding(text);
    CsvReader reader(input, ',');
    CsvRow row;
    for (int i = 0; i < 500; ++i) ASSERT_TRUE(reader.next(row));
    auto offset = input.offset();
    auto line = reader.line();
    ASSERT_TRUE(reader.next(row));
    auto next = row.cells[0];
    ASSERT_TRUE(input.seek(offset));
    CsvReader again(input, ',', line);
    CsvRow same;
    ASSERT_TRUE(again.next(same));
    EXPECT_EQ(same.cells[0], next);
    EXPECT_EQ(same.line, row.line);
}

TEST_F(Csv, the_delimiter_is_seen) {
    EXPECT_EQ(delimiter_of("a,b;c,d\n;;;;;"), ',');
    EXPECT_EQ(delimiter_of("a;b;c\n"), ';');
    EXPECT_EQ(delimiter_of("a\tb\n"), '\t');
    EXPECT_EQ(delimiter_of("\"a,b,c\";d\n"), ';');
    EXPECT_EQ(delimiter_of("one\n"), ',');
}

TEST_F(Csv, what_is_written_is_read) {
    const Lines texts = {"first",        "",        "plain", "a,b", "a;b",  "tab\there", "quote \"x\"", "two\nlines",
                         "two\r\nlines", " blank ", "=1+1",  "'=1", "''@x", "+1555",     "-5",          "-5-5",
                         "@a",           "'plain",  "é"};
    std::string line;
    for (const auto& text : texts) {
        if (!line.empty()) line += ',';
        append_cell(line, guarded(text));
        EXPECT_EQ(unguarded(guarded(text)), text);
    }
    CsvReader reader(holding(line + "\n"), ',');
    CsvRow row;
    ASSERT_TRUE(reader.next(row));
    ASSERT_EQ(row.cells.size(), texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(unguarded(row.cells[i]), texts[i]);
}

TEST_F(Csv, formulas_are_guarded_and_numbers_are_not) {
    EXPECT_EQ(guarded("=1+1"), "'=1+1");
    EXPECT_EQ(guarded("@SUM(A1)"), "'@SUM(A1)");
    EXPECT_EQ(guarded("\tx"), "'\tx");
    EXPECT_EQ(guarded("-5+cmd|x"), "'-5+cmd|x");
    for (auto number : {"-5", "+15551234567", "-1,000.50", "5"}) EXPECT_EQ(guarded(number), number);
    EXPECT_EQ(guarded("'tis"), "'tis");
}

TEST_F(Csv, rows_become_objects) {
    auto rows =
        csv_rows(holding("1,\"a\"\"b\",'=x,\n2,,,\n3\n,,,\"{\"\"n\"\":5}\"\n"), ',', 1, {{"id"}, {"name"}, {"f"}, {"_other", true}});
    EXPECT_EQ(taken(*rows), (Lines{R"(1:{"id":"1","name":"a\"b","f":"=x"})", R"(2:{"id":"2"})", "3:csv_columns", R"(4:{"n":5})"}));
}

TEST_F(JsonLines, are_taken_as_they_are) {
    auto rows = json_rows(holding("{\"a\": 1}\r\n\n  \nnonsense\n{\"_record\":\"x\",\"_endpoint\":\"y\",\"a\":2}"), 1);
    EXPECT_EQ(taken(*rows), (Lines{"1:{\"a\": 1}\r", "4:nonsense", "5:{\"a\":2}"}));
}

TEST_F(JsonLines, too_long_and_wrongly_encoded_ones_are_told) {
    auto rows = json_rows(holding("{\"a\":\"" + std::string(2 * row_bytes_max, 'x') + "\"}\n{\"a\":\"\xe9\"}\n{}\n"), 1);
    EXPECT_EQ(taken(*rows), (Lines{"1:too_large", "2:utf8_invalid", "3:{}"}));
}

TEST(Format, is_seen_from_the_name_or_the_beginning) {
    EXPECT_EQ(format_of("a.csv", "{"), FileFormat::csv);
    EXPECT_EQ(format_of("a.jsonl", "x"), FileFormat::jsonl);
    EXPECT_EQ(format_of("-", "\n {\"a\":1}"), FileFormat::jsonl);
    EXPECT_EQ(format_of("-", "a,b"), FileFormat::csv);
}

const auto endpoint = *json::parse(
    R"({"name":"lead","unknown":"keep","fields":[{"name":"email","required":true,"aliases":["mail"]},{"name":"first_name","required":false,"aliases":["fname"]}]})");

std::string columns_of(const Heading& heading) {
    std::string out;
    for (const auto& column : heading.columns) out += "[" + column.name + "]";
    return out;
}

TEST(HeadingOfCsv, columns_are_fields_by_name_alias_and_looks) {
    EXPECT_EQ(columns_of(match_heading({"mail", "First Name", "_record", "_other", "extra"}, endpoint, {})),
              "[email][first_name][][_other][extra]");
    EXPECT_EQ(columns_of(match_heading({"x", "FNAME"}, endpoint, {{"x", "email"}})), "[email][first_name]");
}

TEST(HeadingOfCsv, what_is_missing_or_double_is_told) {
    EXPECT_EQ(match_heading({"emial"}, endpoint, {}).problem,
              "no column is the field \"email\", which lead requires; did you mean --map \"emial=email\"?");
    EXPECT_EQ(match_heading({"mail", "email"}, endpoint, {}).problem, "two columns are the field \"email\", the second is column 2");
    EXPECT_EQ(match_heading({"email", ""}, endpoint, {}).problem, "column 2 has no name in the heading");
    EXPECT_EQ(match_heading({"email"}, endpoint, {{"x", "email"}}).problem, "--map: there is no column \"x\"");
    auto remarks = match_heading({"email", "frist_name"}, endpoint, {}).remarks;
    ASSERT_EQ(remarks.size(), 1u);
    EXPECT_EQ(remarks[0],
              "column \"frist_name\" is no field of lead; did you mean \"first_name\"?: it is kept under that name (--map "
              "\"frist_name=first_name\")");
}

}  // namespace
