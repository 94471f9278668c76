#include "broker/broker_thread.h"

#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "base/log_line.h"
#include "broker/mailbox.h"

namespace forebay::broker {
namespace {

/// The exit code of a process whose disk has failed (D9): the supervisor starts it again.
constexpr int disk_failed = 74;

void refuse(Command& command, Refusal refusal) {
    std::visit(
        [&](auto& c) {
            if (c.answer) c.answer(Failure{refusal});
        },
        command);
}

/// Runs the slow half of checkpoints on a thread of its own, one at a time.
class CheckpointThread {
  public:
    explicit CheckpointThread(UniqueFunction<void()> on_done) : on_done_(std::move(on_done)), thread_([this] { run(); }) {}
    ~CheckpointThread() {
        {
            std::lock_guard guard(lock_);
            is_stopping_ = true;
        }
        changed_.notify_one();
        thread_.join();
    }
    void take(std::shared_ptr<CheckpointJob> job) {
        {
            std::lock_guard guard(lock_);
            job_ = std::move(job);
        }
        changed_.notify_one();
    }

  private:
    void run() {
        for (;;) {
            std::unique_lock guard(lock_);
            changed_.wait(guard, [this] { return job_ || is_stopping_; });
            if (!job_) return;
            auto job = std::move(job_);
            guard.unlock();
            job->run();
            on_done_();
        }
    }
    UniqueFunction<void()> on_done_;
    std::mutex lock_;  ///< guards job_, is_stopping_
    std::condition_variable changed_;
    std::shared_ptr<CheckpointJob> job_;
    bool is_stopping_ = false;
    std::thread thread_;
};

}  // namespace

class Broker::Implementation {
  public:
    Implementation(Clock& clock, std::unique_ptr<Turn> turn, const BrokerOptions& options)
        : clock_(clock),
          turn_(std::move(turn)),
          mailbox_(options.mailbox_commands, options.mailbox_bytes),
          checkpoints_(std::make_unique<CheckpointThread>([this] { mailbox_.wake(); })) {
        turn_->set_job_runner([this](std::shared_ptr<CheckpointJob> job) { checkpoints_->take(std::move(job)); });
        publish();
        thread_ = std::thread([this] { run(); });
    }

    void submit(Command command) {
        auto refused = mailbox_.put(std::move(command));
        if (!refused) return;
        refuse(refused->second, refused->first == Mailbox::Refused::full ? Refusal::overloaded : Refusal::stopping);
    }

    void stop() {
        std::lock_guard guard(stopping_);
        mailbox_.close();
        if (thread_.joinable()) thread_.join();
    }

    /// Between two turns, on the broker's thread. Waits for it; false: it is stopping, and nothing was done.
    bool do_between_turns(UniqueFunction<void(Turn&)> work) {
        auto done = std::make_shared<std::promise<bool>>();
        auto told = done->get_future();
        {
            std::lock_guard guard(works_lock_);
            if (works_are_over_) return false;
            works_.push_back({std::move(work), std::move(done)});
        }
        mailbox_.wake();
        return told.get();
    }

    std::optional<journal::Extent> extent_after(Result<journal::Extent, disk::Error> (Turn::*hold)(Duration), Duration at_most) {
        std::optional<journal::Extent> extent;
        do_between_turns([&](Turn& turn) {
            auto held = (turn.*hold)(at_most);
            if (!held.ok()) end_if_failed(Failure{held.error()});
            extent = *held;
        });
        return extent;
    }

    Result<bool, std::string> replace_segment(journal::SegmentNumber segment) {
        Result<bool, std::string> replaced = Failure{std::string("the node is stopping")};
        do_between_turns([&](Turn& turn) {
            auto done = turn.replace_segment(segment);
            replaced = done.ok() ? Result<bool, std::string>(*done) : Failure{done.error().text()};
        });
        return replaced;
    }

    Turn& turn() { return *turn_; }
    Status status() const {
        std::lock_guard guard(status_lock_);
        auto status = status_;
        status.commands_waiting = mailbox_.size();
        return status;
    }

