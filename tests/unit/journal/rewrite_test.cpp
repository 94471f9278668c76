// Bodies written over: the log around them stays as it is, whatever happens meanwhile.
#include <set>

#include "base/crc32c.h"
#include "base/crc32c_same.h"
#include "journal/history_reader.h"
#include "journal/rewrite.h"
#include "tests/unit/journal/fixture.h"

namespace forebay::journal {
namespace {

std::string numbered(int n) { return "#" + std::to_string(n) + ":secret " + std::string(600, 's'); }

std::string blank(const std::string& body) {
    std::string out(body.size(), ' ');
    EXPECT_TRUE(choose_filler(out, 0, out.size(), crc32c(body)));
    return out;
}

class Rewrite : public JournalTest {
  public:
    void TestBody() override {}

    void fill(std::uint64_t segments) {
        auto until = log->active_segment().value() + segments;
        while (log->active_segment().value() < until) places_.push_back(append_synced(numbered(static_cast<int>(places_.size()))));
        ASSERT_TRUE(log->seal().ok());  // what is in the active one moves when the log is opened again
    }
    void to_history(bool compressed) {
        ASSERT_TRUE(log->drop_below(log->active_segment(), [](SegmentNumber) { return Fate::history; }).ok());
        if (compressed)
            while (log->maintain()) {
            }
    }
    /// Of the records with these numbers, which lie in one segment.
    Result<bool, disk::Error> write_over(std::set<int> records) {
        std::vector<Patch> patches;
        for (int n : records) {
            auto place = places_[static_cast<std::size_t>(n)];
            auto body = numbered(n);
            patches.push_back({place.offset + place.length - body.size(), blank(body)});
        }
        SegmentNumber segment(places_[static_cast<std::size_t>(*records.begin())].segment);
        TRY(write_replacement(disk, segment, patches));
        return log->replace(segment);
    }
    /// The numbers of the records that are read with what they held, and of all that are read.
    struct Seen {
        std::set<int> whole, all;
        bool has_damage = false;
    };
    Seen seen() {
        Seen out;
        auto read = HistoryReader(disk).visit({0}, {INT64_MAX / 2}, [&](const Entry& entry) {
            if (entry.type == 0) return true;
            for (std::size_t n = 0; n < places_.size(); ++n) {
                if (places_[n].segment != entry.location.segment || places_[n].offset != entry.location.offset) continue;
                out.all.insert(static_cast<int>(n));
                if (entry.body == numbered(static_cast<int>(n))) out.whole.insert(static_cast<int>(n));
            }
            return true;
        });
        EXPECT_TRUE(read.ok());
        out.has_damage = !read.ok() || !read->damage.empty();
        return out;
    }
    bool holds(const std::string& what) {
        for (const auto* directory : {"", "history"}) {
            auto names = disk.list(directory);
            for (const auto& name : *names) {
                auto path = (*directory != 0 ? std::string(directory) + "/" : "") + name;
                if (disk.content(path).find(what) != std::string::npos) return true;
            }
        }
        return false;
    }
    std::size_t records() const { return places_.size(); }
    SimulatedDisk& its_disk() { return disk; }
    void open_it() { open(); }
    Journal& its_log() { return *log; }
    std::string body_of(int n) { return body_at(places_[static_cast<std::size_t>(n)]); }
    void power_comes_back() { lose_power(Survival::chance); }

  private:
    std::vector<Location> places_;
};

class JournalRewrite : public ::testing::Test {
  protected:
    Rewrite log;
};

TEST_F(JournalRewrite, a_body_of_a_live_segment_is_written_over_and_all_checksums_hold) {
    log.open_it();
    log.fill(3);
    auto written = log.write_over({3, 5});
    ASSERT_TRUE(written.ok() && *written);
    auto seen = log.seen();
    EXPECT_EQ(seen.all.size(), log.records());
    EXPECT_EQ(seen.whole.size(), log.records() - 2);
    EXPECT_FALSE(seen.has_damage);
    EXPECT_FALSE(log.holds("#3:secret") || log.holds("#5:secret"));
    EXPECT_EQ(log.body_of(4), numbered(4)) << "places stay as they are";
    EXPECT_EQ(log.body_of(3).size(), numbered(3).size());
    log.open_it();
    EXPECT_FALSE(log.its_log().report().corrupt);
    EXPECT_EQ(log.seen().whole.size(), log.records() - 2);
}

TEST_F(JournalRewrite, history_is_written_over_compressed_or_not) {
    for (bool compressed : {false, true}) {
        Rewrite one;
        one.open_it();
        one.fill(3);
        one.to_history(compressed);
        auto written = one.write_over({3});
        ASSERT_TRUE(written.ok() && *written);
        EXPECT_EQ(one.seen().whole.size(), one.records() - 1);
        while (one.its_log().maintain()) {
        }
        auto seen = one.seen();
        EXPECT_EQ(seen.all.size(), one.records());
        EXPECT_EQ(seen.whole.size(), one.records() - 1);
        EXPECT_FALSE(seen.has_damage || one.holds("#3:secret"));
    }
}

TEST_F(JournalRewrite, sealing_ends_the_active_segment) {
    log.open_it();
    log.fill(1);
    auto before = log.its_log().active_segment();
    ASSERT_TRUE(log.its_log().seal().ok());
    EXPECT_EQ(log.its_log().active_segment().value(), before.value() + 1);
    EXPECT_EQ(log.its_log().durable(), log.its_log().next_position());
}

TEST_F(JournalRewrite, without_a_copy_nothing_is_replaced) {
    log.open_it();
    log.fill(2);
    auto replaced = log.its_log().replace(SegmentNumber(1));
    EXPECT_TRUE(replaced.ok() && !*replaced);
}

/// Power goes at each call to the disk in turn: then the body is there or is written over, and nothing else is touched.
TEST_F(JournalRewrite, a_power_cut_at_any_call_leaves_the_one_or_the_other) {
    for (auto lies : {0, 1, 2}) {  // live, history, compressed history
        bool is_through = false;
        for (std::uint64_t n = 1; !is_through; ++n) {
            ASSERT_LT(n, 500u);
            Rewrite one;
            one.open_it();
            one.fill(2);
            if (lies > 0) one.to_history(lies == 2);
            one.its_disk().cut_power_at(n);
            auto written = one.write_over({3});
            is_through = !one.its_disk().is_cut();
            ASSERT_TRUE(!is_through || (written.ok() && *written));
            one.power_comes_back();
            one.open_it();
            EXPECT_FALSE(one.its_log().report().corrupt) << "lies " << lies << ", call " << n;
            while (one.its_log().maintain()) {
            }
            auto seen = one.seen();
            EXPECT_EQ(seen.all.size(), one.records()) << "lies " << lies << ", call " << n;
            EXPECT_GE(seen.whole.size() + 1, one.records());
            EXPECT_FALSE(seen.has_damage) << "lies " << lies << ", call " << n;
            EXPECT_FALSE(is_through && seen.whole.contains(3)) << "it was said to be written over";
            EXPECT_TRUE(seen.whole.contains(3) || !one.holds("#3:secret")) << "lies " << lies << ", call " << n;
            for (const auto* directory : {"", "history"}) {
                auto names = one.its_disk().list(directory);
                for (const auto& name : *names) EXPECT_FALSE(name.ends_with(".seg.tmp"));
            }
        }
    }
}

}  // namespace
}  // namespace forebay::journal
