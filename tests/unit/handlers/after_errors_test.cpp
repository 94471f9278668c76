// What becomes of records, line by line of the table of database errors: the real worker and handler, a queue in memory, a
// database that goes wrong as told.
#include <gtest/gtest.h>

#include <functional>

#include "handlers/sql.h"
#include "tests/unit/handlers/faulty_database.h"
#include "tests/unit/handlers/jobs.h"
#include "tests/unit/worker/scripted_source.h"
#include "worker/worker.h"

namespace forebay::handlers {
namespace {

using db::ErrorKind;
using Done = Result<void, db::Error>;

class AfterErrors : public InDirectory {
  protected:
    AfterErrors() {
        database.path = directory + "/main.db";
        sql.worker = "store";
        sql.table = "leads";
        sql.columns = columns_for({{"email", "TEXT"}});
        sql.create_table = true;
        options.worker = "store";
        options.queue = "leads";
        options.dead_letter = "leads-dead";
        options.poll = options.probe = 5ms;
        options.depends_on = "db.main";
        source.when_empty = [this] { controls.stop = true; };
    }
    void put(unsigned first, unsigned last) {
        for (unsigned n = first; n <= last; ++n) source.put("m" + std::to_string(n), job(n).body);
    }
    void work() {
        controls.stop = false;
        SqlHandler handler(sql, database, clock, [&](db::Options at) -> Result<std::unique_ptr<db::Database>, db::Error> {
            TRY_ASSIGN(auto real, db::open(std::move(at)));
            return std::unique_ptr<db::Database>(std::make_unique<FaultyDatabase>(std::move(real), faults, transactions));
        });
        (void)worker::Worker(options, {source, heartbeat, handler, clock, entropy, controls, nullptr, {}}).run();
    }
    std::int64_t count(const std::string& what) {
        std::int64_t count = 0;
        auto reader = db::open_reader(database);
        EXPECT_TRUE((*reader)->read([&](db::ReadTransaction& t) -> Done {
            TRY_ASSIGN(auto rows, t.query("SELECT count(*) FROM " + what));
            count = db::integer_of(rows.at(0).at(0));
            return {};
        }));
        return count;
    }
    void expect_written_once(int records) {
        EXPECT_EQ(count("leads"), records);
        EXPECT_EQ(count("forebay_effects WHERE state = 'done'"), records);
        EXPECT_EQ(source.settled.size(), static_cast<std::size_t>(records));
        EXPECT_TRUE(source.extended.empty()) << "no attempt is spent";
        EXPECT_TRUE(source.sent.empty()) << "nothing is dead";
    }

