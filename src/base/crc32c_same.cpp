#include "base/crc32c_same.h"

#include <vector>

#include "base/crc32c.h"

namespace forebay {
namespace {

struct Bit {
    std::size_t at = 0;
    char mask = 0;
};

/// A vector of the checksum's 32 bits, and which free bits make it.
struct Row {
    std::uint32_t crc = 0;
    std::uint64_t bits = 0;
};

}  // namespace

bool choose_filler(std::string& text, std::size_t at, std::size_t count, std::uint32_t crc) {
    constexpr std::size_t bits_max = 64;
    for (std::size_t i = 0; i < count; ++i) text[at + i] = filler_byte;
    std::vector<Bit> bits;
    for (std::size_t i = 0; i < count && bits.size() < bits_max; ++i)
        for (char mask : {1, 2, 4, 8}) bits.push_back({at + i, mask});
    // The checksum is linear over GF(2): what a bit does to it does not depend on the others. Gauss finds those that make the difference.
    auto wanted = crc32c(text) ^ crc;
    auto before = crc32c(text);
    Row rows[32] = {};
    for (std::size_t i = 0; i < bits.size(); ++i) {
        text[bits[i].at] = static_cast<char>(text[bits[i].at] ^ bits[i].mask);
        Row row{crc32c(text) ^ before, std::uint64_t{1} << i};
        text[bits[i].at] = static_cast<char>(text[bits[i].at] ^ bits[i].mask);
        for (int bit = 31; bit >= 0 && row.crc != 0; --bit) {
            if ((row.crc >> bit & 1) == 0) continue;
            if (rows[bit].crc == 0) {
                rows[bit] = row;
                break;
            }
            row.crc ^= rows[bit].crc;
            row.bits ^= rows[bit].bits;
        }
    }
    std::uint64_t chosen = 0;
    for (int bit = 31; bit >= 0; --bit) {
        if ((wanted >> bit & 1) == 0) continue;
        if (rows[bit].crc == 0) return false;
        wanted ^= rows[bit].crc;
        chosen ^= rows[bit].bits;
    }
    for (std::size_t i = 0; i < bits.size(); ++i)
        if ((chosen >> i & 1) != 0) text[bits[i].at] = static_cast<char>(text[bits[i].at] ^ bits[i].mask);
    return true;
}

}  // namespace forebay
