// What the verbs print and return, from canned answers of a node and a supervisor.
#include <unistd.h>

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/digest.h"
#include "cli/mask.h"
#include "cli/money.h"
#include "cli/table.h"
#include "cli/words.h"
#include "console_world.h"

using namespace forebay;
using namespace forebay::cli;
using supervisor::State;

namespace {

const std::string node_json = R"({"name":"web-1","version":"0.1.0","uptime_s":532800,"ready":true,"draining":false,"ack":"journal",
    "disk_free":195421011968,"journal_bytes":44238166425,"accepted":41882,"refused":96})";
const std::string queues_json = R"({"queues":[
    {"name":"forebay-quarantine","ready":7,"in_flight":0,"delayed":0,"bytes":900,"oldest_age_ms":null,"type":"standard","declared":true,"carries_records":true,"sends":7,"receives":0,"deletes":0,"settings":{}},
    {"name":"leads","ready":1200,"in_flight":9,"delayed":0,"bytes":2048,"oldest_age_ms":400,"type":"standard","declared":true,"carries_records":true,"sends":5,"receives":4,"deletes":3,"settings":{"dead_letter":"leads-dead"}},
    {"name":"leads-dead","ready":2,"in_flight":0,"delayed":0,"bytes":10,"oldest_age_ms":842000,"type":"standard","declared":true,"carries_records":true,"sends":2,"receives":0,"deletes":0,"settings":{}}]})";

class Verbs : public testing::Test {
  protected:
    Verbs() {
        folder_ = testing::TempDir() + "forebay_verbs_" + std::to_string(::getpid());
        EXPECT_EQ(std::system(("rm -rf " + folder_ + " && mkdir -p " + folder_).c_str()), 0);
        std::ofstream(folder_ + "/forebay.toml") << "[node]\ndata_dir = \"" + folder_ + R"(/data"
[queue.leads]
max_receive_count = 20
dead_letter = "leads-dead"
[endpoint.lead]
queue = "leads"
fields = { email = { type = "email" } }
[db.main]
path = ")" + folder_ + R"(/leads.db"
[worker.store]
queue = "leads"
sql = { db = "main", table = "leads", create = true }
)";
        console.variables = {{"FOREBAY_CONFIG", folder_ + "/forebay.toml"}};
    }
    ~Verbs() override { EXPECT_EQ(std::system(("rm -rf " + folder_).c_str()), 0); }
    void node_answers() { console.gets = {{"/api/node", node_json}, {"/api/queues", queues_json}}; }
    /// What the process store:N wrote about itself.
    void worker_says(unsigned n, const std::string& standing) {
        std::filesystem::create_directories(folder_ + "/data/workers");
        std::ofstream(folder_ + "/data/workers/store-" + std::to_string(n) + ".json") << standing;
    }
    void processes_are(std::vector<supervisor::ProcessStatus> processes) {
        console.processes = supervisor::ControlAnswer{true, "", std::move(processes)};
    }
    std::string folder_;
    Console console;
};

TEST_F(Verbs, status_shows_node_workers_and_queues) {
    node_answers();
    processes_are({process("node", "node", 0, State::running), process("core", "store", 1, State::running)});
    EXPECT_EQ(console({"status"}), exit_code::done) << console.err.str();
    EXPECT_EQ(console.out.str(),
              "NODE web-1  up 6d04h  ready  disk 182GiB free  journal 41.2GiB  ack journal\n"
              "GROUP:WORKER  PROCS  STATE    QUEUE  READY  FLIGHT  OLDEST  RATE  P95  FAILED/1h  RECYCLED\n"
              "node          1/1    RUNNING  -          -       -       -     -    -          -  -\n"
              "core:store    1/1    RUNNING  leads  1,200       9    0.4s     -    -          -  -\n"
              "DB main  " +
                  folder_ +
                  "/leads.db  not made yet\n"
                  "DEAD leads-dead  2 messages  oldest 14m02s\n"
                  "SINCE START  accepted 41,882  refused 96  kept in quarantine 7\n");
}

TEST_F(Verbs, status_shows_a_worker_that_waits_for_its_database_as_held) {
    worker_says(1,
                R"({"pid":101,"started_ms":1789999300000,"quiet":false,"recent":{"settled":{"357999877":{"25":30}},"failed":{"29833323":2}},
        "held":{"why":"main: database is locked","since_ms":1789998549000,"next_probe_ms":1789999393000}})");
    node_answers();
    processes_are({process("core", "store", 1, State::running)});
    EXPECT_EQ(console({"status"}), exit_code::not_running);
    EXPECT_NE(console.out.str().find(
                  "core:store    0/1    HELD   leads  1,200       9    0.4s  0.5/s  11ms          2  for 14m02s: main: database is locked, "
                  "probe in 2.0s\n"),
              std::string::npos)
        << console.out.str();
    console({"status", "--json"});
    auto shown = (*json::parse(console.out.str()))["processes"].elements()[0];
    EXPECT_EQ(shown["state"].text(), "HELD");
    EXPECT_EQ(shown["held"]["why"].text(), "main: database is locked");
    EXPECT_EQ(shown["failed_1h"].integer(), 2);
}

