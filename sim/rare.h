#pragma once
// States that are rare and matter. A run notes which it has been in; a long series must have been in all of them,
// or it did not try what it says.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace forebay::sim {

enum class Rare {
    power_cut_while_opening,
    power_cut_four_deep,
    killed_while_opening,
    power_cut_between_rename_and_directory_sync,
    power_cut_during_checkpoint,
    sync_failed,
    write_failed,
    read_failed,
    opened_from_checkpoint,
    opened_from_whole_log,
    tail_set_aside,
    salvaged_behind_a_hole,
    doubtful_records_copied,
    segment_recycled,
    straggler_copied,
    duplicate_after_delete,
    key_reused,
    dead_letter,
    receive_count_lost,
    stale_receipt_deleted,
    addition_refused_on_full_disk,
    deleted_on_full_disk,
    clock_set_forward,
    clock_set_back,
    damage_reported,
    message_lost_to_damage,
    deduplicated,
    deduplicated_after_delete,
    receive_repeated,
    expired_receipt,
    moved_by_a_task,
    moved_by_a_task_that_saw_a_crash,
    move_completed,
    move_cancelled,
    noisy_tenant_served,
    count_of_rare,
};

constexpr const char* name_of(Rare rare) {
    constexpr const char* names[] = {"power cut while opening",
                                     "power cut four deep while opening",
                                     "killed while opening",
                                     "power cut between rename and directory sync",
                                     "power cut during a checkpoint",
                                     "sync failed",
                                     "write failed",
                                     "read failed",
                                     "opened from a checkpoint",
                                     "opened from the whole log",
                                     "tail set aside",
                                     "salvaged behind a hole",
                                     "doubtful records copied",
                                     "segment recycled",
                                     "straggler copied",
                                     "duplicate after its message was deleted",
                                     "key reused",
                                     "dead letter",
                                     "receive count lost in a power cut",
                                     "stale receipt deleted",
                                     "addition refused on a full disk",
                                     "deleted on a full disk",
                                     "clock set forward",
                                     "clock set back",
                                     "damage reported",
                                     "message lost to damage",
                                     "send deduplicated",
                                     "send deduplicated after its message was deleted",
                                     "receive repeated under its attempt id",
                                     "expired receipt refused",
                                     "message moved by a task",
                                     "message moved by a task that saw a crash",
                                     "move task completed",
                                     "move task cancelled",
                                     "noisy tenant served when nobody else waited"};
    static_assert(std::size(names) == static_cast<std::size_t>(Rare::count_of_rare));
    return names[static_cast<int>(rare)];
}

class RareStates {
  public:
    void note(Rare rare, std::uint64_t times = 1) { counts_[static_cast<std::size_t>(rare)] += times; }
    std::uint64_t operator[](Rare rare) const { return counts_[static_cast<std::size_t>(rare)]; }
    void add(const RareStates& other) {
        for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    }

  private:
    std::array<std::uint64_t, static_cast<std::size_t>(Rare::count_of_rare)> counts_{};
};

}  // namespace forebay::sim
