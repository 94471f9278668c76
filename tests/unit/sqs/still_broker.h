#pragma once
// The real broker without its thread, on a disk in memory, at the time a test says.

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "broker/turn.h"
#include "testing/manual_clock.h"
#include "testing/seeded_entropy.h"
#include "testing/simulated_disk.h"

namespace forebay::sqs {

class StillBroker final : public broker::Commands {
  public:
    forebay::testing::ManualClock clock;

    StillBroker() {
        options_.journal.segment_bytes = 1_MiB;
        options_.journal.reserve_bytes = 0;
        options_.journal.min_free_bytes = 0;
        options_.page_memory = 1_MiB;
        options_.body_memory = 1_MiB;
        open();
    }

    /// As after kill -9.
    void restart() {
        turn_.reset();
        disk_.kill_process();
        open();
    }
    void advance(Duration by) {
        clock.advance(by);
        run();
    }

    /// Decided and answered at once; from inside an answer, after it.
    void submit(broker::Command command) override {
        waiting_.push_back(std::move(command));
        if (!is_running_) run();
    }
    std::string handle_of(const queue::Receipt& receipt) const override { return turn_->handle_of(receipt); }
    std::optional<queue::Receipt> receipt_of(std::string_view handle) const override { return turn_->receipt_of(handle); }

  private:
    void open() {
        auto opened = broker::Turn::open(disk_, clock, entropy_, options_);
        ASSERT_TRUE(opened.ok()) << opened.error().what;
        turn_ = std::move(*opened);
    }
    void run() {
        is_running_ = true;
        do {
            auto batch = std::exchange(waiting_, {});
            ASSERT_TRUE(turn_->run(batch).ok());
        } while (!waiting_.empty());
        is_running_ = false;
    }

    broker::BrokerOptions options_;
    forebay::testing::SimulatedDisk disk_{1};
    forebay::testing::SeededEntropy entropy_{1};
    std::unique_ptr<broker::Turn> turn_;
    std::vector<broker::Command> waiting_;
    bool is_running_ = false;
};

}  // namespace forebay::sqs