TEST_F(Verbs, a_database_whose_file_is_gone_is_told_everywhere) {
    node_answers();
    processes_are({process("core", "store", 1, State::running)});
    std::filesystem::create_directories(folder_ + "/data/databases");
    std::ofstream(folder_ + "/data/databases/main") << "2026-09-01T08:00:00.000Z\n" << folder_ << "/leads.db\n";
    EXPECT_EQ(console({"status"}), exit_code::not_running);
    EXPECT_NE(console.out.str().find("DB main  " + folder_ + "/leads.db  DOWN: " + folder_ + "/leads.db is gone"), std::string::npos)
        << console.out.str();
    console({"status", "--json"});
    EXPECT_EQ((*json::parse(console.out.str()))["databases"].elements()[0]["state"].text(), "down");
    console({"find", "jane@example.com"});
    EXPECT_NE(console.err.str().find("database main: " + folder_ + "/leads.db is gone"), std::string::npos) << console.err.str();
}

TEST_F(Verbs, a_hold_that_an_earlier_process_noted_is_not_believed) {
    worker_says(1, R"({"pid":77,"recent":{"settled":{},"failed":{}},"held":{"why":"gone","since_ms":1,"next_probe_ms":2}})");
    node_answers();
    auto store = process("core", "store", 1, State::running);
    store.restarts = 2;
    processes_are({store});
    EXPECT_EQ(console({"status"}), exit_code::done);
    EXPECT_NE(console.out.str().find("RUNNING  leads  1,200       9    0.4s   0/s    -          0  1m05s ago (2)\n"), std::string::npos)
        << console.out.str();
}

TEST_F(Verbs, status_returns_3_when_something_is_not_running) {
    node_answers();
    processes_are({process("node", "node", 0, State::running), process("core", "store", 1, State::running),
                   process("core", "store", 2, State::fatal)});
    EXPECT_EQ(console({"status"}), exit_code::not_running);
    EXPECT_NE(console.out.str().find("core:store    1/2    FATAL    leads"), std::string::npos) << console.out.str();
}

TEST_F(Verbs, status_returns_4_when_nobody_answers) {
    EXPECT_EQ(console({"status"}), exit_code::cannot_tell);
    EXPECT_EQ(console.out.str(), "");
    EXPECT_NE(console.err.str().find("Is it running?"), std::string::npos);
}

TEST_F(Verbs, status_of_names_lists_their_processes) {
    node_answers();
    processes_are({process("node", "node", 0, State::running), process("core", "store", 1, State::running)});
    EXPECT_EQ(console({"status", "core:*"}), exit_code::done);
    EXPECT_EQ(console.out.str(), "core:store:1                    RUNNING    pid 101, uptime 0:01:05\n");
    EXPECT_EQ(console({"status", "nobody"}), exit_code::usage);
}

TEST_F(Verbs, status_of_a_name_that_no_process_has_tells_what_was_meant) {
    node_answers();
    processes_are({process("node", "node", 0, State::running), process("core", "store", 1, State::running)});
    EXPECT_EQ(console({"status", "stor"}), exit_code::usage);
    EXPECT_EQ(console.err.str(), "forebay: no process is called \"stor\"; did you mean \"store\"?\n");
    EXPECT_EQ(console({"status", "store", "noed"}), exit_code::usage) << "one of two";
    EXPECT_NE(console.err.str().find("did you mean \"node\"?"), std::string::npos) << console.err.str();
}

TEST_F(Verbs, status_has_everything_as_json) {
    node_answers();
    processes_are({process("core", "store", 1, State::running)});
    console({"status", "--json"});
    auto value = json::parse(console.out.str());
    ASSERT_TRUE(value.ok());
    EXPECT_EQ((*value)["node"]["name"].text(), "web-1");
    EXPECT_EQ((*value)["queues"].elements().size(), 3U);
    EXPECT_EQ((*value)["processes"].elements()[0]["state"].text(), "RUNNING");
}

TEST_F(Verbs, status_of_another_node_does_not_ask_this_supervisor) {
    node_answers();
    EXPECT_EQ(console({"status", "--node", "http://10.0.0.7:8090"}), exit_code::done) << console.err.str();
}

TEST_F(Verbs, restart_names_what_it_will_do_and_asks) {
    processes_are({process("core", "store", 1, State::running), process("core", "store", 2, State::running)});
    EXPECT_EQ(console({"restart", "core:*", "--dry-run"}), exit_code::done);
    EXPECT_EQ(console.out.str(), "Would restart store:1, store:2.\n");
    console.can_ask = true;
    console.in.str("n\n");
    EXPECT_EQ(console({"restart", "core:*"}), exit_code::done);
    EXPECT_EQ(console.err.str(), "restart store:1, store:2? [y/N] Nothing was changed.\n");
    EXPECT_EQ(console.orders.size(), 2U) << "only looked";
    console.in.str("y\n");
    console.in.clear();
    EXPECT_EQ(console({"restart", "core:*"}), exit_code::done);
    EXPECT_EQ(console.orders.back().verb, supervisor::Verb::restart);
    EXPECT_EQ(console.orders.back().names, std::vector<std::string>{"core:*"});
}

TEST_F(Verbs, scale_says_what_a_worker_had_and_has_and_asks) {
    processes_are({process("core", "mail", 1, State::running)});
    console.processes->pools = {{"mail", "core", 1, 1, 4, false}};
    EXPECT_EQ(console({"scale", "mail=3", "--dry-run"}), exit_code::done);
    EXPECT_EQ(console.out.str(), "Would scale mail from 1 (automatic, 1 to 4) to 3 by hand.\n");
    EXPECT_EQ(console({"scale", "core:mail=auto", "--dry-run"}), exit_code::done);
    EXPECT_EQ(console.out.str(), "Would scale mail from 1 (automatic, 1 to 4) to automatic, 1 to 4.\n");
    console.can_ask = true;
    console.in.str("n\n");
    EXPECT_EQ(console({"scale", "mail=0"}), exit_code::done);
    EXPECT_EQ(console.err.str(),
              "mail: with no process, what comes to its queue waits.\n"
              "scale mail from 1 (automatic, 1 to 4) to 0 by hand? [y/N] Nothing was changed.\n");
    EXPECT_EQ(console({"scale", "mail=3", "--yes", "--reason", "sale"}), exit_code::done);
    EXPECT_EQ(console.orders.back().verb, supervisor::Verb::scale);
    EXPECT_EQ(console.orders.back().names, std::vector<std::string>{"mail"});
    EXPECT_EQ(console.orders.back().count, 3U);
    EXPECT_EQ(console.orders.back().reason, "sale");
}

