// From words to the tree. Precedence: not, and, or; comparisons do not chain.
#include <re2/re2.h>

#include <algorithm>

#include "condition/lexer.h"
#include "condition/node.h"

namespace forebay::condition {
namespace {

constexpr std::size_t pattern_bytes_max = 1000;
constexpr std::int64_t pattern_memory_max = 1 << 20;

using NodeResult = Result<std::unique_ptr<Node>, Error>;

template <class Is>
std::unique_ptr<Node> make(Is is) {
    return std::unique_ptr<Node>(new Node{std::move(is)});
}

std::optional<Comparison> comparison_of(const Token& token) {
    if (token.kind != Token::Kind::symbol) return std::nullopt;
    if (token.text == "==") return Comparison::equal;
    if (token.text == "!=") return Comparison::different;
    if (token.text == "<") return Comparison::less;
    if (token.text == "<=") return Comparison::at_most;
    if (token.text == ">") return Comparison::greater;
    if (token.text == ">=") return Comparison::at_least;
    return std::nullopt;
}

bool is_word(std::string_view text) {
    for (std::string_view word : {"and", "or", "not", "in", "matches", "exists", "true", "false", "null"})
        if (text == word) return true;
    return false;
}

std::string lower(std::string_view text) {
    std::string out;
    for (char c : text) out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return out;
}

std::string said(const Token& token) { return token.kind == Token::Kind::end ? "the end" : "\"" + token.text + "\""; }

class Parser {
  public:
    Parser(std::string_view text, std::vector<Path>& paths) : text_(text), lexer_(text), paths_(paths) {}

    NodeResult whole() {
        TRY(advance());
        if (now_.kind == Token::Kind::end) return Failure{Error{"a condition is missing", 0, 1, "such as campaign == \"auto\""}};
        TRY_ASSIGN(auto node, alternatives());
        if (now_.kind != Token::Kind::end) return unexpected("\"and\", \"or\" or the end", hint_of_rest());
        return node;
    }

  private:
    Result<void, Error> advance() {
        TRY_ASSIGN(now_, lexer_.next());
        return {};
    }

    Failure<Error> unexpected(std::string_view expected, std::string hint = {}) const {
        if (hint.empty() && now_.kind == Token::Kind::name && !is_word(now_.text) && is_word(lower(now_.text)))
            hint = "did you mean " + lower(now_.text) + "?";
        return Failure{Error{"expected " + std::string(expected) + ", not " + said(now_), now_.offset, now_.length, std::move(hint)}};
    }

    std::string hint_of_rest() const {
        if (comparison_of(now_)) return "two comparisons are joined with and: a < b and b < c";
        if (now_.is("..")) return "a range stands behind in: amount in 100..200";
        return {};
    }

    template <class Part>
    NodeResult joined(std::string_view word, bool all, Part part) {
        Several several{all, {}};
        for (;;) {
            TRY_ASSIGN(auto node, part());
            several.parts.push_back(std::move(node));
            if (!now_.is(word)) break;
            TRY(advance());
        }
        if (several.parts.size() == 1) return std::move(several.parts[0]);
        return make(std::move(several));
    }

    NodeResult alternatives() {
        return joined("or", false, [this] { return joined("and", true, [this] { return perhaps_not(); }); });
    }

    Result<void, Error> go_deeper() {
        if (++depth_ <= depth_max) return {};
        return Failure{
            Error{"this is nested more than " + std::to_string(depth_max) + " deep", now_.offset, now_.length, "use in [\"a\", \"b\"]"}};
    }

    NodeResult perhaps_not() {
        if (now_.is("not")) {
            TRY(go_deeper());
            TRY(advance());
            TRY_ASSIGN(auto what, perhaps_not());
            --depth_;
            return make(Not{std::move(what)});
        }
        if (!now_.is("(")) return test();
        TRY(go_deeper());
        auto open = now_;
        TRY(advance());
        TRY_ASSIGN(auto inner, alternatives());
        if (now_.kind == Token::Kind::end) return Failure{Error{"this ( is not closed", open.offset, open.length, {}}};
        if (!now_.is(")")) return unexpected("\"and\", \"or\" or \")\"", hint_of_rest());
        TRY(advance());
        --depth_;
        return inner;
    }

