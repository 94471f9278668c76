#include "supervisor/supervisor.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

#include "supervisor/child_log.h"
#include "supervisor/control.h"

namespace forebay::supervisor {
namespace {

/// A supervisor on a thread of its own, spoken to through its socket as the command line does.
class Running : public ::testing::Test {
  protected:
    Running() {
        std::string pattern = (std::filesystem::temp_directory_path() / "forebay-sup-XXXXXX").string();
        directory = ::mkdtemp(pattern.data());
    }
    ~Running() override {
        stop();
        std::filesystem::remove_all(directory);
    }

    /// A shell command as a program, quick in everything.
    ProgramSpec program(std::string name, std::string script) const {
        ProgramSpec p;
        p.group = "core";
        p.name = std::move(name);
        p.command = {"/bin/sh", "-c", std::move(script)};
        p.startsecs = 20ms;
        p.stopwaitsecs = 5s;
        p.log_path = directory + "/{worker}-{n}.log";
        return p;
    }
    std::string socket() const { return directory + "/control.sock"; }

    void start(std::vector<ProgramSpec> programs, Duration backoff_most = 20ms) {
        Options o;
        o.node_name = "web-1";
        o.control_path = socket();
        o.take_signals = false;
        o.backoff_most = backoff_most;
        auto opened = Supervisor::open(o, std::move(programs));
        ASSERT_TRUE(opened) << opened.error();
        supervisor = std::move(*opened);
        thread = std::thread([this] { ended = supervisor->run(); });
    }
    void stop() {
        if (!thread.joinable()) return;
        supervisor->stop();
        thread.join();
        supervisor.reset();
    }

    ControlAnswer ask(Verb verb, std::vector<std::string> names = {}, bool all_at_once = false) {
        auto answer = supervisor::ask(socket(), {verb, std::move(names), all_at_once, true, 0}, 20s);
        EXPECT_TRUE(answer) << (answer ? "" : answer.error().what);
        return answer ? *answer : ControlAnswer{};
    }
    ProcessStatus status(const std::string& name) {
        for (auto& p : ask(Verb::status).processes)
            if (p.name == name) return p;
        return {};
    }
    /// Asks until it is so; the test's own time-out is the bound.
    void until(const std::function<bool()>& so) {
        auto end = SystemClock().now() + 20s;
        while (!so() && SystemClock().now() < end) ::usleep(5000);
        EXPECT_TRUE(so());
    }
    void until_state(const std::string& name, State state) {
        until([&] { return status(name).state == state; });
    }
    std::string text(const std::string& file) const {
        std::ifstream in(directory + "/" + file);
        return {std::istreambuf_iterator<char>(in), {}};
    }

    std::string directory;
    std::unique_ptr<Supervisor> supervisor;
    std::thread thread;
    std::optional<Ended> ended;
};

constexpr const char* sleeps = "exec sleep 1000";

TEST_F(Running, numbered_processes_start_and_are_shown) {
    auto p = program("store", sleeps);
    p.count = 2;
    start({p});
    until_state("store:1", State::running);
    until_state("store:2", State::running);
    auto all = ask(Verb::status).processes;
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].group, "core");
    EXPECT_EQ(all[0].worker, "store");
    EXPECT_EQ(all[1].n, 2u);
    EXPECT_GT(all[0].pid, 0);
    EXPECT_EQ(all[0].log, directory + "/store-1.log");
}

TEST_F(Running, what_dies_is_started_again_at_once) {
    start({program("store", sleeps)});
    until_state("store:1", State::running);
    auto before = status("store:1");
    ::kill(before.pid, SIGKILL);
    until([&] { return status("store:1").restarts == 1; });
    until_state("store:1", State::running);
    EXPECT_NE(status("store:1").pid, before.pid);
    EXPECT_EQ(status("store:1").why, "signal 9 (Killed)");
}

TEST_F(Running, a_process_that_ends_well_is_started_again_too) {
    start({program("store", "sleep 0.1")});
    until([&] { return status("store:1").restarts >= 2; });
    EXPECT_EQ(status("store:1").why, "exit 0");
}