TEST_F(Verbs, scale_refuses_what_makes_no_sense) {
    processes_are({process("core", "store", 1, State::running)});
    console.processes->pools = {{"store", "core", 1, 1, 1, false}};
    for (auto word : {"store", "store=", "store=x", "=3", "store=1001", "store=-1"}) {
        EXPECT_EQ(console({"scale", word}), exit_code::usage) << word;
        EXPECT_NE(console.err.str().find("is not WORKER=N with N from 0 to 1000"), std::string::npos) << console.err.str();
    }
    EXPECT_EQ(console({"scale", "stor=2"}), exit_code::usage);
    EXPECT_EQ(console.err.str(), "forebay: no worker is called \"stor\"; did you mean \"store\"?\n");
    EXPECT_EQ(console({"scale", "store=2"}), exit_code::usage);
    EXPECT_NE(console.err.str().find("which only one process may"), std::string::npos) << console.err.str();
}

TEST_F(Verbs, status_shows_between_what_a_worker_is_scaled) {
    node_answers();
    processes_are({process("core", "store", 1, State::running), process("core", "store", 2, State::running)});
    console.processes->pools = {{"store", "core", 2, 2, 24, false}};
    console({"status"});
    EXPECT_NE(console.out.str().find("core:store    2/2-24  RUNNING"), std::string::npos) << console.out.str();
    console.processes->pools[0].is_by_hand = true;
    console({"status"});
    EXPECT_NE(console.out.str().find("core:store    2/2 by hand  RUNNING"), std::string::npos) << console.out.str();
}

TEST_F(Verbs, a_process_that_is_not_there_is_told_with_what_was_meant) {
    processes_are({process("core", "store", 1, State::running)});
    EXPECT_EQ(console({"stop", "stor"}), exit_code::usage);
    EXPECT_EQ(console.err.str(), "forebay: no process is called \"stor\"; did you mean \"store\"?\n");
    console.processes.reset();
    EXPECT_EQ(console({"stop", "store"}), exit_code::unreachable);
}

TEST_F(Verbs, without_a_configuration_that_is_what_is_said) {
    console.variables = {{"FOREBAY_CONFIG", folder_ + "/nowhere.toml"}};
    EXPECT_EQ(console({"tail", "store"}), exit_code::unreachable);
    EXPECT_NE(console.err.str().find("nowhere.toml: error: cannot be read: there is no such file"), std::string::npos) << console.err.str();
    EXPECT_EQ(console.err.str().find("no process is called"), std::string::npos) << console.err.str();
    console({"status"});
    auto said = console.err.str();
    EXPECT_EQ(said.find("cannot be read"), said.rfind("cannot be read")) << "once is enough: " << said;
}

TEST_F(Verbs, the_reason_goes_to_the_supervisor) {
    processes_are({process("core", "store", 1, State::running)});
    EXPECT_EQ(console({"stop", "store", "--reason", "disk swap"}), exit_code::done);
    EXPECT_EQ(console.orders.back().reason, "disk swap");
    EXPECT_EQ(supervisor::parse_request(supervisor::to_line(console.orders.back()))->reason, "disk swap");
}

TEST_F(Verbs, queue_ls_tells_of_a_queue_that_left_the_configuration) {
    node_answers();
    auto& queues = console.gets["/api/queues"];
    std::string declared = R"("declared":true)";
    queues.replace(queues.rfind(declared), declared.size(), R"("declared":false)");
    EXPECT_EQ(console({"queue", "ls"}), exit_code::done);
    EXPECT_EQ(console.err.str(),
              "leads-dead is not in the configuration any more; it keeps what it holds, and can be deleted once it is empty.\n");
    EXPECT_NE(console.out.str().find("leads-dead          standard  no longer configured"), std::string::npos) << console.out.str();
}

TEST_F(Verbs, a_fifo_queue_is_shown_as_what_it_is) {
    console.gets = {
        {"/api/queues", R"({"queues":[{"name":"q.fifo","ready":3,"in_flight":1,"delayed":0,"bytes":90,"oldest_age_ms":400,"type":"fifo",
        "declared":false,"carries_records":false,"sends":4,"receives":1,"deletes":0,
        "settings":{"visibility_timeout":"30s","content_based_deduplication":true,"deduplication_scope":"messageGroup"}}]})"},
        {"/api/queues/q.fifo/peek?max=10",
         R"({"messages":[{"sequence":7,"sent_at":"2026-09-21T14:02:00.000Z","visible_at":"2026-09-21T14:02:00.000Z",
        "receive_count":0,"attempts":0,"group":"customer-7","deduplication_id":"order-9","body":"x"}]})"}};
    EXPECT_EQ(console({"queue", "ls"}), exit_code::done);
    EXPECT_NE(console.out.str().find("q.fifo  fifo  API"), std::string::npos) << console.out.str();
    EXPECT_EQ(console({"queue", "show", "q.fifo"}), exit_code::done);
    EXPECT_EQ(console.out.str(),
              "queue                        q.fifo\n"
              "type                         fifo\n"
              "made by                      API\n"
              "ready                        3\n"
              "in_flight                    1\n"
              "delayed                      0\n"
              "sends                        4\n"
              "receives                     1\n"
              "deletes                      0\n"
              "visibility_timeout           30s\n"
              "content_based_deduplication  true\n"
              "deduplication_scope          messageGroup\n");
    EXPECT_EQ(console({"queue", "peek", "q.fifo"}), exit_code::done) << console.err.str();
    EXPECT_NE(console.out.str().find("GROUP       DEDUPLICATION ID  BODY\n"), std::string::npos) << console.out.str();
    EXPECT_NE(console.out.str().find("customer-7  order-9           x\n"), std::string::npos) << console.out.str();
    EXPECT_EQ(console({"queue", "show", "none"}), exit_code::data);
    EXPECT_EQ(console.err.str(), "forebay: there is no queue \"none\"\n");
}

