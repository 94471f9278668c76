#include "intake/rate_limiter.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace forebay::intake {

std::string client_network(std::string_view address) {
    in6_addr v6{};
    std::string text(address);
    if (inet_pton(AF_INET6, text.c_str(), &v6) != 1 || IN6_IS_ADDR_V4MAPPED(&v6)) return text;
    return std::string(reinterpret_cast<const char*>(v6.s6_addr), 8);
}

std::uint64_t RateLimiter::key_of(std::string_view who, std::string_view address) const {
    std::string text(reinterpret_cast<const char*>(&seed_), sizeof seed_);
    text.append(who).append(1, '\0').append(address);
    return std::hash<std::string>{}(text);
}

void RateLimiter::make_room(Instant now) {
    // A few buckets from a place the clients cannot guess; the table's order depends on the seed.
    constexpr int looked_at = 16;
    auto oldest = buckets_.begin();
    auto candidate = buckets_.begin();
    for (int i = 0; i < looked_at && candidate != buckets_.end(); ++i) {
        auto& bucket = candidate->second;
        double filled = bucket.tokens + static_cast<double>((now - bucket.at).count()) / 1000 * bucket.per_second;
        if (filled >= bucket.burst) {
            candidate = buckets_.erase(candidate);
            if (buckets_.size() < buckets_max_) return;
            continue;
        }
        if (bucket.at < oldest->second.at) oldest = candidate;
        ++candidate;
    }
    if (buckets_.size() >= buckets_max_ && oldest != buckets_.end()) buckets_.erase(oldest);
}

RateLimiter::Verdict RateLimiter::take(const Rate& rate, std::string_view who, std::string_view client_address, Instant now) {
    auto key = key_of(who, rate.per_ip ? client_network(client_address) : std::string());
    std::lock_guard guard(lock_);
    if (buckets_.size() >= buckets_max_ && !buckets_.contains(key)) make_room(now);
    auto& bucket = buckets_.try_emplace(key, Bucket{rate.burst, now, rate.per_second, rate.burst}).first->second;
    auto elapsed = std::max<std::int64_t>(0, (now - bucket.at).count());
    bucket.tokens = std::min(rate.burst, bucket.tokens + static_cast<double>(elapsed) / 1000 * rate.per_second);
    bucket.at = now;
    if (bucket.tokens < 1) return {false, 0, static_cast<std::int64_t>(std::ceil((1 - bucket.tokens) / rate.per_second))};
    bucket.tokens -= 1;
    return {true, static_cast<std::int64_t>(bucket.tokens), 0};
}

std::size_t RateLimiter::size() const {
    std::lock_guard guard(lock_);
    return buckets_.size();
}

}  // namespace forebay::intake
