// The liar must lie as it says.

#include "testing/simulated_disk.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>

namespace forebay::testing {
namespace {

using disk::OpenMode;

std::unique_ptr<disk::File> create_synced(SimulatedDisk& disk, const std::string& path, std::string_view bytes) {
    auto file = disk.open(path, OpenMode::create_new).value();
    EXPECT_TRUE(file->write(0, bytes).ok());
    EXPECT_TRUE(file->sync().ok());
    EXPECT_TRUE(disk.sync_directory("").ok());
    return file;
}

TEST(SimulatedDisk, what_was_not_synced_is_gone_after_a_power_cut) {
    SimulatedDisk disk(1);
    auto file = create_synced(disk, "a", "old");
    ASSERT_TRUE(file->write(0, "new").ok());
    disk.cut_power();
    disk.restart(Survival::none);
    EXPECT_EQ(disk.content("a"), "old");
}

TEST(SimulatedDisk, a_synced_file_without_a_synced_name_is_gone) {
    SimulatedDisk disk(1);
    auto file = disk.open("a", OpenMode::create_new).value();
    ASSERT_TRUE(file->write(0, "x").ok());
    ASSERT_TRUE(file->sync().ok());
    disk.cut_power();
    disk.restart(Survival::none);
    EXPECT_FALSE(disk.exists("a"));
}

TEST(SimulatedDisk, syncing_a_new_file_makes_its_name_durable_where_the_file_system_does_so) {
    SimulatedDisk disk(1, {.sync_persists_names = true});
    ASSERT_TRUE(disk.open("a", OpenMode::create_new).value()->sync().ok());
    disk.cut_power();
    disk.restart(Survival::none);
    EXPECT_TRUE(disk.exists("a"));
}

TEST(SimulatedDisk, an_unsynced_removal_or_rename_may_be_undone) {
    SimulatedDisk disk(1);
    create_synced(disk, "a", "a");
    create_synced(disk, "b", "b");
    ASSERT_TRUE(disk.remove("a").ok());
    ASSERT_TRUE(disk.rename("b", "c").ok());
    disk.cut_power();
    disk.restart(Survival::none);
    EXPECT_EQ(disk.list("").value(), (std::vector<std::string>{"a", "b"}));
}

TEST(SimulatedDisk, a_rename_across_directories_needs_both_synced) {
    SimulatedDisk disk(1);
    ASSERT_TRUE(disk.make_directory("sub").ok());
    create_synced(disk, "a", "a");
    ASSERT_TRUE(disk.rename("a", "sub/a").ok());
    ASSERT_TRUE(disk.sync_directory("sub").ok());
    disk.cut_power();
    disk.restart(Survival::none);
    EXPECT_TRUE(disk.exists("a"));
    EXPECT_FALSE(disk.exists("sub/a"));
}

TEST(SimulatedDisk, chosen_operations_survive_in_any_combination) {
    std::set<std::string> seen;
    for (std::uint64_t chosen = 0; chosen < 4; ++chosen) {
        SimulatedDisk disk(1);
        auto file = create_synced(disk, "a", "--");
        ASSERT_TRUE(file->write(0, "1").ok());
        ASSERT_TRUE(file->write(1, "2").ok());
        EXPECT_EQ(disk.pending_operations(), 2u);
        disk.cut_power();
        disk.restart(Survival::chosen, chosen);
        seen.insert(disk.content("a"));
    }
    EXPECT_EQ(seen, (std::set<std::string>{"--", "1-", "-2", "12"}));
}

TEST(SimulatedDisk, torn_writes_change_no_sector_they_did_not_touch) {
    int torn = 0;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        SimulatedDisk disk(seed);
        auto file = create_synced(disk, "a", std::string(4096, 'o'));
        ASSERT_TRUE(file->write(1024, std::string(1024, 'n')).ok());
        disk.cut_power();
        disk.restart(Survival::chance);
        auto content = disk.content("a");
        EXPECT_EQ(content.substr(0, 1024), std::string(1024, 'o'));
        EXPECT_EQ(content.substr(2048), std::string(2048, 'o'));
        auto middle = content.substr(1024, 1024);
        torn += middle != std::string(1024, 'o') && middle != std::string(1024, 'n') ? 1 : 0;
    }
    EXPECT_GT(torn, 10);
}

TEST(SimulatedDisk, nothing_works_between_the_cut_and_the_restart_and_old_files_are_dead) {
    SimulatedDisk disk(1);
    auto file = create_synced(disk, "a", "x");
    disk.cut_power_at(1);
    EXPECT_FALSE(file->write(0, "y").ok());
    EXPECT_FALSE(disk.open("a", OpenMode::read).ok());
    disk.restart(Survival::all);
    EXPECT_FALSE(file->write(0, "z").ok());
    EXPECT_TRUE(disk.open("a", OpenMode::read).ok());
}

TEST(SimulatedDisk, a_killed_process_leaves_what_it_wrote) {
    SimulatedDisk disk(1);
    auto file = disk.open("a", OpenMode::create_new).value();
    ASSERT_TRUE(file->write(0, "written").ok());
    disk.kill_process();
    EXPECT_EQ(disk.content("a"), "written");
    EXPECT_FALSE(file->sync().ok());
}

TEST(SimulatedDisk, a_failed_sync_succeeds_the_next_time_with_old_bytes_on_the_device) {
    SimulatedDisk disk(1);
    auto file = create_synced(disk, "a", "old");
    ASSERT_TRUE(file->write(0, "new").ok());
    disk.fail_at(Call::sync, 1, EIO);
    EXPECT_FALSE(file->sync().ok());
    EXPECT_TRUE(file->sync().ok());
    EXPECT_EQ(disk.content("a"), "new") << "in the cache";
    file->forget_cache();
    EXPECT_EQ(disk.content("a"), "old") << "on the device";
}

TEST(SimulatedDisk, btrfs_shows_the_old_bytes_after_a_failed_sync) {
    SimulatedDisk disk(1, {.sync_failure = SyncFailure::old_restored});
    auto file = create_synced(disk, "a", "old");
    ASSERT_TRUE(file->write(0, "new").ok());
    disk.fail_at(Call::sync, 1, EIO);
    EXPECT_FALSE(file->sync().ok());
    EXPECT_EQ(disk.content("a"), "old");
}

TEST(SimulatedDisk, a_late_error_comes_with_the_next_sync) {
    SimulatedDisk disk(1, {.sync_failure = SyncFailure::reported_late});
    auto file = create_synced(disk, "a", "old");
    ASSERT_TRUE(file->write(0, "new").ok());
    disk.fail_at(Call::sync, 1, EIO);
    EXPECT_TRUE(file->sync().ok());
    EXPECT_FALSE(file->sync().ok());
    disk.cut_power();
    disk.restart(Survival::all);
    EXPECT_EQ(disk.content("a"), "old");
}

TEST(SimulatedDisk, the_nth_call_fails_once_or_from_then_on) {
    SimulatedDisk disk(1);
    auto file = create_synced(disk, "a", "x");
    disk.fail_at(2, EIO);
    EXPECT_TRUE(file->write(0, "1").ok());
    auto failed = file->write(0, "2");
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().number, EIO);
    EXPECT_TRUE(file->write(0, "3").ok());
    disk.fail_at(Call::write, 1, EROFS, true);
    EXPECT_TRUE(file->sync().ok());
    EXPECT_FALSE(file->write(0, "4").ok());
    EXPECT_FALSE(file->write(0, "5").ok());
    disk.stop_failing();
    EXPECT_TRUE(file->write(0, "6").ok());
}

