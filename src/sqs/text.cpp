#include "sqs/text.h"

#include <algorithm>
#include <charconv>

#include "http/text.h"

namespace forebay::sqs {
namespace {

bool is_forbidden_control(unsigned char c) { return c < 0x20 && c != '\t' && c != '\n' && c != '\r'; }

}  // namespace

bool is_sendable(std::string_view utf8) {
    // Without a branch, so that the compiler can take many bytes at once. U+FFFE and U+FFFF are EF BF BE and EF BF BF.
    unsigned controls = 0, lead_bytes = 0;
    for (unsigned char c : utf8) {
        controls |= is_forbidden_control(c);
        lead_bytes |= c == 0xEF;
    }
    if (controls != 0) return false;
    if (lead_bytes == 0) return true;
    return utf8.find("\xEF\xBF\xBE") == std::string_view::npos && utf8.find("\xEF\xBF\xBF") == std::string_view::npos;
}

std::optional<std::int64_t> integer_of(std::string_view text) {
    std::int64_t n = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return n;
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), http::to_lower);
    return out;
}

}  // namespace forebay::sqs
