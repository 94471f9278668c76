// What a wrong configuration is told, to the letter.
#include <gtest/gtest.h>

#include "cli/config/load.h"

using namespace forebay;
using namespace forebay::cli;

namespace {

/// A configuration in which everything that others name exists.
const std::string base = R"(queue.leads = { dead_letter = "leads-dead" }
[db.main]
path = "x.db"
[endpoint.lead]
queue = "leads"
[endpoint.lead.fields]
email = { type = "email" }
)";

Loaded loaded(const std::string& text, const Variables& variables = {}) { return load_layers({{"forebay.toml", text}}, variables); }
std::string problems(const std::string& text, const Variables& variables = {}) { return loaded(text, variables).diagnostics.text(false); }

/// The first line of each message, without its place.
std::vector<std::string> messages(const std::string& text) {
    std::vector<std::string> out;
    auto found = loaded(text);
    for (const auto& diagnostic : found.diagnostics.all()) out.push_back(diagnostic.message);
    return out;
}
std::vector<std::string> only(std::string message) { return {std::move(message)}; }

TEST(Diagnostics, an_unknown_key_is_shown_with_its_line_a_caret_and_what_was_meant) {
    EXPECT_EQ(problems("[queue.leads]\nvisibilty_timeout = \"30s\"\n"),
              "forebay.toml:2:1: error: unknown key \"visibilty_timeout\"\n"
              "  2 | visibilty_timeout = \"30s\"\n"
              "    | ^^^^^^^^^^^^^^^^^ did you mean \"visibility_timeout\"?\n");
}

TEST(Diagnostics, the_caret_finds_a_key_inside_one_line) {
    EXPECT_EQ(problems("[queue.q]\n[endpoint.lead]\nqueue = \"q\"\n[endpoint.lead.fields]\nstate = { type = \"enum\", requred = true, "
                       "values = \"@us_states\" }\n"),
              "forebay.toml:5:26: error: unknown key \"requred\"\n"
              "  5 | state = { type = \"enum\", requred = true, values = \"@us_states\" }\n"
              "    |                          ^^^^^^^ did you mean \"required\"?\n");
}

TEST(Diagnostics, the_caret_stands_right_behind_letters_of_several_bytes_and_tabs) {
    EXPECT_EQ(problems("[node]\n\tname = \"ö\"\n\trols = \"ä\"\n"),
              "forebay.toml:3:2: error: unknown key \"rols\"\n"
              "  3 | \trols = \"ä\"\n"
              "    | \t^^^^ did you mean \"roles\"?\n");
}

TEST(Diagnostics, no_secret_is_shown_with_the_line_that_is_wrong) {
    const std::string secret = "s3cr3t-of-ours";
    for (const auto& line : {"hash = \"" + secret + "\"", "hassh = \"" + secret + "\"", "hash = \"" + secret, "\"hash\" = '" + secret + "'",
                             "hash=\"" + secret + "\" # ours"}) {
        auto text = problems("[key.site]\n" + line + "\n");
        EXPECT_NE(text.find("forebay.toml:2"), std::string::npos) << text;
        EXPECT_EQ(text.find(secret), std::string::npos) << text;
    }
    EXPECT_EQ(
        problems("[key]\nsite = { hash = \"" + secret + "\", rat = \"1/s\" }\n[db.main]\npath = \"x\"\npassword = \"" + secret + "\"\n")
            .find(secret),
        std::string::npos);
}

TEST(Diagnostics, a_queue_without_dead_letters_is_warned_of_because_a_record_given_up_stays_hidden) {
    auto text = problems("[queue.leads]\n" + base.substr(base.find('\n') + 1) +
                         "[worker.store]\nqueue = \"leads\"\nsql = { db = \"main\", table = \"leads\" }\n");
    EXPECT_EQ(
        text,
        "forebay.toml:1: warning: queue.leads has no dead_letter: a record that worker.store gives up on stays in it, hidden for an hour "
        "at a time\n  dead_letter = \"leads-dead\"\n");
}

