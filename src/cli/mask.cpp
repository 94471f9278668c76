#include "cli/mask.h"

#include <algorithm>
#include <cctype>

namespace forebay::cli {
namespace {

constexpr std::size_t digits_shown = 4;

/// The first character, all of its bytes.
std::string_view first_character(std::string_view text) {
    std::size_t end = 1;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
    return text.substr(0, end);
}

bool is_number(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return std::isdigit(static_cast<unsigned char>(c)) != 0 || std::string_view("+-() .").find(c) != std::string_view::npos;
    });
}

}  // namespace

std::string masked(std::string_view text) {
    if (text.empty()) return {};
    if (is_number(text))
        return "***" + std::string(text.size() > 2 * digits_shown ? text.substr(text.size() - digits_shown) : std::string_view());
    auto at = text.find('@');
    return std::string(first_character(text)) + "***" + std::string(at == std::string_view::npos ? std::string_view() : text.substr(at));
}

json::Value mask_fields(const json::Value& fields, const std::vector<std::string>& names) {
    auto out = json::Value::object();
    for (const auto& [name, value] : fields.members()) {
        bool is_masked = std::find(names.begin(), names.end(), name) != names.end();
        out.set(name, is_masked && !value.is_null() ? json::Value(masked(value.text())) : value);
    }
    return out;
}

}  // namespace forebay::cli
