#include "base/entropy.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/check.h"

namespace forebay {

void SystemEntropy::fill(std::span<unsigned char> out) {
    while (!out.empty()) {
        if (left_ == 0) {
            std::size_t got = 0;
            while (got < sizeof pool_) {
                auto n = getrandom(pool_ + got, sizeof pool_ - got, 0);
                if (n < 0 && errno == EINTR) continue;
                CHECK(n > 0, "the kernel gives random bytes");
                got += static_cast<std::size_t>(n);
            }
            left_ = sizeof pool_;
        }
        auto n = std::min(left_, out.size());
        left_ -= n;
        std::memcpy(out.data(), pool_ + left_, n);
        out = out.subspan(n);
    }
}

}  // namespace forebay
