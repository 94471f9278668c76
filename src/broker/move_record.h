#pragma once
// A move task as the log, the preamble and the checkpoint describe it: FORMAT.md §1, 16. Each record is the whole of it.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/codec.h"
#include "base/uuid.h"
#include "broker/broker.h"

namespace forebay::broker {

struct MoveTask {
    Uuid id;
    queue::QueueId source;
    queue::QueueId destination;    ///< 0: each message goes back to the queue it came from
    std::string destination_name;  ///< as it was called when the task was started
    queue::Sequence below;         ///< messages from this one on came later and stay
    Timestamp started_at;
    std::uint16_t rate = 0;  ///< messages a second; 0: none is set
    MoveState state = MoveState::running;
    std::uint64_t to_move = 0, moved = 0;
    std::string failure;
};

void encode_move_set(std::string& out, const MoveTask& task);
std::optional<MoveTask> decode_move_set(std::string_view body);

/// `count u32 x move set`, as it ends a preamble and a checkpoint. Stores from before there were tasks end without.
void put_moves(std::string& out, const std::vector<const MoveTask*>& tasks);
std::vector<MoveTask> take_moves(Reader& in);

}  // namespace forebay::broker
