#pragma once
// The sockets that a node listens on. The parent opens them, or has them from systemd, and lends them to each node it
// starts: while one node ends and the next begins, whoever connects waits instead of being refused.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/spawn.h"
#include "cli/config/configuration.h"
#include "cli/process/ports.h"
#include "supervisor/supervisor.h"

namespace forebay::cli {

/// Listening sockets this process was started with, by `intake.listen 127.0.0.1:8080`, or what systemd calls them.
class InheritedSockets {
  public:
    /// Those of the parent (FOREBAY_LISTENERS) and of systemd's socket activation (LISTEN_FDS). The variables are taken away.
    static InheritedSockets of_this_process();
    /// The one for this address of a setting; none if there is none, or it was taken already.
    Descriptor take(const std::string& setting, const Listen& on);
    /// What nobody has taken, for a log line.
    std::vector<std::string> left() const;

  private:
    struct Socket {
        std::string key;   ///< of the parent's: setting and address; of systemd's: address
        std::string name;  ///< what systemd calls it
        Descriptor descriptor;
    };
    std::vector<Socket> sockets_;
};

/// Every setting that listens, with its addresses.
std::vector<std::pair<std::string, Listen>> all_listeners(const Configuration& configuration);

class LentSockets final : public supervisor::Provision {
  public:
    /// Takes over what is there for its addresses; the rest is opened when a node is started.
    LentSockets(const Configuration& configuration, InheritedSockets& inherited);
    /// The first address that is not open here and that nobody could listen on now.
    std::optional<PortProblem> problem() const;
    /// Opens what is not open. The error is the end of a sentence.
    Result<void, std::string> open();
    /// The same, those excepted that `before` will move here.
    Result<void, std::string> open_what_is_not_in(const LentSockets& before);

    Result<void, std::string> lend(SpawnOptions& to) override;
    void withdraw() override;

    /// Those for addresses that `next` has too go over to it.
    void move_to(LentSockets& next);
    /// For the next binary: they survive execve if `inheritable`.
    json::Value leave_behind(bool inheritable);
    void adopt(const json::Value& left);

  private:
    struct Socket {
        std::string setting;
        Listen on;
        Descriptor descriptor;
        bool is_given = false;  ///< by systemd: never closed, for it could not be opened again
        std::string key() const;
    };
    Result<void, std::string> open(Socket& socket);
    std::vector<Socket> sockets_;
};

}  // namespace forebay::cli
