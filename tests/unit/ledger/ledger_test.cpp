#include "ledger/ledger.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

namespace forebay::ledger {
namespace {

using Done = Result<void, db::Error>;

constexpr const char* jane = "01926f3a-7c1e-7d20-9f51-2f0f6a3c9b11";
constexpr const char* john = "01926f3b-0000-7d20-9f51-2f0f6a3c9b12";

record::Envelope lead(const char* id, const char* email, const char* phone, std::int64_t at = 1000) {
    record::Envelope e;
    e.id = *parse_uuid(id);
    e.endpoint = "lead";
    e.received_at = {at};
    e.fields.set("email", email);
    e.fields.set("phone", phone);
    return e;
}

Effect effect(std::string name, std::string state, std::int64_t at = 2000, std::string worker = "store:1") {
    Effect e;
    e.effect = std::move(name);
    e.state = std::move(state);
    e.attempts = 1;
    e.at = {at};
    e.worker = std::move(worker);
    return e;
}

class Tables : public ::testing::Test {
  protected:
    Tables() {
        std::string pattern = (std::filesystem::temp_directory_path() / "forebay-ledger-XXXXXX").string();
        directory = ::mkdtemp(pattern.data());
    }
    ~Tables() override { std::filesystem::remove_all(directory); }
    std::string path(const std::string& name) const { return directory + "/" + name; }

