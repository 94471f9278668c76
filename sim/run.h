#pragma once
// One seed: a broker::Turn on a simulated disk and clock, clients that are a Workload, faults that come when the plan
// says, an Auditor that watches. One thread, no real time, no other source of chance: the same seed is the same run.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/turn.h"
#include "sim/auditor.h"
#include "sim/bug.h"
#include "sim/lying_disk.h"
#include "sim/plan.h"
#include "sim/tally.h"
#include "sim/workload.h"
#include "testing/manual_clock.h"
#include "testing/seeded_entropy.h"
#include "testing/simulated_disk.h"

namespace forebay::sim {

class Run {
  public:
    Run(std::uint64_t seed, Bug bug, bool verbose);
    ~Run();
    /// What contradicts the promise; nothing = the seed holds.
    std::optional<std::string> play();
    /// Over every call to the disk and every answer.
    std::uint64_t hash() const { return hash_ ^ disk_.run_hash(); }
    Tally tally() const;

  private:
    // The process.
    bool open(bool with_faults);
    bool open_once();
    /// In a storm the power fails four times in a row.
    void arm_opening(unsigned depth, bool storm);
    void note_opened();
    void die(Ending how);
    void end_process();

    // Its life.
    void live();
    void arm();
    bool round(std::vector<broker::Command> batch);
    bool random_round();
    void note_lie();
    void note_unread();
    void finish_life();
    void squeeze();
    void relax();
    void pause();
    void pass(Duration by);
    void set_clock();
    void check_handles(const queue::Receipt& receipt);

    // Commands and what clients see.
    void wire(broker::Command& command);
    template <class C>
    void wire_answer(C& command, Operation operation);
    template <class T>
    void told(Operation operation, const std::string& queue, T answer);
    template <class T>
    void learn_from(const std::string& queue, const T& answer);
    bool is_anybody_there() const { return is_listening_ && !disk_.is_cut(); }

    // The end.
    void drain();
    bool receive_everything();
    void wait_for_moves();
    void look_everywhere();
    void look_at_history();
    void check_damage_was_reported();

    bool failed();
    void fail(std::string what);
    void say(const std::string& line);

    const Plan plan_;
    const bool verbose_;
    const Bug bug_;
    testing::SimulatedDisk disk_;
    LyingDisk lying_disk_;
    std::unique_ptr<disk::Disk> buggy_disk_;
    testing::ManualClock clock_;
    testing::SeededEntropy entropy_;
    testing::Random chance_;
    Workload workload_;
    Auditor auditor_;
    std::unique_ptr<broker::Turn> turn_;

    Instant real_{1'000'000};
    Ending ending_ = Ending::stop;
    bool fault_fired_ = false, is_squeezed_ = false, is_listening_ = false, is_draining_ = false;
    bool was_squeezed_ = false;  ///< history may have been forgotten early
    bool lie_is_noted_ = false, damage_reported_ = false;
    std::uint64_t operations_ = 0, hash_ = 0;
    std::uint64_t injected_before_ = 0, unread_ = 0;  ///< faults, and bodies not read, when the round began
    unsigned life_ = 0;
    std::vector<std::pair<std::string, queue::Delivery>> drained_;
    std::optional<queue::Receipt> handle_to_check_;
    std::optional<std::string> failure_;
    Tally tally_;

    struct {
        testing::Call call = testing::Call::other;
        std::string path;
        bool rename_is_pending = false;
    } last_call_;
};

}  // namespace forebay::sim
