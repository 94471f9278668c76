#include "condition/lexer.h"

namespace forebay::condition {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool begins_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80; }
bool is_of_name(char c) { return begins_name(c) || is_digit(c) || c == '-'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// The bytes of the character that begins at `at`.
std::size_t character_at(std::string_view text, std::size_t at) {
    std::size_t end = at + 1;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
    return end - at;
}

/// What other languages write for the same.
std::string_view meant_by(std::string_view symbol) {
    if (symbol == "=") return "==";
    if (symbol == "<>") return "!=";
    if (symbol == "&&" || symbol == "&") return "and";
    if (symbol == "||" || symbol == "|") return "or";
    if (symbol == "!") return "not";
    if (symbol == "=~" || symbol == "~") return "matches";
    return {};
}

}  // namespace

Failure<Error> Lexer::fail(std::string what, std::size_t from, std::size_t length, std::string hint) const {
    return Failure{Error{std::move(what), from, length, std::move(hint)}};
}

Result<Token, Error> Lexer::next() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    if (at_ == text_.size()) return Token{Token::Kind::end, {}, at_, 1};
    char c = text_[at_];
    if (c == '"' || c == '\'' || c == '`') return quoted(c);
    if (is_digit(c) || (c == '-' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]))) return number();
    if (begins_name(c)) return name();
    return symbol();
}

bool Lexer::take_path_dot() {
    if (!rest().starts_with('.') || rest().starts_with("..")) return false;
    ++at_;
    return true;
}

Result<Token, Error> Lexer::next_of_path() {
    if (at_ < text_.size() && text_[at_] == '`') return quoted('`');
    if (at_ < text_.size() && is_of_name(text_[at_]) && text_[at_] != '-') return name();
    return fail("a name must follow the dot", at_, 1);
}

/// A backslash keeps the quote or the backslash behind it; before anything else it stays, for regular expressions.
Result<Token, Error> Lexer::quoted(char quote) {
    auto from = at_++;
    std::string out;
    while (at_ < text_.size() && text_[at_] != quote) {
        bool is_escape = text_[at_] == '\\' && at_ + 1 < text_.size() && (text_[at_ + 1] == quote || text_[at_ + 1] == '\\');
        if (is_escape) ++at_;
        out += text_[at_++];
    }
    if (at_ == text_.size()) return fail(std::string("a text has no closing ") + quote, from, at_ - from);
    ++at_;
    return token(quote == '`' ? Token::Kind::quoted_name : Token::Kind::text, from, std::move(out));
}

Result<Token, Error> Lexer::number() {
    auto from = at_;
    auto digits = [&] {
        while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    };
    if (text_[at_] == '-') ++at_;
    auto whole = at_;
    digits();
    bool has_zeros = at_ - whole > 1 && text_[whole] == '0';
    if (rest().size() > 1 && rest()[0] == '.' && is_digit(rest()[1])) {
        ++at_;
        digits();
    }
    while (at_ < text_.size() && is_of_name(text_[at_])) ++at_;
    auto written = std::string(text_.substr(from, at_ - from));
    if (has_zeros) return fail("a number does not begin with 0", from, at_ - from, "as a text: \"" + written + "\"");
    if (written.find_first_not_of("0123456789.-") != std::string::npos || written.find('-', 1) != std::string::npos)
        return fail("\"" + written + "\" is no number", from, at_ - from, "as a text: \"" + written + "\"");
    return token(Token::Kind::number, from, std::move(written));
}

Token Lexer::name() {
    auto from = at_;
    while (at_ < text_.size() && is_of_name(text_[at_])) ++at_;
    return token(Token::Kind::name, from, std::string(text_.substr(from, at_ - from)));
}

Result<Token, Error> Lexer::symbol() {
    auto from = at_;
    for (std::string_view known : {"==", "!=", "<=", ">=", "..", "(", ")", "[", "]", ","})
        if (rest().starts_with(known)) {
            at_ += known.size();
            return token(Token::Kind::symbol, from, std::string(known));
        }
    bool is_order = (rest()[0] == '<' && !rest().starts_with("<>")) || rest()[0] == '>';
    if (is_order) {
        ++at_;
        return token(Token::Kind::symbol, from, std::string(text_.substr(from, 1)));
    }
    auto end = from;
    while (end < text_.size() && std::string_view("=<>&|!~").find(text_[end]) != std::string_view::npos) ++end;
    if (end == from) {
        auto length = character_at(text_, from);
        return fail("a condition has no \"" + std::string(text_.substr(from, length)) + "\"", from, length);
    }
    auto written = text_.substr(from, end - from);
    auto meant = meant_by(written);
    return fail("there is no operator \"" + std::string(written) + "\"", from, end - from,
                meant.empty() ? "" : "did you mean " + std::string(meant) + "?");
}

}  // namespace forebay::condition