TEST_F(Verbs, tail_prints_the_last_lines_of_the_log) {
    auto store = process("core", "store", 1, State::running);
    store.log = folder_ + "/store-1.log";
    std::ofstream(store.log) << "one\ntwo\nthree\n";
    processes_are({store});
    EXPECT_EQ(console({"tail", "store:1", "--lines", "2"}), exit_code::done);
    EXPECT_EQ(console.out.str(), "two\nthree\n");
    EXPECT_EQ(console({"tail", "store:1", "--lines", "x"}), exit_code::usage);
    console.out.str("");
    EXPECT_EQ(console({"tail", "store:1", "--lines", "2", "--json"}), exit_code::done);
    EXPECT_EQ(console.out.str(), R"({"log":")" + store.log + R"(","line":"two"})" +
                                     "\n"
                                     R"({"log":")" +
                                     store.log + R"(","line":"three"})" + "\n");
}

TEST_F(Verbs, queue_ls_is_a_table) {
    node_answers();
    EXPECT_EQ(console({"queue", "ls"}), exit_code::done);
    EXPECT_NE(
        console.out.str().find(
            "leads               standard  configuration  1,200       9        0    0.4s  2.0KiB     5         4        3  leads-dead\n"),
        std::string::npos)
        << console.out.str();
}

TEST_F(Verbs, a_node_that_does_not_answer_is_exit_code_69) {
    EXPECT_EQ(console({"queue", "ls"}), exit_code::unreachable);
    EXPECT_EQ(console.err.str(),
              "forebay: no answer from http://127.0.0.1:8090: Couldn't connect to server. Is it running? forebay dev, forebay serve\n");
}

TEST_F(Verbs, what_the_node_refuses_is_told_in_its_words) {
    node_answers();
    EXPECT_EQ(console({"queue", "peek", "nope"}), exit_code::data);
    EXPECT_EQ(console.err.str(), "forebay: There is nothing here.\n");
}

TEST_F(Verbs, queue_peek_masks_personal_fields_and_writes_out_control_characters) {
    console.gets = {
        {"/api/queues/leads/peek?max=10",
         R"({"messages":[{"sequence":7,"message_id":"m","sent_at":"2026-09-21T14:02:00.000Z","visible_at":"2026-09-21T14:04:11.000Z","receive_count":1,"attempts":0,
                     "body":"{\"id\":\"x\",\"endpoint\":\"lead\",\"fields\":{\"email\":\"jane@example.com\",\"campaign\":\"auto\"}}"},
                     {"sequence":8,"sent_at":"2026-09-20T14:43:00.000Z","visible_at":"2026-09-20T14:43:00.000Z","receive_count":0,"attempts":0,"body":"a\u001b[2Jb"}]})"}};
    EXPECT_EQ(console({"queue", "peek", "leads"}), exit_code::done) << console.err.str();
    EXPECT_EQ(console.out.str(),
              "SEQ  SENT                 VISIBLE   RECEIVED  ATTEMPTS  BODY\n"
              "  7  14:02:00             in 1m00s         1         0  lead x {\"email\":\"j***@example.com\",\"campaign\":\"auto\"}\n"
              "  8  2026-09-20 14:43:00  now              0         0  a\\x1b[2Jb\n");
}

TEST_F(Verbs, numbers_that_are_none_are_told_and_not_guessed) {
    node_answers();
    for (auto bad : {"", "abc", "-1", "0", "1x", "1001", "99999999999999999999999"}) {
        EXPECT_EQ(console({"queue", "peek", "leads", "--max", bad}), exit_code::usage) << bad;
        EXPECT_EQ(console({"rejects", "ls", "--max", bad}), exit_code::usage) << bad;
    }
    EXPECT_EQ(console({"queue", "peek", "leads", "--after", "abc"}), exit_code::usage);
    EXPECT_EQ(console({"find", ""}), exit_code::usage);
    EXPECT_EQ(console({"find", "  "}), exit_code::usage);
    for (auto bad : {"a/b", "a.b", "", "a b"}) EXPECT_EQ(console({"key", "new", bad}), exit_code::usage) << bad;
}

TEST_F(Verbs, rejects_readmit_of_an_id_that_is_not_kept_says_so) {
    console.posts = {{"/api/rejects/readmit", R"({"readmitted":1,"still_refused":0,"results":[{"id":"a","outcome":"readmitted"}]})"}};
    EXPECT_EQ(console({"rejects", "readmit", "a", "zzz", "--reason", "mended"}), exit_code::data);
    EXPECT_NE(console.err.str().find("no refused post with the id zzz is kept"), std::string::npos) << console.err.str();
    EXPECT_EQ(console.posted.size(), 1u);
}