  private:
    void run() {
        std::vector<Command> batch;
        while (mailbox_.take(batch, wake_at())) {
            end_if_failed(turn_->run(batch));
            do_works();
            publish_now_and_then();
        }
        end_works();
        checkpoints_.reset();  // finishes the job that is running
        end_if_failed(turn_->stop());
        publish();
    }

    void do_works() {
        std::vector<Work> works;
        {
            std::lock_guard guard(works_lock_);
            works.swap(works_);
        }
        for (auto& work : works) {
            work.run(*turn_);
            work.done->set_value(true);
        }
    }

    void end_works() {
        std::lock_guard guard(works_lock_);
        works_are_over_ = true;
        for (auto& work : std::exchange(works_, {})) work.done->set_value(false);
    }

    std::optional<std::chrono::steady_clock::time_point> wake_at() {
        auto due = turn_->next_due();
        if (!due) return std::nullopt;
        return std::chrono::steady_clock::now() + std::max(*due - clock_.now(), Duration(0));
    }

    void end_if_failed(const Result<void, disk::Error>& done) {
        if (done) return;
        log_error("journal.fault")
            .with("error", done.error().text())
            .with("next", "the process ends; what was not answered is not promised");
        ::_exit(disk_failed);
    }

    void publish_now_and_then() {
        auto now = clock_.now();
        if (now - published_ < 1s) return;
        published_ = now;
        publish();
    }

    void publish() {
        auto& journal = turn_->journal();
        Status status;
        status.journal_bytes = journal.live_bytes();
        status.has_room = journal.has_room();
        status.syncs = journal.counters().syncs;
        status.journal_bytes_written = journal.counters().bytes_written;
        status.turn = turn_->counters();
        status.slowest_sync = std::chrono::duration_cast<Duration>(turn_->take_slowest_sync());
        std::lock_guard guard(status_lock_);
        status_ = status;
    }

    struct Work {
        UniqueFunction<void(Turn&)> run;
        std::shared_ptr<std::promise<bool>> done;
    };

    Clock& clock_;
    std::unique_ptr<Turn> turn_;
    Mailbox mailbox_;
    std::mutex works_lock_;  ///< guards works_, works_are_over_
    std::vector<Work> works_;
    bool works_are_over_ = false;
    std::unique_ptr<CheckpointThread> checkpoints_;
    Instant published_;
    mutable std::mutex status_lock_;  ///< guards status_
    Status status_;
    std::mutex stopping_;  ///< one stop at a time
    std::thread thread_;
};

Broker::Broker(std::unique_ptr<Implementation> implementation) : implementation_(std::move(implementation)) {}
Broker::~Broker() { stop(); }

Result<std::unique_ptr<Broker>, OpenError> Broker::open(disk::Disk& disk, Clock& clock, Entropy& entropy, BrokerOptions options,
                                                        metrics::Registry* metrics) {
    TRY_ASSIGN(auto turn, Turn::open(disk, clock, entropy, options, metrics));
    return std::unique_ptr<Broker>(new Broker(std::make_unique<Implementation>(clock, std::move(turn), options)));
}

void Broker::submit(Command command) { implementation_->submit(std::move(command)); }
std::string Broker::handle_of(const queue::Receipt& receipt) const { return implementation_->turn().handle_of(receipt); }
std::optional<queue::Receipt> Broker::receipt_of(std::string_view handle) const { return implementation_->turn().receipt_of(handle); }
std::optional<journal::Extent> Broker::hold_log(Duration at_most) { return implementation_->extent_after(&Turn::hold_log, at_most); }
std::optional<journal::Extent> Broker::seal_log(Duration at_most) { return implementation_->extent_after(&Turn::seal_log, at_most); }
Result<bool, std::string> Broker::replace_segment(journal::SegmentNumber segment) { return implementation_->replace_segment(segment); }
void Broker::stop() { implementation_->stop(); }
const journal::OpenReport& Broker::report() const { return implementation_->turn().journal().report(); }
Broker::Status Broker::status() const { return implementation_->status(); }

}  // namespace forebay::broker
