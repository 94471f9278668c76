#include "db/database.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "db/sqlite_connection.h"

namespace forebay::db {
namespace {

using Done = Result<void, Error>;

class Files : public ::testing::Test {
  protected:
    Files() {
        std::string pattern = (std::filesystem::temp_directory_path() / "forebay-db-XXXXXX").string();
        directory = ::mkdtemp(pattern.data());
    }
    ~Files() override { std::filesystem::remove_all(directory); }
    Options options() const {
        Options o;
        o.path = directory + "/main.db";
        o.busy_timeout = 20ms;
        return o;
    }
    std::unique_ptr<Database> open(Options o) {
        auto opened = db::open(std::move(o));
        EXPECT_TRUE(opened.ok()) << (opened ? "" : opened.error().what);
        return std::move(*opened);
    }
    std::unique_ptr<Database> with_table(Options o) {
        auto db = open(std::move(o));
        EXPECT_TRUE(db->write([](WriteTransaction& t) -> Done {
            TRY(t.execute("CREATE TABLE leads (id TEXT PRIMARY KEY, email TEXT UNIQUE, n INTEGER)"));
            return {};
        }));
        return db;
    }
    static std::int64_t rows(Database& db) {
        std::int64_t n = -1;
        EXPECT_TRUE(db.read([&](ReadTransaction& t) -> Done {
            TRY_ASSIGN(auto found, t.query("SELECT count(*) FROM leads"));
            n = integer_of(found[0][0]);
            return {};
        }));
        return n;
    }
    static Done insert(Database& db, std::string id, Value email) {
        return db.write([&](WriteTransaction& t) -> Done {
            TRY(t.execute("INSERT INTO leads (id, email) VALUES (?, ?)", {id, email}));
            return {};
        });
    }
    std::string directory;
};

/// Another process that holds the file's write lock until `release` is closed.
class Locker {
  public:
    Locker(const std::string& path, const char* how) {
        int ready[2], release[2];
        EXPECT_EQ(::pipe(ready), 0);
        EXPECT_EQ(::pipe(release), 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::close(release[1]);
            Options o;
            o.path = path;
            auto connection = SqliteFile::open(o, Access::read_write);
            bool held = connection.ok() && (*connection)->command(how).ok();
            char c = held ? 'y' : 'n';
            (void)!::write(ready[1], &c, 1);
            (void)!::read(release[0], &c, 1);
            ::_exit(0);
        }
        ::close(release[0]);
        release_ = release[1];
        char c = 0;
        EXPECT_EQ(::read(ready[0], &c, 1), 1);
        EXPECT_EQ(c, 'y');
    }
    void release() {
        if (pid_ == 0) return;
        ::close(release_);
        ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }
    ~Locker() { release(); }