TEST(Diagnostics, a_quote_that_is_not_closed_is_said_so) {
    EXPECT_EQ(messages("[node]\nname = \"web\ndata_dir = \"x\"\n"),
              only("a text in quotes must end on its line, with the quote it began with"));
}

TEST(Diagnostics, a_key_that_is_near_to_nothing_gets_no_guess) {
    EXPECT_EQ(problems("[node]\nzzzzzz = 1\n"),
              "forebay.toml:2:1: error: unknown key \"zzzzzz\"\n"
              "  2 | zzzzzz = 1\n"
              "    | ^^^^^^\n");
}

TEST(Diagnostics, an_unknown_variable_is_named_with_what_was_meant) {
    EXPECT_EQ(problems("", {{"FOREBAY__INTAKE__MAX_BODDY", "1KiB"}}),
              "FOREBAY__INTAKE__MAX_BODDY: error: unknown key \"max_boddy\"\n"
              "  did you mean \"max_body\"?\n");
}

TEST(Diagnostics, what_is_no_toml_is_told_with_its_place) {
    auto text = problems("[node\nname = 1\n");
    EXPECT_TRUE(text.starts_with("forebay.toml:1:6: error: ")) << text;
}

TEST(Diagnostics, settings_of_later_versions_are_refused_as_such) {
    EXPECT_EQ(problems("[partner.acme]\nurl = \"https://x\"\n"),
              "forebay.toml:1:2: error: partner is not in this version\n"
              "  1 | [partner.acme]\n"
              "    |  ^^^^^^^\n");
    for (const char* text : {"[alert.x]\n", "[admin]\nusers = []\n", "[journal]\nencrypt = \"x\"\n", "[telemetry]\notlp = {}\n",
                             "[backend.a]\nkind = \"sqs\"\n", "[backend.a]\nkind = \"rabbitmq\"\n", "[queue.a]\nfifo = true\n",
                             "[intake.ack]\nafter = \"queue\"\n", "[queue.q]\n[worker.w]\nqueue = \"q\"\nhandler = \"stats\"\n",
                             "[queue.q]\nretention_guard = \"2d\"\n"}) {
        auto found = messages(text);
        ASSERT_EQ(found.size(), 1U) << text << problems(text);
        EXPECT_NE(found[0].find("not in this version"), std::string::npos) << found[0];
    }
}

TEST(Diagnostics, sockets_of_systemd_are_named_for_posts_and_found_by_address_for_the_rest) {
    EXPECT_EQ(problems("[intake]\nlisten = [\"systemd:http\", \"127.0.0.1:8080\"]\n"), "");
    auto found = messages("[sqs]\nlisten = [\"systemd:queue\"]\n");
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0], "sqs.listen \"systemd:queue\": a socket of systemd is found by its address; write that");
}

