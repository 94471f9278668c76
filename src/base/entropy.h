#pragma once
// Where randomness comes from; a port, so that the simulator can replay a run from its seed.

#include <cstdint>
#include <span>

namespace forebay {

class Entropy {
  public:
    virtual ~Entropy() = default;
    virtual void fill(std::span<unsigned char> out) = 0;
    std::uint64_t u64() {
        std::uint64_t value = 0;
        fill({reinterpret_cast<unsigned char*>(&value), sizeof value});
        return value;
    }
};

/// The kernel's generator, read in blocks. Not for use from several threads at once.
class SystemEntropy final : public Entropy {
  public:
    void fill(std::span<unsigned char> out) override;

  private:
    unsigned char pool_[4096];
    std::size_t left_ = 0;
};

}  // namespace forebay
