#include "sim/tally.h"

namespace forebay::sim {
namespace {

void add_faults(testing::SimulatedDisk::Faults& to, const testing::SimulatedDisk::Faults& from) {
    to.injected += from.injected, to.power_cuts += from.power_cuts, to.dropped += from.dropped, to.torn += from.torn;
    to.reordered += from.reordered, to.sync_errors += from.sync_errors, to.read_errors += from.read_errors;
    to.write_errors += from.write_errors, to.no_space += from.no_space, to.bits_flipped += from.bits_flipped;
    to.lost += from.lost, to.misdirected += from.misdirected;
}

}  // namespace

void Tally::add(const Tally& other) {
    seeds += other.seeds, operations += other.operations, rounds += other.rounds, deliveries += other.deliveries;
    power_cuts += other.power_cuts, kills += other.kills, fault_exits += other.fault_exits, stops += other.stops;
    clock_jumps += other.clock_jumps, lies += other.lies, simulated_ms += other.simulated_ms;
    add_faults(faults, other.faults);
    rare.add(other.rare);
}

}  // namespace forebay::sim
