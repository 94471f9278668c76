// What a start makes of bytes that are not what was written: torn or corrupt, and what is served.

#include <algorithm>
#include <cerrno>

#include "journal/quarantine.h"
#include "journal/segment.h"
#include "tests/unit/journal/fixture.h"

namespace forebay::journal {
namespace {

class JournalDamage : public JournalTest {
  protected:
    std::vector<std::string> quarantined() {
        auto names = disk.list("quarantine");
        return names.ok() ? *names : Bodies{"cannot list"};
    }
    bool notes_say(std::string_view what) const {
        const auto& notes = log->report().notes;
        return std::any_of(notes.begin(), notes.end(), [&](const auto& note) { return note.find(what) != std::string::npos; });
    }
    /// Frames of one record each, so that each can be torn by itself.
    std::vector<Location> append_frames(int count, const std::string& prefix, std::uint8_t type = message) {
        std::vector<Location> places;
        for (int i = 0; i < count; ++i) {
            places.push_back(append(prefix + std::to_string(i), type));
            EXPECT_TRUE(log->write().ok());
        }
        return places;
    }
    void spoil(const Location& place, std::uint32_t at = 24) { disk.rot(segment_path(place.segment), place.offset + at, 0x40); }
    void spoil_frame_header_of(const Location& place) { disk.rot(segment_path(place.segment), place.offset - 40, 0x40); }
};

TEST_F(JournalDamage, a_torn_last_frame_is_kept_aside_and_is_no_alarm) {
    open();
    append_synced("kept");
    auto torn = append_frames(1, "torn ");
    kill();
    spoil(torn[0]);
    open();
    EXPECT_EQ(bodies(), Bodies{"kept"});
    EXPECT_FALSE(log->report().corrupt);
    EXPECT_EQ(log->report().tail_quarantined, 1u);
    EXPECT_TRUE(notes_say("un-acknowledged tail"));
    ASSERT_EQ(quarantined().size(), 1u);
    EXPECT_TRUE(quarantined()[0].starts_with("tail-"));
}

TEST_F(JournalDamage, records_behind_an_unacknowledged_hole_are_salvaged_and_stay_so) {
    open();
    append_synced("kept");
    auto places = append_frames(3, "doubt ");
    kill();
    spoil(places[1]);
    open();
    EXPECT_EQ(bodies(), (Bodies{"kept", "doubt 0", "doubt 2"}));
    EXPECT_FALSE(told[1].salvaged) << "before the hole";
    EXPECT_TRUE(told[2].salvaged) << "behind the hole";
    EXPECT_FALSE(log->report().corrupt);
    lose_power(Survival::none);
    open();
    EXPECT_EQ(bodies(), (Bodies{"kept", "doubt 0", "doubt 2"}));
    EXPECT_TRUE(told[2].salvaged) << "the copy remembers";
    EXPECT_EQ(log->report().tail_quarantined, 0u) << "told once";
}

TEST_F(JournalDamage, damage_below_a_later_proof_is_corruption_and_takes_only_its_record) {
    open();
    append("a0");
    append("a1");
    auto damaged = append("a2");
    append("a3");
    ASSERT_TRUE(log->sync().ok());
    append_synced("b");
    append_synced("c");
    lose_power(Survival::none);
    spoil(damaged);
    open();
    EXPECT_EQ(bodies(), (Bodies{"a0", "a1", "a3", "b", "c"}));
    EXPECT_TRUE(log->report().corrupt);
    EXPECT_TRUE(notes_say("acknowledged data is damaged"));
    for (const auto& record : told) EXPECT_FALSE(record.salvaged);
    ASSERT_EQ(quarantined().size(), 1u);
    EXPECT_TRUE(quarantined()[0].starts_with("damage-"));
    open();
    EXPECT_TRUE(log->report().corrupt) << "until the segment is gone";
    EXPECT_EQ(bodies().size(), 5u);
    EXPECT_EQ(quarantined().size(), 1u) << "kept once";
}

TEST_F(JournalDamage, a_lost_frame_header_takes_no_record_with_it) {
    open();
    append("a0");
    auto place = append("a1");
    ASSERT_TRUE(log->sync().ok());
    append_synced("b");
    lose_power(Survival::none);
    disk.rot(segment_path(place.segment), 4608 + 9, 0xff);
    open();
    EXPECT_EQ(bodies(), (Bodies{"a0", "a1", "b"}));
    EXPECT_TRUE(log->report().corrupt);
    EXPECT_TRUE(notes_say("no record is known to be missing"));
}

TEST_F(JournalDamage, the_commit_mark_proves_the_last_frame_when_nothing_follows_it) {
    open();
    append_synced("kept");
    clock.advance(20ms);
    auto last = append_synced("last");
    lose_power(Survival::all);
    spoil(last);
    open();
    EXPECT_EQ(bodies(), Bodies{"kept"});
    EXPECT_TRUE(log->report().corrupt) << "it was acknowledged";
    EXPECT_EQ(log->report().tail_quarantined, 0u);
}

TEST_F(JournalDamage, without_any_proof_the_last_frame_counts_as_unacknowledged) {
    open();
    append_synced("kept");
    auto last = append_synced("last");
    lose_power(Survival::none);  // the mark is never synced
    disk.set_content("commit.mark", 0, std::string(8192, '\0'));
    spoil(last);
    open();
    EXPECT_EQ(bodies(), Bodies{"kept"});
    EXPECT_FALSE(log->report().corrupt);
    EXPECT_EQ(log->report().tail_quarantined, 1u);
}

TEST_F(JournalDamage, a_hole_over_the_end_of_the_proof_is_both_damage_and_a_reason_to_salvage) {
    open();
    auto acknowledged = append_synced("acknowledged");
    auto more = append_frames(3, "doubt ");
    log->maintain();
    kill();
    spoil(acknowledged);
    spoil(more[0]);
    open();
    EXPECT_EQ(bodies(), (Bodies{"doubt 1", "doubt 2"}));
    EXPECT_TRUE(log->report().corrupt);
    EXPECT_TRUE(told[0].salvaged);
    EXPECT_TRUE(told[1].salvaged);
}

TEST_F(JournalDamage, damage_in_a_sealed_segment_leaves_the_others_alone) {
    open();
    std::vector<Location> places;
    for (int i = 0; i < 120; ++i) places.push_back(append_synced(std::string(900, 'x') + std::to_string(i)));
    lose_power(Survival::none);
    spoil(places[40]);
    open();
    EXPECT_EQ(told.size(), 119u);
    EXPECT_TRUE(log->report().corrupt);
    EXPECT_EQ(body_at(places[39]), std::string(900, 'x') + "39");
    EXPECT_EQ(body_at(places[40]), "error " + std::to_string(EBADMSG));
    EXPECT_EQ(body_at(places[41]), std::string(900, 'x') + "41");
}

TEST_F(JournalDamage, a_segment_whose_header_page_is_gone_is_read_with_its_first_frame) {
    open();
    auto place = append_synced("one");
    append_synced("two");
    lose_power(Survival::none);
    disk.set_content(segment_path(place.segment), 0, std::string(4096, '\0'));
    open();
    EXPECT_EQ(bodies(), (Bodies{"one", "two"}));
    EXPECT_TRUE(log->report().corrupt);
    EXPECT_TRUE(notes_say("both header copies"));
    EXPECT_EQ(body_at(place), "one");
}

TEST_F(JournalDamage, one_good_header_copy_is_enough) {
    open();
    auto place = append_synced("one");
    lose_power(Survival::none);
    disk.rot(segment_path(place.segment), 45, 1);
    open();
    EXPECT_EQ(bodies(), Bodies{"one"});
    EXPECT_FALSE(log->report().corrupt);
}

TEST_F(JournalDamage, a_segment_without_header_and_first_frame_is_reported_and_the_rest_is_served) {
    open();
    std::vector<Location> places;
    for (int i = 0; i < 120; ++i) places.push_back(append_synced(std::string(900, 'x')));
    auto in_second = std::count_if(places.begin(), places.end(), [](const auto& place) { return place.segment == 2; });
    lose_power(Survival::none);
    disk.set_content(segment_path(2), 0, std::string(8192, '\xff'));
    open();
    EXPECT_EQ(told.size(), 120u - in_second);
    EXPECT_TRUE(log->report().corrupt);
    open();
    EXPECT_EQ(told.size(), 120u - in_second);
    EXPECT_TRUE(log->drop_below(SegmentNumber(3), [](SegmentNumber) { return Fate::reuse; }).ok());
    open();
    EXPECT_FALSE(log->report().corrupt) << "the damaged segment was dropped";
    auto kept = quarantined();
    EXPECT_TRUE(std::count(kept.begin(), kept.end(), segment_path(2))) << "but not thrown away";
}

TEST_F(JournalDamage, a_missing_segment_is_reported) {
    open();
    for (int i = 0; i < 120; ++i) append_synced(std::string(900, 'x'));
    ASSERT_TRUE(disk.remove(segment_path(2)).ok());
    open();
    EXPECT_TRUE(log->report().corrupt);
    EXPECT_TRUE(notes_say("is missing"));
}

TEST_F(JournalDamage, a_log_whose_segments_are_all_gone_goes_on_above_what_the_mark_remembers) {
    open();
    for (int i = 0; i < 10; ++i) append_synced("x");
    log.reset();
    ASSERT_TRUE(disk.remove(segment_path(1)).ok());
    open();
    EXPECT_TRUE(log->report().corrupt);
    EXPECT_GE(log->next_position(), Position(10));
    EXPECT_EQ(log->boot_epoch(), 2u);
}

TEST_F(JournalDamage, frames_of_an_earlier_life_of_the_file_are_never_replayed) {
    options.spares = 0;
    open();
    for (int round = 0; round < 12; ++round) {
        while (log->active_segment() == log->oldest_segment()) append_synced("old life " + std::string(700, 'o'));
        ASSERT_TRUE(log->drop_below(log->active_segment(), [](SegmentNumber) { return Fate::reuse; }).ok());
        append_synced("new life");
    }
    EXPECT_GT(log->counters().segments_recycled, 5u);
    auto active = log->active_segment().value();
    lose_power(Survival::none);
    open();
    for (const auto& record : told) EXPECT_GE(record.location.segment, active);
    EXPECT_LE(told.size(), 4u);
    EXPECT_FALSE(log->report().corrupt);
    EXPECT_EQ(log->report().tail_quarantined, 0u);
}

TEST_F(JournalDamage, a_segment_of_another_store_is_refused) {
    open();
    for (int i = 0; i < 60; ++i) append_synced(std::string(900, 'x'));
    log.reset();
    SimulatedDisk other(99);
    auto foreign =
        Journal::open(other, clock, entropy, options, Position(0), SegmentNumber(0), [](const Entry&) {}, [] { return std::string(); });
    ASSERT_TRUE(foreign.ok());
    disk.set_content(segment_path(2), 0, other.content(segment_path(1)).substr(0, 4096));
    auto opened = try_open();
    // The number gives it away first: the segment counts as unreadable.
    ASSERT_TRUE(opened.ok());
    EXPECT_TRUE(log->report().corrupt);
    log.reset();
    disk.set_content(segment_path(1), 0, other.content(segment_path(1)).substr(0, 4096));
    opened = try_open();
    ASSERT_FALSE(opened.ok());
    EXPECT_NE(opened.error().what.find("another store"), std::string::npos);
}

TEST_F(JournalDamage, a_segment_of_a_newer_version_is_refused) {
    open();
    append_synced("one");
    log.reset();
    auto path = segment_path(1);
    for (std::uint64_t copy : {0, 2048}) disk.set_content(path, copy + 8, std::string_view("\x02\x00", 2));
    auto opened = try_open();
    ASSERT_FALSE(opened.ok());
    EXPECT_NE(opened.error().what.find("newer version"), std::string::npos);
}

TEST_F(JournalDamage, pages_that_cannot_be_read_are_reported_and_the_rest_is_served) {
    open();
    std::vector<Location> places;
    for (int i = 0; i < 20; ++i) places.push_back(append_synced(std::string(900, 'x')));
    lose_power(Survival::none);
    disk.options().read_error_one_in = 4;
    for (int i = 0; i < 40; ++i) {
        auto opened = try_open();
        if (opened.ok() && told.size() < 20) {
            EXPECT_TRUE(log->report().corrupt);
        }
        log.reset();
        disk.kill_process();
    }
    disk.heal();
    open();
    EXPECT_EQ(told.size(), 20u);
}

TEST_F(JournalDamage, of_damage_the_newest_is_kept_up_to_a_bound_and_what_goes_is_counted) {
    open();
    append_synced("sound");
    log.reset();
    ASSERT_TRUE(disk.make_directory("quarantine").ok());
    for (unsigned i = 0; i < damage_files_max + 3; ++i) {
        auto path = "quarantine/damage-" + to_hex16(i) + "-" + to_hex16(4096);
        ASSERT_TRUE(disk.open(path, disk::OpenMode::create_new).ok());
    }
    open();
    EXPECT_EQ(log->counters().quarantine_removed, 3u);
    auto kept = quarantined();
    ASSERT_EQ(kept.size(), damage_files_max);
    EXPECT_EQ(kept.front(), "damage-" + to_hex16(3) + "-" + to_hex16(4096));
}

TEST_F(JournalDamage, damaged_segments_are_bounded_in_bytes_but_the_newest_stays) {
    open();
    ASSERT_TRUE(disk.make_directory("quarantine").ok());
    for (std::uint32_t i = 1; i <= 2; ++i) {
        auto file = disk.open("quarantine/" + segment_path(i), disk::OpenMode::create_new);
        ASSERT_TRUE(file.ok());
        ASSERT_TRUE((*file)->allocate(damage_bytes_max / 64).ok());
    }
    EXPECT_EQ(*bound_damage(disk, damage_files_max, damage_bytes_max / 64 + 1), 1u);
    EXPECT_EQ(quarantined(), std::vector<std::string>{segment_path(2)});
    EXPECT_EQ(*bound_damage(disk, damage_files_max, 1), 0u);
}

TEST_F(JournalDamage, at_most_sixteen_tails_are_kept) {
    open();
    for (int i = 0; i < 20; ++i) {
        auto torn = append_frames(1, "torn ");
        kill();
        spoil(torn[0]);
        open();
        ASSERT_EQ(log->report().tail_quarantined, 1u);
    }
    EXPECT_EQ(quarantined().size(), 16u);
}

TEST_F(JournalDamage, without_space_for_a_copy_a_tail_stays_where_it_is_and_the_log_opens) {
    open();
    append_synced("kept");
    auto torn = append_frames(1, "torn ");
    kill();
    spoil(torn[0]);
    disk.fail_at(Call::create, 1, ENOSPC);
    open();
    EXPECT_EQ(bodies(), Bodies{"kept"});
    EXPECT_TRUE(notes_say("no space for a copy"));
    EXPECT_EQ(disk.content(segment_path(1)).size(), options.segment_bytes) << "not shortened";
}

TEST_F(JournalDamage, a_record_that_holds_when_it_is_read_again_is_not_damaged) {
    open();
    auto place = append_synced("right on the device");
    auto first = log->active_segment();
    while (log->active_segment() == first) append_synced(std::string(1000, 'x'));
    int reads = 0;
    disk.on_call = [&](Call call, const std::string&) {
        if (call == Call::read && ++reads <= 2) disk.rot(segment_path(place.segment), place.offset + place.length - 1, 1);
    };
    EXPECT_EQ(body_at(place), "right on the device");
    EXPECT_EQ(reads, 2);
}

TEST_F(JournalDamage, positions_seen_only_in_a_torn_frame_are_not_given_again) {
    open();
    append_synced("kept");
    append("x");
    append("y");
    ASSERT_TRUE(log->write().ok());
    auto next = log->next_position();
    auto torn = Location{1, 4096 + 512 + 512 + 64, 25};
    kill();
    spoil(torn);
    spoil(Location{1, torn.offset + 32, 25});
    open();
    EXPECT_EQ(bodies(), Bodies{"kept"});
    EXPECT_GE(log->next_position(), next);
}

TEST_F(JournalDamage, flipped_bits_take_only_the_record_they_hit) {
    Random random(4242);
    for (int round = 0; round < 300 && !HasFailure(); ++round) {
        SCOPED_TRACE(::testing::Message() << "round " << round);
        SimulatedDisk fresh(round);
        SeededEntropy salts(round);
        std::vector<Location> places;
        Bodies written;
        {
            auto opened = Journal::open(
                fresh, clock, salts, options, Position(0), SegmentNumber(0), [](const Entry&) {}, [] { return std::string(300, 'p'); });
            ASSERT_TRUE(opened.ok());
            for (int i = 0; i < 90; ++i) {
                written.push_back(std::to_string(i) + ":" + std::string(random.below(1200), static_cast<char>('a' + i % 26)));
                places.push_back((*opened)->append(8, 0, written.back()));
                if (random.one_in(3)) {
                    ASSERT_TRUE((*opened)->sync().ok());
                }
            }
            ASSERT_TRUE((*opened)->sync().ok());
        }
        auto hit = places[random.below(places.size())];
        auto path = segment_path(hit.segment);
        auto end = fresh.content(path).size();
        std::vector<std::uint64_t> flips;
        for (auto n = 1 + random.below(3); n > 0; --n) flips.push_back(random.one_in(4) ? random.below(4096 + 400) : random.below(end));
        for (auto flip : flips) fresh.rot(path, flip, static_cast<unsigned char>(1 << random.below(8)));
        Bodies found;
        bool corrupt = false;
        {
            auto opened = Journal::open(
                fresh, clock, salts, options, Position(0), SegmentNumber(0),
                [&](const Entry& entry) {
                    if (entry.type != 0) found.emplace_back(entry.body);
                },
                [] { return std::string(300, 'p'); });
            ASSERT_TRUE(opened.ok()) << opened.error().what;
            corrupt = (*opened)->report().corrupt;
        }
        for (std::size_t i = 0; i < written.size(); ++i) {
            bool is_hit = std::any_of(flips.begin(), flips.end(), [&](auto flip) {
                return places[i].segment == hit.segment && flip >= places[i].offset && flip < places[i].offset + places[i].length;
            });
            auto times = std::count(found.begin(), found.end(), written[i]);
            EXPECT_EQ(times, is_hit ? 0 : 1) << "record " << i;
            if (is_hit) {
                EXPECT_TRUE(corrupt);
            }
        }
        EXPECT_LE(found.size(), written.size()) << "nothing is invented";
    }
}

TEST_F(JournalDamage, lost_and_misdirected_writes_are_reported_or_harmless) {
    std::uint64_t lies = 0, found_missing = 0;
    for (std::uint64_t seed = 0; seed < 200 && !HasFailure(); ++seed) {
        SCOPED_TRACE(::testing::Message() << "seed " << seed);
        SimulatedDisk lying(seed, {.lost_write_one_in = seed % 2 ? 60u : 0u, .misdirected_write_one_in = seed % 2 ? 0u : 60u});
        SeededEntropy salts(seed);
        Bodies written, found;
        auto run = [&](auto replay) {
            return Journal::open(lying, clock, salts, options, Position(0), SegmentNumber(0), replay, [] { return std::string("p"); });
        };
        {
            auto opened = run([](const Entry&) {});
            ASSERT_TRUE(opened.ok());
            for (int i = 0; i < 60; ++i) {
                clock.advance(11ms);
                written.push_back(std::to_string(i) + std::string(400, 'x'));
                (*opened)->append(8, 0, written.back());
                ASSERT_TRUE((*opened)->sync().ok());
            }
            lying.cut_power();
        }
        lying.restart(Survival::all);
        lies += lying.faults().lost + lying.faults().misdirected;
        lying.heal();
        auto opened = run([&](const Entry& entry) {
            if (entry.type != 0) found.emplace_back(entry.body);
        });
        ASSERT_TRUE(opened.ok()) << opened.error().what;
        for (const auto& body : found) ASSERT_EQ(std::count(written.begin(), written.end(), body), 1);
        std::size_t missing = written.size() - found.size();
        found_missing += missing;
        bool is_only_the_unproven_last = missing == 1 && found == Bodies(written.begin(), written.end() - 1);
        if (missing > 0 && !is_only_the_unproven_last) {
            EXPECT_TRUE((*opened)->report().corrupt) << missing << " missing in silence";
        }
    }
    EXPECT_GT(lies, 100u);
    EXPECT_GT(found_missing, 20u);
}

}  // namespace
}  // namespace forebay::journal