    std::unique_ptr<db::Database> open(const std::string& name) {
        db::Options o;
        o.path = path(name);
        auto opened = db::open(o);
        EXPECT_TRUE(opened.ok());
        EXPECT_TRUE((*opened)->write([](db::WriteTransaction& t) { return prepare(t); }));
        return std::move(*opened);
    }
    static void note_in(db::Database& db, const record::Envelope& envelope, const Effect& e) {
        auto done = db.write([&](db::WriteTransaction& t) { return note(t, envelope, e, usual_search_fields()); });
        EXPECT_TRUE(done) << (done ? "" : done.error().what);
    }
    std::string directory;
};

TEST_F(Tables, a_noted_effect_is_found_by_email_phone_id_and_its_beginning) {
    auto db = open("a.db");
    note_in(*db, lead(jane, "jane@example.com", "+15551234567"), effect("store", "done"));
    Ledger ledger({file_source(path("a.db"))});
    for (auto* what : {"jane@example.com", " JANE@Example.com ", "+1 (555) 123-4567", "555-123-4567", jane, "01926f3a", "01926F3A-7c1e"}) {
        auto found = ledger.find(what);
        ASSERT_TRUE(found) << what << ": " << found.error().what;
        ASSERT_EQ(found->size(), 1u) << what;
        EXPECT_EQ((*found)[0].id, jane);
        EXPECT_EQ((*found)[0].endpoint, "lead");
        EXPECT_EQ((*found)[0].received_at.ms, 1000);
        ASSERT_EQ((*found)[0].effects.size(), 1u);
        EXPECT_EQ((*found)[0].effects[0].state, "done");
        EXPECT_EQ((*found)[0].effects[0].worker, "store:1");
    }
    for (auto* what : {"john@example.com", "5551234568", "", "nothing"}) EXPECT_TRUE(ledger.find(what)->empty()) << what;
}

TEST_F(Tables, the_newest_come_first_and_no_more_than_asked_for) {
    auto db = open("a.db");
    note_in(*db, lead(jane, "x@example.com", "", 1000), effect("store", "done"));
    note_in(*db, lead(john, "x@example.com", "", 3000), effect("store", "done"));
    Ledger ledger({file_source(path("a.db"))});
    auto found = ledger.find("x@example.com");
    ASSERT_EQ(found->size(), 2u);
    EXPECT_EQ((*found)[0].id, john);
    EXPECT_EQ(ledger.find("x@example.com", 1)->size(), 1u);
}

TEST_F(Tables, a_done_effect_never_goes_back) {
    auto db = open("a.db");
    auto envelope = lead(jane, "", "");
    note_in(*db, envelope, effect("store", "retrying", 1));
    note_in(*db, envelope, effect("store", "done", 2));
    note_in(*db, envelope, effect("store", "dead", 3));
    auto story = Ledger({file_source(path("a.db"))}).timeline(envelope.id);
    ASSERT_TRUE(story->has_value());
    ASSERT_EQ((*story)->effects.size(), 1u);
    EXPECT_EQ((*story)->effects[0].state, "done");
    EXPECT_EQ((*story)->effects[0].first_at.ms, 1);
    EXPECT_EQ((*story)->effects[0].at.ms, 2);
}

TEST_F(Tables, looking_up_finds_done_effects_only) {
    auto db = open("a.db");
    auto envelope = lead(jane, "", "");
    auto look = [&] {
        bool there = false;
        EXPECT_TRUE(db->read([&](db::ReadTransaction& t) -> Done {
            TRY_ASSIGN(auto found, look_up(t, envelope.id, "store"));
            there = found.has_value();
            return {};
        }));
        return there;
    };
    EXPECT_FALSE(look());
    note_in(*db, envelope, effect("store", "retrying"));
    EXPECT_FALSE(look());
    note_in(*db, envelope, effect("store", "done"));
    EXPECT_TRUE(look());
}

TEST_F(Tables, a_retry_tells_since_when_and_until_when_it_waits) {
    auto db = open("a.db");
    auto envelope = lead(jane, "", "");
    auto look = [&] {
        std::optional<Effect> found;
        EXPECT_TRUE(db->read([&](db::ReadTransaction& t) -> Done {
            TRY_ASSIGN(found, look_up_retry(t, envelope.id, "store"));
            return {};
        }));
        return found;
    };
    auto retrying = effect("store", "retrying", 3000);
    retrying.next_at = Timestamp{33'000};
    note_in(*db, envelope, effect("store", "retrying", 2000));
    note_in(*db, envelope, retrying);
    ASSERT_TRUE(look());
    EXPECT_EQ(look()->at.ms, 3000) << "of this wait, not of the first attempt";
    EXPECT_EQ(look()->next_at, Timestamp{33'000});
    note_in(*db, envelope, effect("store", "dead"));
    EXPECT_FALSE(look());
}

TEST_F(Tables, one_story_is_told_from_several_files) {
    auto main = open("main.db"), one = open("score-1.db"), two = open("score-2.db");
    auto envelope = lead(jane, "jane@example.com", "");
    note_in(*main, envelope, effect("store", "done", 2000));
    note_in(*one, envelope, effect("score", "retrying", 3000, "score:1"));
    note_in(*two, envelope, effect("score", "done", 4000, "score:2"));
    Ledger ledger({file_source(path("main.db")), file_source(path("score-1.db")), file_source(path("score-2.db")),
                   file_source(path("not-there.db"))});
    auto found = ledger.find("jane@example.com");
    ASSERT_EQ(found->size(), 1u);
    ASSERT_EQ((*found)[0].effects.size(), 2u) << "one row an effect: the done one wins";
    EXPECT_EQ((*found)[0].effects[0].effect, "store");
    EXPECT_EQ((*found)[0].effects[1].worker, "score:2");
}

TEST_F(Tables, a_replay_is_told_which_effects_are_missing) {
    auto main = open("main.db"), two = open("two.db");
    std::string ken = "01926f3c-0000-7d20-9f51-2f0f6a3c9b13";
    note_in(*main, lead(jane, "", ""), effect("store", "done"));
    note_in(*two, lead(john, "", ""), effect("store", "done"));
    note_in(*main, lead(ken.c_str(), "", ""), effect("store", "dead"));
    Ledger ledger({file_source(path("main.db")), file_source(path("two.db"))});
    std::vector<std::string> ids{jane, john, ken};
    EXPECT_EQ(*ledger.missing(ids, "store"), std::vector<std::string>{ken});
    EXPECT_EQ(ledger.missing(ids, "score")->size(), 3u);
}

TEST_F(Tables, a_file_without_a_ledger_counts_as_empty) {
    db::Options o;
    o.path = path("plain.db");
    auto plain = db::open(o);
    ASSERT_TRUE((*plain)->write([](db::WriteTransaction& t) -> Done {
        TRY(t.execute("CREATE TABLE leads (id TEXT)"));
        return {};
    }));
    EXPECT_TRUE(Ledger({file_source(path("plain.db"))}).find("jane@example.com")->empty());
}

TEST_F(Tables, a_ledger_of_a_later_version_is_not_written) {
    auto db = open("a.db");
    ASSERT_TRUE(db->write([](db::WriteTransaction& t) -> Done {
        TRY(t.execute("UPDATE forebay_schema SET version = 99"));
        return {};
    }));
    auto done = db->write([](db::WriteTransaction& t) { return prepare(t); });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, db::ErrorKind::dependency);
    EXPECT_NE(done.error().what.find("99"), std::string::npos);
}

TEST_F(Tables, a_long_error_is_cut_between_characters) {
    auto db = open("a.db");
    auto envelope = lead(jane, "", "");
    auto e = effect("store", "dead");
    e.error = std::string(1023, 'x') + "\xc3\xbc";
    note_in(*db, envelope, e);
    EXPECT_EQ((*Ledger({file_source(path("a.db"))}).timeline(envelope.id))->effects[0].error, std::string(1023, 'x'));
}

TEST_F(Tables, effects_files_are_told_by_their_worker) {
    std::filesystem::create_directories(path("effects"));
    for (auto* name : {"score-1.db", "score-12.db", "score-mail-1.db", "score-1.db-journal", "score-x.db", "notes.txt", "-1.db"})
        open("effects/" + std::string(name)).reset();
    auto files = effects_files(directory, "score");
    ASSERT_EQ(files.size(), 2u);
    EXPECT_EQ(files[0].path, path("effects/score-1.db"));
    EXPECT_EQ(files[1].path, path("effects/score-12.db"));
    EXPECT_EQ(effects_files(directory).size(), 3u);
    EXPECT_EQ(effects_path(directory, "score", 12), path("effects/score-12.db"));
    EXPECT_TRUE(effects_files(path("nowhere")).empty());
}

}  // namespace
}  // namespace forebay::ledger