    NodeResult test() {
        auto first = now_;
        TRY_ASSIGN(auto left, operand("a field"));
        if (comparison_of(now_)) return compare(std::move(left), first);
        auto negation = now_;
        bool is_negated = now_.is("not");
        if (is_negated) TRY(advance());
        TRY_ASSIGN(auto node, tested(std::move(left), first));
        if (node == nullptr && is_negated) return unexpected("\"in\", \"matches\" or \"exists\" behind \"not\"");
        if (node == nullptr) return nothing_asked(first);
        if (is_negated) return make(Not{std::move(node)});
        return node;
    }

    /// The test that begins here with a word; null if none does.
    NodeResult tested(Operand left, const Token& first) {
        if (now_.is("in")) return among(std::move(left));
        if (now_.is("matches")) return matches(std::move(left));
        if (!now_.is("exists")) return std::unique_ptr<Node>();
        if (!std::holds_alternative<Path>(left))
            return Failure{Error{"exists is asked of a field", first.offset, first.length, "such as phone exists"}};
        TRY(advance());
        return make(Exists{std::get<Path>(std::move(left))});
    }

    Failure<Error> nothing_asked(const Token& first) const {
        auto end = now_.kind == Token::Kind::end ? text_.size() : now_.offset;
        auto written = std::string(text_.substr(first.offset, end - first.offset));
        while (written.ends_with(' ')) written.pop_back();
        if (first.kind == Token::Kind::name || first.kind == Token::Kind::quoted_name) {
            if (now_.kind != Token::Kind::end && !now_.is("and") && !now_.is("or") && !now_.is(")"))
                return unexpected("an operator", hint_of_rest());
            return Failure{Error{"it is not said what " + written + " must be", first.offset, written.size(),
                                 "such as " + written + " == \"…\", " + written + " == true or " + written + " exists"}};
        }
        return unexpected("an operator, such as ==, < or in", hint_of_rest());
    }

    NodeResult compare(Operand left, const Token& first) {
        auto how = *comparison_of(now_);
        TRY(advance());
        auto second = now_;
        if (now_.is("[")) return Failure{Error{"a list stands behind in", now_.offset, now_.length, "did you mean in?"}};
        TRY_ASSIGN(auto right, operand("a value"));
        bool has_path = std::holds_alternative<Path>(left) || std::holds_alternative<Path>(right);
        if (!has_path)
            return Failure{Error{"both sides are fixed values", first.offset, second.offset + second.length - first.offset,
                                 "a field has no quotes: state == \"CA\""}};
        if (how != Comparison::equal && how != Comparison::different) {
            TRY(must_have_order(left, first));
            TRY(must_have_order(right, second));
        }
        return make(Compare{std::move(left), how, std::move(right)});
    }

    static Result<void, Error> must_have_order(const Operand& operand, const Token& token) {
        const auto* literal = std::get_if<Literal>(&operand);
        if (literal == nullptr || literal->value.is_string() || literal->value.is_number()) return {};
        return Failure{Error{"nothing is less or greater than " + token.text, token.offset, token.length, "use == or !="}};
    }

    NodeResult among(Operand value) {
        TRY(advance());
        if (now_.is("[")) {
            TRY_ASSIGN(auto list, choices());
            return make(In{std::move(value), std::move(list)});
        }
        auto first = now_;
        TRY_ASSIGN(auto operand, this->operand("a list, a range or a field"));
        if (auto* path = std::get_if<Path>(&operand)) return make(In{std::move(value), std::move(*path)});
        auto literal = std::get<Literal>(std::move(operand));
        if (!now_.is(".."))
            return Failure{Error{"in needs a list or a range", first.offset, first.length, "such as in [\"CA\", \"TX\"] or in 200..299"}};
        TRY_ASSIGN(auto range, range_from(std::move(literal), first));
        Choices list;
        list.push_back(std::move(range));
        return make(In{std::move(value), std::move(list)});
    }

