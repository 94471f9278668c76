#pragma once
// The words of a condition; inside condition/ only.

#include <string>
#include <string_view>

#include "condition/condition.h"

namespace forebay::condition {

struct Token {
    enum class Kind { end, name, quoted_name, text, number, symbol };
    Kind kind = Kind::end;
    std::string text;  ///< a name, a text without quotes and escapes, a number as written, a symbol
    std::size_t offset = 0, length = 0;

    bool is(std::string_view word) const { return (kind == Kind::name || kind == Kind::symbol) && text == word; }
};

class Lexer {
  public:
    explicit Lexer(std::string_view text) : text_(text) {}
    /// The next word; of the end from then on.
    Result<Token, Error> next();
    /// Whether the next byte is a dot that goes on a path, and not the `..` of a range; then it is taken.
    bool take_path_dot();
    /// A name or a number of a path, right behind its dot.
    Result<Token, Error> next_of_path();

  private:
    Token token(Token::Kind kind, std::size_t from, std::string text) const { return {kind, std::move(text), from, at_ - from}; }
    Result<Token, Error> quoted(char quote);
    Result<Token, Error> number();
    Token name();
    Result<Token, Error> symbol();
    Failure<Error> fail(std::string what, std::size_t from, std::size_t length, std::string hint = {}) const;
    std::string_view rest() const { return text_.substr(at_); }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace forebay::condition