    db::Options database;
    SqlOptions sql;
    worker::Options options;
    worker::ScriptedSource source, heartbeat;
    worker::Controls controls;
    SystemClock clock;
    SystemEntropy entropy;
    std::deque<Fault> faults;
    int transactions = 0;
};

/// So often in a row.
void again(std::deque<Fault>& faults, std::size_t times, const Fault& fault) { faults.insert(faults.end(), times, fault); }

TEST_F(AfterErrors, a_deadlock_or_a_failed_certification_is_tried_again_in_place) {
    again(faults, 9, rolled_back(ErrorKind::conflict, 1213, "Deadlock found when trying to get lock"));
    put(1, 3);
    work();
    expect_written_once(3);
    EXPECT_EQ(transactions, 10);
    EXPECT_TRUE(source.released.empty()) << "the queue was not told";
}

TEST_F(AfterErrors, a_conflict_that_does_not_end_gives_the_records_back_and_spends_nothing) {
    again(faults, 10, rolled_back(ErrorKind::conflict, 1205, "Lock wait timeout exceeded"));
    put(1, 3);
    work();
    expect_written_once(3);
    EXPECT_EQ(source.released.size(), 3u);
}

TEST_F(AfterErrors, a_node_that_is_not_primary_and_a_server_that_is_away_give_the_records_back) {
    for (auto [code, what] :
         {std::pair{1047, "WSREP has not yet prepared node for application use"}, std::pair{2002, "Can't connect"},
          std::pair{1040, "Too many connections"}, std::pair{1290, "running with the --read-only option"}, std::pair{1021, "Disk full"}})
        faults.push_back(rolled_back(ErrorKind::dependency, code, what));
    put(1, 2);
    work();
    expect_written_once(2);
    EXPECT_EQ(source.released.size(), 2u + 4u) << "both, and then the one that went first four times";
    EXPECT_TRUE(faults.empty());
}

TEST_F(AfterErrors, a_commit_that_is_there_although_nobody_said_so_is_found_by_its_ids) {
    sql.then = {"score"};
    faults.push_back(committed_unsaid(2013, "Lost connection to server during query"));
    put(1, 3);
    work();
    EXPECT_EQ(count("leads"), 3);
    EXPECT_EQ(source.settled.size(), 3u);
    EXPECT_EQ(source.sent.size(), 3u) << "each follow-up once";
    EXPECT_EQ(transactions, 3) << "the commit, the look by id, the mark of what is sent";
    EXPECT_TRUE(source.released.empty());
}

TEST_F(AfterErrors, a_commit_that_is_not_there_is_made_again) {
    faults.push_back(rolled_back(ErrorKind::unknown_outcome, 1180, "Got error 6 during COMMIT"));
    put(1, 3);
    work();
    expect_written_once(3);
    EXPECT_EQ(transactions, 2);
}

TEST_F(AfterErrors, a_commit_in_doubt_twice_is_decided_when_the_records_come_again) {
    faults.push_back(rolled_back(ErrorKind::unknown_outcome, 2006, "Server has gone away"));
    faults.push_back(committed_unsaid(2013, "Lost connection to server during query"));
    put(1, 3);
    work();
    expect_written_once(3);
    EXPECT_EQ(source.released.size(), 3u);
}

TEST_F(AfterErrors, a_row_that_is_there_already_is_success) {
    {
        auto db = db::open(database);
        ASSERT_TRUE((*db)->write([](db::WriteTransaction& t) -> Done {
            TRY(t.execute("CREATE TABLE leads (id TEXT PRIMARY KEY NOT NULL, received_at TEXT, email TEXT)"));
            TRY(t.execute("INSERT INTO leads (id, email) VALUES (?, 'by hand')", {to_text(id_of(2))}));
            return {};
        }));
    }
    put(1, 3);
    work();
    expect_written_once(3);
    EXPECT_EQ(count("leads WHERE email = 'by hand'"), 1) << "and stays as it is";
}

TEST_F(AfterErrors, a_row_that_no_database_would_take_goes_alone_to_the_dead_letters_with_its_reason) {
    sql.create_table = false;
    {
        auto db = db::open(database);
        ASSERT_TRUE((*db)->write([](db::WriteTransaction& t) -> Done {
            TRY(t.execute("CREATE TABLE leads (id TEXT PRIMARY KEY NOT NULL, received_at TEXT, email TEXT CHECK (length(email) < 40))"));
            return {};
        }));
    }
    put(1, 4);
    source.put("bad", job(5, std::string(41, 'x')).body);
    put(6, 8);
    work();
    EXPECT_EQ(count("leads"), 7);
    EXPECT_EQ(source.settled.size(), 8u);
    ASSERT_EQ(source.sent.size(), 1u);
    EXPECT_EQ(source.sent[0].queue, "leads-dead");
    EXPECT_NE(source.sent[0].attributes[0].value.find("CHECK constraint failed"), std::string::npos);
    EXPECT_EQ(count("forebay_dead WHERE effect = 'store' AND record = '" + to_text(id_of(5)) + "'"), 1);
}

TEST_F(AfterErrors, an_outage_during_the_search_for_a_poisonous_row_gives_back_what_is_not_decided) {
    again(faults, 2, rolled_back(ErrorKind::poison, 1406, "Data too long for column 'email'"));  // of eight, of the first four
    faults.push_back(rolled_back(ErrorKind::dependency, 2013, "Lost connection"));
    put(1, 8);
    work();
    expect_written_once(8);
    EXPECT_EQ(source.released.size(), 8u);
}

}  // namespace
}  // namespace forebay::handlers
