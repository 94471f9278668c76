#pragma once
// Sizes in bytes with their usual literals.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace forebay {

constexpr std::uint64_t operator""_B(unsigned long long n) { return n; }
constexpr std::uint64_t operator""_KiB(unsigned long long n) { return n << 10; }
constexpr std::uint64_t operator""_MiB(unsigned long long n) { return n << 20; }
constexpr std::uint64_t operator""_GiB(unsigned long long n) { return n << 30; }

}  // namespace forebay
