#pragma once
// A log on a simulated disk, with small segments, and what its tests ask of it.

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "journal/journal.h"
#include "testing/manual_clock.h"
#include "testing/seeded_entropy.h"
#include "testing/simulated_disk.h"

namespace forebay::journal {

using forebay::testing::Call;
using forebay::testing::ManualClock;
using forebay::testing::Random;
using forebay::testing::SeededEntropy;
using forebay::testing::SimulatedDisk;
using forebay::testing::Survival;
using forebay::testing::SyncFailure;

/// A record as replay told it.
struct Told {
    std::uint64_t position = 0;
    Location location;
    std::uint8_t type = 0;
    std::uint8_t flags = 0;
    std::string body;
    bool salvaged = false;
};

inline Options small_options() {
    Options options;
    options.segment_bytes = 32_KiB;
    options.reserve_bytes = 0;
    options.min_free_bytes = 0;
    return options;
}

class JournalTest : public ::testing::Test {
  protected:
    static constexpr std::uint8_t message = 8;

    explicit JournalTest(SimulatedDisk::Options options = {}) : disk(7, options) {}
    ~JournalTest() override { disk.on_call = nullptr; }  // it may refer to what the test had on its stack

    /// Opens the log (again); what it replayed is in `told`, preambles apart.
    Result<void, OpenError> try_open(std::uint64_t from = 0, std::uint64_t first_segment = 0) {
        log.reset();
        told.clear();
        preambles.clear();
        auto opened = Journal::open(
            disk, clock, entropy, options, Position(from), SegmentNumber(first_segment),
            [this](const Entry& entry) {
                (entry.type == 0 ? preambles : told)
                    .push_back({entry.position.value(), entry.location, entry.type, entry.flags, std::string(entry.body), entry.salvaged});
            },
            [this] { return preamble; });
        if (!opened.ok()) return Failure{opened.error()};
        log = std::move(opened).value();
        return {};
    }
    void open(std::uint64_t from = 0, std::uint64_t first_segment = 0) {
        auto opened = try_open(from, first_segment);
        ASSERT_TRUE(opened.ok()) << opened.error().what;
    }
    Location append(std::string_view body, std::uint8_t type = message, std::uint8_t flags = 0) { return log->append(type, flags, body); }
    Location append_synced(std::string_view body) {
        auto location = append(body);
        EXPECT_TRUE(log->sync().ok());
        return location;
    }
    std::vector<std::string> bodies() const {
        std::vector<std::string> out;
        for (const auto& record : told) out.push_back(record.body);
        return out;
    }
    std::string segment_path(std::uint32_t number) const {
        char name[64];
        std::snprintf(name, sizeof name, "log-%016x.seg", number);
        return name;
    }
    std::string body_at(const Location& location) {
        std::string buffer;
        auto read = log->read(location, buffer);
        return read.ok() ? std::string(read->body) : "error " + std::to_string(read.error().number);
    }
    /// The machine loses power; what was not synced goes as told.
    void lose_power(Survival survival, std::uint64_t chosen = 0) {
        disk.cut_power();
        log.reset();
        disk.restart(survival, chosen);
    }
    void kill() {
        auto* dead = log.release();
        disk.kill_process();
        delete dead;
    }

    SimulatedDisk disk;
    ManualClock clock;
    SeededEntropy entropy{11};
    Options options = small_options();
    std::string preamble = "preamble";
    std::unique_ptr<Journal> log;
    std::vector<Told> told;
    std::vector<Told> preambles;
};

using Bodies = std::vector<std::string>;

}  // namespace forebay::journal
