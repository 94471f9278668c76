// The contract of journal.h when nothing is damaged: appending, segments, checkpoints, dropping, a full disk.

#include <algorithm>
#include <cerrno>

#include "journal/history.h"
#include "tests/unit/journal/fixture.h"

namespace forebay::journal {
namespace {

TEST_F(JournalTest, a_new_log_is_empty_and_has_boot_epoch_one) {
    open();
    EXPECT_TRUE(told.empty());
    EXPECT_EQ(log->boot_epoch(), 1u);
    EXPECT_EQ(log->next_position(), Position(0));
    EXPECT_FALSE(log->report().corrupt);
    EXPECT_TRUE(log->report().notes.empty());
}

TEST_F(JournalTest, the_boot_epoch_grows_at_every_start_also_after_a_power_cut) {
    for (std::uint32_t epoch = 1; epoch < 5; ++epoch) {
        open();
        EXPECT_EQ(log->boot_epoch(), epoch);
        lose_power(Survival::none);
    }
}

TEST_F(JournalTest, a_pending_record_can_be_read_before_it_is_written) {
    open();
    auto location = append("hello", 9, 3);
    std::string buffer;
    auto read = log->read(location, buffer);
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->body, "hello");
    EXPECT_EQ(read->type, 9);
    EXPECT_EQ(read->flags, 3);
    EXPECT_EQ(read->position, Position(0));
    ASSERT_TRUE(log->write().ok());
    EXPECT_EQ(body_at(location), "hello");
}

TEST_F(JournalTest, an_empty_body_is_a_record_too) {
    open();
    auto location = append_synced("");
    EXPECT_EQ(body_at(location), "");
    EXPECT_EQ(location.length, 24u);
    open();
    EXPECT_EQ(bodies(), Bodies{""});
}

TEST_F(JournalTest, a_location_that_is_no_record_is_an_error) {
    open();
    auto location = append_synced("hello");
    EXPECT_EQ(body_at({location.segment, location.offset + 8, location.length}), "error " + std::to_string(EBADMSG));
    EXPECT_EQ(body_at({location.segment, location.offset, location.length + 8}), "error " + std::to_string(EBADMSG));
    EXPECT_EQ(body_at({77, location.offset, location.length}), "error " + std::to_string(ENOENT));
}

TEST_F(JournalTest, synced_records_survive_a_power_cut_with_their_places) {
    open();
    auto first = append_synced("one");
    append_synced("two");
    lose_power(Survival::none);
    open();
    EXPECT_EQ(bodies(), (Bodies{"one", "two"}));
    EXPECT_EQ(told[0].location, first);
    EXPECT_EQ(body_at(first), "one");
    EXPECT_EQ(body_at(told[1].location), "two");
}

TEST_F(JournalTest, written_records_survive_a_killed_process) {
    open();
    append("one");
    ASSERT_TRUE(log->write().ok());
    kill();
    open();
    EXPECT_EQ(bodies(), Bodies{"one"});
    lose_power(Survival::none);
    open();
    EXPECT_EQ(bodies(), Bodies{"one"}) << "opening made it durable";
}

TEST_F(JournalTest, pending_records_die_with_the_process) {
    open();
    append("one");
    kill();
    open();
    EXPECT_TRUE(told.empty());
}

TEST_F(JournalTest, durable_and_unsynced_since_follow_write_and_sync) {
    open();
    append("one");
    EXPECT_EQ(log->durable(), Position(0));
    EXPECT_FALSE(log->unsynced_since());
    EXPECT_GT(log->pending_bytes(), 0u);
    auto written_at = clock.now();
    ASSERT_TRUE(log->write().ok());
    EXPECT_EQ(log->pending_bytes(), 0u);
    clock.advance(5ms);
    append("two");
    ASSERT_TRUE(log->write().ok());
    EXPECT_EQ(log->unsynced_since(), written_at);
    ASSERT_TRUE(log->sync().ok());
    EXPECT_EQ(log->durable(), Position(2));
    EXPECT_FALSE(log->unsynced_since());
}

TEST_F(JournalTest, a_sync_with_nothing_to_do_makes_no_call) {
    open();
    append_synced("one");
    auto calls = disk.calls();
    ASSERT_TRUE(log->sync().ok());
    EXPECT_EQ(disk.calls(), calls);
}

TEST_F(JournalTest, a_commit_is_one_write_and_one_sync) {
    open();
    append_synced("warm");
    for (int i = 0; i < 10; ++i) append("record " + std::to_string(i));
    std::vector<Call> seen;
    disk.on_call = [&](Call call, const std::string&) { seen.push_back(call); };
    ASSERT_TRUE(log->sync().ok());
    EXPECT_EQ(seen, (std::vector<Call>{Call::write, Call::sync}));
}

TEST_F(JournalTest, unsynced_data_never_exceeds_the_bound) {
    open();
    auto syncs = log->counters().syncs;
    for (int i = 0; i < 8; ++i) {
        append(std::string(1000, 'x'));
        ASSERT_TRUE(log->write().ok());
    }
    EXPECT_GT(log->counters().syncs, syncs);
}

TEST_F(JournalTest, a_full_segment_is_followed_by_another_that_begins_with_the_preamble) {
    open();
    std::string body(1000, 'x');
    std::vector<Location> places;
    for (int i = 0; i < 200; ++i) {
        EXPECT_EQ(log->next_position(), Position(i));
        places.push_back(append_synced(body + std::to_string(i)));
    }
    EXPECT_GT(log->active_segment(), SegmentNumber(5));
    for (int i = 0; i < 200; ++i) ASSERT_EQ(body_at(places[i]), body + std::to_string(i));
    lose_power(Survival::none);
    open();
    ASSERT_EQ(told.size(), 200u);
    for (int i = 0; i < 200; ++i) ASSERT_EQ(told[i].body, body + std::to_string(i));
    EXPECT_GT(preambles.size(), 5u);
    EXPECT_EQ(preambles[0].body, "preamble");
}

TEST_F(JournalTest, a_new_segment_is_claimed_written_synced_and_named_before_it_is_used) {
    open();
    append_synced("warm");
    std::vector<Call> seen;
    disk.on_call = [&](Call call, const std::string&) { seen.push_back(call); };
    auto active = log->active_segment();
    while (log->active_segment() == active) {
        seen.clear();
        append(std::string(1000, 'x'));
    }
    std::erase(seen, Call::other);
    EXPECT_EQ(seen, (std::vector<Call>{Call::write, Call::sync, Call::create, Call::allocate, Call::write, Call::write, Call::sync,
                                       Call::rename, Call::sync_directory}));
}

TEST_F(JournalTest, a_record_larger_than_a_frame_or_a_segment_is_taken) {
    open();
    std::string large(20000, 'l');
    std::string huge(200000, 'h');
    append("small");
    auto first = append(large);
    auto second = append_synced(huge);
    append_synced("after");
    EXPECT_EQ(body_at(first), large);
    EXPECT_EQ(body_at(second), huge);
    lose_power(Survival::none);
    open();
    EXPECT_EQ(bodies(), (Bodies{"small", large, huge, "after"}));
}

TEST_F(JournalTest, a_preamble_larger_than_a_segment_is_taken) {
    preamble = std::string(100000, 'p');
    open();
    for (int i = 0; i < 50; ++i) append_synced(std::string(900, 'x'));
    lose_power(Survival::none);
    open();
    EXPECT_EQ(told.size(), 50u);
    ASSERT_FALSE(preambles.empty());
    EXPECT_EQ(preambles[0].body, preamble);
}

TEST_F(JournalTest, a_checkpoint_spares_the_reading_of_what_lies_before_it) {
    open();
    for (int i = 0; i < 300; ++i) append_synced(std::string(900, 'x') + std::to_string(i));
    auto from = log->durable();
    append_synced("after the checkpoint");
    log.reset();
    std::uint64_t bodies_read = 0;
    disk.on_call = [&](Call call, const std::string& path) { bodies_read += call == Call::read && path == segment_path(2) ? 1 : 0; };
    open(from.value(), 1);
    EXPECT_EQ(bodies(), Bodies{"after the checkpoint"});
    EXPECT_EQ(told[0].position, 300u);
    EXPECT_EQ(bodies_read, 1u) << "only its header page";
    EXPECT_EQ(log->oldest_segment(), SegmentNumber(1));
}

TEST_F(JournalTest, what_a_checkpoint_covers_is_not_told_again_even_without_another_proof) {
    open();
    append_synced("one");
    auto from = log->durable();
    lose_power(Survival::none);
    open(from.value());
    EXPECT_TRUE(told.empty());
    EXPECT_GE(log->next_position(), from);
}

TEST_F(JournalTest, segments_below_the_first_of_the_checkpoint_are_not_replayed_and_still_dropped) {
    open();
    for (int i = 0; i < 100; ++i) append_synced(std::string(900, 'x') + std::to_string(i));
    log.reset();
    open(0, 3);
    EXPECT_EQ(log->oldest_segment(), SegmentNumber(3));
    for (const auto& record : told) EXPECT_GE(record.location.segment, 3u);
    std::vector<std::uint64_t> asked;
    ASSERT_TRUE(log->drop_below(SegmentNumber(3),
                                [&](SegmentNumber number) {
                                    asked.push_back(number.value());
                                    return Fate::reuse;
                                })
                    .ok());
    EXPECT_EQ(asked, (std::vector<std::uint64_t>{1, 2}));
    EXPECT_FALSE(disk.exists(segment_path(1)));
}

TEST_F(JournalTest, a_log_that_lost_everything_behind_a_checkpoint_says_so_and_gives_no_position_again) {
    open(5000, 7);
    EXPECT_TRUE(log->report().corrupt);
    EXPECT_GE(log->next_position(), Position(5000));
    EXPECT_GE(log->active_segment(), SegmentNumber(7));
}

TEST_F(JournalTest, scan_visits_one_segment_and_not_what_is_void_in_it) {
    open();
    append_synced("one");
    append("two");
    ASSERT_TRUE(log->write().ok());
    kill();
    open();
    Bodies first, second;
    ASSERT_TRUE(log->scan(SegmentNumber(1), [&](const Entry& entry) { first.emplace_back(entry.body); }).ok());
    ASSERT_TRUE(log->scan(SegmentNumber(2), [&](const Entry& entry) { second.emplace_back(entry.body); }).ok());
    // The frame of "two" proves "one"; nothing proves "two", so it was copied.
    EXPECT_EQ(first, (Bodies{"preamble", "one"}));
    EXPECT_EQ(second, (Bodies{"preamble", "two"}));
    EXPECT_FALSE(log->scan(SegmentNumber(9), [](const Entry&) {}).ok());
}

TEST_F(JournalTest, a_dropped_segment_becomes_the_space_of_a_later_one) {
    open();
    for (int i = 0; i < 200; ++i) {
        append_synced(std::string(900, 'x'));
        ASSERT_TRUE(log->drop_below(log->active_segment(), [](SegmentNumber) { return Fate::reuse; }).ok());
    }
    EXPECT_GT(log->counters().segments_recycled, 4u);
    EXPECT_EQ(log->live_bytes(), options.segment_bytes);
}

TEST_F(JournalTest, a_spare_is_written_in_the_background_and_survives_a_restart) {
    open();
    for (int i = 0; i < 12; ++i) append_synced(std::string(900, 'x'));
    while (log->maintain()) {
    }
    EXPECT_TRUE(disk.exists("spare-0000000000000002.seg"));
    log.reset();
    open();
    EXPECT_EQ(log->counters().segments_recycled, 1u) << "the start took it";
}

TEST_F(JournalTest, a_failed_sync_is_final) {
    open();
    append("one");
    disk.fail_at(Call::sync, 1, EIO);
    EXPECT_FALSE(log->sync().ok());
    ASSERT_TRUE(log->fault());
    EXPECT_EQ(log->fault()->operation, "sync");
    append("two");
    EXPECT_FALSE(log->write().ok());
    EXPECT_FALSE(log->sync().ok()) << "the retry that would lie is not made";
    EXPECT_EQ(log->durable(), Position(0));
    EXPECT_FALSE(log->has_room());
    EXPECT_FALSE(log->maintain());
    EXPECT_FALSE(log->drop_below(SegmentNumber(1), [](SegmentNumber) { return Fate::reuse; }).ok());
}

TEST_F(JournalTest, after_a_failed_sync_the_device_is_believed_and_not_the_cache) {
    for (auto model : {SyncFailure::new_in_cache, SyncFailure::old_restored}) {
        disk.options().sync_failure = model;
        open();
        auto before = told.size();
        append("never acknowledged");
        disk.fail_at(Call::sync, 1, EIO);
        ASSERT_FALSE(log->sync().ok());
        kill();
        open();
        EXPECT_EQ(told.size(), before);
        lose_power(Survival::none);
        open();
        EXPECT_EQ(told.size(), before);
    }
}

TEST_F(JournalTest, a_sync_that_fails_late_is_final_then) {
    disk.options().sync_failure = SyncFailure::reported_late;
    open();
    append("one");
    disk.fail_at(Call::sync, 1, EIO);
    ASSERT_TRUE(log->sync().ok()) << "the device lies";
    append("two");
    EXPECT_FALSE(log->sync().ok());
    EXPECT_TRUE(log->fault());
}

// --- a full disk

class JournalSpace : public JournalTest {
  protected:
    JournalSpace() : JournalTest({.capacity_bytes = 400_KiB}) {
        options.reserve_bytes = 64_KiB;
        options.min_free_bytes = 96_KiB;
        options.spares = 0;
    }
    void pass_time() { clock.advance(200ms); }
    /// Appends as a careful user does, until the log says no.
    int fill() {
        int count = 0;
        for (; log->has_room() && count < 1000; ++count) {
            append_synced(std::string(1000, 'f'));
            pass_time();
        }
        return count;
    }
};

TEST_F(JournalSpace, additions_are_refused_while_there_is_still_space_for_deletes) {
    open();
    auto count = fill();
    EXPECT_GT(count, 50);
    EXPECT_LT(count, 300);
    // The reserve and what was left: deletes go on for several segments.
    int deletes = 0;
    auto first = log->active_segment().value();
    while (!log->fault() && log->active_segment().value() < first + 3) {
        append(std::string(100, 'd'), 9);
        ASSERT_TRUE(log->sync().ok());
        ++deletes;
    }
    EXPECT_GT(deletes, 100);
    EXPECT_FALSE(log->has_room());
}

TEST_F(JournalSpace, the_reserve_is_given_back_before_the_log_gives_up_and_claimed_again_later) {
    open();
    fill();
    while (disk.exists("reserve.bin")) {
        append(std::string(200, 'd'), 9);
        ASSERT_TRUE(log->sync().ok());
    }
    pass_time();
    EXPECT_FALSE(log->has_room());
    ASSERT_TRUE(log->drop_below(log->active_segment(), [](SegmentNumber) { return Fate::reuse; }).ok());
    pass_time();
    while (log->maintain()) {
    }
    pass_time();
    EXPECT_TRUE(disk.exists("reserve.bin"));
    EXPECT_TRUE(log->has_room()) << "service came back by itself";
}

TEST_F(JournalSpace, of_a_reserve_given_back_for_a_checkpoint_the_next_segment_keeps_its_space_whatever_others_take) {
    open();
    append_synced("kept");
    disk.options().capacity_bytes -= *disk.free_bytes();
    ASSERT_TRUE(log->release_reserve());
    EXPECT_EQ(*disk.free_bytes(), options.reserve_bytes - options.segment_bytes) << "for the checkpoint";
    disk.options().capacity_bytes -= *disk.free_bytes();
    lose_power(Survival::none);
    open();
    EXPECT_EQ(bodies(), Bodies{"kept"});
}

TEST_F(JournalSpace, a_reserve_that_was_named_but_never_claimed_is_made_again) {
    open();
    log.reset();
    ASSERT_TRUE(disk.remove("reserve.bin").ok());
    ASSERT_TRUE(disk.open("reserve.bin", disk::OpenMode::create_new).ok());
    open();
    EXPECT_EQ(disk.content("reserve.bin").size(), options.reserve_bytes);
}

TEST_F(JournalSpace, a_disk_without_any_space_left_is_a_fault_and_nothing_acknowledged_is_lost) {
    open();
    int acknowledged = 0;
    while (true) {
        append(std::string(1000, 'f'));
        if (!log->sync().ok()) break;
        ++acknowledged;
    }
    EXPECT_TRUE(log->fault()->is_no_space());
    lose_power(Survival::none);
    ASSERT_FALSE(try_open().ok()) << "no segment can be had";
    disk.options().capacity_bytes *= 2;
    open();
    EXPECT_EQ(static_cast<int>(told.size()), acknowledged);
}

TEST_F(JournalSpace, room_does_not_flicker_at_the_bound) {
    open();
    fill();
    EXPECT_FALSE(log->has_room());
    disk.options().capacity_bytes += 33_KiB;  // just over what is needed, less than the margin of two percent
    pass_time();
    auto free = disk.free_bytes();
    ASSERT_TRUE(free.ok());
    if (*free < options.min_free_bytes + options.segment_bytes + options.min_free_bytes / 50) {
        EXPECT_FALSE(log->has_room());
    }
    disk.options().capacity_bytes += 64_KiB;
    pass_time();
    EXPECT_TRUE(log->has_room());
}

TEST_F(JournalTest, options_that_cannot_work_are_refused) {
    for (std::uint64_t bytes : {4096ull, 10000ull, 1ull << 33}) {
        options.segment_bytes = bytes;
        EXPECT_FALSE(try_open().ok()) << bytes;
    }
}

}  // namespace
}  // namespace forebay::journal
