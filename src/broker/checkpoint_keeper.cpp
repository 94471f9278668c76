#include "broker/checkpoint_keeper.h"

#include "base/check.h"
#include "base/log_line.h"

namespace forebay::broker {
namespace {
constexpr Duration again_after = 10s;
}

void CheckpointKeeper::note(std::uint64_t bytes, std::uint64_t events, Instant at) {
    bytes_ += bytes;
    events_ += events;
    if (!changed_at_) changed_at_ = at;
}

bool CheckpointKeeper::is_due(Instant now) const {
    if (job_ || !changed_at_ || (not_before_ && now < *not_before_)) return false;
    bool replay_is_long = bytes_ >= options_.checkpoint_bytes || events_ >= options_.checkpoint_records ||
                          state_.pages.reads() - reads_before_ >= options_.checkpoint_page_reads;
    if (due_by_ && now >= *due_by_) return true;
    return replay_is_long || now - *changed_at_ >= options_.checkpoint_every;
}

std::optional<Instant> CheckpointKeeper::next_due() const {
    if (job_ || !changed_at_) return std::nullopt;
    auto due = *changed_at_ + options_.checkpoint_every;
    if (due_by_) due = std::min(due, *due_by_);
    return not_before_ ? std::max(due, *not_before_) : due;
}

Result<void, disk::Error> CheckpointKeeper::begin(journal::Journal& journal, Timestamp now, Instant at, Turn::JobRunner& runner) {
    CHECK(!job_, "one checkpoint at a time");
    CHECK(journal.pending_bytes() == 0 && journal.durable() == journal.next_position(), "a checkpoint holds only what is durable");
    if (auto begun = state_.pages.begin_checkpoint(); !begun) {
        state_.pages.end_checkpoint(false);
        if (!begun.error().is_no_space()) return Failure{begun.error()};
        put_off(journal, begun.error(), at);
        return {};
    }
    auto active = static_cast<std::uint32_t>(journal.active_segment().value());
    CheckpointMark mark{loaded_ ? loaded_->newest.number + 1 : 1, journal.next_position(), active, droppable_below(active)};
    std::optional<std::uint64_t> superseded;
    if (loaded_ && loaded_->older) superseded = loaded_->older->number;
    job_ = std::make_shared<WriteCheckpoint>(disk_, state_.pages.file(), mark, superseded, encode_checkpoint(mark, now, state_));
    bytes_ = events_ = 0;
    reads_before_ = state_.pages.reads();
    changed_at_.reset();
    due_by_.reset();
    not_before_.reset();
    if (runner) {
        runner(job_);
    } else {
        job_->run();
    }
    return {};
}

/// Without a checkpoint nothing is dropped, and without dropping a full disk stays full, also when nothing more happens.
void CheckpointKeeper::put_off(journal::Journal& journal, const disk::Error& why, Instant at) {
    log_warn("checkpoint.put_off").with("why", why.text());
    if (!changed_at_) changed_at_ = at;
    due_by_ = not_before_ = journal.release_reserve() ? at : at + again_after;
}

Result<bool, disk::Error> CheckpointKeeper::finish(journal::Journal& journal, Instant at) {
    if (!job_ || !job_->is_done()) return false;
    auto job = std::move(job_);
    state_.pages.end_checkpoint(!job->error());
    if (job->error()) {
        if (!job->error()->is_no_space()) return Failure{*job->error()};
        put_off(journal, *job->error(), at);
        return false;
    }
    std::optional<CheckpointMark> before;
    if (loaded_) before = loaded_->newest;
    loaded_ = LoadedCheckpoint{job->mark(), before};
    ++taken_;
    return true;
}

std::uint32_t CheckpointKeeper::droppable_below(std::uint32_t active) const {
    // Two checkpoints must be able to do without what is dropped: the newest will be the older one, and still be good.
    auto first = loaded_ ? std::min(loaded_->newest.segment, active) : 0;
    if (auto live = state_.use.oldest_live()) first = std::min(first, *live);
    return first;
}

Result<void, disk::Error> CheckpointKeeper::drop_segments(journal::Journal& journal, Instant at) {
    if (held_until_ && at < *held_until_) return {};
    if (!loaded_ || loaded_->newest.first <= journal.oldest_segment().value()) return {};
    auto first = loaded_->newest.first;
    TRY(journal.drop_below(journal::SegmentNumber(first),
                           [this](journal::SegmentNumber number) { return fate_of(static_cast<std::uint32_t>(number.value())); }));
    state_.use.forget_below(first);
    return {};
}

journal::Fate CheckpointKeeper::fate_of(std::uint32_t segment) const {
    if (options_.history_keep > Duration(0) && state_.use.holds_accepted(segment)) return journal::Fate::history;
    return state_.use.is_damaged(segment) ? journal::Fate::quarantine : journal::Fate::reuse;
}

}  // namespace forebay::broker
