#pragma once
// Dead letters that an operator has run again or discarded, one by one, at a rate, in the background. Goes on when the
// console has gone, and after a restart. Each letter is first sent to its worker's queue and then deleted, so that a crash between
// the two leaves it twice, never not at all: the same effect is not run twice, and the letter goes when the act goes on.

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "admin/dead_letters.h"

namespace forebay::admin {

struct DeadAct {
    enum class Kind : std::uint8_t {
        retry,
        discard,  ///< the effect's worker notes it as discarded; a letter of which no ledger knows is only deleted
    };
    Kind kind = Kind::retry;
    DeadFilter filter;
    double per_second = 0;  ///< 0 = as fast as it goes
    std::string reason;
    Timestamp started_at;
    std::uint64_t letters = 0;             ///< when it began
    std::uint64_t done = 0, left_out = 0;  ///< left out: nobody is there to do it
    std::string state = "running";         ///< or done, failed
    std::string why;                       ///< of what was left out, or of a failure
};

class DeadActs {
  public:
    /// `path` is where acts are kept: read now, and those that were running go on. `commands` and `clock` outlive it.
    DeadActs(broker::Commands& commands, Routes routes, Clock& clock, std::string path);
    /// Waits for the letter in hand. What is not finished goes on when it is opened again.
    ~DeadActs();
    DeadActs(const DeadActs&) = delete;
    DeadActs& operator=(const DeadActs&) = delete;

    /// False: too many are running.
    bool start(DeadAct act);
    /// Newest first.
    std::vector<DeadAct> list();

    static constexpr std::size_t running_max = 16;
    static constexpr std::size_t kept_max = 32;

  private:
    void work();
    void run(DeadAct& act);
    bool settle(DeadAct& act, DeadLetter& letter, std::set<std::string>& sent);
    std::optional<broker::Refusal> send(const std::string& queue, const std::string& body, const std::string& record);
    bool pause(Duration time);
    void update(const DeadAct& act);
    void save();

    broker::Commands& commands_;
    Routes routes_;
    Clock& clock_;
    std::string path_;
    std::mutex lock_;  ///< guards acts_ and closing_
    std::condition_variable wake_;
    std::deque<DeadAct> acts_;  ///< oldest first
    bool closing_ = false;
    std::thread thread_;  // last: it uses the rest
};

/// POST /api/dead/retry, /api/dead/discard: `ids` or a filter, `rate`, `reason`, `dry_run`.
http::Response act_on_dead(broker::Commands& commands, const Routes& routes, DeadActs& acts, Clock& clock, DeadAct::Kind kind,
                           const Call& call);
http::Response list_dead_acts(DeadActs& acts);

}  // namespace forebay::admin
