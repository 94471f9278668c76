// The auditor on move tasks: each message is moved once, whole, or stays; what came after the start stays; a task goes on after a
// crash and ends, and one that was cancelled stops. A task works while nobody looks, so from its start on a message that it may move
// is in one of several places until it is seen again.

#include <fmt/format.h>

#include <algorithm>

#include "sim/auditor.h"

namespace forebay::sim {
namespace {

/// So many messages are moved together, and their count may be lost in a crash (docs/sqs.md: it may lag behind a little).
constexpr std::uint64_t moved_together = 64;

bool leads_to(const QueueKnowledge* from, const QueueKnowledge* queue) { return from == queue || from->dead_letters.contains(queue->name); }

}  // namespace

// Where a message may be.

bool Auditor::may_be_moved_to(const MessageKnowledge& m, const QueueKnowledge* queue) const {
    if (m.movers.empty()) return false;
    return leads_to(m.home, queue) || std::any_of(m.movers.begin(), m.movers.end(), [&](auto& mover) {
               return mover.task->destination != nullptr && leads_to(mover.task->destination, queue);
           });
}

/// What may be in its source may be moved by the task, from the end of the round on in which it was started at the latest.
void Auditor::reach(MoveKnowledge& task, bool may_be_certain) {
    std::vector<MessageKnowledge*> found;
    for_each_near(task.source, [&](MessageKnowledge& m) {
        bool is_known = std::any_of(m.movers.begin(), m.movers.end(), [&](auto& mover) { return mover.task == &task; });
        if (!is_known && may_be_in(m, task.source)) found.push_back(&m);
    });
    for (auto* m : found) {
        bool for_certain = may_be_certain && m->movers.empty() && must_be_in(*m, task.source) && m->disturbed != round_;
        if (m->movers.empty()) in_motion_.push_back(m);
        m->movers.push_back({&task, for_certain});
        task.in_reach += 1;
    }
}

void Auditor::reach_of_started() {
    for (auto& task : moves_)
        if (task->asked == round_ && task->started != Certainty::no) reach(*task, false);
}

void Auditor::stop_moving(MessageKnowledge& m, const QueueKnowledge* seen_in) {
    std::erase_if(m.movers, [&](auto& mover) {
        bool may_go_on = mover.task->ended == 0 || mover.task->ended == round_;
        return seen_in == nullptr || mover.task->source != seen_in || !may_go_on;
    });
    if (m.movers.empty()) std::erase(in_motion_, &m);
}

void Auditor::forget_task(MoveKnowledge& task) {
    task.started = Certainty::no;
    task.ended = round_;
    std::erase(task.source->moves, &task);
    for (auto* m : std::vector(in_motion_)) {
        std::erase_if(m->movers, [&](auto& mover) { return mover.task == &task; });
        if (m->movers.empty()) std::erase(in_motion_, m);
    }
}

/// The only message of these bytes, if a task may have given it another id.
MessageKnowledge* Auditor::match_moved(std::uint64_t content) {
    auto found = by_content_.find(content);
    if (found == by_content_.end() || found->second.size() != 1 || found->second.front()->movers.empty()) return nullptr;
    return found->second.front();
}

/// A message that may have been moved was seen: now it is known where it is.
void Auditor::seen_after_move(MessageKnowledge& m, QueueKnowledge* queue, const queue::Delivery& d, bool is_receive) {
    if (m.movers.empty()) return;
    bool has_other_id = !m.id.is_nil() && m.id != d.id;
    bool is_same_queue = m.newest && m.newest->queue == d.receipt.queue;
    bool has_same_place = is_same_queue && m.newest->sequence == d.receipt.sequence;
    bool was_there = m.is_dead() ? m.seen_in == queue : leads_to(m.home, queue);
    // Moved away, it may have come back as a dead letter of where it went.
    bool may_have_come = std::any_of(m.movers.begin(), m.movers.end(), [&](auto& mover) {
        auto* destination = mover.task->destination ? mover.task->destination : m.home;
        return (mover.task->source != queue && destination == queue) || destination->dead_letters.contains(queue->name);
    });
    bool was_moved = has_other_id || !was_there || (is_same_queue && !has_same_place);
    if (!was_moved) check_left_behind(m, queue);
    if (was_moved) note_moved(m);
    if (was_moved || (may_have_come && !has_same_place)) begin_anew(m, queue, d, is_receive);
    stop_moving(m, queue);
}

void Auditor::check_left_behind(const MessageKnowledge& m, const QueueKnowledge* queue) {
    if (damaged_ || m.movers.size() != 1 || !m.movers.front().for_certain) return;
    auto& task = *m.movers.front().task;
    bool has_completed = task.state == broker::MoveState::completed && task.ended < round_;
    if (!has_completed || task.source != queue || task.destination == nullptr || leads_to(task.destination, queue)) return;
    find(fmt::format("message {} is in queue {} though the task that was to move it to {} has completed", m.label, queue->name,
                     task.destination->name));
}

void Auditor::note_moved(const MessageKnowledge& m) {
    seen_.note(Rare::moved_by_a_task);
    if (m.movers.size() != 1) return;
    auto& task = *m.movers.front().task;
    task.arrived += 1;
    if (task.deaths > 0) seen_.note(Rare::moved_by_a_task_that_saw_a_crash);
}

/// Moved, it is a new message where it is; what is known of it is what was seen.
void Auditor::begin_anew(MessageKnowledge& m, QueueKnowledge* queue, const queue::Delivery& d, bool is_receive) {
    auto* home = d.dead_letter_source.empty() ? queue : this->queue(d.dead_letter_source);
    m.was_moved = true;
    for (auto& mover : m.movers) mover.for_certain = false;  // it may have come back behind what the task began with
    m.home->drop(&m);
    m.home = home;
    home->messages.push_back(&m);
    m.seen_in = home == queue ? nullptr : queue;
    m.newest.reset();
    m.newest_is_certain = false;
    m.sequence.reset();
    m.hidden_until = {};
    m.delay_least = Duration(0);
    m.visible_by = std::max(m.visible_by, later_);
    auto before = d.receive_count - std::min<std::uint32_t>(is_receive, d.receive_count);
    m.receives.is_now(before, before, round_, synced_);
    m.attempts = d.attempts;
    m.attempt.clear();
}

// Commands.

Auditor::Ask Auditor::ask(const broker::StartMove& c) {
    auto& task = *moves_.emplace_back(std::make_unique<MoveKnowledge>());
    task.source = queue(c.source);
    if (c.destination) task.destination = queue(*c.destination);
    task.asked = round_;
    task.source->moves.push_back(&task);
    reach(task, true);
    return StartAsked{&task};
}

Auditor::Ask Auditor::ask(const broker::CancelMove& c) {
    auto* task = task_of(queue(c.source), c.id);
    if (task != nullptr) task->cancel_was_asked = true;
    return CancelAsked{queue(c.source), task};
}

Auditor::Ask Auditor::ask(const broker::ListMoves& c) { return MovesAsked{queue(c.source), c.max}; }

void Auditor::answered(Operation operation, const Told<broker::MoveStatus>& answer) {
    auto found = asks_.find(operation);
    if (found != asks_.end() && std::holds_alternative<StartAsked>(found->second)) {
        if (auto asked = take<StartAsked>(operation, is_unknown(answer))) started(*asked->task, answer);
        return;
    }
    auto asked = take<CancelAsked>(operation, is_unknown(answer));
    if (asked) cancelled(*asked, answer);
}

void Auditor::started(MoveKnowledge& task, const Told<broker::MoveStatus>& answer) {
    if (!answer) {
        refused(task.source, answer.error(), "a move task");
        return forget_task(task);
    }
    task.started = Certainty::yes;
    task.id = answer->id;
    if (answer->state != broker::MoveState::running || answer->moved != 0 || answer->source != task.source->name)
        find(fmt::format("a move task from {} was started and is said to be another, or not to run", task.source->name));
    synced_ = round_ - 1;
}

void Auditor::cancelled(const CancelAsked& asked, const Told<broker::MoveStatus>& answer) {
    if (!answer) {
        refused(asked.source, answer.error(), "the end of a move task");
        if (asked.task == nullptr) return;
        if (answer.error() == Refusal::move_has_ended && asked.task->ended == 0) asked.task->ended = round_;
        if (answer.error() == Refusal::no_such_move && must_be_known(*asked.task))
            find(fmt::format("a move task from {} was acknowledged and could not be cancelled: it is not there", asked.source->name));
        return;
    }
    if (asked.task == nullptr) return find(fmt::format("a move task from {} was cancelled that nobody started", asked.source->name));
    if (answer->state != broker::MoveState::cancelled)
        find(fmt::format("a move task from {} was cancelled and is not", asked.source->name));
    seen_.note(Rare::move_cancelled);
    note_status(*asked.task, *answer);
}

void Auditor::answered(Operation operation, const Told<std::vector<broker::MoveStatus>>& answer) {
    auto asked = take<MovesAsked>(operation, is_unknown(answer));
    if (!asked) return;
    if (!answer) return refused(asked->source, answer.error(), "a question for move tasks");
    std::vector<const MoveKnowledge*> listed;
    for (auto& status : *answer) {
        auto* task = task_of(asked->source, status.id);
        if (task == nullptr) task = recognise(asked->source, status);
        if (task == nullptr) continue;
        note_status(*task, status);
        listed.push_back(task);
    }
    if (answer->size() >= asked->max || damaged_) return;
    for (auto* task : std::vector(asked->source->moves)) {
        if (std::find(listed.begin(), listed.end(), task) != listed.end()) continue;
        if (must_be_known(*task)) find(fmt::format("a move task from {} was acknowledged and is not listed", asked->source->name));
        if (task->started == Certainty::maybe && task->asked < round_) forget_task(*task);
    }
}

MoveKnowledge* Auditor::task_of(QueueKnowledge* source, const Uuid& id) {
    auto found = std::find_if(source->moves.begin(), source->moves.end(), [&](auto* task) { return task->id == id; });
    return found == source->moves.end() ? nullptr : *found;
}

/// A task whose start was never answered. When it may be one of several, it may move what any of them may.
MoveKnowledge* Auditor::recognise(QueueKnowledge* source, const broker::MoveStatus& status) {
    std::vector<MoveKnowledge*> possible;
    for (auto* task : source->moves) {
        auto destination = task->destination ? std::optional(task->destination->name) : std::nullopt;
        if (task->started == Certainty::maybe && task->id.is_nil() && destination == status.destination) possible.push_back(task);
    }
    if (possible.empty() && !damaged_) find(fmt::format("a move task from {} is listed that nobody started", source->name));
    if (possible.empty()) return nullptr;
    auto* task = possible.front();
    for (auto* m : in_motion_) {
        auto moves = [&](auto* one) {
            return std::any_of(m->movers.begin(), m->movers.end(), [&](auto& mover) { return mover.task == one; });
        };
        if (!moves(task) && std::any_of(possible.begin(), possible.end(), moves)) m->movers.push_back({task, false});
    }
    for (auto* other : possible) {
        if (other != task) task->in_reach += other->in_reach;
        if (other != task) task->arrived = 0;
    }
    task->started = Certainty::yes;
    task->id = status.id;
    return task;
}

/// Of those that have ended ten of a source are kept.
bool Auditor::must_be_known(const MoveKnowledge& task) const {
    auto& all = task.source->moves;
    auto newer = all.end() - std::find(all.begin(), all.end(), &task);
    bool is_there = task.source->exists == Certainty::yes && !task.source->was_removed;
    return !damaged_ && task.started == Certainty::yes && task.asked < round_ && is_there && newer <= 10;
}

void Auditor::note_status(MoveKnowledge& task, const broker::MoveStatus& status) {
    auto& source = task.source->name;
    bool has_ended = task.ended != 0 && task.ended < round_;
    bool runs = status.state == broker::MoveState::running;
    if (!damaged_) {
        if (status.state == broker::MoveState::cancelled && !task.cancel_was_asked)
            find(fmt::format("a move task from {} is cancelled though nobody asked for that", source));
        if (has_ended && (runs || (task.state != broker::MoveState::running && status.state != task.state)))
            find(fmt::format("a move task from {} had ended and goes on, or ended otherwise than was told", source));
        if (task.told < round_ && status.moved < task.moved)
            find(fmt::format("a move task from {} counts {} moved after {}", source, status.moved, task.moved));
        if (status.moved > task.in_reach)
            find(fmt::format("a move task from {} counts {} moved where there were {} at most", source, status.moved, task.in_reach));
        if (status.moved + moved_together * task.deaths < task.arrived)
            find(fmt::format("a move task from {} counts {} moved of whom {} were seen", source, status.moved, task.arrived));
    }
    task.told = round_;
    task.moved = status.moved;
    task.state = status.state;
    if (!runs && task.ended == 0) task.ended = round_;
    if (status.state == broker::MoveState::completed) seen_.note(Rare::move_completed);
}

bool Auditor::a_move_runs() const {
    return std::any_of(moves_.begin(), moves_.end(), [](auto& task) {
        return task->started == Certainty::yes && task->ended == 0 && task->source->exists == Certainty::yes && !task->source->was_removed;
    });
}

}  // namespace forebay::sim
