#pragma once
// The bounds of SQS, each with its name. Source: SQS quotas and API reference.

#include <cstdint>

#include "base/bytes.h"
#include "base/time.h"

namespace forebay::queue::limits {

inline constexpr std::uint64_t message_bytes_max = 1_MiB;
inline constexpr std::uint64_t message_bytes_min = 1;
inline constexpr std::uint64_t maximum_message_size_min = 1_KiB;
inline constexpr unsigned batch_entries_max = 10;
inline constexpr unsigned receive_max = 10;
inline constexpr unsigned own_batch_max = 100;  ///< entries and messages of one call of our own workers, in the place of both
inline constexpr Duration visibility_max = 12h;
inline constexpr Duration delay_max = 900s;
inline constexpr Duration wait_max = 20s;
inline constexpr Duration retention_min = 60s;
inline constexpr Duration retention_max = 14 * 24h;
inline constexpr std::uint32_t in_flight_max = 120000;
inline constexpr std::uint32_t max_receive_count_max = 1000;
inline constexpr unsigned message_attributes_max = 10;
inline constexpr unsigned moves_per_second_max = 500;  ///< of a move task

}  // namespace forebay::queue::limits
