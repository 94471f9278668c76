#pragma once
// Words between the parent and one of forebay's own processes, over a unix socket that the child finds under the number
// in FOREBAY_CHANNEL. A word is one packet of at most word_bytes_max and may carry a descriptor.
//
// To the child, with SIGUSR2 behind it for one that waits for signals:
//   hand over    and a socket: give what you serve to whoever reads there, then end
// To the parent:
//   waiting      of a successor: all is prepared, the one before may hand over
//   ready        it serves
//   taken up     it has read the configuration again, after HUP
//   refused      and why: it goes on with what it had
//   worn out     and why: it works on, and wants to be started anew when its turn comes

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "base/spawn.h"

namespace forebay::supervisor {

constexpr std::string_view hand_over_word = "hand over", waiting_word = "waiting", ready_word = "ready", taken_up_word = "taken up",
                           refused_word = "refused ", worn_out_word = "worn out";
constexpr const char* channel_variable = "FOREBAY_CHANNEL";
/// Under which number a successor finds the socket that it inherits from; not set for any other process.
constexpr const char* inheritance_variable = "FOREBAY_INHERITANCE";

struct Word {
    std::string text;
    Descriptor descriptor;  ///< none if it carried none
};

class Channel {
  public:
    static constexpr std::size_t word_bytes_max = 1024;

    Channel() = default;
    explicit Channel(Descriptor socket) : socket_(std::move(socket)) {}
    /// Both ends, close-on-exec.
    static Result<std::pair<Channel, Channel>, std::string> make();
    /// The one this process was started with; none if it was not.
    static Channel of_this_process();

    explicit operator bool() const { return static_cast<bool>(socket_); }
    int descriptor() const { return socket_.get(); }
    /// False when nobody can hear it. Never blocks.
    bool say(std::string_view text, int descriptor = -1) const;
    /// The next word; nothing if there is none now.
    std::optional<Word> hear() const;

  private:
    Descriptor socket_;
};

/// The number in a variable of this process's environment, as a descriptor that is close-on-exec from now on; none if it is not
/// set or no open descriptor. The variable is taken away, so that no child is misled.
Descriptor descriptor_in(const char* variable);

}  // namespace forebay::supervisor