  private:
    pid_t pid_;
    int release_;
};

TEST_F(Files, a_write_that_returned_is_read_back) {
    auto db = with_table(options());
    ASSERT_TRUE(insert(*db, "a", std::string("a@x")));
    EXPECT_EQ(rows(*db), 1);
}

TEST_F(Files, a_write_whose_body_fails_leaves_nothing) {
    auto db = with_table(options());
    auto done = db->write([](WriteTransaction& t) -> Done {
        TRY(t.execute("INSERT INTO leads (id) VALUES ('a')"));
        return Failure{Error{ErrorKind::dependency, 0, "changed my mind"}};
    });
    EXPECT_FALSE(done);
    EXPECT_EQ(rows(*db), 0);
}

TEST_F(Files, the_file_is_set_up_so_that_a_commit_is_on_the_disk) {
    auto db = open(options());
    ASSERT_TRUE(db->read([](ReadTransaction& t) -> Done {
        TRY_ASSIGN(auto mode, t.query("PRAGMA journal_mode"));
        TRY_ASSIGN(auto sync, t.query("PRAGMA synchronous"));
        EXPECT_EQ(text_of(mode[0][0]), "truncate");
        EXPECT_EQ(integer_of(sync[0][0]), 3);  // EXTRA
        return {};
    }));
}

TEST_F(Files, values_of_every_kind_come_back_as_they_went) {
    auto db = open(options());
    std::vector<Value> values{
        std::monostate{}, std::int64_t{-7}, 2.5, std::string("gr\xc3\xbc\xc3\x9f\0e", 8), Blob{std::string("\0\xff", 2)}, Blob{}};
    ASSERT_TRUE(db->write([&](WriteTransaction& t) -> Done {
        TRY_ASSIGN(auto got, t.query("SELECT ?, ?, ?, ?, ?, ?", values));
        EXPECT_EQ(got, Rows{values});
        return {};
    }));
}

TEST_F(Files, a_named_parameter_without_a_value_is_null) {
    auto db = with_table(options());
    ASSERT_TRUE(db->write([](WriteTransaction& t) -> Done {
        TRY(t.execute("INSERT INTO leads (id, email) VALUES (?, ?)", {std::string("a")}));
        TRY_ASSIGN(auto got, t.query("SELECT email FROM leads"));
        EXPECT_EQ(got[0][0], Value(std::monostate{}));
        return {};
    }));
}

TEST_F(Files, a_row_that_breaks_a_constraint_is_poison) {
    auto db = with_table(options());
    ASSERT_TRUE(insert(*db, "a", std::string("a@x")));
    auto again = insert(*db, "b", std::string("a@x"));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().kind, ErrorKind::poison);
    EXPECT_EQ(again.error().what, "main: UNIQUE constraint failed: leads.email");
}

TEST_F(Files, a_deferred_constraint_that_fails_at_commit_is_poison_too) {
    auto db = with_table(options());
    ASSERT_TRUE(db->write([](WriteTransaction& t) -> Done {
        TRY(t.execute("CREATE TABLE calls (lead TEXT REFERENCES leads (id) DEFERRABLE INITIALLY DEFERRED)"));
        return {};
    }));
    auto done = db->write([](WriteTransaction& t) -> Done {
        TRY(t.execute("INSERT INTO calls (lead) VALUES ('nobody')"));
        return {};
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, ErrorKind::poison);
    EXPECT_TRUE(insert(*db, "a", std::monostate{})) << "the next transaction begins afresh";
}

TEST_F(Files, values_that_a_function_cannot_take_are_poison) {
    auto db = with_table(options());
    auto done = db->write([](WriteTransaction& t) -> Done {
        TRY(t.execute("INSERT INTO leads (id) VALUES (json_extract(?, '$.id'))", {std::string("{not json")}));
        return {};
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, ErrorKind::poison);
}

TEST_F(Files, a_table_that_is_not_there_is_a_dependency) {
    auto db = open(options());
    auto done = db->write([](WriteTransaction& t) -> Done {
        TRY(t.execute("INSERT INTO leads (id) VALUES ('a')"));
        return {};
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, ErrorKind::dependency);
}

TEST_F(Files, a_table_dropped_under_a_kept_statement_is_a_dependency) {
    auto db = with_table(options());
    ASSERT_TRUE(insert(*db, "a", std::monostate{}));
    {
        auto other = SqliteFile::open(options(), Access::read_write);
        ASSERT_TRUE((*other)->command("DROP TABLE leads"));
    }
    auto done = insert(*db, "b", std::monostate{});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, ErrorKind::dependency) << done.error().what;
}

TEST_F(Files, a_file_that_somebody_else_writes_is_a_dependency_until_he_is_done) {
    auto db = with_table(options());
    Locker locker(options().path, "BEGIN IMMEDIATE");
    auto done = insert(*db, "a", std::monostate{});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, ErrorKind::dependency);
    EXPECT_FALSE(db->probe());
    locker.release();
    EXPECT_TRUE(db->probe());
    EXPECT_TRUE(insert(*db, "a", std::monostate{}));
}

TEST_F(Files, a_commit_that_a_reader_holds_up_leaves_an_unknown_outcome_and_the_same_write_then_succeeds) {
    auto db = with_table(options());
    Locker reader(options().path, "BEGIN; SELECT count(*) FROM leads");
    auto done = insert(*db, "a", std::monostate{});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, ErrorKind::unknown_outcome);
    reader.release();
    EXPECT_TRUE(insert(*db, "a", std::monostate{})) << "rolled back when the connection was closed";
    EXPECT_EQ(rows(*db), 1);
}

TEST_F(Files, a_full_database_is_a_dependency_and_loses_nothing_that_was_there) {
    auto o = options();
    with_table(o).reset();
    o.max_pages = 8;
    auto db = open(o);
    Done done;
    int kept = 0;
    for (; kept < 1000 && (done = insert(*db, "id" + std::to_string(kept), std::string(400, 'x') + std::to_string(kept))).ok(); ++kept) {
    }
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, ErrorKind::dependency) << done.error().what;
    EXPECT_GT(kept, 0);
    EXPECT_EQ(rows(*db), kept);
}