TEST_F(Verbs, queue_purge_asks_for_the_name_and_a_reason) {
    node_answers();
    console.posts = {{"/api/queues/leads/purge", "{}"}};
    EXPECT_EQ(console({"queue", "purge", "leads", "--reason", "test"}), exit_code::usage) << "nobody can be asked";
    EXPECT_TRUE(console.posted.empty());
    console.can_ask = true;
    console.in.str("lead\n");
    EXPECT_EQ(console({"queue", "purge", "leads", "--reason", "test"}), exit_code::done);
    EXPECT_TRUE(console.posted.empty());
    EXPECT_NE(console.err.str().find("This deletes 1,209 messages for ever."), std::string::npos) << console.err.str();
    console.in.str("leads\nbecause\n");
    console.in.clear();
    EXPECT_EQ(console({"queue", "purge", "leads"}), exit_code::done);
    EXPECT_EQ(console.posted.at(0).second, R"({"reason":"because"})");
    EXPECT_EQ(console.out.str(), "Deleted 1,209 messages of leads.\n");
}

TEST_F(Verbs, queue_purge_with_yes_needs_a_reason_all_the_same) {
    node_answers();
    EXPECT_EQ(console({"queue", "purge", "leads", "--yes"}), exit_code::usage);
    EXPECT_TRUE(console.posted.empty());
    EXPECT_EQ(console({"queue", "purge", "leads", "--dry-run"}), exit_code::done);
    EXPECT_EQ(console.out.str(), "Would delete 1,209 messages of leads.\n");
    console.out.str("");
    EXPECT_EQ(console({"queue", "purge", "leads", "--dry-run", "--json"}), exit_code::done);
    auto said = json::parse(console.out.str());
    ASSERT_TRUE(said.ok());
    EXPECT_EQ((*said)["messages"].integer(), 1209);
    EXPECT_EQ((*said)["would"].text(), "delete 1,209 messages of leads");
}

TEST_F(Verbs, serve_refuses_a_role_that_is_none) {
    EXPECT_EQ(console({"serve", "--role", "worker"}), exit_code::usage);
    EXPECT_NE(console.err.str().find("not \"worker\"; did you mean \"workers\"?"), std::string::npos) << console.err.str();
}

TEST_F(Verbs, queue_send_prints_the_message_id) {
    console.posts = {{"/api/queues/leads/send", R"({"message_id":"m-1"})"}};
    EXPECT_EQ(console({"queue", "send", "leads", "{\"a\":1}"}), exit_code::done) << console.err.str();
    EXPECT_EQ(console.out.str(), "m-1\n");
    EXPECT_EQ(console.posted.at(0).second, R"({"body":"{\"a\":1}"})");
}

TEST_F(Verbs, queue_send_without_sending_looks_whether_the_queue_is_there) {
    node_answers();
    EXPECT_EQ(console({"queue", "send", "leads", "abc", "--dry-run"}), exit_code::done);
    EXPECT_EQ(console.out.str(), "Would send 3 bytes to leads, which holds 1,209 messages.\n");
    EXPECT_EQ(console({"queue", "send", "nowhere", "abc", "--dry-run"}), exit_code::data);
    EXPECT_TRUE(console.posted.empty());
}

TEST_F(Verbs, queue_redrive_needs_a_reason_and_says_how_many_go_where) {
    node_answers();
    console.posts = {{"/api/queues/leads/redrive", R"({"task":"t-1","to_move":1209,"to":"mended"})"}};
    EXPECT_EQ(console({"queue", "redrive", "leads"}), exit_code::usage);
    EXPECT_EQ(console({"queue", "redrive", "nowhere", "--reason", "mended"}), exit_code::data);
    EXPECT_EQ(console({"queue", "redrive", "leads", "--rate", "501", "--reason", "mended"}), exit_code::usage);
    EXPECT_NE(console.err.str().find("--rate must be a number of messages a second from 1 to 500"), std::string::npos);
    EXPECT_EQ(console({"queue", "redrive", "leads", "--dry-run"}), exit_code::done);
    EXPECT_EQ(console.out.str(), "Would move 1,209 messages of leads back.\n");
    EXPECT_TRUE(console.posted.empty());
    console.out.str("");
    EXPECT_EQ(console({"queue", "redrive", "leads", "--to", "mended", "--rate", "5", "--reason", "mended"}), exit_code::done);
    EXPECT_EQ(console.posted.at(0).second, R"({"reason":"mended","to":"mended","rate":5})");
    EXPECT_EQ(console.out.str(), "Moving 1,209 messages of leads to mended. See how many are left: forebay queue ls\n");
}

const std::string reject_json =
    R"({"sequence":3,"id":"r-1","endpoint":"lead","received_at":"2026-09-21T14:00:00.000Z","status":422,"code":"validation","errors":[{"field":"email","code":"email_invalid","detail":"no @"}]})";

TEST_F(Verbs, rejects_ls_lists_reasons_and_passes_the_filter_on) {
    console.gets = {
        {"/api/rejects?endpoint=lead&code=enum&since=1789992191000&max=50", R"({"rejects":[)" + reject_json + R"(],"next":null})"}};
    EXPECT_EQ(console({"rejects", "ls", "--endpoint", "lead", "--code", "enum", "--since", "2h"}), exit_code::done) << console.err.str();
    EXPECT_EQ(console.out.str(),
              "ID   ENDPOINT  WHEN      STATUS  WHY\n"
              "r-1  lead      14:00:00     422  email: email_invalid\n");
    EXPECT_EQ(console({"rejects", "ls", "--since", "yesterday"}), exit_code::usage);
}