TEST(Diagnostics, a_schedule_runs_what_is_ours_and_ends_at_times_that_there_are) {
    EXPECT_EQ(problems("[schedule.a]\nevery = \"1h\"\nrun = \"audit --since 24h --against main --table 'my leads'\"\n"), "");
    EXPECT_EQ(problems("[schedule.a]\ncron = \"*/5 0-6,22 * 1-12/2 7\"\nrun = \"audit\"\n"), "");
    const std::pair<const char*, const char*> rows[] = {
        {"run = \"audit\"", "schedule.x needs every or cron, one of the two: every = \"1h\""},
        {"every = \"1h\"\ncron = \"0 6 * * *\"\nrun = \"audit\"", "schedule.x needs every or cron, one of the two: every = \"1h\""},
        {"every = \"10ms\"\nrun = \"audit\"", "schedule.x.every must be from 1s to 31d, not 10ms"},
        {"cron = \"0 6 * *\"\nrun = \"audit\"",
         "schedule.x.cron must have five fields, minute hour day month weekday, such as \"0 6 * * 1-5\""},
        {"cron = \"61 6 * * *\"\nrun = \"audit\"", "schedule.x.cron has no minute \"61\": 0 to 59"},
        {"cron = \"0 6 * * 5-1\"\nrun = \"audit\"", "schedule.x.cron has the weekdays \"5-1\" backwards: write \"5-7,0-1\""},
        {"every = \"1h\"", "schedule.x has nothing to run: run = \"audit --since 24h\""},
        {"every = \"1h\"\nrun = \"audit 'x\"", "schedule.x.run has a quote that is not closed"},
        {"every = \"1h\"\nrun = \"audti\"", "schedule.x.run: there is no command \"audti\"; did you mean \"audit\"?"},
        {"every = \"1h\"\nrun = \"audit --sinse 1h\"", "schedule.x.run: there is no option --sinse for audit; did you mean --since?"},
        {"every = \"1h\"\nrun = \"serve\"",
         "schedule.x.run: \"serve\" cannot be scheduled: audit, replay, backup, restart and what else ends by itself can"},
        {"every = \"1h\"\nrun = \"audi\"", "schedule.x.run begins with \"audi\""},
        {"every = \"1h\"\nrun = \"backup /b\"", "schedule.x.run: the second backup will find the folder of the first one"},
        {"every = \"1h\"\nrun = \"export\"", "schedule.x.run exports to nobody"},
        {"every = \"1h\"\nrun = \"scale stor=4\"", "schedule.x.run: no process is called \"stor\""},
        {"every = \"1h\"\nrun = \"restart apiworker:*\"", "schedule.x.run: no process is called \"apiworker:*\""},
        {"cron = \"@daily\"\ntimezone = \"America/Chikago\"\nrun = \"audit\"",
         "schedule.x.timezone: there is no time zone \"America/Chikago\""},
    };
    for (const auto& [text, message] : rows)
        EXPECT_EQ(messages("[schedule.x]\n" + std::string(text) + "\n"), std::vector<std::string>{message}) << text;
}

TEST(Diagnostics, a_schedule_is_told_what_was_meant) {
    auto text = problems("[schedule.x]\ncron = \"@daily\"\ntimezone = \"America/Chikago\"\nrun = \"audit\"\n");
    EXPECT_NE(text.find("did you mean \"America/Chicago\"?"), std::string::npos) << text;
    text = problems(
        "[worker.api]\nhandler = \"program\"\ncommand = [\"true\"]\ngroup = \"apiworkers\"\n"
        "[schedule.x]\nevery = \"4h\"\nrun = \"restart apiworker:*\"\n");
    EXPECT_NE(text.find("did you mean \"apiworkers:*\"?"), std::string::npos) << text;
    EXPECT_EQ(problems("[worker.api]\nhandler = \"program\"\ncommand = [\"true\"]\ngroup = \"apiworkers\"\n"
                       "[schedule.x]\ncron = \"0 0,4,8,12,16,20 * * *\"\ntimezone = \"America/Chicago\"\nrun = \"restart apiworkers:*\"\n"),
              "");
}

struct Wrong {
    const char* text;
    const char* message;
};

