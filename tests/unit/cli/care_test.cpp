// The verbs of process care: one line a process, pauses, signals, logs.
#include <unistd.h>

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cli/table.h"
#include "cli/verbs/log_line_seen.h"
#include "cli/verbs/log_reader.h"
#include "cli/verbs/process_use.h"
#include "cli/verbs/seen_process.h"
#include "console_world.h"
#include "worker/pause.h"

using namespace forebay;
using namespace forebay::cli;
using supervisor::State;

namespace {

constexpr std::int64_t now_ms = 1'789'999'391'000;

class Care : public testing::Test {
  protected:
    Care() {
        folder_ = testing::TempDir() + "forebay_care_" + std::to_string(::getpid());
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_ + "/data/workers");
        std::ofstream(folder_ + "/forebay.toml") << "[node]\ndata_dir = \"" + folder_ + R"(/data"
[queue.leads]
[db.main]
path = ")" + folder_ + R"(/leads.db"
[worker.store]
queue = "leads"
sql = { db = "main", table = "leads", create = true }
[worker.poller]
handler = "program"
command = ["/bin/sleep", "1000"]
)";
        console.variables = {{"FOREBAY_CONFIG", folder_ + "/forebay.toml"}, {"SUDO_USER", "ann"}};
    }
    ~Care() override { std::filesystem::remove_all(folder_); }
    void processes_are(std::vector<supervisor::ProcessStatus> processes) {
        console.processes = supervisor::ControlAnswer{true, "", std::move(processes)};
    }
    void node_answers(const std::string& paused = "null") {
        console.gets = {
            {"/api/node", R"({"name":"web-1","version":"0.1.0","uptime_s":1,"ready":true,"draining":false,"ack":"journal","disk_free":1,
                "journal_bytes":1,"accepted":1,"refused":0})"},
            {"/api/queues", R"({"queues":[{"name":"leads","ready":1200,"in_flight":0,"delayed":0,"bytes":1,"oldest_age_ms":1,
                "type":"standard","declared":true,"carries_records":true,"sends":1,"receives":0,"deletes":0,"paused":)" +
                                paused + R"(,"settings":{}}]})"}};
    }
    void worker_says(const std::string& standing) { std::ofstream(folder_ + "/data/workers/store-1.json") << standing; }
    std::string text_of(const std::string& path) const {
        std::ifstream file(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    std::string folder_;
    Console console;
};

TEST_F(Care, a_line_for_each_process_says_what_supervisorctl_says) {
    auto running = process("core", "store", 1, State::running), backoff = process("core", "store", 2, State::backoff);
    auto fatal = process("core", "store", 3, State::fatal), stopped = process("core", "store", 4, State::stopped);
    auto never = process("core", "store", 5, State::stopped), exited = process("core", "store", 6, State::exited);
    running.since = Timestamp{now_ms - (35 * 60 + 57) * 1000};
    backoff.why = "exit 1";
    backoff.next = Timestamp{now_ms + 3000};
    fatal.why = "cannot execute php: No such file or directory";
    stopped.why = "exit 0";
    exited.why = "exit 3";
    processes_are({running, backoff, fatal, stopped, never, exited, process("node", "node", 0, State::running)});
    node_answers();
    EXPECT_EQ(console({"status", "core:*", "node"}), exit_code::not_running);
    EXPECT_EQ(console.out.str(),
              "core:store:1                    RUNNING    pid 101, uptime 0:35:57\n"
              "core:store:2                    BACKOFF    exit 1, again in 3.0s\n"
              "core:store:3                    FATAL      cannot execute php: No such file or directory, not started again by itself\n"
              "core:store:4                    STOPPED    since 14:02:06 UTC\n"
              "core:store:5                    STOPPED    Not started\n"
              "core:store:6                    EXITED     exit 3, since 14:02:06 UTC\n"
              "node                            RUNNING    pid 100, uptime 0:01:05\n");
}

TEST_F(Care, names_of_every_form_are_understood) {
    processes_are({process("node", "node", 0, State::running), process("core", "store", 1, State::running)});
    node_answers();
    for (auto name : {"core:*", "core:store:1", "core:store", "store", "store:1", "store:*", "all", "node"})
        EXPECT_EQ(console({"status", name}), exit_code::done) << name << console.err.str();
}

TEST_F(Care, uptimes_have_days) {
    EXPECT_EQ(uptime_text(5s), "0:00:05");
    EXPECT_EQ(uptime_text(24h), "1 day, 0:00:00");
    EXPECT_EQ(uptime_text(6 * 24h + 4h + 12min + 1s), "6 days, 4:12:01");
}

TEST_F(Care, a_pause_is_kept_told_and_taken_back) {
    EXPECT_EQ(console({"pause", "worker.store", "--reason", "migration"}), exit_code::done) << console.err.str();
    EXPECT_EQ(
        console.out.str(),
        "worker.store is paused: its processes finish what they have in hand and take nothing new until forebay resume worker.store\n");
    auto path = worker::pause_path(folder_ + "/data/pauses", "worker.store");
    EXPECT_EQ(worker::read_pause(path), (worker::Pause{{now_ms}, "migration", "ann"}));
    EXPECT_EQ(console({"pause", "worker.store", "--reason", "other"}), exit_code::done);
    EXPECT_EQ(console.out.str(), "worker.store is paused already, for 0.0s by ann: migration. That stays so.\n");

    worker_says(R"({"pid":101,"quiet":true,"recent":{}})");
    processes_are({process("core", "store", 1, State::running)});
    node_answers();
    EXPECT_EQ(console({"status", "store"}), exit_code::not_running);
    EXPECT_EQ(console.out.str(), "core:store:1                    PAUSED     pid 101, for 0.0s by ann: migration\n");
    worker_says(R"({"pid":101,"quiet":false,"recent":{}})");
    console({"status", "store"});
    EXPECT_NE(console.out.str().find("finishes what it has in hand"), std::string::npos) << console.out.str();

    EXPECT_EQ(console({"resume", "worker.store"}), exit_code::done);
    EXPECT_EQ(console.out.str(), "worker.store goes on. It was paused for 0.0s by ann: migration.\n");
    EXPECT_FALSE(worker::read_pause(path));
    EXPECT_EQ(console({"resume", "worker.store"}), exit_code::done);
    EXPECT_EQ(console.out.str(), "worker.store is not paused.\n");
}

TEST_F(Care, a_queue_is_paused_by_the_node) {
    node_answers();
    console.posts = {{"/api/queues/leads/pause", R"({"paused":{"since_ms":1789999391000,"reason":"swap","by":"ann"},"already":false})"},
                     {"/api/queues/leads/resume", R"({"was":{"since_ms":1789999201000,"reason":"swap","by":"bob"}})"}};
    EXPECT_EQ(console({"pause", "queue.leads", "--reason", "swap"}), exit_code::done) << console.err.str();
    EXPECT_EQ(console.out.str(), "queue.leads is paused: nobody is handed its messages until forebay resume queue.leads\n");
    EXPECT_EQ(console.posted.back().second, R"({"reason":"swap","by":"ann"})");
    EXPECT_EQ(console({"resume", "queue.leads"}), exit_code::done);
    EXPECT_EQ(console.out.str(), "queue.leads goes on. It was paused for 3m10s by bob: swap.\n");
    EXPECT_EQ(console({"pause", "queue.leds"}), exit_code::usage);
    EXPECT_EQ(console.err.str(), "forebay: there is no queue \"leds\"; did you mean \"queue.leads\"?\n");
}

TEST_F(Care, status_tells_of_a_paused_queue_and_is_not_content) {
    node_answers(R"({"since_ms":1789999201000,"reason":"disk swap","by":"ann"})");
    processes_are({process("node", "node", 0, State::running)});
    EXPECT_EQ(console({"status"}), exit_code::not_running);
    EXPECT_NE(console.out.str().find("PAUSED queue.leads  for 3m10s by ann: disk swap, 1,200 messages wait\n"), std::string::npos)
        << console.out.str();
    console({"queue", "ls"});
    EXPECT_EQ(console.err.str(), "leads is paused, for 3m10s by ann: disk swap.\n");
    console({"queue", "show", "leads"});
    EXPECT_NE(console.out.str().find("for 3m10s by ann: disk swap"), std::string::npos) << console.out.str();
}

TEST_F(Care, a_program_cannot_be_paused) {
    EXPECT_EQ(console({"pause", "worker.poller"}), exit_code::usage);
    EXPECT_NE(console.err.str().find("forebay stop poller"), std::string::npos) << console.err.str();
}

TEST_F(Care, a_signal_may_be_said_first_or_last_and_none_that_ends_processes) {
    processes_are({process("core", "store", 1, State::running), process("core", "store", 2, State::stopped)});
    EXPECT_EQ(console({"signal", "hup", "store:1"}), exit_code::done) << console.err.str();
    EXPECT_EQ(console.out.str(), "store:1: got HUP\n");
    EXPECT_EQ(console.orders.back().names, std::vector<std::string>{"store:1"});
    EXPECT_EQ(console({"signal", "store:1", "SIGTSTP"}), exit_code::done) << console.err.str();
    EXPECT_EQ(console.out.str(), "store:1: got TSTP\n");
    EXPECT_EQ(console({"signal", "store", "HUP"}), exit_code::not_running);
    EXPECT_EQ(console.err.str(), "forebay: store:2 is not running: there is nobody to send HUP to\n");
    EXPECT_EQ(console({"signal", "KILL", "store"}), exit_code::usage);
    EXPECT_NE(console.err.str().find("forebay stop store"), std::string::npos) << console.err.str();
    EXPECT_EQ(console({"signal", "store", "nonsense"}), exit_code::usage);
}

TEST_F(Care, pids_are_told_one_a_line) {
    processes_are({process("core", "store", 1, State::running), process("core", "store", 2, State::stopped)});
    EXPECT_EQ(console({"pid", "store:1"}), exit_code::done);
    EXPECT_EQ(console.out.str(), "101\n");
    EXPECT_EQ(console({"pid", "all"}), exit_code::not_running);
    EXPECT_EQ(console.out.str(), "101\n0\n");
}

TEST_F(Care, a_cleared_log_is_empty) {
    auto store = process("core", "store", 1, State::running);
    store.log = folder_ + "/store.log";
    std::ofstream(store.log) << "one\n";
    processes_are({store});
    EXPECT_EQ(console({"clear", "store", "--dry-run"}), exit_code::done);
    EXPECT_EQ(text_of(store.log), "one\n");
    EXPECT_EQ(console({"clear", "store"}), exit_code::done);
    EXPECT_EQ(console.out.str(), "store:1: cleared\n");
    EXPECT_EQ(text_of(store.log), "");
}

TEST_F(Care, avail_tells_what_runs_and_what_the_files_have_besides) {
    processes_are({process("node", "node", 0, State::running), process("core", "store", 1, State::running)});
    EXPECT_EQ(console({"avail"}), exit_code::done);
    EXPECT_NE(console.out.str().find("core:store:1  in use  auto"), std::string::npos) << console.out.str();
    EXPECT_NE(console.out.str().find("core:poller   avail   after forebay reload"), std::string::npos) << console.out.str();
}

TEST_F(Care, tail_of_several_is_in_the_order_of_time_with_names) {
    auto one = process("core", "store", 1, State::running), two = process("core", "store", 2, State::running);
    one.log = folder_ + "/1.log";
    two.log = folder_ + "/2.log";
    std::ofstream(one.log) << R"({"ts":"2026-09-21T14:03:11.000Z","level":"info","event":"a"})"
                              "\n"
                           << R"({"ts":"2026-09-21T14:03:13.000Z","level":"warn","event":"c"})"
                              "\n"
                           << "its trace\n";
    std::ofstream(two.log) << "ts=2026-09-21T14:03:12.000Z level=info event=b\n";
    processes_are({one, two});
    EXPECT_EQ(console({"tail", "store"}), exit_code::done);
    EXPECT_EQ(console.out.str(),
              "store:1 | {\"ts\":\"2026-09-21T14:03:11.000Z\",\"level\":\"info\",\"event\":\"a\"}\n"
              "store:2 | ts=2026-09-21T14:03:12.000Z level=info event=b\n"
              "store:1 | {\"ts\":\"2026-09-21T14:03:13.000Z\",\"level\":\"warn\",\"event\":\"c\"}\n"
              "store:1 | its trace\n");
    EXPECT_EQ(console({"tail", "store", "--failed"}), exit_code::done);
    EXPECT_EQ(console.out.str(), "store:1 | {\"ts\":\"2026-09-21T14:03:13.000Z\",\"level\":\"warn\",\"event\":\"c\"}\n");
    EXPECT_EQ(console({"tail", "store:1", "--bytes", "6"}), exit_code::done);
    EXPECT_EQ(console.out.str(), "trace\n");
    EXPECT_EQ(console({"tail", "store", "stor:1"}), exit_code::usage);
}

TEST_F(Care, lines_that_tell_of_failure_are_known_whoever_wrote_them) {
    for (auto line :
         {R"({"ts":"x","level":"error","event":"y"})", R"({"outcome":"retry"})", R"({"event":"effect.dead"})",
          "ts=2026-09-21T14:03:12.000Z level=warn event=b", "1789999391:3:level=error what", "14:03:11.482 warn: hold.begin what=db"})
        EXPECT_TRUE(tells_failure(line)) << line;
    for (auto line :
         {"", "error", R"({"level":"info","event":"effect.done"})", "level=info outcome=done", "14:03:11.482 effect.done id=1", "{"})
        EXPECT_FALSE(tells_failure(line)) << line;
    EXPECT_EQ(time_of_line("1789999391:3:hello"), Timestamp{now_ms});
    EXPECT_EQ(time_of_line(R"({"ts":"2026-09-21T14:03:11.000Z","level":"info"})"), Timestamp{now_ms});
    EXPECT_FALSE(time_of_line("hello"));
}

class Logs : public Care {
  protected:
    void write(const std::string& text, const std::string& suffix = {}) {
        std::ofstream(path_ + suffix, std::ios::app | std::ios::binary) << text;
    }
    std::string last(std::size_t most, bool unfinished = false) {
        std::string out;
        for (auto& line : reader_.last_lines(most, [](std::string_view) { return true; }, unfinished)) out += line + "|";
        return out;
    }
    std::string fresh() {
        std::string out;
        reader_.fresh_lines([&](std::string_view line) { out.append(line).append("|"); });
        return out;
    }
    std::string path_ = folder_ + "/a.log";
    LogReader reader_{path_};
};

TEST_F(Logs, the_last_lines_are_found_from_the_end_whatever_their_length) {
    EXPECT_EQ(last(3), "") << "there is no file yet";
    write("one\ntwo\nthree\n");
    EXPECT_EQ(last(2), "two|three|");
    EXPECT_EQ(last(9), "one|two|three|");
    EXPECT_EQ(last(0), "");
    std::string longer(200'000, 'x');
    write(longer + "\nend\n");
    EXPECT_EQ(last(1), "end|");
    EXPECT_EQ(last(2), longer + "|end|");
    EXPECT_EQ(last(3), "three|" + longer + "|end|");
    write("half");
    EXPECT_EQ(last(1), "end|");
    EXPECT_EQ(last(1, true), "half|");
    EXPECT_EQ(last(2, true), "end|half|");
}

TEST_F(Logs, a_huge_file_is_not_read_to_find_its_end) {
    write("first\n");
    std::filesystem::resize_file(path_, 20'000'000'000);  // a hole, which takes no room
    write("\none\ntwo\n");
    EXPECT_EQ(last(2), "one|two|");
}

TEST_F(Logs, what_is_written_later_comes_in_whole_lines) {
    write("one\nha");
    EXPECT_EQ(last(5), "one|");
    EXPECT_EQ(fresh(), "");
    write("lf\ntwo\n");
    EXPECT_EQ(fresh(), "half|two|");
    EXPECT_EQ(fresh(), "");
}

TEST_F(Logs, a_file_that_comes_later_is_read_from_its_start) {
    EXPECT_EQ(last(5), "");
    EXPECT_EQ(fresh(), "");
    write("one\n");
    EXPECT_EQ(fresh(), "one|");
}

TEST_F(Logs, a_renamed_file_is_read_to_its_end_before_the_new_one) {
    write("one\n");
    EXPECT_EQ(last(5), "one|");
    write("two\n");
    std::filesystem::rename(path_, path_ + ".1");
    write("three\n", ".1");
    EXPECT_EQ(fresh(), "two|three|") << "no other has its name yet";
    write("four\n", ".1");
    write("five\n");
    EXPECT_EQ(fresh(), "four|five|");
    write("six\n");
    EXPECT_EQ(fresh(), "six|");
}

TEST_F(Logs, files_that_were_renamed_between_two_looks_are_not_skipped) {
    write("one\n");
    EXPECT_EQ(last(5), "one|");
    for (int n = 2; n <= 4; ++n) {
        for (int old = n; old >= 1; --old)
            if (std::filesystem::exists(path_ + "." + std::to_string(old)))
                std::filesystem::rename(path_ + "." + std::to_string(old), path_ + "." + std::to_string(old + 1));
        std::filesystem::rename(path_, path_ + ".1");
        write(std::to_string(n) + "\n");
    }
    EXPECT_EQ(fresh(), "2|3|4|");
}

TEST_F(Logs, a_file_made_empty_in_place_is_read_from_its_start) {
    write("one\ntwo\n");
    EXPECT_EQ(last(1), "two|");
    std::filesystem::resize_file(path_, 0);
    write("a\n");
    EXPECT_EQ(fresh(), "a|");
}

TEST(Lines, are_cut_and_what_paints_them_is_not_counted) {
    EXPECT_EQ(cut_lines("hello\nhi\n", 3), "hel\nhi\n");
    EXPECT_EQ(cut_lines("\033[32mgréen\033[0m and\n", 3), "\033[32mgré\033[0m\033[0m\n");
}

TEST(Use, of_this_process_is_what_proc_says_and_of_none_nothing) {
    ProcessUses uses;
    SystemClock clock;
    auto use = uses.look(::getpid(), clock.now());
    ASSERT_TRUE(use);
    EXPECT_GT(use->rss_bytes, 1'000'000u);
    EXPECT_GE(use->cpu, 0);
    EXPECT_FALSE(uses.look(0x3fffffff, clock.now()));
}

TEST_F(Care, top_prints_once_where_nobody_looks) {
    node_answers();
    processes_are({process("core", "store", 1, State::running), process("acme", "poll", 1, State::stopped)});
    EXPECT_EQ(console({"top"}), exit_code::done) << console.err.str();
    auto shown = console.out.str();
    EXPECT_LT(shown.find("acme:poll"), shown.find("core:store")) << shown;
    EXPECT_EQ(shown.find('\033'), std::string::npos);
    EXPECT_EQ(console({"top", "core:*"}), exit_code::done);
    EXPECT_EQ(console.out.str().substr(0, 12), "PROCESS     ") << console.out.str();
    EXPECT_EQ(console({"top", "cor:*"}), exit_code::usage);
    EXPECT_EQ(console({"top", "--every", "1ms"}), exit_code::usage);
}

TEST_F(Care, ctl_reads_lines_and_ends_with_the_worst_code) {
    node_answers();
    processes_are({process("core", "store", 1, State::running)});
    console.in.str("# nothing\n  \nstatus store\nforebay pid 'store:1'\nstatsu\nversion\nquit\npid store:1\n");
    EXPECT_EQ(console({"ctl"}), exit_code::usage);
    EXPECT_EQ(console.out.str(),
              "core:store:1                    RUNNING    pid 101, uptime 0:01:05\n101\nforebay " + std::string(version()) + "\n");
    EXPECT_NE(console.err.str().find("did you mean \"status\"?"), std::string::npos) << console.err.str();
    EXPECT_EQ(console({"ctl", "tail", "-100", "nobody", "stdout"}), exit_code::usage);
    EXPECT_NE(console.err.str().find("no process is called \"nobody\""), std::string::npos) << console.err.str();
    EXPECT_EQ(console({"ctl", "add", "core"}), exit_code::usage);
    EXPECT_EQ(console({"ctl", "serve"}), exit_code::usage);
    EXPECT_EQ(console({"ctl", "status", "store", "--json"}), exit_code::done);
    EXPECT_EQ(console.out.str().front(), '{');
}

}  // namespace
