#include "base/uuid.h"

#include <algorithm>

namespace forebay {
namespace {
constexpr char hex_digits[] = "0123456789abcdef";

void stamp(Uuid& id, unsigned char version) {
    id.bytes[6] = static_cast<unsigned char>((id.bytes[6] & 0x0f) | version << 4);
    id.bytes[8] = static_cast<unsigned char>((id.bytes[8] & 0x3f) | 0x80);
}

int nibble(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}
}  // namespace

Timestamp Uuid::time() const {
    std::int64_t ms = 0;
    for (int i = 0; i < 6; ++i) ms = ms << 8 | bytes[static_cast<std::size_t>(i)];
    return {ms};
}

Uuid make_uuid_v7(Timestamp at, Entropy& entropy) {
    Uuid id;
    entropy.fill(std::span(id.bytes).subspan(6));
    for (int i = 0; i < 6; ++i) id.bytes[static_cast<std::size_t>(i)] = static_cast<unsigned char>(at.ms >> (40 - 8 * i));
    stamp(id, 7);
    return id;
}

Uuid make_uuid_v4(Entropy& entropy) {
    Uuid id;
    entropy.fill(id.bytes);
    stamp(id, 4);
    return id;
}

Uuid make_uuid_v8(std::span<const unsigned char, 16> hash) {
    Uuid id;
    std::copy(hash.begin(), hash.end(), id.bytes.begin());
    stamp(id, 8);
    return id;
}

void append_text(std::string& out, const Uuid& id) {
    char text[36];
    char* p = text;
    for (std::size_t i = 0; i < 16; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *p++ = '-';
        *p++ = hex_digits[id.bytes[i] >> 4];
        *p++ = hex_digits[id.bytes[i] & 15];
    }
    out.append(text, sizeof text);
}

std::string to_text(const Uuid& id) {
    std::string out;
    append_text(out, id);
    return out;
}

std::optional<Uuid> parse_uuid(std::string_view text) {
    if (text.size() != 36) return std::nullopt;
    Uuid id;
    std::size_t pos = 0;
    for (std::size_t i = 0; i < 16; ++i) {
        if ((i == 4 || i == 6 || i == 8 || i == 10) && text[pos++] != '-') return std::nullopt;
        int high = nibble(text[pos]), low = nibble(text[pos + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        id.bytes[i] = static_cast<unsigned char>(high << 4 | low);
        pos += 2;
    }
    return id;
}

}  // namespace forebay