TEST_F(Verbs, rejects_readmit_shows_first_what_would_pass) {
    console.gets = {{"/", ""}};
    console.posts = {
        {"/api/rejects/readmit",
         R"({"readmitted":1,"still_refused":1,"dry_run":true,"results":[{"id":"r-1","endpoint":"lead","outcome":"would_pass"},{"id":"r-2","endpoint":"lead","outcome":"still_refused","errors":[{"field":"state","code":"enum"}]}]})"}};
    EXPECT_EQ(console({"rejects", "readmit", "--endpoint", "lead", "--dry-run"}), exit_code::done) << console.err.str();
    EXPECT_EQ(console.out.str(),
              "r-1  lead  would_pass\n"
              "r-2  lead  still_refused  state: enum\n"
              "would pass 1, still refused 1\n");
    EXPECT_EQ(console.posted.size(), 1U);
    EXPECT_EQ(console.posted[0].second, R"({"endpoint":"lead","dry_run":true})");
}

TEST_F(Verbs, rejects_readmit_needs_a_choice_and_a_reason) {
    console.posts = {
        {"/api/rejects/readmit",
         R"({"readmitted":1,"still_refused":0,"dry_run":false,"results":[{"id":"r-1","endpoint":"lead","outcome":"readmitted"}]})"}};
    EXPECT_EQ(console({"rejects", "readmit"}), exit_code::usage);
    EXPECT_EQ(console({"rejects", "readmit", "r-1"}), exit_code::usage);
    EXPECT_EQ(console.posted.size(), 1U) << "only looked";
    EXPECT_EQ(console({"rejects", "readmit", "r-1", "--reason", "rule mended"}), exit_code::done) << console.err.str();
    EXPECT_EQ(console.posted.back().second, R"({"ids":["r-1"],"reason":"rule mended"})");
    EXPECT_EQ(console.out.str(), "r-1  lead  readmitted\nreadmitted 1, still refused 0\n");
}

TEST_F(Verbs, rejects_show_prints_the_body_without_its_control_characters) {
    auto whole = reject_json;
    whole.insert(whole.size() - 1, R"(,"raw_type":"text/plain","raw":"a\u001b[31m\nb","ip":"203.0.113.7")");
    console.gets = {{"/api/rejects/r-1", whole}};
    EXPECT_EQ(console({"rejects", "show", "r-1"}), exit_code::done) << console.err.str();
    EXPECT_EQ(console.out.str(),
              "REFUSED r-1  lead  14:00:00  status 422  validation  from 203.0.113.7\n"
              "  email: email_invalid, no @\n"
              "\ntext/plain\na\\x1b[31m\nb\n");
}

TEST_F(Verbs, find_looks_into_the_queues_for_what_no_worker_had_in_hand) {
    console.gets = {
        {"/api/queues", queues_json},
        {"/api/queues/leads/peek?max=1000",
         R"({"messages":[{"body":"{\"id\":\"01926f3a-7c1e-7d20-9f51-2f0f6a3c9b11\",\"endpoint\":\"lead\",\"received_at\":\"2026-09-21T14:03:11.000Z\",\"fields\":{\"email\":\"jane@example.com\"}}"}]})"}};
    EXPECT_EQ(console({"find", "Jane@Example.com"}), exit_code::done) << console.err.str();
    EXPECT_EQ(console.out.str(), "01926f3a-7c1e-7d20-9f51-2f0f6a3c9b11  lead  accepted 14:03:11  waits in leads\n");
    EXPECT_EQ(console({"find", "joe@example.com"}), exit_code::check_failed);
    EXPECT_EQ(console.out.str(), "");
}

TEST_F(Verbs, find_among_the_refused_reads_forms_as_they_were_posted) {
    console.gets = {
        {"/api/queues", queues_json},
        {"/api/queues/forebay-quarantine/peek?max=1000",
         R"({"messages":[{"body":"{\"id\":\"r-1\",\"endpoint\":\"lead\",\"received_at\":\"2026-09-21T14:03:11.000Z\",\"code\":\"validation\",\"raw\":\"email=jane%40example.com&x=1\"}"}]})"}};
    EXPECT_EQ(console({"find", "jane@example.com"}), exit_code::done) << console.err.str();
    EXPECT_EQ(console.out.str(), "r-1  lead  came 14:03:11  refused: validation\n");
}

TEST_F(Verbs, show_masks_fields_until_revealed) {
    const std::string id = "01926f3a-7c1e-7d20-9f51-2f0f6a3c9b11";
    console.gets = {
        {"/api/records/" + id,
         R"({"id":")" + id +
             R"(","endpoint":"lead","received_at":"2026-09-21T14:03:11.482Z","queue":"leads","envelope":{"fields":{"email":"jane@example.com","campaign":"auto"},"flags":["key_reused"],"raw":"email=jane"}})"}};
    EXPECT_EQ(console({"show", id}), exit_code::done) << console.err.str();
    EXPECT_EQ(console.out.str(), "RECORD " + id +
                                     "  lead  accepted 14:03:11  store queued  queue leads  key_reused\n"
                                     "  email     j***@example.com\n"
                                     "  campaign  auto\n"
                                     "EFFECT  STATE   ATTEMPTS  AT  BY  ANSWER\n"
                                     "store   queued         0  -   -\n"
                                     "TIMELINE\n"
                                     "14:03:11.482  accepted  10 bytes\n"
                                     "14:03:11.482  queued  leads\n");
    console({"show", id, "--reveal"});
    EXPECT_NE(console.out.str().find("jane@example.com"), std::string::npos);
    console({"show", id, "--raw"});
    EXPECT_EQ(console.out.str(), "email=jane");
    EXPECT_EQ(console({"show", "01926f3b"}), exit_code::data);
}

