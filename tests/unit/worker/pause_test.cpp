// A worker that somebody has paused: it finishes what it has, takes nothing, and stays so until it is told to go on.
#include "worker/pause.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/durable_file.h"
#include "tests/unit/worker/scripted_source.h"
#include "worker/standing.h"
#include "worker/worker.h"

namespace forebay::worker {
namespace {

constexpr Timestamp paused_at{1'789'992'000'000};

class Pauses : public ::testing::Test {
  protected:
    Pauses() {
        std::string pattern = (std::filesystem::temp_directory_path() / "forebay-pause-XXXXXX").string();
        folder = ::mkdtemp(pattern.data());
        path = pause_path(folder + "/pauses", "worker.store");
        node = pause_path(folder + "/pauses", "node");
    }
    ~Pauses() override { std::filesystem::remove_all(folder); }
    std::string folder, path, node;
};

TEST_F(Pauses, what_was_written_is_read_and_nothing_is_no_pause) {
    EXPECT_FALSE(read_pause(path));
    Pause pause{paused_at, "disk swap", "ann"};
    ASSERT_TRUE(write_pause(path, pause));
    EXPECT_EQ(read_pause(path), pause);
    ASSERT_TRUE(remove_file(path));
    EXPECT_FALSE(read_pause(path));
    EXPECT_TRUE(remove_file(path)) << "twice is once";
}

TEST_F(Pauses, a_file_that_cannot_be_understood_is_a_pause) {
    std::filesystem::create_directories(folder + "/pauses");
    std::ofstream(path) << "half a";
    EXPECT_TRUE(read_pause(path));
}

TEST_F(Pauses, either_file_pauses_and_each_look_sees_what_is_there) {
    PauseWatch watch({path, node}, {"core:store", 1});
    EXPECT_FALSE(watch.look());
    ASSERT_TRUE(write_pause(node, {paused_at, "deploy", "ann"}));
    EXPECT_EQ(watch.look()->reason, "deploy");
    ASSERT_TRUE(write_pause(path, {paused_at, "disk swap", "bob"}));
    EXPECT_EQ(watch.look()->reason, "disk swap");
    ASSERT_TRUE(remove_file(path));
    EXPECT_EQ(watch.look()->reason, "deploy");
    ASSERT_TRUE(remove_file(node));
    EXPECT_FALSE(watch.look());
}

class CountingHandler final : public Handler {
  public:
    std::vector<Outcome> run(std::span<const Job> jobs, const Limits&) override {
        runs += static_cast<int>(jobs.size());
        return std::vector<Outcome>(jobs.size(), Outcome::done());
    }
    int runs = 0;
};

TEST_F(Pauses, a_paused_worker_receives_nothing_and_says_that_it_has_nothing_in_hand) {
    ASSERT_TRUE(write_pause(path, {paused_at, "disk swap", "ann"}));
    Options options;
    options.queue = "leads";
    options.poll = 5ms;
    options.pauses = {path, node};
    options.standing_path = folder + "/store-1.json";
    ScriptedSource source, heartbeat;
    CountingHandler handler;
    SystemClock clock;
    SystemEntropy entropy;
    Controls controls;
    Parts parts{source, heartbeat, handler, clock, entropy, controls};
    bool was_quiet = false;
    int rests = 0;
    parts.rest = [&](Duration) {
        was_quiet = was_quiet || read_standing(options.standing_path)->is_quiet;
        if (++rests == 3) {
            ASSERT_TRUE(remove_file(path));
        }
    };
    source.when_empty = [&] { controls.stop = true; };
    source.put("a", R"({"name":"a"})");
    Worker(options, parts).run();
    EXPECT_EQ(rests, 3);
    EXPECT_TRUE(was_quiet);
    EXPECT_EQ(handler.runs, 1) << "and then it goes on";
    EXPECT_FALSE(read_standing(options.standing_path)->is_quiet);
}

TEST_F(Pauses, what_came_in_the_moment_of_the_pause_is_given_back) {
    Options options;
    options.queue = "leads";
    options.poll = 5ms;
    options.batch.wait = 20ms;
    options.pauses = {path};
    ScriptedSource source, heartbeat;
    CountingHandler handler;
    SystemClock clock;
    SystemEntropy entropy;
    Controls controls;
    Parts parts{source, heartbeat, handler, clock, entropy, controls};
    source.comes_back = false;
    source.put("a", R"({"name":"a"})");
    parts.rest = [&](Duration) {  // first while the batch may fill, then paused
        controls.stop = read_pause(path).has_value();
        ASSERT_TRUE(write_pause(path, {paused_at, "", "ann"}));
    };
    Worker(options, parts).run();
    EXPECT_EQ(handler.runs, 0);
    EXPECT_EQ(source.released, std::vector<std::string>{"a"});
}

}  // namespace
}  // namespace forebay::worker