TEST(SimulatedDisk, space_is_claimed_when_it_is_allocated) {
    SimulatedDisk disk(1, {.capacity_bytes = 10000});
    auto file = disk.open("a", OpenMode::create_new).value();
    ASSERT_TRUE(file->allocate(8000).ok());
    EXPECT_EQ(disk.free_bytes().value(), 2000u);
    auto second = disk.open("b", OpenMode::create_new).value();
    auto refused = second->allocate(3000);
    ASSERT_FALSE(refused.ok());
    EXPECT_TRUE(refused.error().is_no_space());
    EXPECT_TRUE(file->write(7000, std::string(1000, 'x')).ok()) << "claimed space is there";
    EXPECT_FALSE(second->write(0, std::string(3000, 'x')).ok());
    ASSERT_TRUE(disk.remove("a").ok());
    EXPECT_TRUE(second->allocate(3000).ok());
}

TEST(SimulatedDisk, a_lost_write_is_seen_until_the_power_goes) {
    SimulatedDisk disk(1, {.lost_write_one_in = 1});
    auto file = disk.open("a", OpenMode::create_new).value();
    ASSERT_TRUE(disk.sync_directory("").ok());
    ASSERT_TRUE(file->write(0, "lost").ok());
    ASSERT_TRUE(file->sync().ok());
    EXPECT_EQ(disk.content("a"), "lost");
    disk.cut_power();
    disk.restart(Survival::all);
    EXPECT_EQ(disk.content("a"), "");
    EXPECT_EQ(disk.faults().lost, 1u);
}

TEST(SimulatedDisk, equal_seeds_and_calls_make_equal_disks) {
    auto run = [](std::uint64_t seed) {
        SimulatedDisk disk(seed);
        auto file = create_synced(disk, "a", std::string(8192, 'o'));
        for (int i = 0; i < 5; ++i) EXPECT_TRUE(file->write(i * 1000, std::string(900, 'n')).ok());
        disk.cut_power();
        disk.restart(Survival::chance);
        return disk.content("a");
    };
    EXPECT_EQ(run(3), run(3));
    EXPECT_NE(run(3), run(4));
}

}  // namespace
}  // namespace forebay::testing
