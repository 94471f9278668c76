// What every Disk must do, run on the real file system and on the simulated one.

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <functional>

#include "disk/posix_disk.h"
#include "testing/simulated_disk.h"

namespace forebay::disk {
namespace {

using forebay::testing::SimulatedDisk;

/// A fresh disk of one kind, and whatever must outlive it.
class Bench {
  public:
    virtual ~Bench() = default;
    virtual Disk& disk() = 0;
};

class PosixBench final : public Bench {
  public:
    PosixBench() {
        char name[] = "/tmp/forebay-disk-XXXXXX";
        directory_ = mkdtemp(name);
        disk_ = PosixDisk::open(directory_).value();
    }
    ~PosixBench() override { std::filesystem::remove_all(directory_); }
    Disk& disk() override { return *disk_; }

  private:
    std::string directory_;
    std::unique_ptr<PosixDisk> disk_;
};

class SimulatedBench final : public Bench {
  public:
    Disk& disk() override { return disk_; }

  private:
    SimulatedDisk disk_{1};
};

struct Kind {
    const char* name;
    std::function<std::unique_ptr<Bench>()> make;
};

class DiskConformance : public ::testing::TestWithParam<Kind> {
  protected:
    DiskConformance() : bench_(GetParam().make()), disk(bench_->disk()) {}
    std::unique_ptr<File> create(const std::string& path) { return disk.open(path, OpenMode::create_new).value(); }
    static std::string read(File& file, std::uint64_t offset, std::size_t size) {
        std::string out = "what was there before";
        auto done = file.read(offset, size, out);
        return done.ok() ? out : "error " + done.error().text();
    }

  private:
    std::unique_ptr<Bench> bench_;