TEST_F(Running, without_autorestart_what_ends_stays_exited) {
    auto p = program("once", "sleep 0.1");
    p.autorestart = Autorestart::never;
    start({p});
    until_state("once:1", State::exited);
    EXPECT_EQ(status("once:1").restarts, 0u);
}

TEST_F(Running, a_program_that_cannot_start_becomes_fatal_and_is_tried_again_after_a_while) {
    auto p = program("store", "echo hopeless; exit 3");
    p.startsecs = 10s;  // however slowly the machine starts it
    p.startretries = 2;
    p.fatal_retry = 100ms;
    start({p});
    until_state("store:1", State::fatal);
    EXPECT_EQ(status("store:1").why, "exit 3");
    auto starts = status("store:1").restarts;
    EXPECT_GE(starts, 2u);
    until([&] { return status("store:1").restarts > starts; });
}

TEST_F(Running, a_command_that_does_not_exist_says_so) {
    auto p = program("store", "");
    p.command = {"/no/such/command"};
    p.startretries = 1;
    p.fatal_retry = 0ms;
    start({p});
    until_state("store:1", State::fatal);
    EXPECT_EQ(status("store:1").why, "cannot execute /no/such/command: No such file or directory");
    auto answer = ask(Verb::start, {"store:1"});
    EXPECT_FALSE(answer.ok);
    EXPECT_EQ(answer.error, "store:1 is FATAL: cannot execute /no/such/command: No such file or directory");
}

TEST_F(Running, the_node_is_never_fatal_and_learns_how_often_it_was_started) {
    auto p = program("node", "echo start $FOREBAY_STARTS on {node}; exit 74");
    p.numbered = false;
    p.never_fatal = true;
    p.startretries = 1;
    p.log_path = directory + "/node.log";
    start({p});
    until([&] { return status("node").restarts >= 5; });
    EXPECT_NE(status("node").state, State::fatal);
    until([&] { return text("node.log").starts_with("start 1 on web-1\nstart 2 on web-1\nstart 3 on web-1\n"); });
}

TEST_F(Running, names_in_commands_environments_and_log_paths_are_replaced) {
    auto p = program("store", "echo {worker} {n} $WHO; exec sleep 1000");
    p.count = 2;
    p.environment = {{"WHO", "{worker}-{n}@{node}"}};
    start({p});
    until([&] { return text("store-2.log") == "store 2 store-2@web-1\n"; });
}

TEST_F(Running, start_and_stop_answer_when_it_is_done) {
    auto p = program("store", sleeps);
    p.autostart = false;
    start({p});
    EXPECT_EQ(status("store:1").state, State::stopped);
    auto started = ask(Verb::start, {"store"});
    EXPECT_TRUE(started.ok) << started.error;
    ASSERT_EQ(started.processes.size(), 1u);
    EXPECT_EQ(started.processes[0].state, State::running);
    auto stopped = ask(Verb::stop, {"core:*"});
    EXPECT_TRUE(stopped.ok);
    EXPECT_EQ(stopped.processes[0].state, State::stopped);
    EXPECT_EQ(stopped.processes[0].pid, 0);
}

TEST_F(Running, a_restart_is_rolling) {
    auto p = program("store", "trap 'echo end >> " + directory + "/order; exit 0' TERM; echo begin >> " + directory +
                                  "/order; while :; do sleep 0.01; done");
    p.count = 2;
    p.startsecs = 200ms;  // long enough that both have said `begin`
    start({p});
    until_state("store:1", State::running);
    until_state("store:2", State::running);
    auto pids = std::make_pair(status("store:1").pid, status("store:2").pid);
    EXPECT_TRUE(ask(Verb::restart, {"core:*"}).ok);
    EXPECT_EQ(text("order"), "begin\nbegin\nend\nbegin\nend\nbegin\n");
    EXPECT_NE(status("store:1").pid, pids.first);
    EXPECT_NE(status("store:2").pid, pids.second);
}

