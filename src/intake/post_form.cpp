// application/x-www-form-urlencoded, as browsers send it (WHATWG URL, section 5.1), decoded into one buffer.

#include "base/json.h"
#include "intake/post.h"
#include "intake/utf8.h"

namespace forebay::intake {
namespace {

int nibble(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// Appends the decoded text. A percent sign without two digits behind it stands for itself.
void decode(std::string& out, std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '%' && i + 2 < text.size() && nibble(text[i + 1]) >= 0 && nibble(text[i + 2]) >= 0) {
            c = static_cast<char>(nibble(text[i + 1]) << 4 | nibble(text[i + 2]));
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        out += c;
    }
}

std::optional<ReadError> check(const Input& input) {
    for (auto text : {input.name, input.text}) {
        if (!json::is_utf8(text))
            return ReadError{"utf8_invalid", "the field \"" + (json::is_utf8(input.name) ? std::string(input.name) : "?") +
                                                 "\" is not UTF-8 at byte " + std::to_string(find_bad_utf8(text).value_or(0)) + " of its " +
                                                 (text.data() == input.name.data() ? "name" : "value")};
        if (find_forbidden(text)) return ReadError{"character_forbidden", "a field contains NUL, U+FFFE or U+FFFF"};
    }
    return std::nullopt;
}

}  // namespace

Result<void, ReadError> Post::read_form(std::string_view body, const PostLimits& limits) {
    decoded_.clear();
    decoded_.reserve(body.size());  // decoding never makes text longer, so the views below stay where they point
    while (!body.empty()) {
        auto pair = body.substr(0, body.find('&'));
        body.remove_prefix(std::min(pair.size() + 1, body.size()));
        if (pair.empty()) continue;
        if (inputs_.size() >= limits.fields_max)
            return Failure{ReadError{"too_many_fields", "more than " + std::to_string(limits.fields_max) + " fields"}};
        auto equals = pair.find('=');
        auto start = decoded_.size();
        decode(decoded_, pair.substr(0, equals));
        auto middle = decoded_.size();
        if (equals != std::string_view::npos) decode(decoded_, pair.substr(equals + 1));
        std::string_view all = decoded_;
        Input input{all.substr(start, middle - start), all.substr(middle), Input::Kind::text};
        if (auto error = check(input)) return Failure{std::move(*error)};
        inputs_.push_back(input);
    }
    gather_lists();
    return {};
}

}  // namespace forebay::intake