    Result<Choices, Error> choices() {
        auto open = now_;
        TRY(advance());
        Choices list;
        while (!now_.is("]")) {
            auto first = now_;
            if (now_.kind == Token::Kind::end) return Failure{Error{"this [ is not closed", open.offset, open.length, {}}};
            TRY_ASSIGN(auto literal, this->literal());
            if (now_.is("..")) {
                TRY_ASSIGN(auto range, range_from(std::move(literal), first));
                list.push_back(std::move(range));
            } else {
                list.push_back(std::move(literal));
            }
            if (now_.is("]")) break;
            if (!now_.is(",") && now_.kind != Token::Kind::end) return unexpected("\",\" or \"]\"");
            if (now_.is(",")) TRY(advance());
        }
        TRY(advance());
        if (list.empty()) return Failure{Error{"an empty list has nothing in it", open.offset, now_.offset - open.offset, {}}};
        return list;
    }

    Result<Range, Error> range_from(Literal least, const Token& first) {
        TRY(advance());
        auto last = now_;
        TRY_ASSIGN(auto most, literal());
        auto length = last.offset + last.length - first.offset;
        auto order = order_of(least, most);
        if (!order || least.value.is_null() || least.value.is_bool())
            return Failure{Error{"a range goes from a number to a number or from a text to a text", first.offset, length, {}}};
        if (*order > 0) return Failure{Error{"this range ends before it begins", first.offset, length, {}}};
        return Range{std::move(least), std::move(most)};
    }

    NodeResult matches(Operand value) {
        TRY(advance());
        if (now_.kind != Token::Kind::text) return unexpected("a regular expression in quotes");
        auto pattern = now_;
        if (pattern.text.size() > pattern_bytes_max)
            return Failure{Error{
                "a regular expression has at most " + std::to_string(pattern_bytes_max) + " bytes", pattern.offset, pattern.length, {}}};
        re2::RE2::Options options;
        options.set_log_errors(false);
        options.set_max_mem(pattern_memory_max);
        auto expression = std::make_shared<const re2::RE2>(pattern.text, options);
        if (!expression->ok())
            return Failure{
                Error{"this regular expression (RE2) cannot be read: " + expression->error(), pattern.offset, pattern.length, {}}};
        TRY(advance());
        return make(Matches{std::move(value), std::move(expression)});
    }

    Result<Operand, Error> operand(std::string_view expected) {
        bool is_path = now_.kind == Token::Kind::quoted_name || (now_.kind == Token::Kind::name && !is_word(now_.text));
        if (is_path) {
            TRY_ASSIGN(auto path, this->path());
            return Operand(std::move(path));
        }
        if (!begins_literal()) return unexpected(expected);
        TRY_ASSIGN(auto literal, this->literal());
        return Operand(std::move(literal));
    }

    bool begins_literal() const {
        return now_.kind == Token::Kind::text || now_.kind == Token::Kind::number || now_.is("true") || now_.is("false") || now_.is("null");
    }

    Result<Path, Error> path() {
        Path path{{now_.text}, now_.offset, now_.length};
        while (lexer_.take_path_dot()) {
            TRY_ASSIGN(auto token, lexer_.next_of_path());
            path.names.push_back(token.text);
            path.length = token.offset + token.length - path.offset;
        }
        TRY(advance());
        paths_.push_back(path);
        return path;
    }

    Result<Literal, Error> literal() {
        if (!begins_literal())
            return unexpected("a text, a number, true, false or null",
                              now_.kind == Token::Kind::name ? "as a text: \"" + now_.text + "\"" : std::string());
        auto token = now_;
        TRY(advance());
        if (token.kind == Token::Kind::text) return Literal{json::Value(token.text), {}};
        if (token.text == "null") return Literal{};
        if (token.kind == Token::Kind::name) return Literal{json::Value(token.text == "true"), {}};
        auto number = Decimal::parse(token.text);
        if (!number) return Failure{Error{"this number is too long", token.offset, token.length, {}}};
        return Literal{json::Value::number(token.text), number};
    }

    std::string_view text_;
    Lexer lexer_;
    std::vector<Path>& paths_;
    Token now_;
    std::size_t depth_ = 0;
};

}  // namespace

Result<std::unique_ptr<Node>, Error> read(std::string_view text, std::vector<Path>& paths) { return Parser(text, paths).whole(); }

}  // namespace forebay::condition
