// Move tasks: dead letters go back, a bounded number at a time, after everybody who waits has been served.

#include <algorithm>

#include "base/log_line.h"
#include "broker/open_turn.h"

namespace forebay::broker {
namespace {

constexpr Duration task_time_max = 36h;  // AWS's
/// Between two looks through a source in which messages are hidden; at least as long as four times the last look took.
constexpr Duration pass_pause = 1s;

// AWS's words.
constexpr std::string_view no_queue = "AWS.SimpleQueueService.NonExistentQueue";
constexpr std::string_view no_source = "CouldNotDetermineMessageSource";

bool is_none(queue::QueueId id) { return id.value() == 0; }

}  // namespace

// Commands.

void OpenTurn::decide(StartMove& command) {
    auto started = start(command);
    if (!started) return answers_.keep(std::move(command.answer), Failure{started.error()});
    log_info("move.started").with("from", command.source).with("to", command.destination.value_or("")).with("messages", started->to_move);
    move_runs_.insert_or_assign(started->id, MoveRun(started->rate, instant_));
    auto status = status_of(*started);
    write_task(std::move(*started));
    answers_.keep(std::move(command.answer), std::move(status));
}

Result<MoveTask, Refusal> OpenTurn::start(const StartMove& command) {
    auto* source = state_->queues.find(command.source);
    if (source == nullptr) return Failure{Refusal::no_such_queue};
    if (!is_dead_letter_queue(command.source)) return Failure{Refusal::not_a_dead_letter_queue};
    auto* destination = command.destination ? state_->queues.find(*command.destination) : nullptr;
    if (command.destination) {
        if (destination == source) return Failure{Refusal::same_queue};
        if (destination == nullptr) return Failure{Refusal::no_such_destination};
        if (destination->settings().fifo != source->settings().fifo) return Failure{Refusal::other_kind_of_queue};
        bool loses_records = source->settings().carries_records && !destination->settings().carries_records;
        if (loses_records && !command.as_operator) return Failure{Refusal::would_lose_records};
    }
    if (state_->moves.running_from(source->record.id) != nullptr) return Failure{Refusal::move_is_running};
    if (state_->moves.running_count() >= MoveBook::running_max) return Failure{Refusal::too_many_moves};
    if (!has_room()) return Failure{Refusal::no_room};
    MoveTask task;
    task.id = make_uuid_v4(entropy_);
    task.source = source->record.id;
    if (destination != nullptr) task.destination = destination->record.id;
    task.destination_name = command.destination.value_or("");
    task.below = source->queue.next_sequence();
    task.started_at = now_;
    task.rate = static_cast<std::uint16_t>(std::min<unsigned>(command.rate.value_or(0), UINT16_MAX));
    task.to_move = source->queue.live();
    return task;
}

bool OpenTurn::is_dead_letter_queue(const std::string& name) {
    const auto& queues = state_->queues.by_name();
    return std::any_of(queues.begin(), queues.end(), [&](const auto& item) {
        const auto& redrive = item.second->settings().redrive;
        return redrive && redrive->dead_letter == name;
    });
}

void OpenTurn::decide(CancelMove& command) {
    auto* source = state_->queues.find(command.source);
    const auto* task = source != nullptr ? state_->moves.find(command.id) : nullptr;
    if (task == nullptr || task->source != source->record.id)
        return answers_.keep(std::move(command.answer), Failure{Refusal::no_such_move});
    if (task->state != MoveState::running) return answers_.keep(std::move(command.answer), Failure{Refusal::move_has_ended});
    end(*task, MoveState::cancelled);
    answers_.keep(std::move(command.answer), status_of(*state_->moves.find(command.id)));
}

void OpenTurn::decide(ListMoves& command) {
    auto* source = state_->queues.find(command.source);
    if (source == nullptr) return answers_.keep(std::move(command.answer), Failure{Refusal::no_such_queue});
    std::vector<MoveStatus> found;
    for (const auto* task : state_->moves.of_source(source->record.id))
        if (found.size() < command.max) found.push_back(status_of(*task));
    // A task that has ended may have been heard of by nobody yet.
    needs_sync_ |= journal_->durable() != journal_->next_position();
    answers_.keep(std::move(command.answer), std::move(found));
}

MoveStatus OpenTurn::status_of(const MoveTask& task) {
    MoveStatus status;
    status.id = task.id;
    if (auto* source = state_->queues.find(task.source)) status.source = source->record.name;
    if (!is_none(task.destination)) status.destination = task.destination_name;
    if (task.rate > 0) status.rate = task.rate;
    status.state = task.state;
    status.moved = task.moved;
    status.to_move = task.to_move;
    status.started_at = task.started_at;
    status.failure = task.failure;
    return status;
}

/// The task as it is from now on, in the log and here.
void OpenTurn::write_task(MoveTask task) {
    flush_changes();
    encode_move_set(scratch_, task);
    append(RecordType::move_set, 0, scratch_);
    needs_sync_ = true;
    if (task.state != MoveState::running) move_runs_.erase(task.id);
    state_->moves.set(std::move(task));
}

void OpenTurn::end(MoveTask task, MoveState state, std::string_view failure) {
    task.state = state;
    task.failure = failure;
    log_info("move.ended")
        .with("from", status_of(task).source)
        .with("to", task.destination_name)
        .with("moved", task.moved)
        .with("failure", task.failure);
    write_task(std::move(task));
}

// Moving.

Result<void, disk::Error> OpenTurn::go_on_moving() {
    bool wrote = false;
    // A queue that was deleted took its task along.
    if (move_runs_.size() > state_->moves.running_count())
        std::erase_if(move_runs_, [&](const auto& item) { return state_->moves.find(item.first) == nullptr; });
    for (const auto& id : state_->moves.running())
        if (move_runs_.at(id).next <= instant_) wrote = go_on(id) || wrote;
    return wrote ? commit(true) : Result<void, disk::Error>{};
}

bool OpenTurn::go_on(const Uuid& id) {
    auto task = *state_->moves.find(id);
    auto& run = move_runs_.at(id);
    if (auto why = why_it_cannot_go_on(task)) {
        end(std::move(task), MoveState::failed, *why);
        return true;
    }
    if (!has_room()) {
        run.next = instant_ + pass_pause;
        return false;
    }
    auto* source = state_->queues.find(task.source);
    auto moved = move_some(task, run, *source);
    run.pace.moved(moved, instant_);
    run.next = run.pace.next(instant_);
    task.moved += moved;
    task.to_move = std::max(task.to_move, task.moved);
    bool has_seen_all = run.at >= task.below;
    if (has_seen_all) end_pass(task, run);
    if (move_runs_.contains(id) && moved > 0) write_task(std::move(task));
    return moved > 0 || !move_runs_.contains(id);
}

std::optional<std::string_view> OpenTurn::why_it_cannot_go_on(const MoveTask& task) {
    if (!is_none(task.destination) && state_->queues.find(task.destination) == nullptr) return no_queue;
    if (!time_.is_suspect() && now_ - task.started_at > task_time_max) return "The task ran for 36 hours.";
    return std::nullopt;
}

/// Messages from where the pass stands on, as many as the pace allows. At the end of the source the pass stands at `below`.
std::size_t OpenTurn::move_some(const MoveTask& task, MoveRun& run, NamedQueue& source) {
    auto allowed = run.pace.allowed(instant_);
    std::size_t moved = 0, bytes = 0;
    if (allowed == 0) return 0;
    auto sequences = source.queue.list(run.at, MovePace::looked_at_max);
    for (auto sequence : sequences) {
        if (sequence >= task.below) break;
        if (moved == allowed || bytes >= MovePace::bytes_max) return moved;
        run.at = sequence.next();
        if (pass_over(run, source, sequence)) continue;
        auto message = reader_.read(source.queue.slot(sequence).place());
        if (!message) {
            run.unreadable += 1;
            continue;
        }
        bytes += message->body.size();
        auto* to = state_->queues.find(is_none(task.destination) ? message->source : task.destination);
        if (to == nullptr || to == &source) {
            run.without_source += 1;
            continue;
        }
        move_back(source, sequence, *to, *message);
        moved += 1;
    }
    bool is_at_the_end = sequences.size() < MovePace::looked_at_max || sequences.back() >= task.below;
    if (is_at_the_end) run.at = task.below;
    return moved;
}

/// Hidden messages wait for a later pass, and those behind one of a FIFO group with it: they must not overtake.
bool OpenTurn::pass_over(MoveRun& run, NamedQueue& source, queue::Sequence sequence) {
    const auto& slot = source.queue.slot(sequence);
    bool is_hidden = Timestamp{slot.visible_at} > now_;
    if (source.settings().fifo) {
        if (is_hidden) run.closed_groups.insert(slot.group);
        is_hidden = run.closed_groups.contains(slot.group);
    }
    run.hidden += is_hidden;
    return is_hidden;
}

/// As a new message: with an id, a time and a count of its own. A record's id may be its message's, so it keeps that.
void OpenTurn::move_back(NamedQueue& from, queue::Sequence sequence, NamedQueue& to, const MessagePart& message) {
    MovedRecord record{from.record.id, sequence, to.record.id, to.queue.next_sequence(), {}, message};
    record.state.visible_at = now_.ms;
    record.state.group = from.queue.slot(sequence).group;
    record.state.sent_s = static_cast<std::uint32_t>(now_.ms / 1000);
    record.message.sent_at = now_;
    record.message.source = {};
    bool carries_records = from.settings().carries_records || to.settings().carries_records;
    if (!carries_records) record.message.id = make_uuid_v4(entropy_);
    write_move(from, to, record);
}

void OpenTurn::end_pass(const MoveTask& task, MoveRun& run) {
    if (run.hidden > 0) {
        run.next = std::max(run.next, instant_ + std::max(pass_pause, 4 * (instant_ - run.pass_began)));
        return run.begin_pass(run.next);
    }
    if (run.without_source > 0) return end(task, MoveState::failed, no_source);
    if (run.unreadable > 0) return end(task, MoveState::failed, "Messages could not be read from the disk; they are where they were.");
    end(task, MoveState::completed);
}

}  // namespace forebay::broker
