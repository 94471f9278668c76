// What is left after a crash, at any point: compared with a simple model, and with what was there before.

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "broker/state.h"
#include "tests/unit/broker/harness.h"

namespace forebay::broker {
namespace {

constexpr int queues = 7;
std::string queue_name(std::uint64_t n) { return "queue-" + std::to_string(n); }

BrokerOptions tiny_options() {
    auto options = small_options();
    options.journal.segment_bytes = 64_KiB;
    options.checkpoint_bytes = 24_KiB;
    options.checkpoint_every = 2s;
    options.straggler_slack = 96_KiB;
    options.once_keys_max = 1;
    return options;
}

/// Everything that can be seen of a queue, as text.
std::string picture(Harness& broker, const std::string& queue) {
    std::string out;
    std::optional<queue::Sequence> after;
    for (;;) {
        auto items = broker.peek(queue, 500, after);
        if (items.empty()) return out;
        for (const auto& item : items) {
            const auto& m = item.message;
            out += std::to_string(m.receipt.sequence.value()) + " " + to_text(m.id) + " " + m.body.substr(0, 40) + " at " +
                   std::to_string(item.visible_at.ms) + " sent " + std::to_string(m.sent_at.ms) + " first " +
                   std::to_string(m.first_received_at.ms) + " receives " + std::to_string(m.receive_count) + " attempts " +
                   std::to_string(m.attempts) + " generation " + std::to_string(m.receipt.generation) + " from " + m.dead_letter_source +
                   "\n";
        }
        after = items.back().message.receipt.sequence;
    }
}

std::string picture(Harness& broker) {
    std::string out;
    auto all = broker.ask<Result<std::vector<QueueStatus>, Refusal>>(ListQueues{"", {}});
    for (const auto& queue : *all) {
        out += queue.name + " ready " + std::to_string(queue.ready) + " in flight " + std::to_string(queue.in_flight) + " delayed " +
               std::to_string(queue.delayed) + "\n" + picture(broker, queue.name);
    }
    return out;
}

/// What a client knows: what it was promised, and what it asked for without an answer.
class Auditor {
  public:
    enum class Known { sent, maybe_sent, maybe_deleted, deleted };
    std::map<std::string, Known> messages;  ///< by body

    void check(Harness& broker, std::uint64_t seed) {
        std::multiset<std::string> found;
        for (int q = 0; q < queues; ++q) {
            std::optional<queue::Sequence> after;
            for (auto items = broker.peek(queue_name(q), 500); !items.empty(); items = broker.peek(queue_name(q), 500, after)) {
                for (const auto& item : items) found.insert(item.message.body);
                after = items.back().message.receipt.sequence;
            }
        }
        for (const auto& body : found) ASSERT_TRUE(messages.contains(body)) << "invented: " << body << " seed " << seed;
        for (auto& [body, known] : messages) {
            auto count = found.count(body);
            ASSERT_LE(count, 1u) << "twice: " << body << " seed " << seed;
            if (known == Known::sent) {
                ASSERT_EQ(count, 1u) << "lost: " << body << " seed " << seed;
            }
            if (known == Known::deleted) {
                ASSERT_EQ(count, 0u) << "came back: " << body << " seed " << seed;
            }
            known = count == 1 ? Known::sent : Known::deleted;
        }
        std::erase_if(messages, [](const auto& item) { return item.second == Known::deleted; });
    }
};

/// Clients that do anything, a turn at a time.
class Life {
  public:
    Life(std::uint64_t seed, Harness& with) : broker(with), random(seed), with_redrive(seed % 2 == 0) {}

    void make_queues() {
        for (int q = 0; q < queues; ++q) {
            QueueSettings settings;
            settings.visibility_timeout = Duration(1000 * (q + 1));
            if (q > 0 && with_redrive) settings.redrive = Redrive{queue_name(0), static_cast<std::uint32_t>(q)};
            ASSERT_TRUE(broker.create(queue_name(q), settings, true));
        }
    }

    /// False once the disk has failed.
    bool turn() {
        std::vector<Command> batch;
        for (auto left = random.below(12); left > 0; --left) batch.push_back(command());
        broker.clock.advance(Duration(random.below(300)));
        return broker.run(std::move(batch));
    }

    void forget_receipts() {
        if (held.size() > 300) held.erase(held.begin(), held.begin() + 200);
    }

    Auditor auditor;