TEST_F(Files, a_second_writing_process_is_refused) {
    auto db = open(options());
    auto second = db::open(options());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, ErrorKind::dependency);
    EXPECT_NE(second.error().what.find("another process writes"), std::string::npos);
    db.reset();
    EXPECT_TRUE(db::open(options()));
}

TEST_F(Files, a_statement_that_never_ends_is_interrupted) {
    auto o = options();
    o.timeout = 30ms;
    auto db = open(o);
    auto done = db->write([](WriteTransaction& t) -> Done {
        TRY(t.query("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"));
        return {};
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, ErrorKind::dependency);
}

TEST_F(Files, a_directory_that_is_not_there_is_a_dependency) {
    auto o = options();
    o.path = directory + "/missing/main.db";
    auto opened = db::open(o);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().kind, ErrorKind::dependency);
}

TEST_F(Files, a_reader_cannot_write_and_makes_no_file) {
    EXPECT_FALSE(open_reader(options()));
    EXPECT_FALSE(std::filesystem::exists(options().path));
    with_table(options()).reset();
    auto reader = open_reader(options());
    ASSERT_TRUE(reader);
    EXPECT_FALSE((*reader)->read([](ReadTransaction& t) -> Done {
        TRY(t.query("DELETE FROM leads"));
        return {};
    }));
}

TEST_F(Files, a_reader_sees_what_a_killed_writer_had_committed_and_nothing_else) {
    with_table(options()).reset();
    pid_t writer = ::fork();
    if (writer == 0) {
        auto db = db::open(options());
        (void)insert(**db, "kept", std::monostate{});
        (void)(*db)->write([](WriteTransaction& t) -> Done {
            TRY(t.execute("PRAGMA cache_size=1"));  // so that pages go to the file before the commit
            for (int i = 0; i < 2000; ++i) TRY(t.execute("INSERT INTO leads (id) VALUES (?)", {"half" + std::to_string(i)}));
            ::kill(::getpid(), SIGKILL);
            return {};
        });
        ::_exit(1);
    }
    int status = 0;
    ::waitpid(writer, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    auto reader = open_reader(options());
    ASSERT_TRUE(reader);
    ASSERT_TRUE((*reader)->read([](ReadTransaction& t) -> Done {
        TRY_ASSIGN(auto got, t.query("SELECT id FROM leads"));
        EXPECT_EQ(got, (Rows{{std::string("kept")}}));
        return {};
    }));
}

class Gone : public Files {
  protected:
    Options noted() const {
        auto o = options();
        o.made_note = directory + "/notes/main";
        return o;
    }
    std::string path() const { return directory + "/main.db"; }
};

TEST_F(Gone, a_file_deleted_under_the_writer_is_named_and_never_made_again_silently) {
    auto db = with_table(options());
    ASSERT_TRUE(insert(*db, "a", std::string("a@example.com")));
    std::filesystem::remove(path());
    auto done = insert(*db, "b", std::string("b@example.com"));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, ErrorKind::dependency);
    EXPECT_NE(done.error().what.find(path() + " is gone"), std::string::npos) << done.error().what;
    EXPECT_NE(done.error().what.find("touch " + path()), std::string::npos) << done.error().what;
    EXPECT_FALSE(db->probe());
    EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(Gone, a_file_that_was_moved_away_and_is_put_back_is_used_again) {
    auto db = with_table(options());
    ASSERT_TRUE(insert(*db, "a", std::string("a@example.com")));
    std::filesystem::rename(path(), path() + ".away");
    EXPECT_FALSE(db->probe());
    std::filesystem::rename(path() + ".away", path());
    EXPECT_TRUE(db->probe());
    EXPECT_TRUE(insert(*db, "b", std::string("b@example.com")));
    EXPECT_EQ(rows(*db), 2);
}

TEST_F(Gone, a_file_that_took_its_place_is_told_from_it) {
    auto db = with_table(options());
    auto before = *db->opened();
    ASSERT_TRUE(insert(*db, "a", std::string("a@example.com")));
    EXPECT_EQ(before, *db->opened());
    std::filesystem::rename(path(), path() + ".away");
    std::ofstream(path()).flush();
    ASSERT_TRUE(db->opened());
    EXPECT_NE(before, *db->opened());
}

TEST_F(Gone, a_commit_into_a_file_deleted_meanwhile_counts_as_unknown) {
    auto db = with_table(options());
    auto done = db->write([&](WriteTransaction& t) -> Done {
        TRY(t.execute("SELECT 1"));
        std::filesystem::remove(path());
        return {};
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, ErrorKind::unknown_outcome) << done.error().what;
}

TEST_F(Gone, the_next_process_does_not_make_a_noted_file_again_but_takes_an_empty_one) {
    with_table(noted()).reset();
    std::filesystem::remove(path());
    ASSERT_TRUE(why_gone(noted()));
    auto refused = db::open(noted());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().what, "main: " + *why_gone(noted()));
    EXPECT_FALSE(std::filesystem::exists(path()));
    std::ofstream(path()).flush();
    EXPECT_FALSE(why_gone(noted()));
    auto made = made_at(noted());
    auto db = with_table(noted());
    EXPECT_EQ(db->began_anew(), made) << "so that somebody can say which rows are missing";
    EXPECT_EQ(rows(*db), 0);
    db.reset();
    EXPECT_FALSE(open(noted())->began_anew()) << "only once";
}

TEST_F(Gone, a_database_that_was_never_written_is_simply_made) {
    open(noted()).reset();
    std::filesystem::remove(path());
    EXPECT_FALSE(why_gone(noted()));
    EXPECT_FALSE(with_table(noted())->began_anew());
    auto elsewhere = noted();
    elsewhere.path = directory + "/other.db";
    EXPECT_FALSE(why_gone(elsewhere)) << "a path that was changed in the configuration is another database";
    EXPECT_TRUE(db::open(elsewhere));
}

TEST_F(Gone, a_reader_follows_the_path_to_another_file) {
    auto db = with_table(options());
    ASSERT_TRUE(insert(*db, "a", std::string("a@example.com")));
    auto reader = *open_reader(options());
    db.reset();
    std::filesystem::remove(path());
    with_table(options()).reset();
    ASSERT_TRUE(reader->read([](ReadTransaction& t) -> Done {
        TRY_ASSIGN(auto got, t.query("SELECT count(*) FROM leads"));
        EXPECT_EQ(integer_of(got[0][0]), 0);
        return {};
    }));
}

TEST_F(Gone, a_folder_that_is_not_there_is_named) {
    auto o = options();
    o.path = directory + "/nowhere/main.db";
    auto refused = db::open(o);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().what.find("the folder " + directory + "/nowhere does not exist"), std::string::npos) << refused.error().what;
}

