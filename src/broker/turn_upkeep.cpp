#include <cerrno>

#include "base/log_line.h"
#include "broker/open_turn.h"

namespace forebay::broker {

Result<void, disk::Error> OpenTurn::upkeep() {
    auto unsynced = journal_->unsynced_since();
    if (unsynced && instant_ - *unsynced >= options_.sync_within) TRY(commit(true));
    if (stragglers_.has_work()) TRY(copy_stragglers());
    TRY(go_on_moving());
    if (instant_ >= next_tick_) {
        next_tick_ = instant_ + tick_every;
        tick();
        TRY(commit(needs_sync_));
        answers_.run();
        if (!stragglers_.has_work()) stragglers_.plan(*journal_, checkpoints_.needed_from(), instant_);
        more_maintenance_ = true;
    }
    if (more_maintenance_) more_maintenance_ = journal_->maintain();
    return take_checkpoints();
}

Result<void, disk::Error> OpenTurn::take_checkpoints() {
    TRY_ASSIGN(bool taken, checkpoints_.finish(*journal_, instant_));
    bool due = checkpoints_.is_due(instant_);
    if (!taken && !due) return {};
    TRY(commit(true));
    if (taken) TRY(checkpoints_.drop_segments(*journal_, instant_));
    if (due) TRY(checkpoints_.begin(*journal_, now_, instant_, runner_));
    return check_pages();
}

Result<journal::Extent, disk::Error> OpenTurn::hold_log(Duration at_most) {
    begin_turn();
    TRY(commit(true));
    checkpoints_.hold_segments(instant_ + at_most);
    return journal_->extent();
}

Result<journal::Extent, disk::Error> OpenTurn::seal_log(Duration at_most) {
    TRY(hold_log(at_most));
    TRY(journal_->seal());
    return journal_->extent();
}

Result<void, disk::Error> OpenTurn::copy_stragglers() {
    constexpr std::size_t piece = 1_MiB;
    constexpr std::size_t cost_of_failure = 64_KiB;  // a device that fails is slow to say so
    std::size_t bytes = 0;
    std::string body;
    while (bytes < piece) {
        auto straggler = stragglers_.next();
        if (!straggler) break;
        auto message = reader_.read(straggler->place);
        if (!message) {
            // What the device does not give now it may give later: the segment stays.
            if (message.error().number == EBADMSG)
                give_up(*straggler->queue, straggler->sequence);
            else
                stragglers_.note_unread(instant_);
            bytes += cost_of_failure;
            continue;
        }
        encode_copied(body,
                      {straggler->queue->record.id, straggler->sequence, straggler->queue->queue.slot(straggler->sequence), *message});
        auto location = append(RecordType::copied, 0, body);
        straggler->queue->queue.relocate(straggler->sequence, place_of(location));
        stragglers_.count_copied();
        bytes += location.length;
    }
    return commit(true);
}

/// The message stands in the way of dropping its segment, or of its FIFO group, and its bytes are not what was written: it is lost,
/// and said so.
void OpenTurn::give_up(NamedQueue& queue, queue::Sequence sequence) {
    flush_changes();
    auto place = queue.queue.slot(sequence).place();
    log_error("queue.message_lost")
        .with("queue", queue.record.name)
        .with("sequence", sequence.value())
        .with("message_id", reader_.id_as_it_stands())
        .with("segment", place.segment)
        .with("offset", place.offset)
        .with("next", "the segment is kept in history/ or quarantine/ when it is dropped");
    encode_deleted(scratch_, queue.record.id, {&sequence, 1});
    append(RecordType::deleted, flag_lost, scratch_);
    state_->remove(queue, sequence, true);
    messages_lost_ += 1;
    needs_sync_ = true;
}

void OpenTurn::tick() {
    constexpr std::size_t queues_at_once = 256;
    const auto& queues = state_->queues.by_name();
    auto queue = queues.upper_bound(last_ticked_);
    for (std::size_t left = std::min(queues.size(), queues_at_once); left > 0; --left, ++queue) {
        if (queue == queues.end()) queue = queues.begin();
        expire_messages(*queue->second);
        metrics_.show(*queue->second, now_);
        last_ticked_ = queue->first;
    }
    // Clients that come and go would otherwise fill up what may wait.
    for (auto& receive : polls_.take_unwanted()) answers_.keep(std::move(receive.answer), std::vector<queue::Delivery>{});
    metrics_.show(*journal_, counters());
    forget_history();
    constexpr int chunks_at_once = 16;
    if (!time_.is_suspect())
        for (int i = 0; i < chunks_at_once && state_->once.forget_ended(now_); ++i) continue;
}

/// History ends with its time, or when the disk is full: before additions are refused for long, and never while time is doubted.
void OpenTurn::forget_history() {
    if (instant_ < next_history_look_ && has_room()) return;
    next_history_look_ = instant_ + history_look_every;
    auto before = time_.is_suspect() ? Timestamp{INT64_MIN} : now_ - options_.history_keep;
    auto gone = journal_->forget_history(before, options_.may_forget);
    if (!gone)
        log_warn("history.not_forgotten").with("why", gone.error().text());
    else if (*gone > 0)
        log_info("history.forgotten").with("segments", *gone);
}

void OpenTurn::expire_messages(NamedQueue& queue) {
    if (queue.settings().carries_records || time_.is_suspect() || now_ < queue.expiry_check) return;
    // What could not be received for a while is not to be gone the moment it can be.
    if (!hands_out(queue) || now_ < queue.went_on + queue.settings().retention) return;
    constexpr int pages_at_once = 8;
    for (int i = 0; i < pages_at_once; ++i) {
        auto expired = queue.queue.decide_expiry(queue.settings().retention, now_);
        if (!expired) {
            auto oldest = queue.queue.oldest();
            queue.expiry_check = std::max(now_ + 1s, oldest.value_or(now_) + queue.settings().retention);
            return;
        }
        purge(queue, expired->below, flag_by_expiry);
    }
}

}  // namespace forebay::broker