TEST_F(Running, a_restart_all_at_once_is_not) {
    auto p = program("store", "trap 'echo end >> " + directory + "/order; exit 0' TERM; echo begin >> " + directory +
                                  "/order; while :; do sleep 0.01; done");
    p.count = 2;
    p.startsecs = 200ms;
    start({p});
    until_state("store:1", State::running);
    until_state("store:2", State::running);
    EXPECT_TRUE(ask(Verb::restart, {"all"}, true).ok);
    EXPECT_EQ(text("order"), "begin\nbegin\nend\nend\nbegin\nbegin\n");
}

TEST_F(Running, what_ignores_the_stop_signal_is_killed_after_stopwaitsecs) {
    auto p = program("stubborn", "trap '' TERM; echo yes > " + directory + "/deaf; while :; do sleep 0.01; done");
    p.stopwaitsecs = 100ms;
    start({p});
    until_state("stubborn:1", State::running);
    until([&] { return text("deaf") == "yes\n"; });
    EXPECT_EQ(ask(Verb::stop, {"stubborn:1"}).processes.at(0).state, State::stopped);
    EXPECT_EQ(status("stubborn:1").why, "signal 9 (Killed)");
}

TEST_F(Running, grandchildren_die_with_their_parent) {
    start({program("parent", "sleep 1000 & echo $! > " + directory + "/grandchild; wait")});
    until_state("parent:1", State::running);
    until([&] { return text("grandchild").ends_with("\n"); });
    int grandchild = std::stoi(text("grandchild"));
    EXPECT_EQ(::kill(grandchild, 0), 0);
    ::kill(status("parent:1").pid, SIGKILL);
    // Gone, or a zombie that some init has yet to collect.
    until([&] {
        std::ifstream stat("/proc/" + std::to_string(grandchild) + "/stat");
        std::string line((std::istreambuf_iterator<char>(stat)), {});
        return line.empty() || line.find(") Z ") != std::string::npos;
    });
}

TEST_F(Running, workers_stop_before_the_node) {
    auto says = [&](const std::string& who) {
        return "trap 'echo " + who + " >> " + directory + "/order; exit 0' TERM; while :; do sleep 0.01; done";
    };
    auto node = program("node", says("node")), store = program("store", says("store"));
    node.numbered = false;
    node.priority = 1;
    node.startsecs = store.startsecs = 200ms;
    start({node, store});
    until_state("node", State::running);
    until_state("store:1", State::running);
    stop();
    EXPECT_EQ(text("order"), "store\nnode\n");
    EXPECT_EQ(ended, Ended::stopped);
}

TEST_F(Running, shutdown_over_the_socket_ends_everything) {
    start({program("store", sleeps)});
    until_state("store:1", State::running);
    int pid = status("store:1").pid;
    EXPECT_TRUE(ask(Verb::shutdown).ok);
    thread.join();
    EXPECT_NE(::kill(pid, 0), 0);
    supervisor.reset();
    auto answer = supervisor::ask(socket(), {}, 1s);
    ASSERT_FALSE(answer);
    EXPECT_TRUE(answer.error().unreachable);
}

TEST_F(Running, a_second_stop_kills_at_once) {
    auto p = program("stubborn", "trap '' TERM; echo yes > " + directory + "/deaf; while :; do sleep 0.01; done");
    p.stopwaitsecs = 1h;
    start({p});
    until_state("stubborn:1", State::running);
    until([&] { return text("deaf") == "yes\n"; });
    supervisor->stop();
    until([&] { return status("stubborn:1").state == State::stopping; });
    supervisor->stop();
    thread.join();
    EXPECT_EQ(ended, Ended::stopped);
}

TEST_F(Running, unknown_names_are_refused_as_a_whole) {
    start({program("store", sleeps)});
    until_state("store:1", State::running);
    auto answer = ask(Verb::stop, {"store:1", "stor:2"});
    EXPECT_FALSE(answer.ok);
    EXPECT_EQ(answer.error, "no process is called stor:2");
    EXPECT_EQ(status("store:1").state, State::running);
}