TEST(Classify, each_result_code_leaves_something_known) {
    struct {
        int code;
        bool committing;
        ErrorKind kind;
    } rows[] = {
        {5, false, ErrorKind::dependency},        // BUSY
        {5, true, ErrorKind::unknown_outcome},    // BUSY at COMMIT
        {6, false, ErrorKind::dependency},        // LOCKED
        {7, false, ErrorKind::dependency},        // NOMEM
        {8, false, ErrorKind::dependency},        // READONLY
        {10, false, ErrorKind::dependency},       // IOERR
        {778, true, ErrorKind::unknown_outcome},  // IOERR_WRITE at COMMIT
        {11, false, ErrorKind::dependency},       // CORRUPT
        {13, false, ErrorKind::dependency},       // FULL
        {13, true, ErrorKind::unknown_outcome},   // FULL at COMMIT
        {14, false, ErrorKind::dependency},       // CANTOPEN
        {19, false, ErrorKind::poison},           // CONSTRAINT
        {2067, false, ErrorKind::poison},         // CONSTRAINT_UNIQUE
        {787, true, ErrorKind::poison},           // CONSTRAINT_FOREIGNKEY, deferred
        {18, false, ErrorKind::poison},           // TOOBIG
        {20, false, ErrorKind::poison},           // MISMATCH
        {25, false, ErrorKind::poison},           // RANGE
        {26, false, ErrorKind::dependency},       // NOTADB
        {9, false, ErrorKind::dependency},        // INTERRUPT
    };
    for (auto& row : rows)
        EXPECT_EQ(classify_sqlite(row.code, row.committing), row.kind) << row.code << (row.committing ? " at commit" : "");
}

}  // namespace
}  // namespace forebay::db
