#pragma once
// What one seed tries: a random subset of the things clients do and of the faults, and random sizes of everything
// that has a size. Most bugs need a few things to happen together and everything else to be out of the way.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "broker/broker.h"
#include "broker/options.h"
#include "testing/seeded_entropy.h"
#include "testing/simulated_disk.h"

namespace forebay::sim {

/// What a client does.
enum class Act {
    send,
    send_delayed,
    send_large,
    send_batch,
    send_record,    ///< a post with its client's key
    repeat_record,  ///< the same post again
    reuse_key,      ///< another post with a key used before
    receive,
    receive_briefly,
    long_poll,
    poll_and_leave,
    remove,
    remove_many,
    remove_stale,
    prolong,
    make_visible,
    release,
    change_stale,
    mistake,  ///< a receipt given to a queue that did not give it
    peek,
    status,
    list,
    purge,
    make_queue,
    set_queue,
    remove_queue,
    start_move,
    cancel_move,
    list_moves,
    count_of_acts,
};

/// How the life of a process ends.
enum class Ending { stop, kill, power_cut, sync_error, write_error, read_error, count_of_endings };

/// What the device does behind our back, once in a seed that has it.
enum class Lie { none, rot, lost_write, misdirected_write };

struct QueuePlan {
    std::string name;
    broker::QueueSettings settings;
    bool declared = false;
};

struct Plan {
    explicit Plan(std::uint64_t seed);

    broker::BrokerOptions options;
    testing::SimulatedDisk::Options disk;
    std::array<unsigned, static_cast<std::size_t>(Act::count_of_acts)> acts{};
    std::array<unsigned, static_cast<std::size_t>(Ending::count_of_endings)> endings{};
    std::vector<QueuePlan> queues;  ///< dead letter queues first
    unsigned lives = 0;
    unsigned rounds_most = 0;
    unsigned batch_most = 0;
    unsigned messages_most = 0;
    unsigned slow_rounds = 0;  ///< one round in so many is followed by a long pause; 0 = none
    bool recovery_faults = false, no_space = false, clock_jumps = false;
    bool has_tenants = false;  ///< of the standard queues: one who sends most, others who send once
    bool has_moves = false;    ///< no message is then sent twice with the same bytes: a moved one is known by them
    Lie lie = Lie::none;

  private:
    void choose_options(testing::Random& random);
    void choose_acts(testing::Random& random);
    void choose_moves(testing::Random& random);
    void choose_faults(testing::Random& random);
    void choose_queues(testing::Random& random);
    void choose_fifo_queue(testing::Random& random, broker::QueueSettings settings);
};

}  // namespace forebay::sim