const std::string first = "01926f3a-7c1e-7d20-9f51-2f0f6a3c9b11", second = "01926f3a-7c1e-7d20-9f51-2f0f6a3c9b12";

/// The clock says 14:03:11. One record came at 12:30 and is nowhere, one at 13:00 and waits; one is of another queue.
class Replays : public Verbs {
  protected:
    Replays() {
        auto record = [](const std::string& id, const std::string& at, const std::string& endpoint, const std::string& more) {
            return R"({"id":")" + id + R"(","endpoint":")" + endpoint + R"(","received_at":"2026-09-21T)" + at +
                   R"(.000Z","sent_at":"2026-09-21T)" + at + R"(.004Z")" + more + "}";
        };
        auto records = R"({"records":[)" + record(first, "12:30:00", "lead", R"(,"queue":"leads","value":42.50,"currency":"USD")") + "," +
                       record(second, "13:00:00", "lead", R"(,"queue":"leads","value":1.25,"currency":"USD")") + "," +
                       record(first, "12:30:00", "lead", R"(,"queue":"leads-dead")") + "," +
                       record("01926f3a-7c1e-7d20-9f51-2f0f6a3c9b13", "12:31:00", "other", R"(,"queue":"elsewhere")") + R"(],"next":null})";
        console.gets = {
            {list("1789992191000", "1789995660000"), records},  // until 13:00, and a minute for the log
            {list("1789992191000", "1789999451000"), records},
            {"/api/queues/leads/peek?max=1000",
             R"({"messages":[{"sequence":1,"message_id":"01926f3a-7c1e-4d20-9f51-2f0f6a3c9b99","sent_at":"2026-09-21T13:00:00.004Z","body":"{\"v\":1,\"id\":\")" +
                 second + R"(\",\"endpoint\":\"lead\",\"received_at\":\"2026-09-21T13:00:00.000Z\",\"fields\":{}}"}]})"}};
        console.posts = {{"/api/replay", R"({"sent":1,"not_found":[]})"}};
    }
    static std::string list(const std::string& from, const std::string& to) {
        return "/api/records?from=" + from + "&to=" + to + "&max=1000";
    }
    int replay(std::vector<std::string> more) {
        more.insert(more.begin(), {"replay", "--from", "2h", "--effect", "store"});
        return console(more);
    }
};

TEST_F(Replays, a_dry_run_counts_up_to_where_the_worker_has_got) {
    EXPECT_EQ(replay({"--dry-run"}), exit_code::done) << console.err.str();
    EXPECT_EQ(console.out.str(),
              "1 record in range ($42.50), which ends at 2026-09-21T13:00:00.000Z: 1 record that came later wait.  "
              "store: done 0, missing 1 ($42.50).\n"
              "Would run store for 1 record ($42.50).  Nothing already done would be run again.\n"
              "Run it:  forebay replay --from 2h --effect store --reason \"…\"\n");
    EXPECT_TRUE(console.posted.empty());
}

TEST_F(Replays, a_range_that_the_worker_has_not_got_through_waits) {
    EXPECT_EQ(replay({"--to", "2026-09-21 14:03:11", "--reason", "x"}), exit_code::try_again) << console.out.str();
    EXPECT_EQ(console.err.str(),
              "forebay: store has yet to take a record of 2026-09-21T13:00:00.000Z out of its queue. Try again when it has, "
              "or end the range before it: --to 2026-09-21T13:00:00.000Z\n");
    EXPECT_TRUE(console.posted.empty());
    EXPECT_EQ(replay({"--to", "2026-09-21 14:03:11", "--dry-run"}), exit_code::done);
    EXPECT_NE(console.out.str().find("store: done 0, waiting 1 ($1.25), missing 1 ($42.50).\n"), std::string::npos) << console.out.str();
    EXPECT_NE(console.out.str().find("Not yet: store has yet to take"), std::string::npos) << console.out.str();
}

TEST_F(Replays, only_what_is_missing_is_sent) {
    EXPECT_EQ(replay({"--reason", "disk was away", "--rate", "50/s"}), exit_code::done) << console.err.str();
    ASSERT_EQ(console.posted.size(), 1U);
    EXPECT_EQ(console.posted[0].second,
              R"({"ids":[")" + first +
                  R"("],"queue":"leads","effect":"store","reason":"disk was away","from":1789993800004,"to":1789993800005})");
    EXPECT_EQ(console.out.str(), "Sent 1 record to leads for store.\n");
}

TEST_F(Replays, what_is_no_longer_in_the_log_is_said) {
    console.posts = {{"/api/replay", R"({"sent":0,"not_found":["x"]})"}};
    EXPECT_EQ(replay({"--reason", "x"}), exit_code::check_failed);
    EXPECT_NE(console.err.str().find("1 record could not be found in the log any more"), std::string::npos) << console.err.str();
}

TEST_F(Replays, everything_that_is_missing_is_said_at_once) {
    EXPECT_EQ(console({"replay"}), exit_code::usage);
    EXPECT_EQ(console.err.str(), "forebay: replay needs --from and --effect and --reason (or --queue)\nSee: forebay help replay\n");
    EXPECT_EQ(console({"replay", "--dry-run"}), exit_code::usage);
    EXPECT_EQ(console.err.str(), "forebay: replay needs --from and --effect (or --queue)\nSee: forebay help replay\n");
}

