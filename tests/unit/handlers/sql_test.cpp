#include "handlers/sql.h"

#include <sys/wait.h>

#include <filesystem>
#include <fstream>

#include "handlers/bisect.h"
#include "handlers/table.h"
#include "handlers/values.h"
#include "ledger/erase.h"
#include "tests/unit/handlers/jobs.h"

namespace forebay::handlers {
namespace {

using Kind = worker::Outcome::Kind;
using Done = Result<void, db::Error>;

class Sql : public InDirectory {
  protected:
    Sql() {
        database.path = directory + "/main.db";
        database.busy_timeout = 20ms;
        options.worker = "store";
        options.table = "leads";
        options.columns = columns_for({{"email", "TEXT"}});
        options.create_table = true;
    }
    SqlHandler handler() { return SqlHandler(options, database, clock); }
    db::Rows query(const std::string& sql) {
        db::Rows rows;
        auto reader = db::open_reader(database);
        EXPECT_TRUE(reader);
        EXPECT_TRUE((*reader)->read([&](db::ReadTransaction& t) -> Done {
            TRY_ASSIGN(rows, t.query(sql));
            return {};
        }));
        return rows;
    }
    std::int64_t count(const std::string& what) { return db::integer_of(query("SELECT count(*) FROM " + what).at(0).at(0)); }
    void execute(const std::string& sql) {
        auto db = db::open(database);
        ASSERT_TRUE(db);
        auto done = (*db)->write([&](db::WriteTransaction& t) -> Done {
            TRY(t.execute(sql));
            return {};
        });
        ASSERT_TRUE(done) << done.error().what;
    }
    static std::vector<Kind> kinds(const std::vector<worker::Outcome>& outcomes) {
        std::vector<Kind> out;
        for (auto& o : outcomes) out.push_back(o.kind);
        return out;
    }
    SqlOptions options;
    db::Options database;
    SystemClock clock;
};

TEST_F(Sql, a_batch_becomes_rows_with_their_effects_beside_them) {
    auto h = handler();
    auto outcomes = h.run(jobs(3), {});
    EXPECT_EQ(kinds(outcomes), (std::vector<Kind>{Kind::done, Kind::done, Kind::done}));
    EXPECT_EQ(query("SELECT id, received_at, email FROM leads ORDER BY id").at(0),
              (db::Row{to_text(id_of(1)), std::string("2026-09-21T14:03:11.482Z"), std::string("lead1@example.com")}));
    EXPECT_EQ(count("forebay_effects WHERE state = 'done' AND effect = 'store' AND worker = 'store:1'"), 3);
    EXPECT_EQ(count("forebay_records"), 3);
    EXPECT_EQ(count("forebay_search WHERE kind = 'email'"), 3);
    EXPECT_EQ(count("leads JOIN forebay_effects ON id = record"), 3);
}

TEST_F(Sql, the_same_message_twice_is_one_row) {
    auto h = handler();
    (void)h.run(jobs(3), {});
    auto outcomes = h.run(jobs(5), {});
    EXPECT_EQ(kinds(outcomes), std::vector<Kind>(5, Kind::done));
    EXPECT_EQ(count("leads"), 5);
    EXPECT_EQ(count("forebay_effects"), 5);
}

std::vector<std::string> targets_of(const worker::Outcome& outcome) {
    std::vector<std::string> targets;
    for (auto& one : outcome.follow_ups) targets.push_back(one.target);
    return targets;
}

TEST_F(Sql, a_row_has_its_follow_ups_beside_it) {
    options.then = {"score", "stats"};
    auto h = handler();
    auto outcomes = h.run(jobs(2), {});
    EXPECT_EQ(targets_of(outcomes[0]), options.then);
    EXPECT_EQ(outcomes[0].follow_ups[1].queue, "stats");
    EXPECT_EQ(record::decode(outcomes[0].follow_ups[0].body, {}, {})->id, id_of(1));
    EXPECT_EQ(count("forebay_outbox JOIN leads ON id = record WHERE effect = 'store' AND sent_at IS NULL"), 4);
    EXPECT_TRUE(h.note_sent(std::vector<worker::Sent>{{id_of(1), {"score", "stats"}}, {id_of(2), {"stats"}}}));
    EXPECT_EQ(count("forebay_outbox WHERE sent_at IS NOT NULL"), 3);
}

TEST_F(Sql, of_what_was_erased_while_it_was_in_hand_nothing_is_kept) {
    options.then = {"score"};
    (void)handler().run(jobs(1), {});
    {
        auto db = db::open(database);
        ASSERT_TRUE(db);
        ASSERT_TRUE((*db)->write([&](db::WriteTransaction& t) -> Done {
            TRY(ledger::erase(t, id_of(2), "lead", {1000}, {2000}));
            return {};
        }));
    }
    auto outcomes = handler().run(jobs(3), {});
    EXPECT_EQ(kinds(outcomes), std::vector<Kind>(3, Kind::done));
    EXPECT_EQ(targets_of(outcomes[1]), std::vector<std::string>{});
    EXPECT_EQ(targets_of(outcomes[2]), options.then);
    auto erased = "= '" + to_text(id_of(2)) + "'";
    for (auto* table : {"leads WHERE id ", "forebay_effects WHERE record ", "forebay_search WHERE record ", "forebay_outbox WHERE record "})
        EXPECT_EQ(count(table + erased), 0) << table;
    EXPECT_EQ(count("leads"), 2);
    EXPECT_EQ(count("forebay_records WHERE erased_at IS NOT NULL AND body_sha IS NULL"), 1);
}

TEST_F(Sql, a_redelivery_sends_what_is_not_yet_sent) {
    options.then = {"score", "stats"};
    {
        auto h = handler();
        (void)h.run(jobs(3), {});
        EXPECT_TRUE(h.note_sent(std::vector<worker::Sent>{{id_of(1), {"score", "stats"}}, {id_of(2), {"stats"}}}));
    }
    auto outcomes = handler().run(jobs(4), {});
    EXPECT_EQ(targets_of(outcomes[0]), std::vector<std::string>{});
    EXPECT_EQ(targets_of(outcomes[1]), std::vector<std::string>{"score"});
    EXPECT_EQ(targets_of(outcomes[2]), options.then);
    EXPECT_EQ(targets_of(outcomes[3]), options.then);
    EXPECT_EQ(count("leads"), 4);
}

TEST_F(Sql, an_effect_of_which_the_outbox_knows_nothing_is_sent_again_rather_than_not) {
    (void)handler().run(jobs(1), {});
    options.then = {"score"};
    EXPECT_EQ(targets_of(handler().run(jobs(1), {}).at(0)), options.then);
}

TEST_F(Sql, records_wait_while_the_file_is_gone_and_an_empty_one_gets_its_tables) {
    auto h = handler();
    (void)h.run(jobs(2), {});
    std::filesystem::remove(database.path);
    auto outcomes = h.run(jobs(2, 3), {});
    EXPECT_EQ(kinds(outcomes), std::vector<Kind>(2, Kind::hold));
    EXPECT_NE(outcomes[0].why.find("is gone"), std::string::npos) << outcomes[0].why;
    EXPECT_FALSE(h.probe());
    std::ofstream(database.path).flush();
    EXPECT_TRUE(h.probe());
    EXPECT_EQ(kinds(h.run(jobs(2, 3), {})), std::vector<Kind>(2, Kind::done));
    EXPECT_EQ(count("leads"), 2);
}

TEST_F(Sql, what_is_run_again_is_written_although_it_was_done_and_noted_by_a_name_of_its_own) {
    auto run = [&](const auto& batch) { return kinds(handler().run(batch, {})); };
    auto batch = jobs(3);
    (void)run(batch);
    execute("DELETE FROM leads WHERE id IN ('" + to_text(id_of(1)) + "', '" + to_text(id_of(2)) + "')");
    batch[0].envelope.again = 1;
    EXPECT_EQ(run(batch), (std::vector<Kind>{Kind::done, Kind::done, Kind::done}));
    EXPECT_EQ(count("leads WHERE id = '" + to_text(id_of(1)) + "'"), 1);
    EXPECT_EQ(count("leads"), 2) << "the others are done";
    EXPECT_EQ(count("forebay_effects WHERE effect = 'store again-1' AND state = 'done'"), 1);
    execute("DELETE FROM leads WHERE id = '" + to_text(id_of(1)) + "'");
    (void)run(batch);
    EXPECT_EQ(count("leads"), 1) << "the first time again is done too";
    batch[0].envelope.again = 2;
    (void)run(batch);
    EXPECT_EQ(count("leads"), 2);
    EXPECT_EQ(count("forebay_effects"), 5);
}

TEST_F(Sql, what_is_run_again_leaves_a_row_that_is_there_as_it_is_and_takes_no_row_of_another_record) {
    (void)handler().run(jobs(2), {});
    execute("UPDATE leads SET email = 'mended@example.com' WHERE id = '" + to_text(id_of(1)) + "'");
    execute("CREATE UNIQUE INDEX one_email ON leads (email)");
    execute("DELETE FROM leads WHERE id = '" + to_text(id_of(2)) + "'");
    (void)handler().run(std::vector<worker::Job>{job(9, "lead2@example.com")}, {});
    auto batch = jobs(3);
    batch[0].envelope.again = batch[1].envelope.again = 1;
    auto outcomes = handler().run(batch, {});
    EXPECT_EQ(kinds(outcomes), (std::vector<Kind>{Kind::done, Kind::dead, Kind::done}));
    EXPECT_NE(outcomes[1].why.find("email"), std::string::npos) << outcomes[1].why;
    EXPECT_EQ(query("SELECT email FROM leads ORDER BY id"),
              (db::Rows{{std::string("mended@example.com")}, {std::string("lead3@example.com")}, {std::string("lead2@example.com")}}));
    EXPECT_EQ(count("forebay_effects WHERE state = 'done' AND effect = 'store'"), 4) << "that they were done once stays true";
    EXPECT_EQ(count("forebay_effects WHERE effect = 'store again-1'"), 1) << "the worker notes what is dead";
}

TEST_F(Sql, what_is_run_again_sends_its_record_on_only_where_that_was_never_done) {
    options.then = {"score"};
    {
        auto h = handler();
        (void)h.run(jobs(2), {});
        EXPECT_TRUE(h.note_sent(std::vector<worker::Sent>{{id_of(1), {"score"}}}));
    }
    options.then = {"score", "stats"};
    auto batch = jobs(2);
    batch[0].envelope.again = batch[1].envelope.again = 1;
    auto outcomes = handler().run(batch, {});
    EXPECT_EQ(targets_of(outcomes[0]), std::vector<std::string>{"stats"});
    EXPECT_EQ(targets_of(outcomes[1]), options.then);
    EXPECT_EQ(record::decode(outcomes[1].follow_ups[0].body, {}, {})->again, 0u);
}

TEST_F(Sql, what_is_discarded_is_noted_and_not_written_unless_it_is_done) {
    options.then = {"score"};
    (void)handler().run(jobs(1), {});
    auto some = jobs(3);
    handler().note(std::span(some).subspan(1, 1), std::vector<worker::Settlement>{{Kind::dead, "no", 2, {}}});
    EXPECT_EQ(count("forebay_dead"), 1);
    some[0].decided = some[1].decided = worker::Outcome::discarded("a test post");
    auto outcomes = handler().run(some, {});
    EXPECT_EQ(kinds(outcomes), (std::vector<Kind>{Kind::done, Kind::discarded, Kind::done}));
    EXPECT_EQ(outcomes[1].why, "a test post");
    EXPECT_EQ(targets_of(outcomes[1]), std::vector<std::string>{});
    EXPECT_EQ(targets_of(outcomes[0]), options.then) << "is not known to be sent";
    EXPECT_EQ(count("leads"), 2);
    EXPECT_EQ(count("forebay_dead"), 0) << "it is dead no more";
    EXPECT_EQ(query("SELECT record, error FROM forebay_effects WHERE state = 'discarded'"),
              (db::Rows{{to_text(id_of(2)), std::string("a test post")}}));
    EXPECT_EQ(count("forebay_outbox"), 2) << "nothing follows";
}

TEST_F(Sql, what_is_skipped_is_noted_beside_what_is_written) {
    auto some = jobs(4);
    some[1].decided = some[3].decided = worker::Outcome::skipped("when: state == \"CA\"");
    EXPECT_EQ(kinds(handler().run(some, {})), (std::vector<Kind>{Kind::done, Kind::skipped, Kind::done, Kind::skipped}));
    EXPECT_EQ(kinds(handler().run(some, {})), (std::vector<Kind>{Kind::done, Kind::skipped, Kind::done, Kind::skipped}));
    EXPECT_EQ(count("leads"), 2);
    EXPECT_EQ(count("forebay_records"), 4);
    EXPECT_EQ(count("forebay_effects WHERE state = 'skipped' AND attempts = 0 AND error = 'when: state == \"CA\"'"), 2);
    EXPECT_EQ(kinds(handler().run(jobs(4), {})), std::vector<Kind>(4, Kind::done)) << "where the condition holds by now they are written";
    EXPECT_EQ(count("leads"), 4);
    EXPECT_EQ(kinds(handler().run(some, {})), std::vector<Kind>(4, Kind::done)) << "what is done stays done";
}

TEST_F(Sql, the_record_itself_beside_its_discard_is_written) {
    auto ordered = job(1);
    ordered.decided = worker::Outcome::discarded("a test post");
    auto outcomes = handler().run(std::vector<worker::Job>{ordered, job(1), ordered}, {});
    EXPECT_EQ(kinds(outcomes), std::vector<Kind>(3, Kind::done));
    EXPECT_EQ(count("leads"), 1);
    EXPECT_EQ(count("forebay_effects WHERE state = 'done'"), 1);
}

TEST_F(Sql, a_poisonous_record_beside_a_discard_leaves_it_discarded) {
    execute("CREATE TABLE leads (id TEXT PRIMARY KEY, received_at TEXT, email TEXT CHECK (length(email) < 40))");
    auto ordered = job(1);
    ordered.decided = worker::Outcome::discarded("a test post");
    auto outcomes = handler().run(std::vector<worker::Job>{job(1, std::string(50, 'x')), ordered}, {});
    EXPECT_EQ(kinds(outcomes), (std::vector<Kind>{Kind::dead, Kind::discarded}));
    EXPECT_EQ(count("forebay_effects WHERE state = 'discarded'"), 1);
}

TEST_F(Sql, a_retrying_record_waits_as_its_row_says) {
    auto h = handler();
    auto batch = jobs(3);
    h.note(batch,
           std::vector<worker::Settlement>{{Kind::retry, "busy", 2, Timestamp{77}}, {Kind::dead, "no", 1, {}}, {Kind::hold, "", 0, {}}});
    auto waits = h.waits(batch);
    ASSERT_TRUE(waits.at(0));
    EXPECT_GT(waits[0]->since, Timestamp{77}) << "noted now";
    EXPECT_EQ(waits, (std::vector<std::optional<worker::Wait>>{worker::Wait{waits[0]->since, {77}}, std::nullopt, std::nullopt}));
    (void)h.run(batch, {});
    EXPECT_EQ(h.waits(batch), std::vector<std::optional<worker::Wait>>(3)) << "what is done waits for nothing";
}

TEST_F(Sql, the_same_record_twice_in_one_batch_is_one_row) {
    auto h = handler();
    std::vector<worker::Job> both{job(1), job(1)};
    EXPECT_EQ(kinds(h.run(both, {})), std::vector<Kind>(2, Kind::done));
    EXPECT_EQ(count("leads"), 1);
}

TEST_F(Sql, a_record_is_not_written_again_even_where_the_users_table_would_take_it) {
    execute("CREATE TABLE log (email TEXT)");
    options.table.clear();
    options.statement = "INSERT INTO log (email) VALUES (:email)";
    auto h = handler();
    (void)h.run(jobs(2), {});
    (void)h.run(jobs(2), {});
    EXPECT_EQ(count("log"), 2);
}

TEST_F(Sql, a_statement_gets_the_fields_and_what_forebay_knows) {
    execute("CREATE TABLE leads (id TEXT PRIMARY KEY, received_at TEXT, endpoint TEXT, email TEXT, zip TEXT, ip TEXT, raw TEXT)");
    options.table.clear();
    options.statement =
        "INSERT INTO leads (id, received_at, endpoint, email, zip, ip, raw) VALUES (:id, :received_at, :endpoint, :email, :zip, :_ip, "
        ":_raw) "
        "ON CONFLICT (id) DO NOTHING";
    auto h = handler();
    EXPECT_EQ(kinds(h.run(jobs(1), {})), std::vector<Kind>{Kind::done});
    EXPECT_EQ(query("SELECT * FROM leads").at(0),
              (db::Row{to_text(id_of(1)), std::string("2026-09-21T14:03:11.482Z"), std::string("lead"), std::string("lead1@example.com"),
                       std::monostate{}, std::string("203.0.113.9"), std::string("{}")}));
}

TEST_F(Sql, a_poisonous_record_is_found_and_the_rest_of_its_batch_is_written) {
    options.create_table = false;
    execute("CREATE TABLE leads (id TEXT PRIMARY KEY, received_at TEXT, email TEXT CHECK (email <> 'poison'))");
    auto h = handler();
    auto batch = jobs(50);
    batch[17] = job(18, "poison");
    batch[41] = job(42, "poison");
    auto outcomes = h.run(batch, {});
    for (std::size_t i = 0; i < batch.size(); ++i) EXPECT_EQ(outcomes[i].kind, i == 17 || i == 41 ? Kind::dead : Kind::done) << i;
    EXPECT_EQ(outcomes[17].why, "main: CHECK constraint failed: email <> 'poison'");
    EXPECT_EQ(count("leads"), 48);
    EXPECT_EQ(count("forebay_effects WHERE state = 'done'"), 48);
}

TEST_F(Sql, what_is_dead_or_retried_is_noted_for_find) {
    auto h = handler();
    auto batch = jobs(3);
    (void)h.run(std::span(batch).first(1), {});
    std::vector<worker::Settlement> settlements{
        {Kind::done, "", 1, {}}, {Kind::dead, "no zip", 1, {}}, {Kind::retry, "exit 1", 2, Timestamp{77}}};
    h.note(batch, settlements);
    EXPECT_EQ(query("SELECT state, attempts, error FROM forebay_effects WHERE record = '" + to_text(id_of(2)) + "'").at(0),
              (db::Row{std::string("dead"), std::int64_t{1}, std::string("no zip")}));
    EXPECT_EQ(query("SELECT state, attempts, next_at FROM forebay_effects WHERE record = '" + to_text(id_of(3)) + "'").at(0),
              (db::Row{std::string("retrying"), std::int64_t{2}, std::int64_t{77}}));
    EXPECT_EQ(count("leads"), 1);
}

TEST_F(Sql, a_locked_database_holds_the_batch_and_the_probe_says_when_it_is_back) {
    auto h = handler();
    (void)h.run(jobs(1), {});
    int ready[2], release[2];
    ASSERT_EQ(::pipe(ready), 0);
    ASSERT_EQ(::pipe(release), 0);
    // Another process that begins to write, as an operator with a shell on the file does.
    pid_t other = ::fork();
    if (other == 0) {
        ::close(release[1]);
        auto path = database.path;
        std::filesystem::create_hard_link(path, directory + "/same.db");  // a lock file of its own, the same database
        db::Options o;
        o.path = directory + "/same.db";
        auto db = db::open(o);
        (void)(*db)->write([&](db::WriteTransaction&) -> Done {
            (void)!::write(ready[1], "y", 1);
            char c;
            (void)!::read(release[0], &c, 1);
            return {};
        });
        ::_exit(0);
    }
    ::close(release[0]);
    char c = 0;
    ASSERT_EQ(::read(ready[0], &c, 1), 1);
    EXPECT_EQ(kinds(h.run(jobs(3), {})), std::vector<Kind>(3, Kind::hold));
    EXPECT_FALSE(h.probe());
    ::close(release[1]);
    ::waitpid(other, nullptr, 0);
    EXPECT_TRUE(h.probe());
    EXPECT_EQ(kinds(h.run(jobs(3), {})), std::vector<Kind>(3, Kind::done));
    EXPECT_EQ(count("leads"), 3);
}

TEST_F(Sql, a_full_database_holds_and_goes_on_when_there_is_room) {
    database.max_pages = 16;
    std::vector<Kind> last;
    unsigned n = 1;
    {
        auto h = handler();
        do last = kinds(h.run(jobs(10, n), {}));
        while (last[0] == Kind::done && (n += 10) < 5000);
    }
    EXPECT_EQ(last, std::vector<Kind>(10, Kind::hold));
    EXPECT_EQ(count("leads"), n - 1) << "the batch that did not fit left nothing";
    database.max_pages = 0;
    EXPECT_EQ(kinds(handler().run(jobs(10, n), {})), std::vector<Kind>(10, Kind::done));
}

TEST_F(Sql, a_database_that_cannot_be_opened_holds) {
    database.path = directory + "/missing/main.db";
    auto h = handler();
    EXPECT_EQ(kinds(h.run(jobs(2), {})), std::vector<Kind>(2, Kind::hold));
    EXPECT_FALSE(h.probe());
    std::filesystem::create_directories(directory + "/missing");
    EXPECT_TRUE(h.probe());
    EXPECT_EQ(kinds(h.run(jobs(2), {})), std::vector<Kind>(2, Kind::done));
}

TEST_F(Sql, a_table_that_is_missing_holds_until_somebody_makes_it) {
    options.create_table = false;
    {
        auto h = handler();
        EXPECT_EQ(kinds(h.run(jobs(2), {})), std::vector<Kind>(2, Kind::hold));
    }
    execute("CREATE TABLE leads (id TEXT PRIMARY KEY, received_at TEXT, email TEXT)");
    EXPECT_EQ(kinds(handler().run(jobs(2), {})), std::vector<Kind>(2, Kind::done));
}

TEST_F(Sql, columns_that_a_table_lacks_are_added_and_none_is_touched) {
    (void)handler().run(jobs(1), {});
    options.columns = columns_for({{"email", "TEXT"}, {"a \"b\"", "INTEGER"}, {"Email", "TEXT"}, {"id", "TEXT"}});
    EXPECT_EQ(options.columns.size(), 4u) << "names that SQL cannot tell apart are one column";
    EXPECT_EQ(kinds(handler().run(jobs(2), {})), std::vector<Kind>(2, Kind::done));
    EXPECT_EQ(count("leads"), 2);
    EXPECT_EQ(query("SELECT \"a \"\"b\"\"\" FROM leads").size(), 2u);
}

TEST_F(Sql, a_table_without_an_id_column_gets_one) {
    options.columns = {{"email", "email", "TEXT"}};
    (void)handler().run(jobs(2), {});
    EXPECT_EQ(query("SELECT id FROM leads ORDER BY id").at(1).at(0), db::Value(to_text(id_of(2))));
}

TEST_F(Sql, a_writer_that_is_killed_leaves_effects_equal_to_rows) {
    for (int round = 0; round < 5; ++round) {
        pid_t child = ::fork();
        if (child == 0) {
            auto h = handler();
            for (unsigned n = 1;; n += 10) (void)h.run(jobs(10, n), {});
        }
        ::usleep(20'000 + 13'000 * static_cast<unsigned>(round));
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        auto h = handler();
        EXPECT_EQ(kinds(h.run(jobs(1), {})), std::vector<Kind>{Kind::done});
        auto rows = count("leads");
        EXPECT_EQ(count("forebay_effects"), rows);
        EXPECT_EQ(count("leads JOIN forebay_effects ON id = record WHERE state = 'done'"), rows);
    }
}

TEST(Bisect, costs_nothing_without_poison_and_little_with_it) {
    auto batch = jobs(64);
    int tries = 0;
    auto write = [&](std::span<const worker::Job> some) -> Done {
        ++tries;
        for (auto& j : some)
            if (j.envelope.id == id_of(5)) return Failure{db::Error{db::ErrorKind::poison, 0, "bad"}};
        return {};
    };
    auto outcomes = bisect(std::span<const worker::Job>(batch), write);
    EXPECT_EQ(outcomes.size(), 64u);
    EXPECT_EQ(outcomes[4].kind, Kind::dead);
    EXPECT_EQ(std::count_if(outcomes.begin(), outcomes.end(), [](auto& o) { return o.kind == Kind::done; }), 63);
    EXPECT_EQ(tries, 13);
    tries = 0;
    (void)bisect(std::span<const worker::Job>(batch).subspan(10), write);
    EXPECT_EQ(tries, 1);
}

TEST(Bisect, an_outage_in_the_middle_of_the_search_holds_the_rest) {
    auto batch = jobs(4);
    int tries = 0;
    auto outcomes = bisect(std::span<const worker::Job>(batch), [&](std::span<const worker::Job> some) -> Done {
        ++tries;
        if (some.size() == 4) return Failure{db::Error{db::ErrorKind::poison, 0, "bad"}};
        if (tries == 2) return {};
        return Failure{db::Error{db::ErrorKind::dependency, 0, "locked"}};
    });
    EXPECT_EQ(outcomes[0].kind, Kind::done);
    EXPECT_EQ(outcomes[1].kind, Kind::done);
    EXPECT_EQ(outcomes[2].kind, Kind::hold);
    EXPECT_EQ(outcomes[3].kind, Kind::hold);
    tries = 1;
    outcomes = bisect(std::span<const worker::Job>(batch), [&](std::span<const worker::Job> some) -> Done {
        return Failure{db::Error{some.size() == 4 ? db::ErrorKind::poison : db::ErrorKind::dependency, 0, "locked"}};
    });
    EXPECT_EQ(outcomes[1].kind, Kind::hold);
    EXPECT_EQ(outcomes[2].kind, Kind::untouched) << "nothing more is tried during an outage";
}

TEST(Values, each_kind_of_field_has_its_kind_of_value) {
    record::Envelope e;
    e.fields = *json::parse(
        R"({"s":"x","i":42,"r":1.5,"d":"42.00","long":0.12345678901234567,"t":true,"f":false,"n":null,"l":[1,"a"],"o":{"k":1}})");
    e.raw = "\xff\xfe";
    EXPECT_EQ(value_of(e, "s"), db::Value(std::string("x")));
    EXPECT_EQ(value_of(e, "i"), db::Value(std::int64_t{42}));
    EXPECT_EQ(value_of(e, "r"), db::Value(1.5));
    EXPECT_EQ(value_of(e, "d"), db::Value(std::string("42.00")));
    EXPECT_EQ(value_of(e, "long"), db::Value(std::string("0.12345678901234567"))) << "a double would not give it back";
    EXPECT_EQ(value_of(e, "t"), db::Value(std::int64_t{1}));
    EXPECT_EQ(value_of(e, "f"), db::Value(std::int64_t{0}));
    EXPECT_EQ(value_of(e, "n"), db::Value(std::monostate{}));
    EXPECT_EQ(value_of(e, "missing"), db::Value(std::monostate{}));
    EXPECT_EQ(value_of(e, "l"), db::Value(std::string(R"([1,"a"])")));
    EXPECT_EQ(value_of(e, "o"), db::Value(std::string(R"({"k":1})")));
    EXPECT_EQ(value_of(e, "_ip"), db::Value(std::monostate{}));
    EXPECT_EQ(value_of(e, "_raw"), db::Value(db::Blob{"\xff\xfe"}));
}

}  // namespace
}  // namespace forebay::handlers
