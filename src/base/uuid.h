#pragma once
// A 128-bit identifier in its RFC 9562 forms: version 7 (time ordered) and version 8 (made from a hash).

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/entropy.h"
#include "base/time.h"

namespace forebay {

struct Uuid {
    std::array<unsigned char, 16> bytes{};
    auto operator<=>(const Uuid&) const = default;
    bool is_nil() const { return *this == Uuid{}; }
    /// The 48-bit time of a version 7 id; meaningless for other versions.
    Timestamp time() const;
    int version() const { return bytes[6] >> 4; }
};

Uuid make_uuid_v7(Timestamp at, Entropy& entropy);
/// Random, version 4: message ids and request ids.
Uuid make_uuid_v4(Entropy& entropy);
/// The first 16 bytes of a hash, with version 8 and the RFC variant set.
Uuid make_uuid_v8(std::span<const unsigned char, 16> hash);

/// Lower case with dashes, 36 characters.
std::string to_text(const Uuid& id);
void append_text(std::string& out, const Uuid& id);
/// Accepts the 36-character form in any case.
std::optional<Uuid> parse_uuid(std::string_view text);

}  // namespace forebay

template <>
struct std::hash<forebay::Uuid> {
    std::size_t operator()(const forebay::Uuid& id) const noexcept {
        std::size_t h = 0;
        __builtin_memcpy(&h, id.bytes.data() + 8, sizeof h);
        return h;
    }
};
