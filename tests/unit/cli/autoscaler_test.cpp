// What the parent and the node make of what they see of queues and processes.
#include "cli/process/autoscaler.h"

#include <gtest/gtest.h>

#include <future>

#include "cli/config/load.h"
#include "console_world.h"

using namespace forebay;
using namespace forebay::cli;
using supervisor::State;

namespace {

/// One worker of 2 to 8 processes, whose queue a test fills.
class AWorker : public testing::Test {
  protected:
    AWorker()
        : configuration(load_layers({{"forebay.toml", R"([node]
data_dir = "/nowhere"
[queue.leads]
dead_letter = "leads-dead"
[worker.mail]
queue = "leads"
handler = "program"
command = ["x"]
count = { min = 2, max = 8, cooldown = "1s" }
)"}},
                                    {})
                            .configuration) {
        parent.ok = true;
        parent.pools = {{"mail", "core", 2, 2, 8, false}};
        parent.processes = {process("core", "mail", 1, State::running)};
    }
    /// Each look is a second after the one before, and `coming` more wait.
    std::optional<std::vector<SeenBacklog>> look() {
        std::lock_guard guard(lock);
        if (++looks == looks_needed) seen.set_value();
        if (!has_node) return std::nullopt;
        ready += coming;
        return std::vector<SeenBacklog>{{"leads", {looks * 1000}, ready, 0, Duration(looks * 1000), ready, 0}};
    }
    std::unique_ptr<Autoscaler> autoscaler() {
        Autoscaler::Parts parts;
        parts.backlogs = [this] { return look(); };
        parts.parent = [this] { return has_parent ? std::optional(parent) : std::nullopt; };
        parts.scale = [this](const std::string& worker, unsigned count) {
            std::lock_guard guard(lock);
            asked.emplace_back(worker, count);
        };
        parts.every = 1ms;
        return std::make_unique<Autoscaler>(configuration, std::move(parts));
    }
    /// Every look that is needed has been taken when this returns.
    void pass() {
        auto one = autoscaler();
        seen.get_future().wait();
    }
    Configuration configuration;
    supervisor::ControlAnswer parent;
    bool has_node = true, has_parent = true;
    std::uint64_t coming = 5;
    std::mutex lock;
    std::int64_t looks = 0, looks_needed = 40;
    std::uint64_t ready = 0;
    std::promise<void> seen;
    std::vector<std::pair<std::string, unsigned>> asked;
};

TEST_F(AWorker, gets_more_processes_when_what_waits_does_not_get_less) {
    pass();
    ASSERT_FALSE(asked.empty());
    EXPECT_EQ(asked[0], std::pair(std::string("mail"), 4U));
}

TEST_F(AWorker, is_left_alone_where_a_person_has_fixed_its_number) {
    parent.pools[0].is_by_hand = true;
    pass();
    EXPECT_TRUE(asked.empty());
}

TEST_F(AWorker, is_left_alone_while_none_of_its_processes_is_there) {
    parent.processes[0].state = State::stopped;
    pass();
    EXPECT_TRUE(asked.empty());
}

TEST_F(AWorker, is_left_alone_without_its_node_and_without_its_parent) {
    has_node = false;
    pass();
    EXPECT_TRUE(asked.empty());
    has_node = true;
    has_parent = false;
    looks = 0;
    seen = {};
    pass();
    EXPECT_TRUE(asked.empty());
}

TEST_F(AWorker, is_told_to_whoever_asks) {
    coming = 0;
    auto one = autoscaler();
    seen.get_future().wait();
    auto told = one->told().elements()[0];
    EXPECT_EQ(told["worker"].text(), "mail");
    EXPECT_EQ(told["ready"].integer(), 0);
    EXPECT_EQ(told["desired"].integer(), 2);
    EXPECT_EQ(told["max"].integer(), 8);
    configuration.workers[0].scale.max = 9;
    one->take(configuration);
    EXPECT_EQ(one->told().elements()[0]["max"].integer(), 9);
}

}  // namespace