TEST(Diagnostics, each_kind_of_value_says_what_it_must_be) {
    const Wrong rows[] = {
        {"[intake]\ndrain_delay = 10\n", "intake.drain_delay must be a duration such as \"30s\", not 10"},
        {"[intake]\ndrain_delay = \"10\"\n", "intake.drain_delay must be a duration such as \"30s\", not \"10\""},
        {"[intake]\nmax_body = \"64KB\"\n", "intake.max_body must be a size such as \"64KiB\", not \"64KB\""},
        {"[intake]\nmax_body = \"10B\"\n", "intake.max_body must be at least 1KiB, not \"10B\""},
        {"[intake]\nlisten = \"127.0.0.1:80\"\n",
         "intake.listen must be a list of addresses such as \"127.0.0.1:8080\", not \"127.0.0.1:80\""},
        {"[intake]\nlisten = [\"localhost\"]\n", "intake.listen must be a list of addresses such as \"127.0.0.1:8080\", not \"localhost\""},
        {"[intake]\nlisten = [\"h:99999\"]\n", "intake.listen must be a list of addresses such as \"127.0.0.1:8080\", not \"h:99999\""},
        {"[intake]\nconnections_per_client = 0\n", "intake.connections_per_client must be a whole number of at least 1, not 0"},
        {"[intake]\nconnections_per_client = -1\n", "intake.connections_per_client must be a whole number of at least 1, not -1"},
        {"[node]\nname = 5\n", "node.name must be a text in quotes, not 5"},
        {"[node]\nname = 2026-01-01\n", "node.name must be a text in quotes, not a date"},
        {"[node]\nroles = [\"intake\", \"cook\"]\n", "node.roles must be \"intake\", \"queue\", \"workers\" or \"admin\", not \"cook\""},
        {"[log]\nlevel = \"wran\"\n", "log.level must be \"debug\", \"info\", \"warn\" or \"error\", not \"wran\"; did you mean \"warn\"?"},
        {"[log]\nlevel = true\n", "log.level must be \"debug\", \"info\", \"warn\" or \"error\", not true"},
        {"node = 5\n", "node must be a table, not a whole number"},
        {"[queue]\nleads = 5\n", "queue.leads must be a table, not a whole number"},
        {"[telemetry]\nprometheus = \"x\"\n", "telemetry.prometheus must be an address such as \"127.0.0.1:9464\", not \"x\""},
        {"[queue.q]\nbody = \"xml\"\n", "queue.q.body must be \"json\", \"base64-json\" or \"php\", not \"xml\""},
    };
    for (const auto& row : rows) EXPECT_EQ(messages(row.text), only(row.message)) << row.text;
}

TEST(Diagnostics, no_duration_is_longer_than_ten_years) {
    const std::string worker = base + "[worker.w]\nqueue = \"leads\"\nhandler = \"sql\"\nsql = { db = \"main\", table = \"t\" }\n";
    EXPECT_EQ(messages("[intake]\ndrain_delay = \"3651d\"\n"), only("intake.drain_delay must be at most 3650d, not \"3651d\""));
    EXPECT_EQ(messages(worker + "retry.after = [\"1s\", \"100000000000d\"]\n"),
              only("worker.w.retry.after must be at most 3650d, not \"100000000000d\""));
    auto longest = loaded(worker + "retry.after = [\"3650d\"]\n");
    ASSERT_EQ(longest.configuration.workers.size(), 1u);
    EXPECT_EQ(longest.configuration.workers[0].retry.after, std::vector<Duration>{3650 * 24h});
}

TEST(Diagnostics, a_secret_in_clear_text_is_an_error_that_does_not_show_it) {
    EXPECT_EQ(problems("[key.website]\nhash = \"ik_live_hunter2\"\n"),
              "forebay.toml:2: error: key.website.hash is a secret in clear text; write the hash that `forebay key new` prints\n");
}

