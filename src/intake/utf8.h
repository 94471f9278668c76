#pragma once
// Where text stops being text.

#include <cstddef>
#include <optional>
#include <string_view>

namespace forebay::intake {

/// The first byte that is not well-formed UTF-8 (overlong forms and surrogates included).
std::optional<std::size_t> find_bad_utf8(std::string_view text);
/// The first NUL, U+FFFE or U+FFFF: well-formed, but refused in text since databases and XML refuse it.
std::optional<std::size_t> find_forbidden(std::string_view text);
/// Code points of well-formed text.
std::size_t count_characters(std::string_view text);

}  // namespace forebay::intake
