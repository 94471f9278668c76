// Somebody copies the log while it goes on: its segments are held, and what the copy must have is a store of its own.
#include <set>

#include "harness.h"
#include "journal/segment.h"

namespace forebay::broker {
namespace {

std::set<std::string> segments_of(disk::Disk& disk) {
    std::set<std::string> out;
    auto names = disk.list("");
    for (const auto& name : *names)
        if (journal::segment_number(name)) out.insert(name);
    return out;
}

class Hold : public ::testing::Test {
  protected:
    Hold() { EXPECT_TRUE(h.create("a")); }
    /// Fills the log with what is gone again, and lets the checkpoints come that drop it.
    void go_on(int messages) {
        for (int i = 0; i < messages; ++i) {
            ASSERT_TRUE(h.send("a", std::string(20'000, 'x')));
            auto got = h.receive_one("a");
            ASSERT_TRUE(h.remove("a", got.receipt));
        }
        h.pass(2 * h.options.checkpoint_every);
        h.pass(2 * h.options.checkpoint_every);
    }
    /// The segments that a copy must have, up to where it must.
    void copy(const journal::Extent& extent, disk::Disk& to) {
        for (auto number = extent.first.value(); number <= extent.last.value(); ++number) {
            auto name = journal::segment_name(number);
            auto from = h.disk.open(name, disk::OpenMode::read);
            ASSERT_TRUE(from.ok()) << name << " is gone";
            std::string bytes;
            auto size = number == extent.last.value() ? extent.last_bytes : from.value()->size().value();
            ASSERT_TRUE(from.value()->read(0, size, bytes).ok());
            auto copy = to.open(name, disk::OpenMode::create_new);
            ASSERT_TRUE(copy.value()->write(0, bytes).ok() && copy.value()->sync().ok());
        }
        ASSERT_TRUE(to.sync_directory("").ok());
    }
    Harness h;
};

TEST_F(Hold, segments_stay_while_they_are_held_and_go_afterwards) {
    go_on(40);
    auto before = segments_of(h.disk);
    auto extent = h.turn->hold_log(1h);
    ASSERT_TRUE(extent.ok());
    EXPECT_EQ(extent->first, h.turn->journal().oldest_segment());
    go_on(60);
    auto held = segments_of(h.disk);
    EXPECT_TRUE(std::includes(held.begin(), held.end(), before.begin(), before.end()));
    ASSERT_TRUE(h.turn->hold_log(Duration(0)).ok());
    go_on(40);
    EXPECT_FALSE(segments_of(h.disk).contains(*before.begin()));
}

TEST_F(Hold, a_hold_ends_by_itself) {
    go_on(40);
    auto before = segments_of(h.disk);
    ASSERT_TRUE(h.turn->hold_log(10s).ok());
    go_on(60);
    EXPECT_FALSE(segments_of(h.disk).contains(*before.begin()));
}

TEST_F(Hold, what_is_copied_meanwhile_opens_as_the_store_it_was) {
    go_on(30);
    ASSERT_TRUE(h.send("a", "waits"));
    ASSERT_TRUE(h.send("a", "is in flight"));
    ASSERT_TRUE(h.send("a", "goes later"));
    auto first = h.receive_one("a");
    auto extent = h.turn->hold_log(1h);
    ASSERT_TRUE(extent.ok());
    // All of this is behind the line.
    ASSERT_TRUE(h.remove("a", first.receipt));
    ASSERT_TRUE(h.send("a", "comes later"));
    go_on(30);
    Harness other(2);
    other.turn.reset();
    testing::SimulatedDisk disk(3);
    copy(*extent, disk);
    auto opened = Turn::open(disk, other.clock, other.entropy, other.options);
    ASSERT_TRUE(opened.ok()) << opened.error().what;
    EXPECT_FALSE((*opened)->journal().report().corrupt);
    std::vector<std::string> bodies;
    Peek peek;
    peek.queue = "a";
    peek.answer = [&](Result<std::vector<Peek::Item>, Refusal> items) {
        for (const auto& item : *items) bodies.push_back(item.message.body);
    };
    std::vector<Command> batch;
    batch.push_back(std::move(peek));
    ASSERT_TRUE((*opened)->run(batch).ok());
    EXPECT_EQ(bodies, (std::vector<std::string>{"waits", "is in flight", "goes later"}));
}

TEST_F(Hold, what_was_only_written_is_durable_then) {
    ASSERT_TRUE(h.send("a", "one"));
    auto got = h.receive_one("a", 1h);
    ASSERT_TRUE(h.turn->hold_log(1h).ok());
    EXPECT_EQ(h.turn->journal().durable(), h.turn->journal().next_position());
    h.cut_power(testing::Survival::none);
    EXPECT_TRUE(h.is_empty("a")) << "the receive was durable";
}

}  // namespace
}  // namespace forebay::broker
