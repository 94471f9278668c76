#pragma once
// HMAC-SHA256 with one key over and over: the key's own work is done once. OpenSSL stays inside hmac.cpp.

#include <memory>
#include <string_view>

#include "base/digest.h"

namespace forebay {

/// Not for use from several threads at once.
class HmacKey {
  public:
    explicit HmacKey(std::string_view key);
    ~HmacKey();
    HmacKey(HmacKey&&) noexcept;
    HmacKey& operator=(HmacKey&&) noexcept;
    Sha256 operator()(std::string_view bytes) const;

  private:
    struct Context;
    std::unique_ptr<Context> context_;
};

}  // namespace forebay
