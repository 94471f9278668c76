#pragma once
// A broker on the simulated disk, spoken to with the verbs of the domain. One turn for each command unless a test
// collects several.

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "broker/turn.h"
#include "testing/manual_clock.h"
#include "testing/seeded_entropy.h"
#include "testing/simulated_disk.h"

namespace forebay::broker {

inline BrokerOptions small_options() {
    BrokerOptions options;
    options.journal.segment_bytes = 256_KiB;
    options.journal.frame_bytes_max = 8_MiB;
    options.journal.reserve_bytes = 0;
    options.journal.min_free_bytes = 0;
    options.page_memory = 1;  // the least: four pages
    options.body_memory = 64_KiB;
    options.checkpoint_bytes = 512_KiB;
    options.straggler_slack = 512_KiB;
    return options;
}

class Harness {
  public:
    explicit Harness(std::uint64_t seed = 1, BrokerOptions with = small_options()) : options(with), disk(seed), entropy(seed) { open(); }

    void open() {
        turn.reset();
        auto opened = Turn::open(disk, clock, entropy, options);
        ASSERT_TRUE(opened) << opened.error().what;
        turn = std::move(*opened);
    }
    /// The power goes; what was not synced is lost as the disk likes.
    void cut_power(testing::Survival survival = testing::Survival::chance) {
        disk.cut_power();
        restart(survival);
    }
    void restart(testing::Survival survival = testing::Survival::chance) {
        turn.reset();
        disk.restart(survival);
        open();
    }
    void kill() {
        turn.reset();
        disk.kill_process();
        open();
    }

    bool run(std::vector<Command> commands = {}) { return turn->run(commands).ok(); }

    /// Runs one command, which must be answered in that turn, and gives its answer.
    template <class Outcome, class C>
    Outcome ask(C command) {
        std::unique_ptr<Outcome> answered;
        command.answer = [&answered](Outcome outcome) { answered = std::make_unique<Outcome>(std::move(outcome)); };
        std::vector<Command> batch;
        batch.push_back(std::move(command));
        run(std::move(batch));
        CHECK(answered != nullptr, "the command is answered in its turn");
        return std::move(*answered);
    }

    Result<QueueStatus, Refusal> create(const std::string& name, QueueSettings settings = {}, bool declared = false) {
        return ask<Result<QueueStatus, Refusal>>(CreateQueue{name, std::move(settings), declared, {}});
    }
    Result<void, Refusal> set(const std::string& name, QueueSettings settings) {
        return change_settings(name, [settings = std::move(settings)](QueueSettings& now) {
            now = settings;
            return true;
        });
    }
    Result<void, Refusal> change_settings(const std::string& name, SetQueue::Change change) {
        return ask<Result<void, Refusal>>(SetQueue{name, std::move(change), {}});
    }
    Result<void, Refusal> drop(const std::string& name) { return ask<Result<void, Refusal>>(DeleteQueue{name, {}}); }
    Result<void, Refusal> purge(const std::string& name, bool as_operator = false) {
        return ask<Result<void, Refusal>>(Purge{name, as_operator, {}});
    }
    Result<QueueStatus, Refusal> pause(const std::string& name, std::string reason = {}) {
        return ask<Result<QueueStatus, Refusal>>(PauseQueue{name, QueuePause{clock.wall(), std::move(reason), "ann"}, {}, {}});
    }
    Result<QueueStatus, Refusal> resume(const std::string& name) { return ask<Result<QueueStatus, Refusal>>(PauseQueue{name, {}, {}, {}}); }
    void pause_all(bool is_paused) { EXPECT_TRUE((ask<Result<void, Refusal>>(PauseAll{is_paused, {}}))); }
    Result<QueueStatus, Refusal> status(const std::string& name) { return ask<Result<QueueStatus, Refusal>>(GetQueue{name, {}}); }

    Result<Sent, Refusal> send(const std::string& queue, std::string body, std::optional<Duration> delay = {},
                               std::optional<OnceKey> once = {}) {
        queue::OutgoingMessage message;
        message.body = std::move(body);
        message.delay = delay;
        return ask<Result<Sent, Refusal>>(Send{queue, std::move(message), once, {}});
    }
    using Received = Result<std::vector<queue::Delivery>, Refusal>;
    Received receive(const std::string& queue, unsigned max = 1, std::optional<Duration> visibility = {}) {
        return ask<Received>(Receive{queue, max, visibility, Duration(0), {}, {}});
    }
    /// One message, which is there.
    queue::Delivery receive_one(const std::string& queue, std::optional<Duration> visibility = {}) {
        auto got = receive(queue, 1, visibility);
        if (!got || got->empty()) {
            ADD_FAILURE() << "nothing to receive in " << queue;
            return {};
        }
        return got->front();
    }
    bool is_empty(const std::string& queue) {
        auto got = receive(queue);
        return got && got->empty();
    }
    using Outcomes = Result<std::vector<Result<void, Refusal>>, Refusal>;
    Result<void, Refusal> remove(const std::string& queue, const queue::Receipt& receipt) {
        auto outcome = ask<Outcomes>(Delete{queue, {receipt}, {}});
        if (!outcome) return Failure{outcome.error()};
        return outcome->front();
    }
    Result<void, Refusal> change(const std::string& queue, VisibilityChange change) {
        auto outcome = ask<Outcomes>(ChangeVisibility{queue, {change}, {}});
        if (!outcome) return Failure{outcome.error()};
        return outcome->front();
    }
    std::vector<Peek::Item> peek(const std::string& queue, unsigned max = 10, std::optional<queue::Sequence> after = {}) {
        auto items = ask<Result<std::vector<Peek::Item>, Refusal>>(Peek{queue, max, after, {}});
        return items ? *items : std::vector<Peek::Item>{};
    }
    /// Time passes with turns whenever one is due.
    void pass(Duration time) {
        auto until = clock.now() + time;
        for (int turns = 0; turns < 100000; ++turns) {
            auto due = turn->next_due();
            if (!due || *due > until) break;
            if (*due > clock.now()) clock.advance(*due - clock.now());
            ASSERT_TRUE(run());
        }
        clock.advance(until - clock.now());
        ASSERT_TRUE(run());
    }

    BrokerOptions options;
    testing::SimulatedDisk disk;
    testing::ManualClock clock;
    testing::SeededEntropy entropy;
    std::unique_ptr<Turn> turn;
};

}  // namespace forebay::broker