TEST(Diagnostics, an_access_key_says_what_it_lacks) {
    const Variables known = {{"GOOD", "0123456789abcdef"}, {"SHORT", "0123456789abcde"}};
    auto of = [&](const std::string& text) {
        auto found = load_layers({{"forebay.toml", text}}, known).diagnostics.all();
        return found.empty() ? std::string() : found[0].message;
    };
    const std::string secret = "secret = \"${env:GOOD}\"\n", allow = "allow = [\"*:*\"]\n";
    EXPECT_EQ(of("[access.a]\n" + secret + allow), "");
    EXPECT_EQ(of("[access.a]\n" + allow), "access.a has no secret: secret = \"${file:/run/secrets/a}\"");
    EXPECT_EQ(of("[access.a]\nsecret = \"${env:SHORT}\"\n" + allow), "access.a.secret is too short: it must have 16 characters at least");
    EXPECT_EQ(of("[access.a]\nsecret = \"0123456789abcdef\"\n" + allow),
              "access.a.secret is a secret in clear text; write ${file:/run/secrets/NAME} or ${env:NAME}");
    EXPECT_EQ(of("[access.a]\n" + secret), "access.a may do nothing: allow = [\"send:QUEUE\", …]");
    EXPECT_EQ(of("[access.a]\n" + secret + "allow = [\"write:q\"]\n"),
              "access.a.allow must be VERB:QUEUE, the verb one of send, receive, delete, admin and *, not \"write:q\"");
    EXPECT_EQ(of("[access.a]\nid = \"x/y\"\n" + secret + allow), "access.a.id must have 1 to 128 letters, digits, -, _ and .");
    EXPECT_EQ(of("[access.a]\n" + secret + allow + "[access.b]\nid = \"a\"\n" + secret + allow), "access.a has the id a already");
    EXPECT_EQ(of("[sqs]\nverify = true\n"), "requests to the queue port must be signed, and there is no [access.NAME] to sign with");
}

TEST(Diagnostics, names_must_exist) {
    EXPECT_EQ(problems("[queue.leads]\n[endpoint.lead]\nqueue = \"leeds\"\n[endpoint.lead.fields]\nemail = { type = \"email\" }\n"),
              "forebay.toml:3:9: error: there is no queue \"leeds\"\n"
              "  3 | queue = \"leeds\"\n"
              "    |         ^^^^^^^ did you mean \"leads\"?\n");
    const Wrong rows[] = {
        {"[worker.w]\nhandler = \"exec\"\nqueue = \"nope\"\nexec = { command = [\"x\"] }\n", "there is no queue \"nope\""},
        {"[worker.w]\nqueue = \"leads\"\nsql = { db = \"other\", table = \"t\" }\n", "there is no db \"other\""},
        {"[worker.w]\nqueue = \"leads\"\nsql = { db = \"main\", table = \"t\" }\nthen = [\"nope\"]\n", "there is no queue \"nope\""},
        {"[queue.b]\nbackend = \"nope\"\n", "there is no backend \"nope\""},
        {"[site.s]\norigins = [\"https://x.example\"]\nendpoints = [\"leed\"]\n", "there is no endpoint \"leed\""},
    };
    for (const auto& row : rows) EXPECT_EQ(messages(base + row.text), only(row.message)) << row.text;
}

TEST(Diagnostics, a_worker_may_be_put_on_a_dead_letter_queue_that_is_only_named) {
    EXPECT_EQ(
        problems("[queue.a]\ndead_letter = \"a-dead\"\n[worker.w]\nhandler = \"exec\"\nqueue = \"a-dead\"\nexec = { command = [\"x\"] }\n"),
        "");
}

TEST(Diagnostics, a_receive_count_below_what_retry_needs_is_a_warning) {
    auto text = base +
                "[queue.other]\nmax_receive_count = 8\ndead_letter = \"dead\"\n[worker.w]\nqueue = \"other\"\nsql = { db = \"main\", table "
                "= \"t\" }\n";
    EXPECT_EQ(problems(text),
              "forebay.toml:9: warning: queue.other max_receive_count (8) is below the 15 deliveries worker.w.retry needs: SQS would "
              "dead-letter first\n");
    EXPECT_TRUE(loaded(text).is_usable());
    EXPECT_EQ(loaded(text).diagnostics.summary(), "1 warning");
}

