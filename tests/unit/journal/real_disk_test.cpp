// The log on the real file system: a writer that is killed at any moment, and a reader beside a living one.

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "base/bytes.h"
#include "disk/posix_disk.h"
#include "journal/history_reader.h"
#include "journal/journal.h"

namespace forebay::journal {
namespace {

class RealDisk : public ::testing::Test {
  protected:
    RealDisk() {
        char name[] = "/tmp/forebay-journal-XXXXXX";
        directory = mkdtemp(name);
        options.segment_bytes = 256_KiB;
        options.reserve_bytes = 0;
        options.min_free_bytes = 0;
    }
    ~RealDisk() override { std::filesystem::remove_all(directory); }

    Result<std::unique_ptr<Journal>, OpenError> open(disk::Disk& disk, Journal::Replay replay) {
        return Journal::open(disk, clock, entropy, options, Position(0), SegmentNumber(0), std::move(replay),
                             [] { return std::string("p"); });
    }

    std::string directory;
    Options options;
    SystemClock clock;
    SystemEntropy entropy;
};

std::string numbered(std::uint64_t n) { return std::to_string(n) + ":" + std::string(n * 37 % 1500, 'x'); }

/// Appends from `n` on until it is killed; every acknowledged number goes to the pipe.
[[noreturn]] void write_until_killed(Journal& log, std::uint64_t n, int acknowledged) {
    while (true) {
        for (int i = 0; i < 5; ++i) log.append(8, 0, numbered(n++));
        if (!log.sync().ok() || ::write(acknowledged, &n, sizeof n) != sizeof n) ::_exit(1);
        log.maintain();
    }
}

TEST_F(RealDisk, a_writer_killed_at_any_moment_loses_nothing_it_acknowledged) {
    std::uint64_t acknowledged_below = 0;
    for (int round = 0; round < 8; ++round) {
        int ends[2];
        ASSERT_EQ(::pipe(ends), 0);
        auto child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            auto disk = disk::PosixDisk::open(directory);
            if (!disk.ok()) ::_exit(2);
            std::uint64_t next = 0;
            auto log = open(**disk, [&](const Entry& entry) {
                if (entry.type == 8) next = std::max<std::uint64_t>(next, std::stoull(std::string(entry.body)) + 1);
            });
            if (!log.ok()) ::_exit(3);
            write_until_killed(**log, next, ends[1]);
        }
        ::close(ends[1]);
        std::uint64_t told = 0;
        for (int i = 0; i < 20 + round * 7 && ::read(ends[0], &told, sizeof told) == sizeof told; ++i) acknowledged_below = told;
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        while (::read(ends[0], &told, sizeof told) == sizeof told) acknowledged_below = told;
        ::close(ends[0]);

        auto disk = disk::PosixDisk::open(directory).value();
        std::uint64_t expected = 0;
        auto log = open(*disk, [&](const Entry& entry) {
            if (entry.type == 8) {
                EXPECT_EQ(entry.body, numbered(expected++));
            }
        });
        ASSERT_TRUE(log.ok()) << log.error().what;
        EXPECT_GE(expected, acknowledged_below);
        EXPECT_FALSE((*log)->report().corrupt);
    }
    EXPECT_GT(acknowledged_below, 1000u);
}

TEST_F(RealDisk, a_second_process_may_read_but_not_open) {
    auto disk = disk::PosixDisk::open(directory).value();
    auto log = open(*disk, [](const Entry&) {});
    ASSERT_TRUE(log.ok());
    auto beside = disk::PosixDisk::open_existing(directory).value();
    auto second = open(*beside, [](const Entry&) {});
    ASSERT_FALSE(second.ok());
    EXPECT_NE(second.error().what.find("in use by another process"), std::string::npos);

    std::uint64_t written = 0;
    for (int round = 0; round < 30; ++round) {
        for (int i = 0; i < 50; ++i) (*log)->append(8, 0, numbered(written++));
        ASSERT_TRUE((*log)->sync().ok());
        ASSERT_TRUE((*log)->drop_below((*log)->active_segment(), [](SegmentNumber) { return Fate::history; }).ok());
        (*log)->maintain();
        if (round % 10 != 9) continue;
        std::uint64_t seen = 0;
        auto summary = HistoryReader(*beside).visit(Timestamp{0}, Timestamp{INT64_MAX / 2}, [&](const Entry& entry) {
            if (entry.type == 8) {
                EXPECT_EQ(entry.body, numbered(seen++));
            }
            return true;
        });
        ASSERT_TRUE(summary.ok());
        EXPECT_EQ(seen, written);
        EXPECT_TRUE(summary->damage.empty());
    }
}

}  // namespace
}  // namespace forebay::journal
