#include "db/statement.h"

#include <algorithm>
#include <cctype>

namespace forebay::db {
namespace {

bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

/// Walks over SQL and says of each position whether it is code; strings, quoted names and comments are passed over whole.
class Scanner {
  public:
    Scanner(std::string_view sql, Driver driver) : sql_(sql), driver_(driver) {}
    bool ended() const { return at_ >= sql_.size(); }
    char here() const { return sql_[at_]; }
    char next() const { return at_ + 1 < sql_.size() ? sql_[at_ + 1] : '\0'; }
    bool begins(std::string_view text) const { return sql_.substr(at_).starts_with(text); }
    std::size_t at() const { return at_; }
    std::string_view taken_from(std::size_t begin) const { return sql_.substr(begin, at_ - begin); }
    void advance(std::size_t by = 1) { at_ = std::min(sql_.size(), at_ + by); }

    /// Passes over what is no code, if something of the kind begins here.
    bool skip_text() {
        char c = here();
        if (c == '\'' || c == '"' || (c == '`' && driver_ != Driver::postgresql)) return skip_quoted(c), true;
        if (c == '[' && driver_ == Driver::sqlite) return skip_until("]"), true;
        if (begins("--") || (c == '#' && is_mysql())) return skip_until("\n"), true;
        if (begins("/*")) return advance(2), skip_until("*/"), true;
        if (c == '$' && driver_ == Driver::postgresql) return skip_dollar_quoted();
        return false;
    }

  private:
    bool is_mysql() const { return driver_ == Driver::mariadb || driver_ == Driver::mysql; }
    void skip_until(std::string_view end) {
        auto found = sql_.find(end, at_);
        at_ = found == std::string_view::npos ? sql_.size() : found + end.size();
    }
    void skip_quoted(char quote) {
        bool has_escapes = is_mysql() && quote != '`';
        for (advance(); !ended(); advance()) {
            if (has_escapes && here() == '\\') {
                advance();
            } else if (here() == quote) {
                if (next() != quote) return advance();
                advance();
            }
        }
    }
    bool skip_dollar_quoted() {
        auto end = at_ + 1;
        while (end < sql_.size() && is_name(sql_[end])) ++end;
        bool is_tag = end < sql_.size() && sql_[end] == '$' && !std::isdigit(static_cast<unsigned char>(sql_[at_ + 1]));
        if (!is_tag) return false;
        auto tag = sql_.substr(at_, end + 1 - at_);
        at_ = end + 1;
        skip_until(tag);
        return true;
    }

    std::string_view sql_;
    Driver driver_;
    std::size_t at_ = 0;
};

/// Its words in capitals, without names in quotes, texts and comments.
std::vector<std::string> words_of(std::string_view sql, Driver driver) {
    std::vector<std::string> words;
    for (Scanner scan(sql, driver); !scan.ended();) {
        if (scan.skip_text()) continue;
        std::string word;
        for (; !scan.ended() && is_name(scan.here()); scan.advance())
            word += static_cast<char>(std::toupper(static_cast<unsigned char>(scan.here())));
        if (word.empty()) word = scan.here(), scan.advance();
        words.push_back(std::move(word));
    }
    std::erase_if(words, [](const std::string& word) { return std::isspace(static_cast<unsigned char>(word[0])); });
    return words;
}

bool has(const std::vector<std::string>& words, const std::vector<std::string>& sequence) {
    return std::search(words.begin(), words.end(), sequence.begin(), sequence.end()) != words.end();
}

std::string placeholder(Driver driver, std::size_t n) { return driver == Driver::postgresql ? "$" + std::to_string(n) : "?"; }

}  // namespace

Statement with_names(std::string_view sql, Driver driver) {
    Statement out;
    Scanner scan(sql, driver);
    while (!scan.ended()) {
        auto begin = scan.at();
        if (scan.skip_text()) {
            out.sql += scan.taken_from(begin);
        } else if (scan.begins("::")) {
            scan.advance(2);
            out.sql += "::";
        } else if (scan.here() == ':' && is_name(scan.next())) {
            scan.advance();
            auto name = scan.at();
            while (!scan.ended() && is_name(scan.here())) scan.advance();
            out.names.emplace_back(scan.taken_from(name));
            out.sql += placeholder(driver, out.names.size());
        } else {
            out.sql += scan.here();
            scan.advance();
        }
    }
    return out;
}

std::optional<Caution> caution_of(std::string_view sql, Driver driver) {
    const std::string plain = "INSERT alone: only replay --again writes again what is done";
    auto words = words_of(sql, driver);
    if (has(words, {"INSERT", "IGNORE"}) || has(words, {"UPDATE", "IGNORE"}) || has(words, {"OR", "IGNORE"}))
        return Caution{"IGNORE leaves out, or cuts, what does not fit, and the record is noted as done", plain};
    if ((!words.empty() && words[0] == "REPLACE") || has(words, {"OR", "REPLACE"}))
        return Caution{"REPLACE deletes every row that has one of the record's unique values", plain};
    if (has(words, {"ON", "CONFLICT", "DO", "NOTHING"}))
        return Caution{"ON CONFLICT without a key leaves out a record that meets any unique key, and it is noted as done",
                       "ON CONFLICT (id) DO NOTHING, or " + plain};
    return std::nullopt;
}

bool takes_any_key(std::string_view sql, Driver driver) {
    bool is_mysql = driver == Driver::mariadb || driver == Driver::mysql;
    return is_mysql && has(words_of(sql, driver), {"ON", "DUPLICATE", "KEY"});
}

std::string numbered(std::string_view sql) {
    if (sql.find("$1") != std::string_view::npos) return std::string(sql);
    std::string out;
    std::size_t n = 0;
    Scanner scan(sql, Driver::postgresql);
    while (!scan.ended()) {
        auto begin = scan.at();
        if (scan.skip_text()) {
            out += scan.taken_from(begin);
            continue;
        }
        if (scan.here() == '?')
            out += placeholder(Driver::postgresql, ++n);
        else
            out += scan.here();
        scan.advance();
    }
    return out;
}

}  // namespace forebay::db
