#pragma once
// What happens to messages once outcomes are known: follow-ups sent, done ones deleted, retries hidden,
// dead ones moved, the rest given back. A queue that cannot be reached is asked again for a while; after
// that nothing is lost, the messages come again and find their effects done.

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/time.h"
#include "transport/source.h"
#include "worker/handler.h"
#include "worker/worker.h"

namespace forebay::worker {

class Outbox {
  public:
    Outbox(const Options& options, const Parts& parts) : options_(options), parts_(parts) {}

    /// Sends the follow-ups of done jobs and has the handler note what is sent. Returns the messages of which all is: these may be
    /// removed, the others come again.
    std::vector<std::string> finish(std::span<const Job> jobs, std::span<const Outcome> outcomes);
    /// Deletes messages.
    void remove(const std::vector<std::string>& handles);
    /// To the dead-letter queue with reason, effect, record and attempts as attributes, then deleted. Without
    /// such a queue it stays where it is, hidden for an hour at a time.
    void bury(const std::string& handle, const std::string& body, std::string_view record, const Settlement& settlement);
    /// Hidden for as long as it was to wait when it was settled, whatever the clock says by now.
    void retry(const Job& job, const Settlement& settlement, Timestamp settled_at);
    /// The record came before it is due: hidden again, no attempt spent.
    void put_off(const Job& job, Duration left);
    void give_back(const std::string& handle);

    /// How long a queue that cannot be reached is asked again, all calls of an outage together; not at all
    /// once the worker is stopping.
    static constexpr Duration patience = 20s;
    static constexpr Duration hidden_without_dead_letter = 1h;

  private:
    using Call = std::function<Result<void, transport::SourceError>()>;
    bool insist(const char* what, const Call& call);
    struct Finishing;
    void send_all(std::vector<Finishing>& all);
    bool note_sent(const std::vector<Finishing>& all);

    const Options& options_;
    const Parts& parts_;
    std::optional<Instant> impatient_from_;  ///< set while the queue cannot be reached
};

/// Text that a message attribute may hold: no control characters but tab and line ends, at most 1 KiB.
std::string attribute_text(std::string_view text);

}  // namespace forebay::worker
