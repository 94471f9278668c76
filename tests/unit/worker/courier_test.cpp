// A worker with a courier: what is deleted and received behind the handler's back.
#include "worker/courier.h"

#include <gtest/gtest.h>

#include "tests/unit/worker/scripted_source.h"
#include "worker/worker.h"

namespace forebay::worker {
namespace {

class PlainHandler final : public Handler {
  public:
    std::vector<Outcome> run(std::span<const Job> jobs, const Limits&) override {
        ++runs;
        if (while_running) while_running(runs);
        std::vector<Outcome> out;
        for (auto& job : jobs) {
            bool is_down = runs == down_in_run;
            if (!is_down) done.push_back(job.message_id);
            out.push_back(is_down ? Outcome::hold("the database is down") : Outcome::done());
        }
        return out;
    }
    bool has_probe() const override { return true; }
    Result<void, std::string> probe() override { return Failure{std::string("still down")}; }
    Duration time_limit(std::size_t, Duration timeout) const override { return timeout; }

    std::function<void(int)> while_running;
    int runs = 0, down_in_run = 0;
    std::vector<std::string> done;
};

class CourierOfAWorker : public ::testing::Test {
  protected:
    CourierOfAWorker() {
        options.worker = "store";
        options.queue = "leads";
        options.batch = {10, 0ms};
        options.poll = 5ms;
        options.probe = 5ms;
        source.when_empty = [this] { controls.stop = true; };
        source.comes_back = false;
    }
    void put(int count) {
        for (int i = 0; i < count; ++i) source.put("m" + std::to_string(100 + i), R"({"name":"x"})");
    }
    Ended run() {
        Parts parts{source, heartbeat, handler, clock, entropy, controls};
        parts.courier = &source;
        return Worker(options, parts).run();
    }
    /// Waits for what another thread does.
    bool becomes(const std::function<bool()>& is) {
        for (auto until = clock.now() + 10s; clock.now() < until; std::this_thread::sleep_for(1ms)) {
            std::lock_guard lock(source.mutex);
            if (is()) return true;
        }
        return false;
    }

    Options options;
    ScriptedSource source, heartbeat;
    PlainHandler handler;
    SystemClock clock;
    SystemEntropy entropy;
    Controls controls;
};

TEST_F(CourierOfAWorker, every_record_is_worked_on_once_and_deleted) {
    put(95);
    EXPECT_EQ(run(), Ended::asked);
    EXPECT_EQ(handler.done.size(), 95u);
    EXPECT_EQ(source.settled, handler.done) << "in their order";
    EXPECT_TRUE(source.released.empty());
}

TEST_F(CourierOfAWorker, the_next_batch_is_received_and_the_last_one_deleted_while_the_handler_works) {
    put(30);
    bool is_ahead = false, is_deleted = false;
    handler.while_running = [&](int n) {
        if (n != 2) return;
        is_ahead = becomes([&] { return source.batches.size() == 3; });
        is_deleted = becomes([&] { return source.settled.size() == 10; });
    };
    run();
    EXPECT_TRUE(is_ahead);
    EXPECT_TRUE(is_deleted);
}

TEST_F(CourierOfAWorker, what_was_received_ahead_stays_invisible_while_the_handler_takes_its_time) {
    options.visibility = 30ms;
    put(20);
    bool is_renewed = false;
    handler.while_running = [&](int n) {
        if (n == 1)
            is_renewed = becomes([&] {
                std::lock_guard lock(heartbeat.mutex);
                return std::any_of(heartbeat.extended.begin(), heartbeat.extended.end(), [](auto& e) { return e.handle == "m119"; });
            });
    };
    run();
    EXPECT_TRUE(is_renewed);
}

TEST_F(CourierOfAWorker, what_was_received_ahead_of_an_outage_is_given_back_without_an_attempt) {
    put(20);
    handler.down_in_run = 1;
    handler.while_running = [&](int) { EXPECT_TRUE(becomes([&] { return source.batches.size() == 2; })); };
    std::thread stopper([&] {
        EXPECT_TRUE(becomes([&] { return source.released.size() == 20; }));
        controls.stop = true;
    });
    run();
    stopper.join();
    EXPECT_EQ(handler.runs, 1);
    EXPECT_TRUE(handler.done.empty());
    EXPECT_TRUE(source.settled.empty());
    EXPECT_TRUE(source.extended.empty()) << "attempts are noted with an extension";
}

TEST_F(CourierOfAWorker, what_was_received_ahead_is_given_back_when_the_worker_stops_or_ends_to_be_started_afresh) {
    put(20);
    options.recycle.jobs = 10;
    handler.while_running = [&](int) { EXPECT_TRUE(becomes([&] { return source.batches.size() == 2; })); };
    EXPECT_EQ(run(), Ended::recycled);
    EXPECT_EQ(source.settled.size(), 10u) << "deletions are through when it has ended";
    EXPECT_EQ(source.released.size(), 10u);
}

TEST_F(CourierOfAWorker, a_batch_that_was_not_full_is_the_last_for_now) {
    put(9);
    run();
    EXPECT_EQ(source.batches, std::vector<std::size_t>{9});
    EXPECT_EQ(source.settled.size(), 9u);
}

}  // namespace
}  // namespace forebay::worker
