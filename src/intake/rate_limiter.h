#pragma once
// Token buckets in a bounded table. When it is full, a bucket that has filled up again is forgotten; if
// there is none, the one not used for longest of a few is: its client gets a fresh burst, never less.

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/time.h"
#include "intake/endpoint.h"

namespace forebay::intake {

class RateLimiter {
  public:
    struct Verdict {
        bool allowed = true;
        std::int64_t left = 0;           ///< whole tokens left
        std::int64_t retry_after_s = 0;  ///< until one is there again
    };

    /// `seed` makes the table's order unknown to clients.
    RateLimiter(std::size_t buckets_max, std::uint64_t seed) : buckets_max_(buckets_max), seed_(seed) {}
    /// Takes one token of the bucket of `who` (and, per ip, the client's address). Any thread.
    Verdict take(const Rate& rate, std::string_view who, std::string_view client_address, Instant now);
    std::size_t size() const;

  private:
    struct Bucket {
        double tokens;
        Instant at;
        double per_second, burst;
    };
    std::uint64_t key_of(std::string_view who, std::string_view address) const;
    void make_room(Instant now);

    std::size_t buckets_max_;
    std::uint64_t seed_;
    mutable std::mutex lock_;  ///< guards buckets_
    std::unordered_map<std::uint64_t, Bucket> buckets_;
};

/// The part of an address that one client has for itself: all of IPv4, the first 64 bits of IPv6.
std::string client_network(std::string_view address);

}  // namespace forebay::intake
