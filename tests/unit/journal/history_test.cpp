// What leaves the live log and stays readable.

#include <algorithm>
#include <cerrno>

#include "journal/history.h"
#include "journal/history_reader.h"
#include "tests/unit/journal/fixture.h"

namespace forebay::journal {
namespace {

class JournalHistory : public JournalTest {
  protected:
    /// About `segments` full segments of numbered records, a minute apart.
    void fill(std::uint64_t segments) {
        auto until = log->active_segment().value() + segments;
        while (log->active_segment().value() < until) {
            clock.advance(1min);
            append_synced(std::to_string(written++) + ":" + std::string(900, 'x'));
        }
    }
    void drop_all(bool keep) {
        ASSERT_TRUE(log->drop_below(log->active_segment(), [&](SegmentNumber) { return keep ? Fate::history : Fate::reuse; }).ok());
    }
    void compress() {
        while (log->maintain()) {
        }
    }
    Bodies visited(Timestamp from = {0}, Timestamp to = {INT64_MAX / 2}) {
        Bodies out;
        auto result = HistoryReader(disk).visit(from, to, [&](const Entry& entry) {
            if (entry.type != 0) out.push_back(std::string(entry.body.substr(0, entry.body.find(':'))));
            return true;
        });
        EXPECT_TRUE(result.ok());
        if (result.ok()) summary = *result;
        return out;
    }
    Bodies numbers(int from, int to) {
        Bodies out;
        for (int i = from; i < to; ++i) out.push_back(std::to_string(i));
        return out;
    }
    int written = 0;
    HistoryReader::Summary summary;
};

TEST_F(JournalHistory, a_kept_segment_moves_to_history_and_every_record_stays_readable_in_order) {
    open();
    fill(4);
    drop_all(true);
    EXPECT_TRUE(disk.exists("history/" + segment_path(1)));
    EXPECT_EQ(visited(), numbers(0, written));
    EXPECT_TRUE(summary.damage.empty());
}

TEST_F(JournalHistory, compressed_segments_read_the_same) {
    open();
    fill(4);
    drop_all(true);
    compress();
    EXPECT_FALSE(disk.exists("history/" + segment_path(1)));
    EXPECT_TRUE(disk.exists(compressed_history_path(1)));
    EXPECT_LT(disk.content(compressed_history_path(1)).size(), options.segment_bytes / 2);
    EXPECT_EQ(visited(), numbers(0, written));
    auto history = list_history(disk);
    ASSERT_TRUE(history.ok());
    EXPECT_EQ(history->size(), 4u);
    EXPECT_TRUE(history->front().compressed);
}

TEST_F(JournalHistory, compression_can_be_cut_anywhere_and_loses_nothing) {
    for (std::uint64_t cut = 1;; ++cut) {
        SimulatedDisk fresh(cut);
        Bodies kept;
        auto begin = [&] {
            return Journal::open(
                fresh, clock, entropy, options, Position(0), SegmentNumber(0), [](const Entry&) {}, [] { return std::string(); });
        };
        bool was_cut = false;
        {
            auto opened = begin();
            ASSERT_TRUE(opened.ok());
            for (int i = 0; i < 40; ++i) {
                (*opened)->append(8, 0, std::to_string(i) + ":" + std::string(900, 'x'));
                ASSERT_TRUE((*opened)->sync().ok());
            }
            fresh.cut_power_at(cut);
            bool fine = (*opened)->drop_below((*opened)->active_segment(), [](SegmentNumber) { return Fate::history; }).ok();
            while (fine && (*opened)->maintain()) {
            }
            was_cut = fresh.is_cut();
            fresh.cut_power();
        }
        fresh.restart(Survival::chance);
        auto opened = begin();
        ASSERT_TRUE(opened.ok());
        while ((*opened)->maintain()) {
        }
        Bodies out;
        auto result = HistoryReader(fresh).visit(Timestamp{0}, Timestamp{INT64_MAX / 2}, [&](const Entry& entry) {
            if (entry.type != 0) out.push_back(std::string(entry.body.substr(0, entry.body.find(':'))));
            return true;
        });
        ASSERT_TRUE(result.ok());
        ASSERT_EQ(out, numbers(0, 40)) << "cut " << cut;
        if (!was_cut) break;
    }
}

TEST_F(JournalHistory, a_time_range_reads_only_what_it_needs) {
    open();
    auto start = clock.wall();
    fill(12);
    drop_all(true);
    auto all = visited();
    auto from = start + 100min, to = start + 110min;
    // Record n was written n + 1 minutes after the start.
    EXPECT_EQ(visited(from, to), numbers(99, 109));
    EXPECT_GT(summary.segments_skipped, 5u);
    EXPECT_LT(summary.segments, 8u);
}

TEST_F(JournalHistory, a_visitor_can_stop) {
    open();
    fill(3);
    int seen = 0;
    auto result = HistoryReader(disk).visit(Timestamp{0}, Timestamp{INT64_MAX / 2},
                                            [&](const Entry& entry) { return entry.type == 0 || ++seen < 5; });
    ASSERT_TRUE(result.ok());
    EXPECT_EQ(seen, 5);
}

TEST_F(JournalHistory, copies_of_doubtful_records_are_visited_once) {
    open();
    append_synced("0:");
    append("1:");
    ASSERT_TRUE(log->write().ok());
    kill();
    open();
    append_synced("2:");
    EXPECT_EQ(visited(), numbers(0, 3));
}

TEST_F(JournalHistory, a_damaged_block_is_reported_and_the_other_records_are_visited) {
    options.segment_bytes = 1_MiB;
    open();
    fill(1);
    drop_all(true);
    compress();
    auto path = compressed_history_path(1);
    disk.rot(path, disk.content(path).size() / 2, 0xff);
    auto seen = visited();
    EXPECT_LT(static_cast<int>(seen.size()), written);
    EXPECT_GT(static_cast<int>(seen.size()), written / 2);
    EXPECT_FALSE(summary.damage.empty());
}

TEST_F(JournalHistory, a_damaged_index_makes_the_file_unreadable_and_is_reported) {
    open();
    fill(2);
    drop_all(true);
    compress();
    disk.rot(compressed_history_path(1), 4100, 0xff);
    visited();
    EXPECT_FALSE(summary.damage.empty());
    EXPECT_FALSE(open_history(disk, 1).ok());
    EXPECT_TRUE(open_history(disk, 2).ok());
}

TEST_F(JournalHistory, removed_history_does_not_come_back) {
    open();
    fill(3);
    drop_all(true);
    compress();
    ASSERT_TRUE(remove_history(disk, 1).ok());
    lose_power(Survival::none);
    open();
    auto history = list_history(disk);
    ASSERT_TRUE(history.ok());
    EXPECT_EQ(history->front().number, 2u);
}

TEST_F(JournalHistory, what_is_older_than_asked_for_goes_oldest_first_and_the_rest_stays) {
    open();
    fill(4);
    auto middle = clock.wall();
    fill(4);
    drop_all(true);
    compress();
    auto gone = log->forget_history(middle, {});
    ASSERT_TRUE(gone.ok());
    auto history = list_history(disk);
    ASSERT_TRUE(history.ok());
    EXPECT_EQ(history->size() + *gone, 8u);
    EXPECT_GE(*gone, 3u);
    EXPECT_LE(*gone, 4u) << "the segment in which the moment lies stays";
    EXPECT_EQ(history->front().number, *gone + 1);
    lose_power(Survival::none);
    open();
    EXPECT_EQ(visited().back(), std::to_string(written - 1));
    EXPECT_TRUE(summary.damage.empty());
}

TEST_F(JournalHistory, segments_before_a_position_are_passed_over_and_nothing_from_there_on) {
    open();
    fill(4);
    drop_all(true);
    std::vector<std::uint64_t> all;
    auto visit = [&](std::vector<std::uint64_t>& to, Position first) {
        auto done = HistoryReader(disk).visit(
            {0}, {INT64_MAX / 2},
            [&](const Entry& entry) {
                if (entry.type != 0) to.push_back(entry.position.value());
                return true;
            },
            first);
        EXPECT_TRUE(done.ok());
        return *done;
    };
    EXPECT_EQ(visit(all, Position(0)).segments_skipped, 0u);
    for (auto at : {all.size() / 2, all.size() - 1}) {
        std::vector<std::uint64_t> later;
        EXPECT_GT(visit(later, Position(all[at])).segments_skipped, 0u);
        ASSERT_GE(later.size(), all.size() - at);
        EXPECT_TRUE(std::equal(later.rbegin(), later.rend(), all.rbegin()));
    }
}

TEST_F(JournalHistory, what_may_not_go_stays_and_the_next_goes) {
    open();
    fill(4);
    drop_all(true);
    clock.advance(1min);
    auto before = list_history(disk).value();
    ASSERT_GE(before.size(), 3u);
    std::vector<std::pair<Timestamp, Timestamp>> asked;
    auto may_go = [&](Timestamp from, Timestamp to) {
        EXPECT_LE(from, to);
        asked.emplace_back(from, to);
        return asked.size() != 2;
    };
    auto gone = log->forget_history(clock.wall(), may_go);
    ASSERT_TRUE(gone.ok());
    EXPECT_EQ(*gone, before.size() - 1);
    auto after = list_history(disk).value();
    ASSERT_EQ(after.size(), 1u);
    EXPECT_EQ(after[0].number, before[1].number);
    EXPECT_EQ(asked[0].second, asked[1].first) << "a segment ends where the next begins";
    EXPECT_EQ(log->forget_history(clock.wall(), [](auto, auto) { return false; }).value(), 0u);
}

TEST_F(JournalHistory, a_full_disk_takes_nothing_that_may_not_go) {
    options.min_free_bytes = 64_KiB;
    open();
    fill(4);
    drop_all(true);
    auto free = disk.free_bytes();
    ASSERT_TRUE(free.ok());
    disk.options().capacity_bytes -= *free - 80_KiB;
    clock.advance(1s);
    auto oldest = list_history(disk)->front().number;
    unsigned asked = 0;
    EXPECT_EQ(log->forget_history(Timestamp{INT64_MIN}, [&](auto, auto) { return ++asked == 2; }).value(), 1u);
    EXPECT_EQ(list_history(disk)->front().number, oldest);
    EXPECT_FALSE(log->has_room());
}

TEST_F(JournalHistory, what_is_being_compressed_can_go_too_and_does_not_come_back) {
    open();
    fill(3);
    drop_all(true);
    log->maintain();
    log->maintain();
    clock.advance(1min);
    ASSERT_TRUE(log->forget_history(clock.wall(), {}).ok());
    compress();
    auto history = list_history(disk);
    ASSERT_TRUE(history.ok());
    EXPECT_TRUE(history->empty());
    EXPECT_EQ(disk.list("history").value(), std::vector<std::string>{});
}

TEST_F(JournalHistory, a_full_disk_takes_the_oldest_whatever_its_age) {
    options.min_free_bytes = 64_KiB;
    open();
    fill(4);
    drop_all(true);
    ASSERT_EQ(log->forget_history(Timestamp{INT64_MIN}, {}).value(), 0u) << "there is room";
    auto free = disk.free_bytes();
    ASSERT_TRUE(free.ok());
    disk.options().capacity_bytes -= *free - 80_KiB;
    clock.advance(1s);
    EXPECT_FALSE(log->has_room());
    int rounds = 0;
    while (!log->has_room() && rounds++ < 10) {
        ASSERT_EQ(log->forget_history(Timestamp{INT64_MIN}, {}).value(), 1u);
        clock.advance(1s);
    }
    EXPECT_LT(rounds, 4);
    EXPECT_EQ(list_history(disk)->front().number, static_cast<std::uint64_t>(rounds) + 1);
    EXPECT_EQ(log->forget_history(Timestamp{INT64_MIN}, {}).value(), 0u) << "no more than needed";
}

TEST_F(JournalHistory, a_segment_number_known_only_to_history_is_not_given_again) {
    open();
    fill(3);
    auto active = log->active_segment();
    drop_all(true);
    log.reset();
    ASSERT_TRUE(disk.rename(segment_path(static_cast<std::uint32_t>(active.value())),
                            "history/" + segment_path(static_cast<std::uint32_t>(active.value())))
                    .ok());
    open();
    EXPECT_GT(log->active_segment(), active);
}

TEST_F(JournalHistory, a_move_that_a_killed_process_did_not_sync_is_synced_by_the_next_before_it_drops_more) {
    open();
    fill(4);
    ASSERT_TRUE(disk.make_directory("history").ok());
    disk.fail_at(Call::sync_directory, 1, EIO);
    ASSERT_FALSE(log->drop_below(SegmentNumber(2), [](SegmentNumber) { return Fate::history; }).ok());
    kill();
    open();
    ASSERT_TRUE(log->drop_below(SegmentNumber(3), [](SegmentNumber) { return Fate::reuse; }).ok());
    lose_power(Survival::none);
    open();
    EXPECT_FALSE(log->report().corrupt);
    EXPECT_EQ(log->oldest_segment(), SegmentNumber(3));
}

TEST_F(JournalHistory, a_segment_found_both_live_and_in_history_is_visited_once) {
    open();
    fill(2);
    auto bytes = disk.content(segment_path(1));
    drop_all(true);
    auto back = disk.open(segment_path(1), disk::OpenMode::create_new);
    ASSERT_TRUE(back.ok());
    ASSERT_TRUE((*back)->write(0, bytes).ok());
    EXPECT_EQ(visited(), numbers(0, written));
    log.reset();
    open(0, 2);
    EXPECT_EQ(log->oldest_segment(), SegmentNumber(3));
    ASSERT_TRUE(log->drop_below(SegmentNumber(2), [](SegmentNumber) { return Fate::history; }).ok());
    EXPECT_FALSE(disk.exists(segment_path(1))) << "the resurrected file is dropped again";
}

TEST_F(JournalHistory, a_compressed_file_whose_sync_failed_is_never_believed) {
    open();
    fill(2);
    drop_all(true);
    disk.on_call = [&](Call call, const std::string& path) {
        if (call != Call::sync || path.find(".fbz") == std::string::npos) return;
        disk.on_call = nullptr;
        disk.fail_at(Call::sync, 1, EIO);
    };
    for (int i = 0; i < 20; ++i) {
        compress();
        clock.advance(2s);
    }
    EXPECT_EQ(disk.faults().injected, 1u);
    lose_power(Survival::none);
    open();
    EXPECT_EQ(visited(), numbers(0, written));
    EXPECT_TRUE(summary.damage.empty());
    compress();
    EXPECT_TRUE(disk.exists(compressed_history_path(1))) << "the next start tries again, with a new file";
    EXPECT_EQ(visited(), numbers(0, written));
}

TEST_F(JournalHistory, an_unwritable_history_stops_no_commit) {
    open();
    fill(2);
    drop_all(true);
    disk.fail_at(Call::create, 1, 28, true);
    log->maintain();
    log->maintain();
    append_synced("still going");
    EXPECT_FALSE(log->fault());
    disk.stop_failing();
    clock.advance(2s);
    compress();
    log.reset();
    open();
    compress();
    EXPECT_TRUE(disk.exists(compressed_history_path(1)));
}

}  // namespace
}  // namespace forebay::journal
