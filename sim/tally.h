#pragma once
// What runs add up to, for the summary line.

#include <cstdint>

#include "base/time.h"
#include "sim/rare.h"
#include "testing/simulated_disk.h"

namespace forebay::sim {

struct Tally {
    std::uint64_t seeds = 0, operations = 0, rounds = 0, deliveries = 0;
    std::uint64_t power_cuts = 0, kills = 0, fault_exits = 0, stops = 0;
    std::uint64_t clock_jumps = 0, lies = 0;
    std::uint64_t simulated_ms = 0;
    testing::SimulatedDisk::Faults faults;
    RareStates rare;

    std::uint64_t crash_recoveries() const { return power_cuts + kills + fault_exits; }
    void add(const Tally& other);
};

}  // namespace forebay::sim