  protected:
    Disk& disk;
};

TEST_P(DiskConformance, what_is_written_is_read) {
    auto file = create("a");
    ASSERT_TRUE(file->write(0, "hello world").ok());
    ASSERT_TRUE(file->write(6, "there").ok());
    EXPECT_EQ(read(*file, 0, 11), "hello there");
    EXPECT_EQ(file->size().value(), 11u);
    ASSERT_TRUE(file->sync().ok());
    EXPECT_EQ(read(*disk.open("a", OpenMode::read).value(), 6, 5), "there");
}

TEST_P(DiskConformance, a_read_is_short_only_at_the_end) {
    auto file = create("a");
    ASSERT_TRUE(file->write(0, "12345").ok());
    EXPECT_EQ(read(*file, 3, 100), "45");
    EXPECT_EQ(read(*file, 5, 10), "");
    EXPECT_EQ(read(*file, 500, 10), "");
    EXPECT_EQ(read(*file, 0, 0), "");
}

TEST_P(DiskConformance, a_gap_before_a_write_is_zeros) {
    auto file = create("a");
    ASSERT_TRUE(file->write(4, "x").ok());
    EXPECT_EQ(read(*file, 0, 5), std::string("\0\0\0\0x", 5));
}

TEST_P(DiskConformance, several_megabytes_go_through_whole) {
    auto file = create("a");
    std::string large(5 << 20, 'l');
    large[4 << 20] = '!';
    ASSERT_TRUE(file->write(3, large).ok());
    EXPECT_EQ(read(*file, 3, large.size()), large);
}

TEST_P(DiskConformance, allocated_space_reads_as_zeros_and_counts_as_size) {
    auto file = create("a");
    ASSERT_TRUE(file->write(0, "x").ok());
    ASSERT_TRUE(file->allocate(100000).ok());
    EXPECT_EQ(file->size().value(), 100000u);
    EXPECT_EQ(read(*file, 0, 2), std::string("x\0", 2));
    ASSERT_TRUE(file->allocate(50).ok());
    EXPECT_EQ(file->size().value(), 100000u) << "never shrinks";
}

TEST_P(DiskConformance, truncating_shortens_and_lengthens_with_zeros) {
    auto file = create("a");
    ASSERT_TRUE(file->write(0, "123456").ok());
    ASSERT_TRUE(file->truncate(3).ok());
    EXPECT_EQ(read(*file, 0, 10), "123");
    ASSERT_TRUE(file->truncate(5).ok());
    EXPECT_EQ(read(*file, 0, 10), std::string("123\0\0", 5));
}

TEST_P(DiskConformance, creating_what_exists_and_opening_what_does_not_fails) {
    create("a");
    auto again = disk.open("a", OpenMode::create_new);
    ASSERT_FALSE(again.ok());
    EXPECT_EQ(again.error().number, EEXIST);
    for (auto mode : {OpenMode::read, OpenMode::read_write}) {
        auto missing = disk.open("b", mode);
        ASSERT_FALSE(missing.ok());
        EXPECT_EQ(missing.error().number, ENOENT);
    }
    EXPECT_FALSE(disk.open("no/such/directory", OpenMode::create_new).ok());
}

TEST_P(DiskConformance, a_file_opened_to_read_cannot_be_written) {
    create("a");
    auto file = disk.open("a", OpenMode::read).value();
    EXPECT_FALSE(file->write(0, "x").ok());
}

TEST_P(DiskConformance, a_directory_lists_its_names_in_order_and_a_missing_one_is_empty) {
    ASSERT_TRUE(disk.make_directory("sub").ok());
    ASSERT_TRUE(disk.make_directory("sub").ok()) << "making it twice is fine";
    create("b");
    create("a");
    create("sub/c");
    EXPECT_EQ(disk.list("").value(), (std::vector<std::string>{"a", "b", "sub"}));
    EXPECT_EQ(disk.list("sub").value(), std::vector<std::string>{"c"});
    EXPECT_TRUE(disk.list("none").value().empty());
}

TEST_P(DiskConformance, a_rename_replaces_and_the_open_file_follows) {
    auto file = create("a");
    ASSERT_TRUE(file->write(0, "new").ok());
    ASSERT_TRUE(create("b")->write(0, "old").ok());
    ASSERT_TRUE(disk.rename("a", "b").ok());
    EXPECT_FALSE(disk.exists("a"));
    ASSERT_TRUE(file->write(3, "er").ok());
    EXPECT_EQ(read(*disk.open("b", OpenMode::read).value(), 0, 10), "newer");
    EXPECT_FALSE(disk.rename("a", "c").ok());
}

TEST_P(DiskConformance, a_rename_into_another_directory_moves_the_name) {
    ASSERT_TRUE(disk.make_directory("sub").ok());
    create("a");
    ASSERT_TRUE(disk.rename("a", "sub/a").ok());
    EXPECT_TRUE(disk.exists("sub/a"));
    EXPECT_EQ(disk.list("").value(), std::vector<std::string>{"sub"});
}

TEST_P(DiskConformance, a_removed_file_is_readable_by_who_has_it_open) {
    auto file = create("a");
    ASSERT_TRUE(file->write(0, "still here").ok());
    ASSERT_TRUE(disk.remove("a").ok());
    EXPECT_FALSE(disk.exists("a"));
    EXPECT_EQ(read(*file, 0, 5), "still");
    EXPECT_FALSE(disk.remove("a").ok());
}

TEST_P(DiskConformance, directories_can_be_synced_and_free_space_asked) {
    ASSERT_TRUE(disk.make_directory("sub").ok());
    EXPECT_TRUE(disk.sync_directory("").ok());
    EXPECT_TRUE(disk.sync_directory("sub").ok());
    EXPECT_GT(disk.free_bytes().value(), 0u);
}

TEST_P(DiskConformance, forgetting_the_cache_forgets_nothing_that_was_written) {
    auto file = create("a");
    ASSERT_TRUE(file->write(0, "synced ").ok());
    ASSERT_TRUE(file->sync().ok());
    ASSERT_TRUE(file->write(7, "not yet").ok());
    file->forget_cache();
    EXPECT_EQ(read(*file, 0, 20), "synced not yet");
}

TEST_P(DiskConformance, taking_the_lock_twice_is_taking_it_once) {
    EXPECT_TRUE(disk.lock().ok());
    EXPECT_TRUE(disk.lock().ok());
}

INSTANTIATE_TEST_SUITE_P(Disks, DiskConformance,
                         ::testing::Values(Kind{"posix", [] { return std::make_unique<PosixBench>(); }},
                                           Kind{"simulated", [] { return std::make_unique<SimulatedBench>(); }}),
                         [](const auto& kind) { return std::string(kind.param.name); });

class PosixDiskTest : public ::testing::Test {
  protected:
    PosixDiskTest() {
        char name[] = "/tmp/forebay-disk-XXXXXX";
        directory = mkdtemp(name);
    }
    ~PosixDiskTest() override { std::filesystem::remove_all(directory); }
    static unsigned mode_of(const std::string& path) {
        struct stat status{};
        return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 0777 : 0;
    }
    std::string directory;
};

TEST_F(PosixDiskTest, files_are_for_their_owner_only) {
    auto disk = PosixDisk::open(directory + "/one/two").value();
    ASSERT_TRUE(disk->open("file", OpenMode::create_new).ok());
    ASSERT_TRUE(disk->make_directory("sub").ok());
    EXPECT_EQ(mode_of(directory + "/one"), 0700u);
    EXPECT_EQ(mode_of(directory + "/one/two"), 0700u);
    EXPECT_EQ(mode_of(directory + "/one/two/file"), 0600u);
    EXPECT_EQ(mode_of(directory + "/one/two/sub"), 0700u);
}

TEST_F(PosixDiskTest, only_one_can_hold_the_lock_and_it_is_free_afterwards) {
    auto first = PosixDisk::open(directory).value();
    auto second = PosixDisk::open(directory).value();
    ASSERT_TRUE(first->lock().ok());
    EXPECT_FALSE(second->lock().ok());
    first.reset();
    EXPECT_TRUE(second->lock().ok());
}

TEST_F(PosixDiskTest, a_directory_to_look_at_must_exist) {
    EXPECT_FALSE(PosixDisk::open_existing(directory + "/none").ok());
    EXPECT_TRUE(PosixDisk::open_existing(directory).ok());
}

TEST_F(PosixDiskTest, a_path_through_a_file_is_an_error_with_words) {
    auto disk = PosixDisk::open(directory).value();
    ASSERT_TRUE(disk->open("file", OpenMode::create_new).ok());
    auto failed = PosixDisk::open(directory + "/file/sub");
    ASSERT_FALSE(failed.ok());
    EXPECT_NE(failed.error().text().find("Not a directory"), std::string::npos) << failed.error().text();
}

}  // namespace
}  // namespace forebay::disk
