#include <chrono>

#include "base/log_line.h"
#include "broker/open_turn.h"

namespace forebay::broker {

OpenTurn::OpenTurn(disk::Disk& disk, Clock& clock, Entropy& entropy, BrokerOptions options, Parts parts, metrics::Registry* metrics)
    : options_(options),
      entropy_(entropy),
      state_(std::move(parts.state)),
      log_clock_(std::move(parts.log_clock)),
      journal_(std::move(parts.journal)),
      handles_(std::move(parts.handles)),
      disk_(disk),
      time_(clock, state_->latest),
      reader_(*journal_, options.body_memory),
      checkpoints_(disk, *state_, options_, parts.loaded),
      stragglers_(*state_, options_),
      metrics_(metrics),
      opened_from_checkpoint_(parts.loaded.has_value()),
      attempts_(options.receive_attempts_max),
      deleted_lately_(options.cool_off),
      purged_lately_(options.cool_off) {
    log_clock_->follow(time_);
    metrics_.opened(journal_->report());
    begin_turn();
    if (parts.replayed_records > 0) checkpoints_.note(parts.replayed_bytes, parts.replayed_records, instant_);
    next_tick_ = instant_;
    for (const auto& id : state_->moves.running()) move_runs_.emplace(id, MoveRun(state_->moves.find(id)->rate, instant_));
}

void OpenTurn::begin_turn() {
    auto time = time_.now();
    now_ = time.wall;
    instant_ = time.instant;
    needs_sync_ = false;
    has_room_.reset();
    moves_left_ = moves_max;
}

Result<void, disk::Error> OpenTurn::run(std::span<Command> batch) {
    auto done = work(batch);
    if (done) return done;
    metrics_.journal_failed();
    answers_.refuse(Refusal::journal_fault);
    for (auto& receive : polls_.take_all()) answers_.keep(std::move(receive.answer), Failure{Refusal::journal_fault});
    answers_.refuse(Refusal::journal_fault);
    return done;
}

Result<void, disk::Error> OpenTurn::work(std::span<Command> batch) {
    begin_turn();
    wake_queues();
    for (auto& command : batch) std::visit([this](auto& c) { decide(c); }, command);
    TRY(commit(needs_sync_));
    answers_.run();
    TRY(serve());
    answer_expired();
    answers_.run();
    return upkeep();
}

journal::Location OpenTurn::append(RecordType type, std::uint8_t flags, std::string_view body, std::size_t events) {
    // What was decided by a page that is not there must not reach the disk, which a full frame does before the next commit. The
    // turn fails by then.
    if (state_->pages.fault()) return {};
    auto location = journal_->append(static_cast<std::uint8_t>(type), flags, body);
    checkpoints_.note(location.length, events, instant_);
    // It may become durable before its answers, never after. A failure is seen by the next commit.
    if (journal_->pending_bytes() >= pending_bytes_max) (void)journal_->sync().ok();
    return location;
}

void OpenTurn::flush_changes() {
    for (const auto& [queue, events] : touched_) {
        encode_touched(scratch_, queue, now_, events);
        append(RecordType::touched, 0, scratch_, events.size());
    }
    for (const auto& [queue, sequences] : deleted_) {
        encode_deleted(scratch_, queue, sequences);
        append(RecordType::deleted, 0, scratch_, sequences.size());
    }
    touched_.clear();
    deleted_.clear();
}

Result<void, disk::Error> OpenTurn::check_pages() {
    const auto& fault = state_->pages.fault();
    if (!fault) return {};
    if (state_->pages.is_damaged()) {
        log_error("checkpoint.damaged").with("why", fault->text()).with("next", "the whole log is read at the next start");
        TRY(distrust_checkpoints(disk_));
    }
    return Failure{*fault};
}

Result<void, disk::Error> OpenTurn::commit(bool sync) {
    flush_changes();
    TRY(check_pages());
    // A failed append does not say so itself.
    if (journal_->fault()) return Failure{*journal_->fault()};
    if (!sync) return journal_->pending_bytes() > 0 ? journal_->write() : Result<void, disk::Error>{};
    needs_sync_ = false;
    if (journal_->pending_bytes() == 0 && journal_->durable() == journal_->next_position()) return {};
    auto begun = std::chrono::steady_clock::now();
    auto synced = journal_->sync();
    metrics_.sync_took(std::chrono::steady_clock::now() - begun);
    return synced;
}

std::optional<Instant> OpenTurn::next_due() const {
    if (!stirred_.empty() || more_maintenance_ || stragglers_.has_work()) return instant_;
    auto due = next_tick_;
    if (auto deadline = polls_.next_deadline()) due = std::min(due, *deadline);
    if (!alarms_.empty()) due = std::min(due, instant_ + (alarms_.begin()->first - now_));
    if (auto checkpoint = checkpoints_.next_due()) due = std::min(due, *checkpoint);
    for (const auto& [id, run] : move_runs_) due = std::min(due, run.next);
    if (auto since = journal_->unsynced_since()) due = std::min(due, *since + options_.sync_within);
    return due;
}

Result<void, disk::Error> OpenTurn::stop() {
    begin_turn();
    for (auto& receive : polls_.take_all()) answers_.keep(std::move(receive.answer), std::vector<queue::Delivery>{});
    TRY(commit(true));
    answers_.run();
    TRY(checkpoints_.finish(*journal_, instant_));
    if (checkpoints_.is_running() || !checkpoints_.next_due()) return {};
    JobRunner inside;
    TRY(checkpoints_.begin(*journal_, now_, instant_, inside));
    TRY(checkpoints_.finish(*journal_, instant_));
    return {};
}

Turn::Counters OpenTurn::counters() const {
    Counters counters;
    counters.checkpoints = checkpoints_.taken();
    counters.once_forgotten = state_->once.forgotten();
    counters.stragglers_copied = stragglers_.copied();
    counters.page_reads = state_->pages.reads();
    counters.page_writes = state_->pages.writes();
    counters.body_cache_hits = reader_.hits();
    counters.body_reads = reader_.reads();
    counters.damaged_messages = reader_.damaged();
    counters.messages_lost = messages_lost_;
    return counters;
}

}  // namespace forebay::broker
