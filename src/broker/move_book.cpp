#include "broker/move_book.h"

#include <algorithm>

namespace forebay::broker {

void MoveBook::set(MoveTask task) {
    auto source = task.source;
    bool is_running = task.state == MoveState::running;
    auto known = std::find_if(tasks_.begin(), tasks_.end(), [&](const auto& other) { return other.id == task.id; });
    if (known == tasks_.end()) {
        tasks_.push_back(std::move(task));
    } else {
        running_count_ -= known->state == MoveState::running;
        *known = std::move(task);
    }
    running_count_ += is_running;
    if (is_running) return;
    drop_ended(source, ended_of_source_max);
    drop_ended(std::nullopt, ended_max);
}

void MoveBook::drop_ended(std::optional<queue::QueueId> source, std::size_t most) {
    auto counts = [&](const MoveTask& task) { return task.state != MoveState::running && (!source || task.source == *source); };
    auto ended = static_cast<std::size_t>(std::count_if(tasks_.begin(), tasks_.end(), counts));
    for (; ended > most; --ended) tasks_.erase(std::find_if(tasks_.begin(), tasks_.end(), counts));
}

void MoveBook::forget_source(queue::QueueId source) {
    tasks_.remove_if([&](const MoveTask& task) {
        if (task.source != source) return false;
        running_count_ -= task.state == MoveState::running;
        return true;
    });
}

const MoveTask* MoveBook::find(const Uuid& id) const {
    for (const auto& task : tasks_)
        if (task.id == id) return &task;
    return nullptr;
}

const MoveTask* MoveBook::running_from(queue::QueueId source) const {
    if (running_count_ == 0) return nullptr;
    for (const auto& task : tasks_)
        if (task.source == source && task.state == MoveState::running) return &task;
    return nullptr;
}

std::vector<const MoveTask*> MoveBook::of_source(queue::QueueId source) const {
    std::vector<const MoveTask*> out;
    for (auto task = tasks_.rbegin(); task != tasks_.rend(); ++task)
        if (task->source == source) out.push_back(&*task);
    return out;
}

std::vector<const MoveTask*> MoveBook::all() const {
    std::vector<const MoveTask*> out;
    for (const auto& task : tasks_) out.push_back(&task);
    return out;
}

std::vector<Uuid> MoveBook::running() const {
    std::vector<Uuid> out;
    if (running_count_ == 0) return out;
    for (const auto& task : tasks_)
        if (task.state == MoveState::running) out.push_back(task.id);
    return out;
}

}  // namespace forebay::broker
