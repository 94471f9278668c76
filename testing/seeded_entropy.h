#pragma once
// Randomness that repeats: a small generator (SplitMix64) behind the entropy port and, for tests
// themselves, as plain numbers.

#include <cstdint>
#include <span>

#include "base/entropy.h"

namespace forebay::testing {

class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next() {
        state_ += 0x9e3779b97f4a7c15u;
        auto z = state_;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        return z ^ z >> 31;
    }
    /// 0 … bound-1.
    std::uint64_t below(std::uint64_t bound) { return next() % bound; }
    /// True once in `n` times.
    bool one_in(std::uint64_t n) { return n > 0 && below(n) == 0; }

  private:
    std::uint64_t state_;
};

class SeededEntropy final : public Entropy {
  public:
    explicit SeededEntropy(std::uint64_t seed) : random_(seed) {}
    void fill(std::span<unsigned char> out) override {
        for (auto& byte : out) byte = static_cast<unsigned char>(random_.next() >> 56);
    }

  private:
    Random random_;
};

}  // namespace forebay::testing
