#pragma once
// Bytes changed so that their checksum stays what it was: then nothing that holds the checksum has to be written again.

#include <cstddef>
#include <cstdint>
#include <string>

namespace forebay {

/// The free bits of a filler byte: any of `@` and `A` to `O`.
inline constexpr char filler_byte = '@';
inline constexpr std::size_t filler_bytes_min = 16;  ///< 64 free bits for the 32 that are asked for

/// Chooses the low four bits of the filler bytes from `at` to `at + count` so that `text` has that CRC-32C. False when they cannot
/// give it, which does not happen with filler_bytes_min of them.
bool choose_filler(std::string& text, std::size_t at, std::size_t count, std::uint32_t crc);

}  // namespace forebay