TEST_F(Replays, what_makes_no_sense_is_refused) {
    auto refused = [&](std::vector<std::string> more, const std::string& what) {
        more.insert(more.end(), {"--reason", "x"});
        EXPECT_EQ(replay(more), exit_code::usage) << what;
        EXPECT_NE(console.err.str().find(what), std::string::npos) << console.err.str();
    };
    refused({"--to", "3h"}, "--from must be before --to");
    refused({"--to", "soon"}, "--to soon is no moment");
    refused({"--endpoint", "laed"}, "there is no endpoint \"laed\"; did you mean \"lead\"?");
    refused({"--again", "--where", "x"}, "it is not said what x must be");
    refused({"--rate", "fast"}, "--rate must be a rate");
    refused({"--where", "state = 'CA'"}, "--where:7: error: there is no operator \"=\"\n  | state = 'CA'\n  |       ^ did you mean ==?\n");
    refused({"--where", ""}, "a condition is missing");
    EXPECT_EQ(console({"replay", "--from", "2h", "--effect", "stor", "--reason", "x"}), exit_code::usage);
    EXPECT_EQ(console.err.str(), "forebay: there is no effect \"stor\"; did you mean \"store\"?\nSee: forebay help replay\n");
    EXPECT_EQ(console({"replay", "--from", "2h", "--effect", "warehouse", "--reason", "x"}), exit_code::usage);
    EXPECT_EQ(console.err.str(), "forebay: there is no effect \"warehouse\"; there are store\nSee: forebay help replay\n");
    EXPECT_TRUE(console.posted.empty());
}

TEST(MoneyText, sums_are_exact_and_by_currency) {
    Money money;
    EXPECT_EQ(money.in_brackets(), "");
    for (int i = 0; i < 3; ++i) money.add("0.10", "USD");
    money.add("1234567.5", "EUR");
    money.add("many", "USD");
    EXPECT_EQ(money.text(), "1,234,567.5 EUR + $0.30");
    EXPECT_EQ(json::to_text(money.to_json()), R"({"EUR":"1234567.5","USD":"0.30"})");
    EXPECT_EQ(Money::of_json(money.to_json()).in_brackets(), " (1,234,567.5 EUR + $0.30)");
}

TEST_F(Verbs, key_new_shows_the_key_and_the_hash_that_goes_with_it) {
    EXPECT_EQ(console({"key", "new", "partner", "--json"}), exit_code::done);
    auto made = json::parse(console.out.str());
    ASSERT_TRUE(made.ok());
    EXPECT_TRUE((*made)["key"].text().starts_with("ik_live_"));
    EXPECT_EQ((*made)["key"].text().size(), 40U);
    EXPECT_EQ((*made)["hash"].text(), "sha256:" + to_hex(sha256((*made)["key"].text())));
}

TEST_F(Verbs, check_says_what_there_is_or_what_is_wrong) {
    EXPECT_EQ(console({"check"}), exit_code::done);
    EXPECT_EQ(console.out.str(), folder_ + "/forebay.toml: 1 endpoint, 1 queue, 1 worker, 1 warning.\n");
    EXPECT_NE(console.err.str().find("warning: no audit is scheduled"), std::string::npos) << console.err.str();
    std::ofstream(folder_ + "/forebay.toml", std::ios::app) << "[schedule.proof]\nevery = \"1h\"\nrun = \"audit\"\n";
    EXPECT_EQ(console({"check"}), exit_code::done);
    EXPECT_EQ(console.out.str(), folder_ + "/forebay.toml: 1 endpoint, 1 queue, 1 worker, no problems.\n");
    std::ofstream(folder_ + "/bad.toml") << "[node]\nnam = 1\n";
    EXPECT_EQ(console({"check", folder_ + "/bad.toml"}), exit_code::configuration);
    EXPECT_NE(console.err.str().find("1 error. The running configuration is unchanged.\n"), std::string::npos) << console.err.str();
    console({"check", folder_ + "/bad.toml", "--json"});
    auto value = json::parse(console.out.str());
    ASSERT_TRUE(value.ok());
    EXPECT_EQ((*value)["problems"].elements()[0]["hint"].text(), "did you mean \"name\"?");
}

TEST_F(Verbs, config_diff_cannot_tell_before_a_node_has_run) { EXPECT_EQ(console({"config", "diff"}), exit_code::cannot_tell); }

TEST(Words, figures_are_short) {
    EXPECT_EQ(age_text(400ms), "0.4s");
    EXPECT_EQ(age_text(42s), "42s");
    EXPECT_EQ(age_text(14min + 2s), "14m02s");
    EXPECT_EQ(age_text(6h + 4min), "6h04m");
    EXPECT_EQ(age_text(148h), "6d04h");
    EXPECT_EQ(grouped(41882), "41,882");
    EXPECT_EQ(grouped(1000000), "1,000,000");
    EXPECT_EQ(grouped(999), "999");
    EXPECT_EQ(about_size(0), "0B");
    EXPECT_EQ(about_size(44238166425), "41.2GiB");
    EXPECT_EQ(shortened("grüße", 4), "grü…");
    EXPECT_EQ(shortened("grüße", 5), "grüße");
}

TEST(Mask, keeps_enough_to_recognise) {
    EXPECT_EQ(masked("jane@example.com"), "j***@example.com");
    EXPECT_EQ(masked("+12125550142"), "***0142");
    EXPECT_EQ(masked("1234"), "***");
    EXPECT_EQ(masked("Özil"), "Ö***");
    EXPECT_EQ(masked(""), "");
}

}  // namespace
