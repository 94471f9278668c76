#pragma once
// Ctrl-C (and TERM) as a question for verbs that take long, instead of an end in the middle of something.

#include <csignal>
#include <cstddef>
#include <iterator>

namespace forebay::cli {

/// While one lives, the signals do not end the process. One at a time.
class CatchInterrupt {
  public:
    CatchInterrupt() {
        came_ = 0;
        struct sigaction action{};
        action.sa_handler = [](int) { came_ = 1; };
        for (std::size_t i = 0; i < std::size(signals); ++i) ::sigaction(signals[i], &action, &before_[i]);
    }
    ~CatchInterrupt() {
        for (std::size_t i = 0; i < std::size(signals); ++i) ::sigaction(signals[i], &before_[i], nullptr);
    }
    CatchInterrupt(const CatchInterrupt&) = delete;
    CatchInterrupt& operator=(const CatchInterrupt&) = delete;

    static bool came() { return came_ != 0; }

  private:
    static constexpr int signals[] = {SIGINT, SIGTERM};
    static inline volatile std::sig_atomic_t came_ = 0;
    struct sigaction before_[std::size(signals)]{};
};

}  // namespace forebay::cli