TEST(Diagnostics, two_processes_may_not_write_one_sqlite_file) {
    EXPECT_EQ(messages(base + "[worker.w]\nqueue = \"leads\"\ncount = { min = 2 }\nsql = { db = \"main\", table = \"t\" }\n"),
              only("worker.w is 2 processes writing x.db: a SQLite file has one; use count = { min = 1 } and larger batches"));
    EXPECT_EQ(
        messages(base + "[db.same]\npath = \"x.db\"\n[worker.a]\nqueue = \"leads\"\nsql = { db = \"main\", table = \"t\" "
                        "}\n[worker.b]\nqueue = \"leads\"\nsql = { db = \"same\", table = \"t\" }\n"),
        only("worker.a and worker.b are 2 processes writing x.db: a SQLite file has one; use count = { min = 1 } and larger batches"));
}

TEST(Diagnostics, a_ledger_is_a_database_that_its_workers_may_write) {
    auto exec = [](const std::string& count) {
        return "[worker.w]\nqueue = \"leads\"\nhandler = \"exec\"\nexec = { command = [\"x\"] }\ncount = { min = " + count + " }\n";
    };
    EXPECT_EQ(messages(base + exec("1") + "[ledger]\ndb = \"mian\"\n"), only("there is no db \"mian\""));
    EXPECT_EQ(messages(base + exec("1") + "[ledger]\ndb = \"main\"\n"), std::vector<std::string>{});
    EXPECT_EQ(
        messages(base + exec("2") + "[ledger]\ndb = \"main\"\n"),
        only("worker.w is 2 processes writing x.db: a SQLite file has one; leave [ledger] db out, or name a MariaDB or PostgreSQL there"));
    EXPECT_EQ(
        messages(base + "[worker.store]\nqueue = \"leads\"\nsql = { db = \"main\", table = \"t\" }\n" + exec("1") +
                 "[ledger]\ndb = \"main\"\n"),
        only("worker.store and worker.w are 2 processes writing x.db: a SQLite file has one; leave [ledger] db out, or name a MariaDB "
             "or PostgreSQL there"));
    const std::string server =
        "[db.far]\ndriver = \"mariadb\"\nwriter = [\"10.0.0.1:3307\"]\ndatabase = \"d\"\nuser = \"u\"\n[ledger]\ndb = \"far\"\n";
    EXPECT_EQ(messages(base + server + exec("8")), std::vector<std::string>{});
}

TEST(Diagnostics, workers_on_other_hosts_need_a_ledger_that_both_reach) {
    const std::string apart = "[node]\nroles = [\"intake\", \"queue\", \"admin\"]\n";
    const std::string exec = "[worker.w]\nqueue = \"leads\"\nhandler = \"exec\"\nexec = { command = [\"x\"] }\n";
    EXPECT_EQ(
        messages(base + apart + "[worker.w]\nqueue = \"leads\"\nsql = { db = \"main\", table = \"t\" }\n"),
        only("workers and queues run on different hosts, and worker.w notes its effects in the SQLite file of db.main: both must reach "
             "them"));
    EXPECT_EQ(messages(base + apart + exec),
              only("workers and queues run on different hosts, and worker.w notes its effects in files of its own: both must reach them"));
    EXPECT_EQ(messages(base + "[node]\nroles = [\"workers\"]\n" + exec).size(), 1U);
    EXPECT_EQ(messages(base + apart + exec +
                       "[db.far]\ndriver = \"mariadb\"\nwriter = [\"10.0.0.1:3307\"]\ndatabase = \"d\"\nuser = \"u\"\n[ledger]\ndb = "
                       "\"far\"\n"),
              std::vector<std::string>{});
}