TEST_F(Running, signals_reach_the_named_processes) {
    auto p = program("store", "trap 'echo paused' TSTP; echo ready; while :; do sleep 0.01; done");
    start({p});
    until([&] { return text("store-1.log") == "ready\n"; });
    auto answer = supervisor::ask(socket(), {Verb::signal, {"store"}, false, true, SIGTSTP}, 5s);
    EXPECT_TRUE(answer->ok);
    until([&] { return text("store-1.log") == "ready\npaused\n"; });
}

TEST_F(Running, a_second_supervisor_on_the_same_socket_is_refused) {
    start({program("store", sleeps)});
    Options o;
    o.control_path = socket();
    auto second = Supervisor::open(o, {program("store", sleeps)});
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().find("another supervisor answers"), std::string::npos);
    until_state("store:1", State::running);
}

TEST_F(Running, the_socket_is_for_the_owner_only) {
    start({program("store", sleeps)});
    auto mode = std::filesystem::status(socket()).permissions();
    EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(Running, a_shared_guide_log_has_whole_lines_of_every_process) {
    auto p = program("store", "i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i+1)); done; exec sleep 1000");
    p.count = 2;
    p.log_path = directory + "/worker_out";
    p.log_style = LogStyle::guide;
    start({p});
    until([&] {
        auto all = text("worker_out");
        return std::count(all.begin(), all.end(), '\n') == 400;
    });
    std::istringstream lines(text("worker_out"));
    for (std::string line; std::getline(lines, line);) {
        EXPECT_EQ(line.find_first_not_of("0123456789"), 10u) << line;  // ten digits of time
        bool has_number = line.substr(10, 8) == ":1:line " || line.substr(10, 8) == ":2:line ";
        EXPECT_TRUE(has_number) << line;
    }
}

/// A supervisor in a process of its own, which takes real signals.
class Signalled : public Running {
  protected:
    void start_process(std::vector<ProgramSpec> programs) {
        process = ::fork();
        if (process != 0) return until([&] { return supervisor::ask(socket(), {}, 1s).ok(); });
        Options o;
        o.control_path = socket();
        int code = 99;
        o.on_reload = [programs](bool) { return Reload{programs, {}}; };
        if (auto opened = Supervisor::open(o, std::move(programs))) code = (*opened)->run() == Ended::stopped ? 0 : 1;
        ::_exit(code);
    }
    int wait_for_end() {
        int status = 0;
        ::waitpid(process, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    pid_t process = 0;
};

TEST_F(Signalled, term_stops_everything_and_ends_well) {
    start_process({program("store", sleeps)});
    until_state("store:1", State::running);
    int pid = status("store:1").pid;
    ::kill(process, SIGTERM);
    EXPECT_EQ(wait_for_end(), 0);
    EXPECT_NE(::kill(pid, 0), 0);
    EXPECT_FALSE(std::filesystem::exists(socket()));
}

TEST_F(Signalled, a_supervisor_that_is_killed_takes_its_children_along_and_can_be_started_again) {
    start_process({program("store", sleeps)});
    until_state("store:1", State::running);
    int pid = status("store:1").pid;
    ::kill(process, SIGKILL);
    wait_for_end();
    until([&] {
        std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
        std::string line((std::istreambuf_iterator<char>(stat)), {});
        return line.empty() || line.find(") Z ") != std::string::npos;
    });
    start_process({program("store", sleeps)});
    until_state("store:1", State::running);
    ::kill(process, SIGTERM);
    EXPECT_EQ(wait_for_end(), 0);
}

TEST_F(Signalled, usr1_opens_moved_logs_anew_and_pausing_reaches_workers_only) {
    std::string script = "trap 'echo quiet' TSTP; trap 'echo on' CONT; trap 'echo reload' HUP; echo ready; while :; do sleep 0.01; done";
    auto store = program("store", script), node = program("node", script), foreign = program("foreign", script);
    node.numbered = false;
    foreign.ours = false;
    start_process({store, node, foreign});
    for (auto* file : {"store-1.log", "node-0.log", "foreign-1.log"}) until([&] { return text(file) == "ready\n"; });
    std::filesystem::rename(directory + "/store-1.log", directory + "/moved.log");
    ::kill(process, SIGUSR1);
    ::kill(process, SIGTSTP);
    until([&] { return text("store-1.log") == "quiet\n"; });
    ::kill(process, SIGCONT);
    until([&] { return text("store-1.log") == "quiet\non\n"; });
    ::kill(process, SIGHUP);
    until([&] { return text("node-0.log") == "ready\nreload\n"; });
    ::kill(process, SIGUSR2);  // without before_upgrade there are no upgrades, and it harms nobody
    EXPECT_TRUE(supervisor::ask(socket(), {}, 5s).ok());
    EXPECT_EQ(text("moved.log"), "ready\n");
    EXPECT_EQ(text("foreign-1.log"), "ready\n");
    ::kill(process, SIGQUIT);  // a dump in the log, and on it goes
    until_state("store:1", State::running);
    ::kill(process, SIGTERM);
    EXPECT_EQ(wait_for_end(), 0);
}

TEST(Specs, mistakes_are_refused_before_anything_starts) {
    ProgramSpec nameless, commandless, twice, crowd;
    nameless.command = twice.command = crowd.command = {"true"};
    commandless.name = "a";
    twice.name = "a";
    crowd.name = "node";
    crowd.numbered = false;
    crowd.count = 2;
    EXPECT_FALSE(Supervisor::open({}, {nameless}));
    EXPECT_FALSE(Supervisor::open({}, {commandless}));
    EXPECT_FALSE(Supervisor::open({}, {twice, twice}));
    EXPECT_FALSE(Supervisor::open({}, {crowd}));
    Options o;
    o.control_path = std::string(108, 'x');
    EXPECT_FALSE(Supervisor::open(o, {twice}));
}

TEST(Log, unfinished_lines_wait_and_long_ones_are_written_in_parts) {
    std::string pattern = (std::filesystem::temp_directory_path() / "forebay-log-XXXXXX").string();
    std::string directory = ::mkdtemp(pattern.data());
    auto read = [](const std::string& path) {
        std::ifstream in(path);
        return std::string(std::istreambuf_iterator<char>(in), {});
    };
    auto path = directory + "/deep/er/a.log";
    ChildLog log(std::make_shared<LogFile>(path, Rotation{}), LogStyle::plain, 1, "a:1", false);
    log.add("one\ntw");
    EXPECT_EQ(read(path), "one\n");
    log.add("o\n\nthree");
    EXPECT_EQ(read(path), "one\ntwo\n\n");
    std::filesystem::rename(path, path + ".1");
    log.reopen();
    log.finish();
    EXPECT_EQ(read(path), "three\n");
    log.add(std::string(ChildLog::line_bytes_max, 'x'));
    EXPECT_EQ(read(path), "three\n" + std::string(ChildLog::line_bytes_max, 'x') + "\n");
    std::filesystem::remove_all(directory);
}

TEST(Control, requests_that_are_none_are_explained) {
    for (auto* line : {"", "{", "[]", "{}", R"({"do":"dance"})", R"({"do":"start"})", R"({"do":"start","names":[]})",
                       R"({"do":"signal","names":["a"],"signal":"KILL"})"}) {
        auto parsed = parse_request(line);
        ASSERT_FALSE(parsed) << line;
        EXPECT_FALSE(parsed.error().empty());
    }
}

TEST(Control, a_request_survives_its_line) {
    ControlRequest request{Verb::restart, {"core:*", "a\"b"}, true, false, 0};
    auto parsed = parse_request(to_line(request));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->verb, Verb::restart);
    EXPECT_EQ(parsed->names, request.names);
    EXPECT_TRUE(parsed->all_at_once);
    EXPECT_FALSE(parsed->wait);
    EXPECT_EQ(parse_request(to_line({Verb::signal, {"a"}, false, true, SIGCONT}))->signal, SIGCONT);
}

}  // namespace
}  // namespace forebay::supervisor
