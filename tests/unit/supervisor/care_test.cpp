// What a process is started with, how it is ended, and what becomes of what it has started itself.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

#include "base/json.h"
#include "supervisor/control.h"
#include "supervisor/leftovers.h"
#include "supervisor/proc.h"
#include "supervisor/supervisor.h"

namespace forebay::supervisor {
namespace {

bool is_alive(pid_t pid) {
    auto all = all_pids();
    return std::any_of(all.begin(), all.end(), [&](auto& one) { return one.pid == pid && !one.is_zombie; });
}

/// A supervisor in a process of its own, which takes signals and orphans as the real one does.
class Cared : public ::testing::Test {
  protected:
    Cared() {
        std::string pattern = (std::filesystem::temp_directory_path() / "forebay-care-XXXXXX").string();
        directory = ::mkdtemp(pattern.data());
    }
    ~Cared() override {
        if (parent > 0) end();
        std::filesystem::remove_all(directory);
    }

    ProgramSpec program(std::string script) const {
        ProgramSpec p;
        p.group = "core";
        p.name = "store";
        p.command = {"/bin/sh", "-c", std::move(script)};
        p.directory = directory;
        p.startsecs = 20ms;
        p.stopwaitsecs = 2s;
        p.log_path = directory + "/log";
        return p;
    }
    void start(ProgramSpec spec) {
        parent = ::fork();
        if (parent == 0) {
            Options o;
            o.control_path = directory + "/control.sock";
            o.run_path = directory + "/run.json";
            o.takes_orphans = true;
            o.backoff_most = 20ms;
            auto opened = Supervisor::open(o, {std::move(spec)});
            if (opened) (void)(*opened)->run();
            ::_exit(opened ? 0 : 99);
        }
        until([&] { return supervisor::ask(directory + "/control.sock", {}, 1s).ok(); });
    }
    void end(int signal = SIGTERM) {
        ::kill(parent, signal);
        ::waitpid(parent, nullptr, 0);
        parent = 0;
    }
    ProcessStatus status() {
        auto answer = supervisor::ask(directory + "/control.sock", {}, 5s);
        return answer && !answer->processes.empty() ? answer->processes[0] : ProcessStatus{};
    }
    void until_state(State state) {
        until([&] { return status().state == state; });
    }
    void until(const std::function<bool()>& so) {
        auto end = SystemClock().now() + 20s;
        while (!so() && SystemClock().now() < end) ::usleep(5000);
        ASSERT_TRUE(so());
    }
    std::string text(const std::string& file) const {
        std::ifstream in(directory + "/" + file);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    pid_t pid_in(const std::string& file) {
        until([&] { return text(file).ends_with("\n"); });
        return std::stoi(text(file));
    }

    std::string directory;
    pid_t parent = 0;
};

TEST_F(Cared, unexpected_ends_are_restarted_and_expected_ones_are_not) {
    auto p = program("echo x >> starts; sleep 0.1; [ $(wc -l < starts) -lt 3 ] && exit 7; exit 4");
    p.autorestart = Autorestart::unexpected;
    p.exitcodes = {0, 4};
    start(p);
    until_state(State::exited);
    auto last = status();
    EXPECT_EQ(text("starts"), "x\nx\nx\n");
    EXPECT_EQ(last.why, "exit 4");
    EXPECT_EQ(last.restarts_by.crash, 2u);
    EXPECT_EQ(last.restarts_by.recycle, 0u);
}

TEST_F(Cared, restarts_are_counted_by_what_led_to_them) {
    auto p = program("echo x >> starts; [ $(wc -l < starts) -gt 2 ] && exec sleep 1000; sleep 0.1");
    start(p);
    until([&] { return status().restarts == 2 && status().state == State::running; });
    ::kill(status().pid, SIGKILL);
    until([&] { return status().restarts == 3 && status().state == State::running; });
    supervisor::ask(directory + "/control.sock", {Verb::restart, {"store"}, false, true, 0}, 10s).ok();
    auto by = status().restarts_by;
    EXPECT_EQ(by.recycle, 2u);
    EXPECT_EQ(by.crash, 1u);
    EXPECT_EQ(by.deploy, 1u);
}

TEST_F(Cared, without_startsecs_a_start_counts_at_once_and_ends_in_a_row_wait) {
    auto p = program("echo x >> starts; exit 1");
    p.startsecs = 0s;
    p.startretries = 0;
    start(p);
    until([&] { return text("starts").size() >= 6; });
    EXPECT_NE(status().state, State::fatal);
    EXPECT_EQ(status().why, "exit 1");
}

TEST_F(Cared, fatal_says_why_and_when_it_is_tried_again) {
    auto p = program("exit 3");
    p.startsecs = 10s;
    p.startretries = 1;
    start(p);
    until_state(State::fatal);
    auto fatal = status();
    EXPECT_EQ(fatal.why, "exit 3");
    EXPECT_GT(fatal.next - fatal.since, Duration(50s));
    EXPECT_LT(fatal.next - fatal.since, Duration(70s));
}

TEST_F(Cared, standard_error_has_a_log_of_its_own_if_it_is_given_one) {
    auto p = program("echo out; echo err >&2; exec sleep 1000");
    p.error_log_path = directory + "/{worker}-{n}.err";
    start(p);
    until([&] { return text("log") == "out\n" && text("store-1.err") == "err\n"; });
}

TEST_F(Cared, files_get_the_umask_that_is_given) {
    auto p = program("touch made; echo done; exec sleep 1000");
    p.umask = 0077;
    start(p);
    until([&] { return text("log") == "done\n"; });
    using std::filesystem::perms;
    EXPECT_EQ(std::filesystem::status(directory + "/made").permissions() & perms::mask, perms::owner_read | perms::owner_write);
}

TEST_F(Cared, the_stop_signal_reaches_the_group_if_it_should) {
    auto p = program("(trap 'echo child >> heard; exit' TERM; echo up > up; while :; do sleep 0.01; done) & trap 'wait; exit' TERM; wait");
    p.stopasgroup = true;
    start(p);
    until([&] { return text("up") == "up\n"; });
    end();
    EXPECT_EQ(text("heard"), "child\n");
}

TEST_F(Cared, what_left_its_session_is_collected_when_it_ends_and_ended_at_shutdown) {
    start(program("setsid -f sh -c 'echo $$ > short; exit 0'; setsid -f sh -c 'echo $$ > long; exec sleep 1000'; exec sleep 1000"));
    auto brief = pid_in("short"), lasting = pid_in("long");
    until([&] {
        auto all = all_pids();
        return std::none_of(all.begin(), all.end(), [&](auto& one) { return one.pid == brief; });
    });
    EXPECT_TRUE(is_alive(lasting));
    end();
    EXPECT_FALSE(is_alive(lasting));
}

TEST_F(Cared, what_left_its_session_and_ignores_term_is_killed_at_shutdown) {
    start(program("setsid -f sh -c 'trap \"\" TERM; echo $$ > deaf; while :; do sleep 0.01; done'; exec sleep 1000"));
    auto deaf = pid_in("deaf");
    end();
    EXPECT_FALSE(is_alive(deaf));
}

TEST_F(Cared, when_the_parent_is_killed_a_job_in_hand_is_finished_and_can_still_write_to_its_log) {
    start(program("trap 'sleep 0.3; echo last words; echo done > done; exit' TERM; echo up; while :; do sleep 0.01; done"));
    until([&] { return text("log") == "up\n"; });
    end(SIGKILL);
    until([&] { return text("done") == "done\n"; });
}

TEST_F(Cared, the_node_goes_with_its_parent) {
    auto p = program("trap '' TERM; echo $$ > node; while :; do sleep 0.01; done");
    p.never_fatal = true;
    start(p);
    auto node = pid_in("node");
    end(SIGKILL);
    until([&] { return !is_alive(node); });
}

TEST_F(Cared, the_next_parent_waits_for_what_the_one_before_left_and_ends_what_does_not_end) {
    auto p = program(
        "trap 'echo told >> told' TERM; echo $$ >> pids; setsid -f sh -c 'echo $$ > far; exec sleep 1000'; while :; do sleep 0.01; done");
    p.stopwaitsecs = 500ms;
    start(p);
    auto stubborn = pid_in("pids"), far = pid_in("far");
    end(SIGKILL);
    until([&] { return text("told") == "told\n"; });
    EXPECT_TRUE(is_alive(stubborn));
    p.command = {"/bin/sh", "-c", "exec sleep 1000"};
    start(p);
    EXPECT_EQ(status().state, State::stopped) << "it waits";
    until_state(State::running);
    EXPECT_FALSE(is_alive(stubborn));
    EXPECT_FALSE(is_alive(far));
    EXPECT_EQ(text("told"), "told\n") << "a second signal could mean something else";
    end();
    EXPECT_FALSE(std::filesystem::exists(directory + "/run.json"));
}

TEST_F(Cared, the_last_word_counts) {
    auto p = program("trap '' TERM; echo up; while :; do sleep 0.01; done");
    p.stopwaitsecs = 300ms;
    start(p);
    until([&] { return text("log") == "up\n"; });
    std::thread first([&] { (void)supervisor::ask(directory + "/control.sock", {Verb::restart, {"store"}, false, true, 0}, 10s); });
    until_state(State::stopping);
    auto stopped = supervisor::ask(directory + "/control.sock", {Verb::stop, {"store"}, false, true, 0}, 10s);
    first.join();
    ASSERT_TRUE(stopped);
    EXPECT_TRUE(stopped->ok) << stopped->error;
    EXPECT_EQ(status().state, State::stopped);
}

TEST_F(Cared, what_is_started_while_it_stops_is_started_then) {
    auto p = program("trap '' TERM; echo up; while :; do sleep 0.01; done");
    p.stopwaitsecs = 300ms;
    start(p);
    until([&] { return text("log") == "up\n"; });
    supervisor::ask(directory + "/control.sock", {Verb::stop, {"store"}, false, false, 0}, 10s).ok();
    EXPECT_EQ(status().state, State::stopping);
    auto started = supervisor::ask(directory + "/control.sock", {Verb::start, {"store"}, false, true, 0}, 10s);
    ASSERT_TRUE(started);
    EXPECT_TRUE(started->ok) << started->error;
    EXPECT_EQ(status().state, State::running);
}

TEST_F(Cared, children_know_their_run_and_their_name) {
    start(program("echo $FOREBAY_PROCESS; echo $FOREBAY_RUN; exec sleep 1000"));
    until([&] { return text("log").size() == std::string("store:1\n").size() + 37; });
    auto noted = json::parse(text("run.json"));
    ASSERT_TRUE(noted);
    EXPECT_EQ(text("log"), "store:1\n" + (*noted)["runs"].elements()[0].text() + "\n");
}

TEST_F(Cared, what_another_boot_left_is_not_looked_for) {
    std::ofstream(directory + "/run.json") << R"({"boot_id":"another","runs":["a"]})";
    SystemClock clock;
    Leftovers leftovers(directory + "/run.json", "b", clock);
    EXPECT_TRUE(leftovers.are_gone([](auto&) { return 1s; }));
}

TEST_F(Cared, a_broken_note_of_the_run_before_is_as_none) {
    for (auto* broken : {"", "{", "[]", "null", R"({"boot_id":3,"runs":"x"})"}) {
        std::ofstream(directory + "/run.json") << broken;
        SystemClock clock;
        EXPECT_TRUE(Leftovers(directory + "/run.json", "b", clock).are_gone([](auto&) { return 1s; })) << broken;
    }
}

TEST_F(Cared, runs_that_are_not_yet_gone_stay_noted) {
    auto child = ::fork();
    if (child == 0) {
        ::setpgid(0, 0);
        std::string words[] = {"sleep", "1000", "FOREBAY_RUN=first"};
        char* command[] = {words[0].data(), words[1].data(), nullptr};
        char* environment[] = {words[2].data(), nullptr};
        ::execve("/bin/sleep", command, environment);
        ::_exit(127);
    }
    until([&] { return variable_of(child, "FOREBAY_RUN") == "first"; });
    auto grandchild = ::fork();  // looks from where the sleeping one is no child of its own
    if (grandchild == 0) {
        SystemClock clock;
        auto path = directory + "/run.json";
        {
            Leftovers first(path, "first", clock);
        }
        Leftovers second(path, "second", clock);
        bool are_gone = second.are_gone([](auto&) { return 10s; });
        second.end_run();
        Leftovers third(path, "third", clock);
        auto ends = clock.now() + 5s;
        bool are_gone_at_last = false;
        while (!are_gone_at_last && clock.now() < ends) are_gone_at_last = third.are_gone([](auto&) { return 0s; });
        ::_exit(!are_gone && are_gone_at_last ? 0 : 1);
    }
    int ended = 0, how = 0;
    ::waitpid(child, &how, 0);
    ::waitpid(grandchild, &ended, 0);
    EXPECT_TRUE(WIFSIGNALED(how));
    EXPECT_EQ(ended, 0);
}

}  // namespace
}  // namespace forebay::supervisor