TEST(Diagnostics, workers_need_what_their_handler_needs) {
    const Wrong rows[] = {
        {"[worker.w]\nqueue = \"leads\"\nsql = { table = \"t\" }\n", "worker.w has no database: [worker.w.sql] db = \"…\""},
        {"[worker.w]\nqueue = \"leads\"\nsql = { db = \"main\" }\n", "worker.w.sql needs a statement or a table, one of the two"},
        {"[worker.w]\nqueue = \"leads\"\nsql = { db = \"main\", table = \"t\", columns = [\"email\"] }\n",
         "worker.w.sql.columns must have id, the key of the row"},
        {"[worker.w]\nsql = { db = \"main\", table = \"t\" }\n", "worker.w has no queue"},
        {"[worker.w]\nqueue = \"leads\"\nhandler = \"exec\"\n", "worker.w has no command: [worker.w.exec] command = [\"/usr/bin/php\", …]"},
        {"[worker.w]\nhandler = \"program\"\n", "worker.w is a program and has no command"},
        {"[worker.w]\nhandler = \"program\"\ncommand = [\"x\"]\nexec = { command = [\"x\"] }\n", "worker.w.exec is for handler = \"exec\""},
        {"[worker.w]\nqueue = \"leads\"\ncount = { min = 1, max = 3 }\nsql = { db = \"main\", table = \"t\" }\n",
         "worker.w is 3 processes writing x.db: a SQLite file has one; use count = { min = 1 } and larger batches"},
        {"[worker.w]\nqueue = \"leads\"\nsql = { db = \"main\", table = \"t\" }\nthen = [\"partner.*\"]\n",
         "\"partner.*\": partners are not in this version"},
        {"[worker.node]\nhandler = \"program\"\ncommand = [\"x\"]\n", "a worker cannot be called node"},
        {"[worker.\"a:b\"]\nhandler = \"program\"\ncommand = [\"x\"]\n", "a worker's name has letters, digits, -, _ and ."},
        {"[db.empty]\n", "db.empty has no path: the SQLite file, such as path = \"forebay-data/forebay.db\""},
    };
    for (const auto& row : rows) EXPECT_EQ(messages(base + row.text), only(row.message)) << row.text;
}

TEST(Diagnostics, the_bounds_of_scaling_fit_together) {
    auto count = [](const std::string& values) {
        return messages(base + "[worker.w]\nqueue = \"leads\"\nhandler = \"exec\"\nexec = { command = [\"x\"] }\ncount = { " + values +
                        " }\n");
    };
    EXPECT_EQ(count("min = 1, max = 4, drain_within = \"1m\", step = 3, cooldown = \"5s\""), std::vector<std::string>{});
    EXPECT_EQ(count("min = 3, max = 2"), only("worker.w.count: max (2) is less than min (3)"));
    EXPECT_EQ(count("min = 3, step = 2"), only("worker.w.count.step needs a max: count = { min = 1, max = 4 }"));
    EXPECT_EQ(count("min = 3, drain_within = \"10s\""), only("worker.w.count.drain_within needs a max: count = { min = 1, max = 4 }"));
    EXPECT_EQ(count("min = 1, max = 2, drain_within = \"10ms\""), only("worker.w.count.drain_within must be from 1s to 1d, not 10ms"));
    EXPECT_EQ(count("min = 1, max = 2, cooldown = \"2h\""), only("worker.w.count.cooldown must be from 1s to 1h, not 2h"));
    EXPECT_EQ(messages(base + "[worker.w]\nhandler = \"program\"\ncommand = [\"x\"]\ncount = { min = 1, max = 2 }\n"),
              only("worker.w is a program without a queue: what waits there says how many processes there are to be"));
}

TEST(Diagnostics, a_misspelt_parameter_of_a_statement_is_a_warning) {
    EXPECT_EQ(
        problems(base +
                 "[worker.w]\nqueue = \"leads\"\nsql = { db = \"main\", statement = \"INSERT INTO t VALUES (:id, :emial, ':quoted')\" }\n"),
        "forebay.toml:10: warning: worker.w.sql.statement has :emial, which no endpoint of queue leads has: it would be NULL\n"
        "  did you mean :email?\n");
}

