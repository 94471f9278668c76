#include "handlers/exec.h"

#include <algorithm>
#include <filesystem>

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "base/digest.h"
#include "handlers/child.h"
#include "handlers/exec_protocol.h"
#include "tests/unit/handlers/jobs.h"
#include "worker/settlement.h"

namespace forebay::handlers {
namespace {

using Kind = worker::Outcome::Kind;
using worker::Outcome;

/// Is there no such process, or only its zombie?
bool is_gone(int pid) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string line((std::istreambuf_iterator<char>(stat)), {});
    return line.empty() || line.find(") Z ") != std::string::npos;
}

class Exec : public InDirectory {
  protected:
    std::unique_ptr<ExecHandler> handler(Protocol protocol, const std::string& script, unsigned n = 1) {
        ExecOptions o;
        o.worker = "score";
        o.n = n;
        o.command = {"/bin/sh", "-c", script, "score", directory, "{n}"};
        o.protocol = protocol;
        o.environment = {{"COLOUR", "blue"}};
        o.data_dir = directory;
        o.queue = "leads";
        o.then = then;
        o.ledger = ledger;
        o.answer_bytes_max = 4096;
        o.count = [this](std::string_view name, std::int64_t amount) { counted += std::string(name) + "=" + std::to_string(amount) + " "; };
        return std::make_unique<ExecHandler>(std::move(o), clock);
    }
    std::vector<Outcome> run(ExecHandler& h, const std::vector<worker::Job>& some, Duration timeout = 10s) {
        return h.run(some, {timeout, nullptr});
    }
    Outcome run_one(Protocol protocol, const std::string& script, Duration timeout = 10s) {
        return run(*handler(protocol, script), jobs(1), timeout).at(0);
    }
    ledger::Effect effect_of(unsigned n) {
        auto story = ledger::Ledger(ledger::effects_files(directory, "score")).timeline(id_of(n));
        if (!story || !*story || (*story)->effects.empty()) return {};
        return (*story)->effects[0];
    }
    std::vector<std::string> then;
    std::optional<db::Options> ledger;
    SystemClock clock;
    std::string counted;
};

/// A jsonl worker in shell: answers what `answer` prints for the record whose id is in $id.
std::string lines(const std::string& answer) {
    return "while read -r line; do id=${line#*'\"id\":\"'}; id=${id%%'\"'*}; " + answer + "; done";
}
const std::string done = R"(printf '{"id":"%s","result":"done"}\n' $id)";

TEST_F(Exec, what_is_discarded_is_noted_and_not_run_unless_it_is_done) {
    auto h = handler(Protocol::per_record, "echo x >> $1/ran");
    auto some = jobs(2);
    some[1].decided = Outcome::discarded("a test post");
    auto outcomes = run(*h, some);
    EXPECT_EQ(outcomes[0].kind, Kind::done);
    EXPECT_EQ(outcomes[1].kind, Kind::discarded);
    EXPECT_EQ(text("ran"), "x\n");
    EXPECT_EQ(effect_of(2).state, "discarded");
    EXPECT_EQ(effect_of(2).error, "a test post");
    EXPECT_EQ(effect_of(2).attempts, 0u);
    some[0].decided = some[1].decided;
    EXPECT_EQ(run(*h, some)[0].kind, Kind::done);
    EXPECT_EQ(effect_of(1).state, "done");
    EXPECT_EQ(run(*h, jobs(2))[1].kind, Kind::done) << "the record itself, sent again, is run";
    EXPECT_EQ(text("ran"), "x\nx\n");
}

TEST_F(Exec, what_is_skipped_is_noted_beside_what_is_run) {
    then = {"stats"};
    auto h = handler(Protocol::jsonl, lines(done));
    auto some = jobs(3);
    some[1].decided = Outcome::skipped("when: x exists");
    auto outcomes = run(*h, some);
    EXPECT_EQ(outcomes[1].kind, Kind::skipped);
    EXPECT_TRUE(outcomes[1].follow_ups.empty()) << "nothing follows";
    EXPECT_EQ(outcomes[2].kind, Kind::done);
    EXPECT_EQ(effect_of(2).state, "skipped");
    EXPECT_EQ(effect_of(2).error, "when: x exists");
    EXPECT_EQ(effect_of(3).state, "done");
    some[1].decided.reset();
    EXPECT_EQ(run(*h, some)[1].kind, Kind::done) << "where the condition holds by now it is run";
}

TEST_F(Exec, what_cannot_be_noted_as_discarded_is_held) {
    auto h = handler(Protocol::per_record, "exit 0");
    (void)run(*h, jobs(1, 7));
    sqlite3* file = nullptr;
    ASSERT_EQ(sqlite3_open(ledger::effects_files(directory, "score").at(0).path.c_str(), &file), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(file, "ALTER TABLE forebay_effects RENAME TO away", nullptr, nullptr, nullptr), SQLITE_OK);
    auto some = jobs(2);
    some[0].decided = Outcome::discarded("a test post");
    EXPECT_EQ(run(*h, some)[0].kind, Kind::hold);
    ASSERT_EQ(sqlite3_exec(file, "ALTER TABLE away RENAME TO forebay_effects", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(file);
    EXPECT_EQ(run(*h, some)[0].kind, Kind::discarded);
}

TEST_F(Exec, what_is_done_is_run_again_when_an_operator_says_so) {
    auto h = handler(Protocol::per_record, "cat >> $1/ran; echo >> $1/ran");
    (void)run(*h, jobs(1));
    auto again = jobs(1);
    again[0].envelope.again = 2;
    for (int i = 0; i < 2; ++i) EXPECT_EQ(run(*h, again)[0].kind, Kind::done);
    (void)run(*h, jobs(1));
    auto ran = text("ran");
    EXPECT_EQ(std::count(ran.begin(), ran.end(), '\n'), 2);
    EXPECT_NE(ran.find("\"again\":2"), std::string::npos) << ran;
    auto story = ledger::Ledger(ledger::effects_files(directory, "score")).timeline(id_of(1));
    ASSERT_TRUE(story && *story);
    EXPECT_EQ((*story)->effects.back().effect, "score again-2");
    EXPECT_EQ(effect_of(1).effect, "score");
    EXPECT_EQ(effect_of(1).state, "done");
}

TEST_F(Exec, what_is_run_again_waits_and_dies_under_its_own_name) {
    auto h = handler(Protocol::per_record, "exit 0");
    (void)run(*h, jobs(2));
    auto again = jobs(2);
    again[0].envelope.again = again[1].envelope.again = 1;
    h->note(again, std::vector<worker::Settlement>{{Kind::retry, "busy", 1, Timestamp{77}}, {Kind::dead, "no", 1, {}}});
    EXPECT_TRUE(h->waits(again)[0]);
    EXPECT_FALSE(h->waits(jobs(2))[0]);
    EXPECT_EQ(effect_of(2).state, "done") << "that it was done once stays true";
    auto story = ledger::Ledger(ledger::effects_files(directory, "score")).timeline(id_of(2));
    EXPECT_EQ((*story)->effects.back().state, "dead");
}

TEST_F(Exec, a_record_that_is_twice_in_a_batch_is_run_once) {
    auto h = handler(Protocol::per_record, "cat >> $1/ran; echo >> $1/ran");
    auto twice = jobs(2);
    twice.push_back(twice[0]);
    auto outcomes = run(*h, twice);
    EXPECT_EQ(outcomes[0].kind, Kind::done);
    EXPECT_EQ(outcomes[1].kind, Kind::done);
    EXPECT_EQ(outcomes[2].kind, Kind::untouched) << "it comes again";
    EXPECT_EQ(run(*h, std::vector{twice[2]})[0].kind, Kind::done);
    auto ran = text("ran");
    EXPECT_EQ(std::count(ran.begin(), ran.end(), '\n'), 2);
}

TEST_F(Exec, a_ledger_that_is_away_is_told_from_a_command_that_says_it_is_away) {
    ledger.emplace();
    ledger->name = "main";
    ledger->path = directory + "/ledger.db";
    auto command_is_away = handler(Protocol::per_record, "exit 69");
    EXPECT_TRUE(command_is_away->has_probe());
    auto away = run(*command_is_away, jobs(1))[0];
    EXPECT_EQ(away.kind, Kind::hold);
    EXPECT_TRUE(away.is_of_effect);
    EXPECT_TRUE(command_is_away->probe());
    ledger->path = directory + "/not/there/ledger.db";
    auto ledger_is_away = handler(Protocol::per_record, "exit 0");
    away = run(*ledger_is_away, jobs(1))[0];
    EXPECT_EQ(away.kind, Kind::hold);
    EXPECT_FALSE(away.is_of_effect);
    EXPECT_FALSE(ledger_is_away->probe());
    ledger.reset();
    EXPECT_FALSE(handler(Protocol::per_record, "exit 0")->has_probe()) << "a file of its own";
}

// ---- per-record

TEST_F(Exec, the_exit_code_decides_about_a_record) {
    struct {
        const char* script;
        Kind kind;
    } rows[] = {
        {"exit 0", Kind::done},  {"exit 65", Kind::dead},   {"exit 69", Kind::hold},     {"exit 75", Kind::retry},
        {"exit 1", Kind::retry}, {"exit 255", Kind::retry}, {"kill -9 $$", Kind::retry},
    };
    unsigned n = 100;
    for (auto& row : rows) {
        auto h = handler(Protocol::per_record, row.script);
        EXPECT_EQ(run(*h, jobs(1, n++)).at(0).kind, row.kind) << row.script;
    }
}

TEST_F(Exec, why_it_failed_is_told) {
    EXPECT_EQ(run_one(Protocol::per_record, "exit 3").why, "exit 3");
    EXPECT_EQ(run_one(Protocol::per_record, "kill -9 $$").why, "signal 9 (Killed)");
}

TEST_F(Exec, a_record_comes_on_standard_input_and_its_output_is_the_answer) {
    auto h = handler(Protocol::per_record, "cat > $1/input; echo $COLOUR $2");
    EXPECT_EQ(run(*h, jobs(1)).at(0).kind, Kind::done);
    auto input = json::parse(text("input"));
    ASSERT_TRUE(input);
    EXPECT_EQ((*input)["id"].text(), to_text(id_of(1)));
    EXPECT_EQ((*input)["fields"]["email"].text(), "lead1@example.com");
    EXPECT_EQ((*input)["attempt"].integer(), 1);
    EXPECT_EQ(effect_of(1).answer, "blue 1\n");
    EXPECT_EQ(effect_of(1).state, "done");
    EXPECT_EQ(effect_of(1).worker, "score:1");
}

TEST_F(Exec, a_command_that_does_not_exist_holds) {
    ExecOptions o;
    o.worker = "score";
    o.command = {"/no/such/command"};
    o.data_dir = directory;
    for (auto protocol : {Protocol::per_record, Protocol::jsonl, Protocol::lambda_batch}) {
        o.protocol = protocol;
        auto outcomes = run(*std::make_unique<ExecHandler>(o, clock), jobs(2));
        EXPECT_EQ(outcomes[0].kind, Kind::hold);
        EXPECT_EQ(outcomes[0].why, "cannot execute /no/such/command: No such file or directory");
    }
}

TEST_F(Exec, a_command_that_does_not_read_a_long_input_is_fine) {
    auto long_one = job(1, std::string(1 << 20, 'x'));
    auto h = handler(Protocol::per_record, "exit 0");
    EXPECT_EQ(run(*h, {long_one}).at(0).kind, Kind::done);
}

TEST_F(Exec, input_and_output_longer_than_a_pipe_do_not_block_each_other) {
    ExecOptions o;
    o.worker = "score";
    o.command = {"/bin/cat"};
    o.data_dir = directory;
    ExecHandler h(std::move(o), clock);
    auto long_one = job(1, std::string(200'000, 'x'));
    EXPECT_EQ(run(h, {long_one}).at(0).kind, Kind::done);
    EXPECT_GT(effect_of(1).answer.size(), 200'000u);
}

TEST_F(Exec, too_late_is_a_retry_and_the_whole_group_is_killed) {
    auto outcome = run_one(Protocol::per_record, "sleep 1000 & echo $! > $1/pid; wait", 200ms);
    EXPECT_EQ(outcome.kind, Kind::retry);
    EXPECT_EQ(outcome.why, "no answer within 200ms");
    int pid = std::stoi(text("pid"));
    for (int i = 0; i < 1000 && !is_gone(pid); ++i) ::usleep(1000);
    EXPECT_TRUE(is_gone(pid));
}

TEST_F(Exec, what_a_command_leaves_running_does_not_hold_up_its_end) {
    auto outcome = run_one(Protocol::per_record, "sleep 1000 & exit 0", 5s);
    EXPECT_EQ(outcome.kind, Kind::done);
}

TEST_F(Exec, an_endless_answer_is_cut_off) {
    auto outcome = run_one(Protocol::per_record, "yes");
    EXPECT_EQ(outcome.kind, Kind::retry);
    EXPECT_EQ(outcome.why, "its answer is longer than 4096 bytes");
}

TEST_F(Exec, a_hold_leaves_the_rest_of_the_batch_untouched) {
    auto h = handler(Protocol::per_record, "echo run >> $1/runs; exit 69");
    auto outcomes = run(*h, jobs(3));
    EXPECT_EQ(outcomes[0].kind, Kind::hold);
    EXPECT_EQ(outcomes[1].kind, Kind::untouched);
    EXPECT_EQ(outcomes[2].kind, Kind::untouched);
    EXPECT_EQ(text("runs"), "run\n");
}

TEST_F(Exec, a_stopping_worker_begins_nothing_more) {
    std::atomic<bool> stop{true};
    auto h = handler(Protocol::per_record, "echo run >> $1/runs");
    auto outcomes = h->run(jobs(2), {1s, &stop});
    EXPECT_EQ(outcomes[0].kind, Kind::untouched);
    EXPECT_EQ(text("runs"), "");
}

// ---- looked up before running

TEST_F(Exec, a_record_that_comes_again_is_not_run_again) {
    auto h = handler(Protocol::per_record, "echo run >> $1/runs");
    EXPECT_EQ(run(*h, jobs(1)).at(0).kind, Kind::done);
    auto outcomes = run(*h, jobs(2));
    EXPECT_EQ(outcomes[0].kind, Kind::done);
    EXPECT_EQ(outcomes[1].kind, Kind::done);
    EXPECT_EQ(text("runs"), "run\nrun\n");
}

TEST_F(Exec, not_even_by_another_process_of_the_worker) {
    auto one = handler(Protocol::per_record, "echo run >> $1/runs", 1);
    auto two = handler(Protocol::per_record, "echo run >> $1/runs", 2);
    (void)run(*two, jobs(1, 5));
    EXPECT_EQ(run(*one, jobs(1)).at(0).kind, Kind::done);
    EXPECT_EQ(run(*two, jobs(1)).at(0).kind, Kind::done);
    EXPECT_EQ(text("runs"), "run\nrun\n");
}

std::vector<std::string> targets_of(const Outcome& outcome) {
    std::vector<std::string> targets;
    for (auto& one : outcome.follow_ups) targets.push_back(one.target);
    return targets;
}

const std::string with_sends =
    R"(echo run >> $1/runs; printf '{"id":"%s","result":"done","send":[{"queue":"mail","body":{"to":"jane"}},{"queue":"mail","body":"two"}],"set":{"score":7}}\n' $id)";

TEST_F(Exec, a_redelivery_sends_what_is_not_yet_sent_without_running_again) {
    then = {"stats"};
    auto h = handler(Protocol::jsonl, lines(with_sends));
    for (int round = 0; round < 2; ++round) {
        auto outcome = run(*h, jobs(1)).at(0);
        EXPECT_EQ(outcome.kind, Kind::done);
        EXPECT_EQ(targets_of(outcome), (std::vector<std::string>{"mail#1", "mail#2", "stats"}));
        EXPECT_EQ(outcome.follow_ups[0].body, R"({"to":"jane"})");
        auto next = record::decode(outcome.follow_ups[2].body, {}, {});
        EXPECT_EQ(next->id, id_of(1));
        EXPECT_EQ(next->fields["score"].integer(), 7);
    }
    EXPECT_TRUE(h->note_sent(std::vector<worker::Sent>{{id_of(1), {"mail#2", "stats"}}}));
    EXPECT_EQ(targets_of(run(*h, jobs(1)).at(0)), std::vector<std::string>{"mail#1"});
    EXPECT_EQ(text("runs"), "run\n");
}

TEST_F(Exec, what_another_process_sent_is_not_sent_again) {
    auto one = handler(Protocol::jsonl, lines(with_sends)), two = handler(Protocol::jsonl, lines(with_sends), 2);
    EXPECT_EQ(targets_of(run(*one, jobs(1)).at(0)).size(), 2u);
    EXPECT_TRUE(one->note_sent(std::vector<worker::Sent>{{id_of(1), {"mail#1"}}}));
    EXPECT_EQ(targets_of(run(*two, jobs(1)).at(0)), std::vector<std::string>{"mail#2"});
    EXPECT_TRUE(two->note_sent(std::vector<worker::Sent>{{id_of(1), {"mail#2"}}})) << "in its own file";
    EXPECT_TRUE(targets_of(run(*one, jobs(1)).at(0)).empty());
    EXPECT_EQ(text("runs"), "run\n");
}

TEST_F(Exec, what_is_run_again_sends_anew_what_the_command_says_and_no_record_on_a_second_time) {
    then = {"stats"};
    auto one = handler(Protocol::jsonl, lines(with_sends)), two = handler(Protocol::jsonl, lines(with_sends), 2);
    (void)run(*one, jobs(1));
    EXPECT_TRUE(one->note_sent(std::vector<worker::Sent>{{id_of(1), {"mail#1", "mail#2", "stats"}}}));
    auto again = jobs(1);
    again[0].envelope.again = 1;
    for (auto* h : {two.get(), one.get()})
        EXPECT_EQ(targets_of(run(*h, again).at(0)), (std::vector<std::string>{"mail#1 again-1", "mail#2 again-1"}));
    EXPECT_TRUE(two->note_sent(std::vector<worker::Sent>{{id_of(1), {"mail#1 again-1"}}}));
    EXPECT_EQ(targets_of(run(*one, again).at(0)), std::vector<std::string>{"mail#2 again-1"});
    EXPECT_EQ(text("runs"), "run\nrun\n");
}

TEST_F(Exec, with_a_ledger_effects_go_there_and_those_of_the_files_before_still_count) {
    auto before = handler(Protocol::jsonl, lines(with_sends));
    (void)run(*before, jobs(1));
    before.reset();
    ledger.emplace();
    ledger->name = "ledger";
    ledger->path = directory + "/ledger.db";
    auto h = handler(Protocol::jsonl, lines(with_sends));
    auto outcomes = run(*h, jobs(3));
    EXPECT_EQ(text("runs"), "run\nrun\nrun\n");
    EXPECT_EQ(targets_of(outcomes[0]).size(), 2u);
    EXPECT_TRUE(h->note_sent(std::vector<worker::Sent>{{id_of(1), {"mail#1"}}, {id_of(2), {"mail#1", "mail#2"}}}));
    outcomes = run(*h, jobs(3));
    EXPECT_EQ(targets_of(outcomes[0]), std::vector<std::string>{"mail#2"});
    EXPECT_TRUE(targets_of(outcomes[1]).empty());
    EXPECT_EQ(targets_of(outcomes[2]).size(), 2u);
    EXPECT_EQ(text("runs"), "run\nrun\nrun\n");
    auto story = ledger::Ledger({*ledger}).timeline(id_of(3));
    ASSERT_TRUE(story && *story);
    EXPECT_EQ((*story)->effects.at(0).state, "done");
}

TEST_F(Exec, a_ledger_that_is_away_holds_before_anything_is_run) {
    ledger.emplace();
    ledger->path = directory + "/none/ledger.db";
    auto h = handler(Protocol::per_record, "echo run >> $1/runs");
    EXPECT_EQ(run(*h, jobs(1)).at(0).kind, Kind::hold);
    EXPECT_EQ(text("runs"), "");
}

TEST_F(Exec, two_processes_with_one_number_are_refused_by_a_hold) {
    auto one = handler(Protocol::per_record, "exit 0"), same = handler(Protocol::per_record, "exit 0");
    (void)run(*one, jobs(1));
    auto outcome = run(*same, jobs(1, 2)).at(0);
    EXPECT_EQ(outcome.kind, Kind::hold);
    EXPECT_NE(outcome.why.find("another process writes"), std::string::npos);
}

TEST_F(Exec, an_effects_file_that_cannot_be_written_holds_before_anything_is_run) {
    std::ofstream(directory + "/effects") << "a file where a directory should be";
    auto h = handler(Protocol::per_record, "echo run >> $1/runs");
    EXPECT_EQ(run(*h, jobs(1)).at(0).kind, Kind::hold);
    EXPECT_EQ(text("runs"), "");
}

TEST_F(Exec, an_effects_file_that_is_deleted_holds_before_anything_is_run) {
    auto h = handler(Protocol::per_record, "echo run >> $1/runs");
    EXPECT_EQ(run(*h, jobs(1)).at(0).kind, Kind::done);
    std::filesystem::remove(ledger::effects_path(directory, "score", 1));
    auto held = run(*h, jobs(1, 2)).at(0);
    EXPECT_EQ(held.kind, Kind::hold);
    EXPECT_NE(held.why.find("is gone"), std::string::npos) << held.why;
    std::ofstream(ledger::effects_path(directory, "score", 1)).flush();
    EXPECT_EQ(run(*h, jobs(1, 2)).at(0).kind, Kind::done);
    EXPECT_EQ(text("runs"), "run\nrun\n");
}

TEST_F(Exec, what_is_held_retried_or_dead_is_noted) {
    auto h = handler(Protocol::per_record, "exit 1");
    auto batch = jobs(3);
    h->note(batch, std::vector<worker::Settlement>{
                       {Kind::retry, "exit 1", 2, Timestamp{77}}, {Kind::dead, "exit 65", 1, {}}, {Kind::hold, "exit 69", 0, {}}});
    EXPECT_EQ(effect_of(1).state, "retrying");
    EXPECT_EQ(effect_of(1).next_at, Timestamp{77});
    EXPECT_EQ(effect_of(2).state, "dead");
    EXPECT_EQ(effect_of(2).error, "exit 65");
    EXPECT_EQ(effect_of(3).state, "held");
    auto another = handler(Protocol::per_record, "exit 1", 2);
    worker::Wait wait{effect_of(1).at, Timestamp{77}};
    EXPECT_GT(wait.since, Timestamp{77});
    EXPECT_EQ(another->waits(batch), (std::vector<std::optional<worker::Wait>>{wait, std::nullopt, std::nullopt}))
        << "whichever process gets the record next";
}

// ---- jsonl

TEST_F(Exec, one_process_answers_many_records) {
    auto h = handler(Protocol::jsonl, "echo start >> $1/starts; " + lines(done));
    for (auto& outcome : run(*h, jobs(20))) EXPECT_EQ(outcome.kind, Kind::done);
    EXPECT_EQ(text("starts"), "start\n");
    EXPECT_EQ(effect_of(20).answer, R"({"id":")" + to_text(id_of(20)) + R"(","result":"done"})");
}

TEST_F(Exec, each_result_has_its_outcome) {
    struct {
        const char* answer;
        Kind kind;
        const char* why;
    } rows[] = {
        {R"("result":"done")", Kind::done, ""},
        {R"("result":"retry","why":"busy")", Kind::retry, "busy"},
        {R"("result":"retry","delay":"30s")", Kind::retry, "the command said so"},
        {R"("result":"retry","delay":30)", Kind::retry, "the command said so"},
        {R"("result":"dead","why":"no zip")", Kind::dead, "no zip"},
        {R"("result":"hold","why":"crm down")", Kind::hold, "crm down"},
    };
    for (auto& row : rows) {
        auto outcome = jsonl_outcome(*json::parse(std::string(R"({"id":"a",)") + row.answer + "}"), "a");
        ASSERT_TRUE(outcome) << row.answer;
        EXPECT_EQ(outcome->kind, row.kind) << row.answer;
        EXPECT_EQ(outcome->why, row.why) << row.answer;
        bool has_delay = std::string_view(row.answer).find("delay") != std::string_view::npos;
        EXPECT_EQ(outcome->after, has_delay ? std::optional<Duration>(30s) : std::nullopt);
    }
}

TEST_F(Exec, a_delay_near_the_end_of_the_numbers_is_long_and_not_negative) {
    for (auto* delay : {"9223372036854775807", "9300000000000000", "\"100000000000d\""}) {
        auto outcome = jsonl_outcome(*json::parse(std::string(R"({"id":"a","result":"retry","delay":)") + delay + "}"), "a");
        ASSERT_TRUE(outcome) << delay;
        EXPECT_GT(outcome->after, worker::after_most) << delay;
    }
    EXPECT_FALSE(jsonl_outcome(*json::parse(R"({"id":"a","result":"retry","delay":-9223372036854775807})"), "a"));
}

TEST_F(Exec, answers_that_are_garbage_are_told_apart) {
    for (auto* answer :
         {R"([])", R"("done")", R"({"result":"done"})", R"({"id":"b","result":"done"})", R"({"id":"a"})", R"({"id":"a","result":"maybe"})",
          R"({"id":"a","result":"retry","delay":"soon"})", R"({"id":"a","result":"retry","delay":-1})",
          R"({"id":"a","result":"done","send":{}})", R"({"id":"a","result":"done","send":[{"queue":"q"}]})",
          R"({"id":"a","result":"done","send":[{"body":"b"}]})", R"({"id":"a","result":"done","set":[1]})"})
        EXPECT_FALSE(jsonl_outcome(*json::parse(answer), "a")) << answer;
}

TEST_F(Exec, counts_are_passed_on) {
    auto h = handler(Protocol::jsonl, lines(R"(printf '{"id":"%s","result":"done","count":{"scored":2,"odd":"x"}}\n' $id)"));
    (void)run(*h, jobs(2));
    EXPECT_EQ(counted, "scored=2 scored=2 ");
}

TEST_F(Exec, a_process_that_writes_garbage_is_killed_and_started_again_for_the_next_record) {
    auto h =
        handler(Protocol::jsonl, "echo start >> $1/starts; " + lines("case $id in *2) echo 'PHP Warning: oops';; *) " + done + ";; esac"));
    auto outcomes = run(*h, jobs(3));
    EXPECT_EQ(outcomes[0].kind, Kind::done);
    EXPECT_EQ(outcomes[1].kind, Kind::retry);
    EXPECT_EQ(outcomes[1].why, "its answer is not JSON");
    EXPECT_EQ(outcomes[2].kind, Kind::done);
    EXPECT_EQ(text("starts"), "start\nstart\n");
}

TEST_F(Exec, a_process_that_dies_in_the_middle_of_a_record_is_started_again) {
    auto h = handler(Protocol::jsonl, lines("case $id in *2) kill -9 $$;; *) " + done + ";; esac"));
    auto outcomes = run(*h, jobs(3));
    EXPECT_EQ(outcomes[0].kind, Kind::done);
    EXPECT_EQ(outcomes[1].kind, Kind::retry);
    EXPECT_EQ(outcomes[1].why, "signal 9 (Killed)");
    EXPECT_EQ(outcomes[2].kind, Kind::done);
}

TEST_F(Exec, a_process_that_ends_says_why_with_its_exit_code) {
    EXPECT_EQ(run_one(Protocol::jsonl, "read -r line; exit 65").kind, Kind::dead);
    EXPECT_EQ(run_one(Protocol::jsonl, "read -r line; exit 69").kind, Kind::hold);
    auto ended = run_one(Protocol::jsonl, "read -r line; exit 0");
    EXPECT_EQ(ended.kind, Kind::retry);
    EXPECT_EQ(ended.why, "it ended without an answer");
}

TEST_F(Exec, a_process_that_ends_between_two_records_costs_neither_an_attempt) {
    auto h = handler(Protocol::jsonl, "read -r line; id=${line#*'\"id\":\"'}; id=${id%%'\"'*}; " + done);
    EXPECT_EQ(run(*h, jobs(1)).at(0).kind, Kind::done);
    ::usleep(50'000);  // it ends meanwhile
    EXPECT_EQ(run(*h, jobs(1, 2)).at(0).kind, Kind::done);
}

TEST_F(Exec, a_process_that_hangs_is_killed_when_it_is_too_late) {
    auto h = handler(Protocol::jsonl, lines("case $id in *1) echo $$ > $1/pid; exec sleep 1000;; *) " + done + ";; esac"));
    auto outcomes = run(*h, jobs(2), 200ms);
    EXPECT_EQ(outcomes[0].kind, Kind::retry);
    EXPECT_EQ(outcomes[0].why, "no answer within 200ms");
    EXPECT_EQ(outcomes[1].kind, Kind::done);
    EXPECT_TRUE(is_gone(std::stoi(text("pid"))));
}

TEST_F(Exec, half_a_line_is_no_answer) {
    auto outcome = run_one(Protocol::jsonl, "read -r line; printf '{\"id\":'; sleep 1000", 200ms);
    EXPECT_EQ(outcome.kind, Kind::retry);
}

TEST_F(Exec, the_process_is_told_of_the_end_by_its_input) {
    handler(Protocol::jsonl, lines(done) + "; echo bye > $1/bye").reset();
    EXPECT_EQ(text("bye"), "") << "it was never needed";
    auto h = handler(Protocol::jsonl, lines(done) + "; echo bye > $1/bye");
    (void)run(*h, jobs(1));
    h.reset();
    EXPECT_EQ(text("bye"), "bye\n");
}

TEST_F(Exec, a_worker_that_is_killed_takes_its_command_with_it) {
    pid_t worker = ::fork();
    if (worker == 0) {
        auto h = handler(Protocol::jsonl, "echo $$ > $1/pid; " + lines(done));
        (void)run(*h, jobs(1));
        std::ofstream(directory + "/ready") << "yes";
        for (;;) ::pause();
    }
    for (int i = 0; i < 5000 && text("ready").empty(); ++i) ::usleep(1000);
    int pid = std::stoi(text("pid"));
    EXPECT_FALSE(is_gone(pid));
    ::kill(worker, SIGKILL);
    ::waitpid(worker, nullptr, 0);
    for (int i = 0; i < 5000 && !is_gone(pid); ++i) ::usleep(1000);
    EXPECT_TRUE(is_gone(pid));
}

// ---- lambda-batch

TEST_F(Exec, a_batch_comes_as_the_event_that_lambda_knows) {
    auto h = handler(Protocol::lambda_batch, "cat > $1/event");
    for (auto& outcome : run(*h, jobs(2))) EXPECT_EQ(outcome.kind, Kind::done);
    auto event = json::parse(text("event"));
    ASSERT_TRUE(event);
    const auto& records = (*event)["Records"].elements();
    ASSERT_EQ(records.size(), 2u);
    EXPECT_EQ(records[0]["messageId"].text(), "message-1");
    EXPECT_EQ(records[0]["body"].text(), job(1).body);
    EXPECT_EQ(records[0]["md5OfBody"].text(), to_hex(md5(job(1).body)));
    EXPECT_EQ(records[0]["eventSource"].text(), "aws:sqs");
    EXPECT_EQ(records[0]["eventSourceARN"].text(), "arn:aws:sqs:us-east-1:123456789012:leads");
    EXPECT_EQ(records[0]["messageAttributes"]["record-id"]["stringValue"].text(), to_text(id_of(1)));
    EXPECT_EQ(records[1]["attributes"]["ApproximateReceiveCount"].text(), "0");
}

TEST_F(Exec, only_the_named_failures_are_retried) {
    auto h = handler(Protocol::lambda_batch, R"(echo '{"batchItemFailures":[{"itemIdentifier":"message-2"}]}')");
    auto outcomes = run(*h, jobs(3));
    EXPECT_EQ(outcomes[0].kind, Kind::done);
    EXPECT_EQ(outcomes[1].kind, Kind::retry);
    EXPECT_EQ(outcomes[2].kind, Kind::done);
    EXPECT_EQ(effect_of(2).state, "");
    EXPECT_EQ(effect_of(3).state, "done");
}

TEST_F(Exec, what_lambda_takes_for_success_is_success) {
    auto batch = jobs(1);
    std::vector<const worker::Job*> pointers{&batch[0]};
    for (auto* output : {"", " \n", "null", "{}", R"({"batchItemFailures":[]})", R"({"batchItemFailures":null})"})
        EXPECT_EQ(lambda_outcomes(output, pointers)[0].kind, Kind::done) << output;
    for (auto* output : {"ok", "[]", "1", R"({"batchItemFailures":{}})", R"({"batchItemFailures":[{"itemIdentifier":"other"}]})",
                         R"({"batchItemFailures":[{}]})"})
        EXPECT_EQ(lambda_outcomes(output, pointers)[0].kind, Kind::retry) << output;
}

TEST_F(Exec, a_batch_whose_handler_fails_is_retried_whole) {
    for (auto* script : {"exit 1", "exit 65", "kill -9 $$"})
        for (auto& outcome : run(*handler(Protocol::lambda_batch, script), jobs(2))) EXPECT_EQ(outcome.kind, Kind::retry) << script;
    for (auto& outcome : run(*handler(Protocol::lambda_batch, "exit 69"), jobs(2))) EXPECT_EQ(outcome.kind, Kind::hold);
}

}  // namespace
}  // namespace forebay::handlers
