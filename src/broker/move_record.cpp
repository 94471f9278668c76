#include "broker/move_record.h"

#include <cstring>

namespace forebay::broker {
namespace {

void put_task(std::string& out, const MoveTask& task) {
    out.append(reinterpret_cast<const char*>(task.id.bytes.data()), task.id.bytes.size());
    put(out, task.source.value());
    put(out, task.destination.value());
    put_bytes(out, task.destination_name);
    put(out, task.below.value());
    put(out, task.started_at.ms);
    put(out, task.rate);
    put(out, static_cast<std::uint8_t>(task.state));
    put(out, task.to_move);
    put(out, task.moved);
    put_bytes(out, task.failure);
}

MoveTask take_task(Reader& in) {
    MoveTask task;
    if (auto id = in.take_raw(task.id.bytes.size()); !id.empty()) std::memcpy(task.id.bytes.data(), id.data(), id.size());
    task.source = queue::QueueId(in.take<std::uint32_t>());
    task.destination = queue::QueueId(in.take<std::uint32_t>());
    task.destination_name = in.take_bytes();
    task.below = queue::Sequence(in.take<std::uint64_t>());
    task.started_at.ms = in.take<std::int64_t>();
    task.rate = in.take<std::uint16_t>();
    // A state that this version does not know is none that moves messages.
    task.state = static_cast<MoveState>(std::min(in.take<std::uint8_t>(), static_cast<std::uint8_t>(MoveState::failed)));
    task.to_move = in.take<std::uint64_t>();
    task.moved = in.take<std::uint64_t>();
    task.failure = in.take_bytes();
    return task;
}

}  // namespace

void encode_move_set(std::string& out, const MoveTask& task) {
    out.clear();
    put_task(out, task);
}

std::optional<MoveTask> decode_move_set(std::string_view body) {
    Reader in(body);
    auto task = take_task(in);
    if (!in.at_end()) return std::nullopt;
    return task;
}

void put_moves(std::string& out, const std::vector<const MoveTask*>& tasks) {
    put(out, static_cast<std::uint32_t>(tasks.size()));
    for (const auto* task : tasks) put_task(out, *task);
}

std::vector<MoveTask> take_moves(Reader& in) {
    std::vector<MoveTask> out;
    if (in.at_end()) return out;
    for (auto left = in.take<std::uint32_t>(); left > 0 && !in.failed(); --left) out.push_back(take_task(in));
    return out;
}

}  // namespace forebay::broker
