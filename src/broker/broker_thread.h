#pragma once
// The broker as the process runs it: a bounded mailbox, one thread that owns every queue and the journal, and
// one that finishes checkpoints. Commands come from any thread; answers run on the broker's thread in one
// burst after their sync, so they must be short. A failed disk ends the process with code 74.

#include <memory>
#include <string>
#include <string_view>

#include "base/entropy.h"
#include "base/result.h"
#include "base/time.h"
#include "broker/broker.h"
#include "broker/options.h"
#include "broker/turn.h"
#include "disk/disk.h"

namespace forebay::broker {

class Broker final : public Commands {
  public:
    static Result<std::unique_ptr<Broker>, OpenError> open(disk::Disk& disk, Clock& clock, Entropy& entropy, BrokerOptions options,
                                                           metrics::Registry* metrics = nullptr);
    ~Broker() override;
    Broker(const Broker&) = delete;
    Broker& operator=(const Broker&) = delete;

    void submit(Command command) override;
    std::string handle_of(const queue::Receipt& receipt) const override;
    std::optional<queue::Receipt> receipt_of(std::string_view handle) const override;

    /// Refuses new commands (Refusal::stopping), finishes those taken, answers long polls with nothing, takes a last
    /// checkpoint and joins the threads. Idempotent; the destructor calls it.
    void stop();

    /// How far the log reaches, everything that was answered before being in it and durable. Its segments stay where they are for
    /// `at_most` from now on, whatever was asked before; zero lets go. Nothing = it is stopping. Waits for the broker's thread.
    std::optional<journal::Extent> hold_log(Duration at_most);
    /// The same, and what was written until now lies in sealed segments.
    std::optional<journal::Extent> seal_log(Duration at_most);
    /// Journal::replace; the error is a sentence.
    Result<bool, std::string> replace_segment(journal::SegmentNumber segment);

    /// What opening found; fixed afterwards.
    const journal::OpenReport& report() const;
    /// Figures for status and readiness, kept up to date about once a second; any thread.
    struct Status {
        std::uint64_t journal_bytes = 0;
        bool has_room = true;
        Duration slowest_sync{0};  ///< of the last second or so
        std::uint64_t syncs = 0, journal_bytes_written = 0;
        std::uint64_t commands_waiting = 0;
        Turn::Counters turn;
    };
    Status status() const;

  private:
    class Implementation;
    explicit Broker(std::unique_ptr<Implementation> implementation);
    std::unique_ptr<Implementation> implementation_;
};

}  // namespace forebay::broker
