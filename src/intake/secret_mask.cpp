#include "intake/secret_mask.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>
#include <vector>

#include "base/json.h"
#include "http/text.h"

namespace forebay::intake {
namespace {

constexpr auto npos = std::string_view::npos;
constexpr int texts_in_texts_max = 3;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_quote(char c) { return c == '"' || c == '\''; }
bool is_part_of_number(char c) { return http::is_digit(c) || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'; }

bool is_document(std::string_view text) {
    auto first = text.find_first_not_of(" \t\r\n");
    return first != npos && (text[first] == '{' || text[first] == '[') && json::parse(text).ok();
}

/// JSON that json::parse() has read, so that what stands where is known. It may be a text inside of other JSON: then
/// `origin` is where the body writes each of its bytes, and where it ends.
class Document {
  public:
    Document(std::string_view text, std::vector<std::uint32_t> origin, std::string_view field, std::string& kept, int texts_left)
        : text_(text), origin_(std::move(origin)), field_(field), kept_(kept), texts_left_(texts_left) {}

    void cover() { walk_value(false); }

  private:
    char here() const { return at_ < text_.size() ? text_[at_] : '\0'; }

    /// The next character that is no white space; 0 at the end, which only damage would reach.
    char peek() {
        while (is_space(here())) ++at_;
        return here();
    }

    void walk_value(bool is_secret) {
        switch (peek()) {
            case '"':
                return is_secret ? cover(string(), '*') : walk_text(string());
            case '{':
                return is_secret ? cover(nested(), ' ') : walk_object();
            case '[':
                return is_secret ? cover(nested(), ' ') : walk_list();
            default:
                return walk_scalar(is_secret);
        }
    }

    void walk_object() {
        for (++at_; peek() != '}' && here() != '\0';) {
            if (peek() == ',') ++at_;
            peek();
            auto name = read(string());
            peek(), ++at_;  // the colon
            walk_value(is_field(name));
        }
        ++at_;
    }

    void walk_list() {
        for (++at_; peek() != ']' && here() != '\0';) {
            if (peek() == ',') ++at_;
            walk_value(false);
        }
        ++at_;
    }

    void walk_scalar(bool is_secret) {
        do {
            if (is_secret && http::is_digit(here())) cover({at_, at_ + 1}, '1');
            ++at_;
        } while (at_ < text_.size() && !is_space(here()) && std::string_view(",]}").find(here()) == npos);
    }

    struct Extent {
        std::size_t from, to;
    };

    /// What is between the quotes; goes on behind them.
    Extent string() {
        auto from = std::min(++at_, text_.size());
        while (at_ < text_.size() && here() != '"') at_ += here() == '\\' ? 2 : 1;
        auto to = std::min(at_++, text_.size());
        return {from, to};
    }

    /// What is between the brackets; goes on behind them.
    Extent nested() {
        auto from = at_ + 1;
        std::size_t depth = 0;
        do {
            char c = here();
            if (c == '{' || c == '[') ++depth;
            if (c == '}' || c == ']') --depth;
            if (c == '"')
                string();
            else
                ++at_;
        } while (depth > 0 && at_ < text_.size());
        return {from, at_ - 1};
    }

    std::string read(Extent string) const {
        auto written = text_.substr(string.from, string.to - string.from);
        if (written.find('\\') == npos) return std::string(written);
        auto parsed = json::parse(text_.substr(string.from - 1, string.to - string.from + 2));
        return parsed.ok() ? parsed->take_text() : std::string();
    }

    /// `field`, `field[]`
    bool is_field(std::string_view name) const {
        return name.starts_with(field_) && (name.size() == field_.size() || (name[field_.size()] == '[' && name.ends_with(']')));
    }

    /// A text may be JSON as well.
    void walk_text(Extent string) {
        auto start = text_.find_first_not_of(" \t", string.from);
        if (texts_left_ == 0 || start >= string.to || std::string_view("{[\\").find(text_[start]) == npos) return;
        auto text = read(string);
        auto origin = origins(string);
        if (is_document(text) && origin.size() == text.size() + 1)
            Document(text, std::move(origin), field_, kept_, texts_left_ - 1).cover();
    }

    std::vector<std::uint32_t> origins(Extent string) const {
        std::vector<std::uint32_t> out;
        for (auto at = string.from; at < string.to;) {
            auto [width, bytes] = character(at);
            out.insert(out.end(), bytes, origin_[at]);
            at += width;
        }
        out.push_back(origin_[string.to]);
        return out;
    }

    struct Character {
        std::size_t width, bytes;  ///< as written, and as meant
    };
    Character character(std::size_t at) const {
        if (text_[at] != '\\') return {1, 1};
        if (text_[at + 1] != 'u') return {2, 1};
        int code = 0;
        for (char digit : text_.substr(at + 2, 4)) code = code * 16 + http::hex_value(digit);
        if (code >= 0xd800 && code < 0xe000) return {12, 4};
        return {6, code < 0x80 ? 1u : code < 0x800 ? 2u : 3u};
    }

    void cover(Extent what, char with) { std::fill(kept_.begin() + origin_[what.from], kept_.begin() + origin_[what.to], with); }

    std::string_view text_;
    std::vector<std::uint32_t> origin_;
    std::string_view field_;
    std::string& kept_;
    int texts_left_;
    std::size_t at_ = 0;
};

std::string document_without_secret(std::string_view raw, std::string_view field) {
    std::string kept(raw);
    std::vector<std::uint32_t> origin(raw.size() + 1);
    std::iota(origin.begin(), origin.end(), 0u);
    Document(raw, std::move(origin), field, kept, texts_in_texts_max).cover();
    return kept;
}

/// How many bytes at `at` write one other byte, `%5F` or `\u005f`; that byte goes to `out`. Else one.
std::size_t width_at(std::string_view raw, std::size_t at, char& out) {
    out = raw[at];
    auto digits = raw[at] == '%' ? at + 1 : raw.substr(at, 4) == "\\u00" ? at + 4 : npos;
    if (digits == npos || digits + 2 > raw.size()) return 1;
    auto high = http::hex_value(raw[digits]), low = http::hex_value(raw[digits + 1]);
    if (high < 0 || low < 0) return 1;
    out = static_cast<char>(high * 16 + low);
    return digits + 2 - at;
}

/// The body with such bytes written out, where each came from, and the copy on which secrets are covered.
class Body {
  public:
    explicit Body(std::string_view raw) : covered_(raw) {
        for (std::size_t at = 0; at < raw.size();) {
            char c = 0;
            at_.push_back(static_cast<std::uint32_t>(at));
            at += width_at(raw, at, c);
            text_ += c;
        }
        at_.push_back(static_cast<std::uint32_t>(raw.size()));
    }

    std::size_t size() const { return text_.size(); }
    char operator[](std::size_t i) const { return i < text_.size() ? text_[i] : '\0'; }
    std::string_view text() const { return text_; }
    std::size_t width(std::size_t i) const { return at_[i + 1] - at_[i]; }
    std::size_t skip_space(std::size_t i) const {
        while (i < size() && is_space(text_[i])) ++i;
        return i;
    }
    void cover(std::size_t from, std::size_t to, char with = '*') {
        std::fill(covered_.begin() + at_[std::min(from, size())], covered_.begin() + at_[std::min(to, size())], with);
    }
    std::string take() { return std::move(covered_); }

  private:
    std::string text_;
    std::vector<std::uint32_t> at_;
    std::string covered_;
};

/// Where a sign comes next, asked for places that only grow: what was found ahead is not looked for again.
class NextOf {
  public:
    explicit NextOf(std::string_view sign) : sign_(sign) {}
    std::size_t from(std::string_view text, std::size_t at) {
        if (!known_ || *known_ < at) known_ = text.find(sign_, at);
        return *known_;
    }

  private:
    std::string_view sign_;
    std::optional<std::size_t> known_;
};

class Search {
  public:
    Search(std::string_view raw, std::string_view field) : body_(raw), field_(field) {}

    std::string run() {
        for (auto at = find(0); at != npos;) at = find(cover_value(at).value_or(at + 1));
        return body_.take();
    }

  private:
    std::size_t find(std::size_t from) const { return body_.text().find(field_, from); }

    /// Covers the value of the name at `at` and says where it ends; nothing if no value follows.
    std::optional<std::size_t> cover_value(std::size_t at) {
        auto after = skip_brackets(at + field_.size());
        char before = at == 0 ? '&' : body_[at - 1];
        while (body_[after] == '\\') ++after;  // JSON in a text of JSON
        bool quoted = is_quote(before) && body_[after] == before;
        bool is_name = quoted || is_space(before) || std::string_view("&?;{,=<").find(before) != npos;
        if (!is_name) return std::nullopt;
        if (is_name_of_part(quoted ? at - 1 : at)) return cover_part(after);
        bool may_be_in_text = !quoted && before != '&';
        auto sign = body_.skip_space(quoted ? after + 1 : after);
        in_form_ = sign < body_.size() && body_.width(sign) == 3;
        if (body_[sign] == ':') return cover_json_value(skip_to_value(sign + 1), may_be_in_text);
        if (body_[sign] == '=') return cover_form_value(sign + 1, may_be_in_text);
        if (before == '<' && body_[after] == '>') return cover_until(after + 1, "<");
        return std::nullopt;
    }

    /// Behind the `[]` of a list, `field[]` or `field[a][b]`.
    std::size_t skip_brackets(std::size_t at) const {
        while (body_[at] == '[') {
            auto end = body_.text().find_first_of("[]&=\"' \r\n", at + 1);
            if (end == npos || body_[end] != ']') return at;
            at = end + 1;
        }
        return at;
    }

    /// `Content-Disposition: form-data; name="field"`.
    bool is_name_of_part(std::size_t at) const {
        constexpr std::string_view name = "name=";
        return at >= name.size() && http::equals_ignoring_case(body_.text().substr(at - name.size(), name.size()), name);
    }

    /// From the empty line behind the part's head to the next boundary.
    std::optional<std::size_t> cover_part(std::size_t at) {
        auto empty_line = std::min(next_crlf_.from(body_.text(), at), next_lf_.from(body_.text(), at));
        if (empty_line == npos) return std::nullopt;
        auto from = body_.text().find('\n', empty_line + 1) + 1;
        auto to = std::min(body_.text().find("\n--", from - 1), body_.size());
        if (to > from && body_[to - 1] == '\r') --to;
        if (to > from) body_.cover(from, to);
        return std::max(from, to);
    }

    /// A value that stands as it is ends where a text of JSON around it would.
    std::size_t cover_form_value(std::size_t from, bool may_be_in_text) {
        auto start = body_.skip_space(from);
        return is_quote(body_[start]) && !(may_be_in_text && closes_a_text(start)) ? cover_string(start) : cover_until(from, "&\r\n\"");
    }

    /// What a form writes with percent signs ends with the form's field.
    bool is_end(std::size_t at) const { return at >= body_.size() || (in_form_ && body_[at] == '&' && body_.width(at) == 1); }

    std::size_t cover_until(std::size_t from, std::string_view ends) {
        auto to = from;
        while (to < body_.size() && !(body_.width(to) == 1 && ends.find(body_[to]) != npos)) ++to;
        body_.cover(from, to);
        return to;
    }

    std::size_t skip_to_value(std::size_t at) const {
        at = body_.skip_space(at);
        while (body_[at] == '\\') ++at;
        return at;
    }

    /// The quote of `"my key:"`, in which the name was part of a text.
    bool closes_a_text(std::size_t quote) const {
        return quote + 1 >= body_.size() || std::string_view(",}]").find(body_[quote + 1]) != npos;
    }

    std::size_t cover_json_value(std::size_t at, bool may_be_in_text) {
        if (may_be_in_text && is_quote(body_[at]) && closes_a_text(at)) return at;
        for (std::size_t depth = 0; !is_end(at);) {
            char c = body_[at];
            if (is_quote(c)) {
                at = cover_string(at);
            } else if (c == '[' || c == '{') {
                ++depth, ++at;
            } else if (c == ']' || c == '}') {
                if (depth == 0) return at;
                --depth, ++at;
            } else if (is_space(c) || c == ',' || c == ':') {
                if (depth == 0) return at;
                ++at;
            } else {
                at = cover_bare(at);
                if (depth == 0) return at;
            }
            if (depth == 0 && at < body_.size() && !is_quote(body_[at])) return at;
        }
        return at;
    }

    /// Up to the quote that is written as the first one is.
    std::size_t cover_string(std::size_t opening) {
        auto to = opening + 1;
        while (!is_end(to) && !(body_[to] == body_[opening] && body_.width(to) == body_.width(opening)))
            to += body_[to] == '\\' && !is_end(to + 1) ? 2 : 1;
        body_.cover(opening + 1, to);
        return is_end(to) ? to : to + 1;
    }

    /// A number, true, false, null, or a text that lacks its quotes.
    std::size_t cover_bare(std::size_t from) {
        auto to = from;
        while (!is_end(to) && !is_space(body_[to]) && std::string_view(",:[]{}\"'").find(body_[to]) == npos) ++to;
        auto text = body_.text().substr(from, to - from);
        if (text == "true" || text == "false" || text == "null") return to;
        bool is_number = std::all_of(text.begin(), text.end(), is_part_of_number);
        for (auto i = from; i < to; ++i) {
            if (!is_number || body_.width(i) > 1)
                body_.cover(i, i + 1);
            else if (http::is_digit(body_[i]))
                body_.cover(i, i + 1, '1');
        }
        return to;
    }

    Body body_;
    std::string_view field_;
    bool in_form_ = false;  ///< whether the name at hand is inside of a form's field
    NextOf next_crlf_{"\n\r\n"}, next_lf_{"\n\n"};
};

}  // namespace

std::string without_secret(std::string_view raw, std::string_view field, std::optional<MediaKind> kind) {
    if (field.empty() || raw.empty()) return std::string(raw);
    if (kind == MediaKind::json && is_document(raw)) return document_without_secret(raw, field);
    return Search(raw, field).run();
}

}  // namespace forebay::intake