TEST(Diagnostics, a_statement_that_may_lose_a_record_without_a_word_is_a_warning) {
    auto text =
        problems(base + "[worker.w]\nqueue = \"leads\"\nsql = { db = \"main\", statement = \"INSERT OR IGNORE INTO t VALUES (:id)\" }\n");
    EXPECT_NE(text.find("warning: worker.w.sql.statement: IGNORE leaves out"), std::string::npos) << text;
    EXPECT_NE(text.find("INSERT alone"), std::string::npos) << text;
}

TEST(Diagnostics, queues_keep_to_the_limits_of_sqs) {
    const Wrong rows[] = {
        {"[queue.q]\nvisibility_timeout = \"13h\"\n", "queue.q.visibility_timeout must be from 0s to 12h, not 13h"},
        {"[queue.q]\ndelay = \"16m\"\n", "queue.q.delay must be from 0s to 15m, not 16m"},
        {"[queue.q]\nreceive_wait = \"30s\"\n", "queue.q.receive_wait must be from 0s to 20s, not 30s"},
        {"[queue.q]\nretention = \"15d\"\n", "queue.q.retention must be from 1m to 14d, not 15d"},
        {"[queue.q]\nmax_message_size = \"2MiB\"\n", "queue.q.max_message_size must be at most 1MiB"},
        {"[queue.q]\nmax_receive_count = 5\n", "max_receive_count needs a dead_letter queue to move messages to"},
        {"[queue.q]\ndead_letter = \"q\"\n", "a queue cannot be its own dead_letter"},
        {"[queue.q]\ndead_letter = \"d.fifo\"\n", "the dead letters of a queue that is not FIFO go to one that is not FIFO either"},
        {"[queue.\"q.fifo\"]\n", "a queue of the configuration cannot be FIFO: a record belongs to no message group"},
        {"[queue.\"a b\"]\n", "a queue's name has 1 to 80 letters, digits, - and _"},
        {"[queue.forebay-quarantine]\n", "the queue forebay-quarantine is Forebay's own, for refused posts"},
    };
    for (const auto& row : rows) EXPECT_EQ(messages(row.text), only(row.message)) << row.text;
}

TEST(Diagnostics, addresses_and_paths_have_one_owner) {
    EXPECT_EQ(messages("[admin]\nlisten = [\"127.0.0.1:8080\"]\n"), only("127.0.0.1:8080 is taken by intake.listen"));
    EXPECT_EQ(messages(base + "[endpoint.b]\npath = \"/v1/lead\"\nqueue = \"leads\"\nfields = { email = { type = \"email\" } }\n"),
              only("endpoint.lead has the path /v1/lead already"));
}

TEST(Diagnostics, what_intake_refuses_is_told_at_the_field) {
    auto text = problems(base + "zip = { pattern = \"(\" }\n");
    EXPECT_TRUE(text.starts_with("forebay.toml:8:19: error: endpoint.lead.fields.zip.pattern: ")) << text;
}

TEST(Diagnostics, problems_come_in_the_order_of_the_file_with_their_count) {
    auto found = loaded("[node]\nb = 1\na = 2\n[log]\nlevl = \"x\"\n");
    auto text = found.diagnostics.text(false);
    EXPECT_LT(text.find(":2:1:"), text.find(":3:1:"));
    EXPECT_LT(text.find(":3:1:"), text.find(":5:1:"));
    EXPECT_EQ(found.diagnostics.summary(), "3 errors");
}

TEST(Diagnostics, errors_and_warnings_are_counted_apart) {
    Diagnostics diagnostics;
    EXPECT_EQ(diagnostics.summary(), "no problems");
    diagnostics.warning({}, "w");
    diagnostics.error({}, "e");
    EXPECT_EQ(diagnostics.summary(), "2 problems (1 error)");
}

TEST(Diagnostics, colours_are_only_used_when_asked_for) {
    auto found = loaded("[node]\nzzzzzz = 1\n");
    EXPECT_EQ(found.diagnostics.text(false).find('\033'), std::string::npos);
    EXPECT_NE(found.diagnostics.text(true).find("\033[31merror: "), std::string::npos);
}

}  // namespace
