#pragma once
// CRC-32C (Castagnoli), the checksum of everything on disk. Uses SSE 4.2 where the processor has it.

#include <cstdint>
#include <string_view>

namespace forebay {

/// The checksum of `bytes`, continued from `seed` (0 for the first part).
std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed = 0);

}  // namespace forebay
