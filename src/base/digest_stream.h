#pragma once
// SHA-256 of what comes in pieces.

#include <memory>
#include <string_view>

#include "base/digest.h"

namespace forebay {

class Sha256Stream {
  public:
    Sha256Stream();
    ~Sha256Stream();
    Sha256Stream(const Sha256Stream&) = delete;
    Sha256Stream& operator=(const Sha256Stream&) = delete;
    void add(std::string_view bytes);
    /// Of everything added; nothing may be added after it.
    Sha256 finish();

  private:
    struct Inside;
    std::unique_ptr<Inside> inside_;
};

}  // namespace forebay
