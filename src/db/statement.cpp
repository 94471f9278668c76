#include "db/statement.h"

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
