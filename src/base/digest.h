#pragma once
// Hashes and their text forms. OpenSSL stays inside digest.cpp.

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace forebay {

using Sha256 = std::array<unsigned char, 32>;
using Md5 = std::array<unsigned char, 16>;

Sha256 sha256(std::string_view bytes);
/// MD5 is what SQS clients check their bodies with; nothing of ours relies on it.
Md5 md5(std::string_view bytes);
Sha256 hmac_sha256(std::string_view key, std::string_view bytes);
/// Compares in a time that does not depend on where the difference is. Different lengths are unequal.
bool equal_in_constant_time(std::string_view a, std::string_view b);

std::string to_hex(std::string_view bytes);
template <std::size_t N>
std::string to_hex(const std::array<unsigned char, N>& bytes) {
    return to_hex(std::string_view(reinterpret_cast<const char*>(bytes.data()), N));
}
std::optional<std::string> from_hex(std::string_view text);

std::string to_base64(std::string_view bytes);
/// URL alphabet, no padding.
std::string to_base64url(std::string_view bytes);
/// Accepts both alphabets, with or without padding; anything else is nothing.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace forebay