  private:
    using Known = Auditor::Known;
    Command command() {
        auto name = queue_name(random.below(queues));
        switch (random.below(10)) {
            case 0:
            case 1:
            case 2:
            case 3:
                return send(name);
            case 4:
            case 5:
            case 6:
                return receive(name);
            case 7:
            case 8:
                return remove();
            default:
                return change();
        }
    }
    Command send(const std::string& name) {
        queue::OutgoingMessage message;
        message.body = "message " + std::to_string(random.next()) + std::string(random.below(random.one_in(20) ? 9000 : 600), '.');
        if (random.one_in(4)) message.delay = Duration(random.below(5000));
        auditor.messages[message.body] = Known::maybe_sent;
        auto body = message.body;
        return Send{name, std::move(message), {}, [this, body](Result<Sent, Refusal> sent) {
                        if (sent) auditor.messages[body] = Known::sent;
                    }};
    }
    Command receive(const std::string& name) {
        auto wait = Duration(random.one_in(3) ? random.below(2000) : 0);
        return Receive{name, static_cast<unsigned>(1 + random.below(10)), {}, wait, {}, [this, name](Harness::Received got) {
                           if (!got) return;
                           for (auto& message : *got) held.push_back({name, message.receipt, message.body});
                       }};
    }
    Command remove() {
        if (held.empty()) return GetQueue{queue_name(0), {}};
        auto one = held[random.below(held.size())];
        if (auto known = auditor.messages.find(one.body); known != auditor.messages.end() && known->second == Known::sent)
            known->second = Known::maybe_deleted;
        return Delete{one.queue, {one.receipt}, [this, one](Harness::Outcomes done) {
                          // With redrive it may have been moved before, and live on where it is now.
                          if (done && !with_redrive && auditor.messages.contains(one.body)) auditor.messages[one.body] = Known::deleted;
                      }};
    }
    Command change() {
        if (held.empty()) return GetQueue{queue_name(0), {}};
        auto one = held[random.below(held.size())];
        VisibilityChange change{one.receipt, Duration(random.below(3000)), random.one_in(3), {}};
        if (random.one_in(2)) change.attempts = random.below(9);
        return ChangeVisibility{one.queue, {change}, {}};
    }
    struct Held {
        std::string queue;
        queue::Receipt receipt;
        std::string body;
    };
    Harness& broker;
    testing::Random random;
    const bool with_redrive;
    std::vector<Held> held;
};

class AnyCrash : public ::testing::TestWithParam<std::uint64_t> {};

class DamagedQueueRecord : public ::testing::Test {
  protected:
    void SetUp() override { ASSERT_TRUE(broker.create("jobs")); }
    /// The record that made the queue is spoilt, and the process starts again.
    void spoil() {
        broker.turn.reset();
        auto at = broker.disk.content(segment).find("jobs");
        ASSERT_NE(at, std::string::npos);
        broker.disk.rot(segment, at, 1);
        broker.kill();
    }
    const std::string segment = "log-0000000000000001.seg";
    Harness broker;
};

TEST_F(DamagedQueueRecord, costs_no_message_they_are_in_a_queue_with_a_name_of_its_own) {
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(broker.send("jobs", std::to_string(i)));
    ASSERT_TRUE(broker.remove("jobs", broker.receive_one("jobs").receipt));
    spoil();
    EXPECT_TRUE(broker.turn->journal().report().corrupt);
    EXPECT_FALSE(broker.status("jobs"));
    ASSERT_TRUE(broker.status("recovered-1"));
    ASSERT_TRUE(broker.create("jobs")) << "the name is free";
    for (int restarts = 0; restarts < 2; ++restarts) {
        EXPECT_EQ(broker.status("recovered-1")->ready, 2u);
        EXPECT_EQ(broker.peek("recovered-1")[0].message.body, "1");
        EXPECT_EQ(broker.status("jobs")->ready, 0u);
        broker.pass(60s);
        broker.kill();
    }
}

TEST_F(DamagedQueueRecord, is_made_good_by_the_head_of_the_next_segment) {
    int sent = 0;
    for (; broker.turn->journal().active_segment().value() < 2; ++sent) ASSERT_TRUE(broker.send("jobs", std::string(1000, 'x')));
    ASSERT_EQ(broker.turn->counters().checkpoints, 0u);
    spoil();
    EXPECT_TRUE(broker.turn->journal().report().corrupt);
    EXPECT_EQ(broker.status("jobs")->ready, static_cast<std::uint64_t>(sent));
    EXPECT_FALSE(broker.status("recovered-1"));
}

TEST_F(DamagedQueueRecord, is_not_needed_any_more_after_a_second) {
    ASSERT_TRUE(broker.send("jobs", "x"));
    broker.pass(1s);
    broker.pass(10ms);
    spoil();
    EXPECT_TRUE(broker.turn->opened_from_checkpoint());
    EXPECT_EQ(broker.status("jobs")->ready, 1u);
}

class Replay : public ::testing::Test {
  protected:
    void apply(RecordType type) {
        at += 4096;
        state.apply({journal::Position(0), {1, at, 100}, static_cast<std::uint8_t>(type), 0, body, {}, false});
    }
    void enqueue(std::uint32_t queue) {
        encode_enqueued(body, queue::QueueId(queue), queue::Sequence(0), Timestamp{1000}, Timestamp{1000}, Uuid{}, {}, nullptr);
        apply(RecordType::enqueued);
    }
    void set_queue(std::uint32_t id, const std::string& name) {
        QueueRecord record;
        record.id = queue::QueueId(id);
        record.name = name;
        encode_queue_set(body, record);
        apply(RecordType::queue_set);
    }
    bool holds_a_message(const std::string& name) {
        auto* found = state.queues.find(name);
        return found != nullptr && found->queue.is_live(queue::Sequence(0));
    }
    State state{small_options()};
    std::string body;
    std::uint32_t at = 0;
};

TEST_F(Replay, a_message_moved_to_a_queue_that_the_log_lost_is_in_a_queue_with_a_name_of_its_own) {
    set_queue(1, "jobs");
    enqueue(1);
    auto sent = body;
    auto slot = state.queues.find("jobs")->queue.slot(queue::Sequence(0));
    encode_moved(body,
                 {queue::QueueId(1), queue::Sequence(0), queue::QueueId(2), queue::Sequence(0), slot, decode_enqueued(0, sent)->message});
    apply(RecordType::moved);
    EXPECT_TRUE(holds_a_message("recovered-2"));
    EXPECT_FALSE(holds_a_message("jobs"));
}

TEST_F(Replay, a_queue_whose_name_a_stand_in_has_takes_no_message_with_it) {
    enqueue(5);
    ASSERT_TRUE(holds_a_message("recovered-5"));
    set_queue(7, "recovered-5");
    EXPECT_EQ(state.queues.find("recovered-5")->record.id, queue::QueueId(7));
    EXPECT_TRUE(holds_a_message("recovered-5_"));
    enqueue(9);
    set_queue(8, "recovered-9");
    EXPECT_EQ(state.queues.find("recovered-9")->record.id, queue::QueueId(8)) << "also when its id is smaller";
    EXPECT_TRUE(holds_a_message("recovered-9_"));
    set_queue(5, "jobs");
    EXPECT_TRUE(holds_a_message("jobs")) << "and the lost name may still be found";
}

TEST_P(AnyCrash, a_killed_process_finds_everything_as_it_was) {
    auto seed = GetParam();
    Harness broker(seed, tiny_options());
    Life life(seed, broker);
    life.make_queues();
    testing::Random random(seed * 77);
    for (int round = 0; round < 12; ++round) {
        for (auto turns = random.below(120); turns > 0; --turns) ASSERT_TRUE(life.turn());
        auto before = picture(broker);
        broker.kill();
        ASSERT_EQ(before, picture(broker)) << "seed " << seed << " round " << round;
        life.forget_receipts();
    }
    EXPECT_EQ(broker.turn->counters().damaged_messages, 0u);
}

TEST_P(AnyCrash, a_power_cut_at_any_call_loses_nothing_that_was_acknowledged) {
    auto seed = GetParam();
    Harness broker(seed, tiny_options());
    Life life(seed, broker);
    life.make_queues();
    testing::Random random(seed * 99);
    for (int round = 0; round < 25; ++round) {
        broker.disk.cut_power_at(1 + random.below(600));
        for (int turns = 0; turns < 400 && life.turn(); ++turns) continue;
        broker.disk.cut_power();
        broker.restart(random.one_in(3) ? testing::Survival::none : testing::Survival::chance);
        life.auditor.check(broker, seed);
        if (HasFatalFailure()) return;
        ASSERT_EQ(broker.turn->counters().damaged_messages, 0u) << "seed " << seed;
        life.forget_receipts();
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, AnyCrash, ::testing::Range<std::uint64_t>(1, 9));

}  // namespace
}  // namespace forebay::broker
