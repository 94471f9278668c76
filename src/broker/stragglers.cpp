#include "broker/stragglers.h"

#include <algorithm>

#include "base/log_line.h"

namespace forebay::broker {
namespace {

/// A device that does not answer makes the turn wait for each message: it is asked less and less often.
constexpr Duration pause_least = 1min;
constexpr Duration pause_most = 1h;

}  // namespace

bool Stragglers::is_worth_it(const journal::Journal& journal, std::uint32_t segment) const {
    auto live = state_.use.live_bytes(segment);
    auto all_live = state_.use.live_bytes();
    if (live == 0 || journal.live_bytes() <= all_live + options_.straggler_slack) return false;
    if (static_cast<double>(live) < options_.straggler_ratio * static_cast<double>(options_.journal.segment_bytes)) return true;
    return journal.live_bytes() > 2 * all_live + options_.straggler_slack;
}

void Stragglers::note_unread(Instant now) {
    if (!again_at_) pause_ = std::clamp(2 * pause_, pause_least, pause_most);
    again_at_ = now + pause_;
}

void Stragglers::plan(journal::Journal& journal, std::uint32_t needed_from, Instant now) {
    planned_.clear();
    next_ = 0;
    if (again_at_ && now >= *again_at_) {
        planned_for_.reset();
        again_at_.reset();
    }
    auto oldest = static_cast<std::uint32_t>(journal.oldest_segment().value());
    if (oldest >= needed_from || planned_for_ == oldest || !is_worth_it(journal, oldest)) return;
    if (planned_for_) pause_ = {};
    planned_for_ = oldest;
    auto scanned = journal.scan(journal.oldest_segment(), [this](const journal::Entry& entry) { consider(entry); });
    if (!scanned) log_error("journal.segment_unreadable").with("segment", oldest).with("why", scanned.error().text());
    std::uint64_t seen = 0;
    for (const auto& planned : planned_) seen += planned.place.length;
    if (seen < state_.use.live_bytes(oldest)) search_ = Search{oldest, {}, 0};
}

bool Stragglers::lies_there(NamedQueue& queue, queue::Sequence sequence, const queue::Place& place) {
    return queue.queue.is_live(sequence) && queue.queue.slot(sequence).place() == place;
}

void Stragglers::consider(const journal::Entry& entry) {
    Planned found;
    switch (static_cast<RecordType>(entry.type)) {
        case RecordType::enqueued:
            if (auto record = decode_enqueued(entry.flags, entry.body)) found = {record->queue, record->sequence, {}};
            break;
        case RecordType::moved:
            if (auto record = decode_moved(entry.body)) found = {record->to, record->to_sequence, {}};
            break;
        case RecordType::copied:
            if (auto record = decode_copied(entry.body)) found = {record->queue, record->sequence, {}};
            break;
        default:
            return;
    }
    found.place = place_of(entry.location);
    auto* queue = state_.queues.find(found.queue);
    if (queue != nullptr && lies_there(*queue, found.sequence, found.place)) planned_.push_back(found);
}

std::optional<Stragglers::Straggler> Stragglers::next() {
    while (next_ < planned_.size()) {
        const auto& planned = planned_[next_++];
        auto* queue = state_.queues.find(planned.queue);
        if (queue != nullptr && lies_there(*queue, planned.sequence, planned.place))
            return Straggler{queue, planned.sequence, planned.place};
    }
    planned_ = {};
    next_ = 0;
    if (search_) search_some();
    return std::nullopt;
}

/// Some pages at a time; what is found is the plan of the next step.
void Stragglers::search_some() {
    constexpr int pages_at_once = 8;
    std::vector<queue::Sequence> found;
    for (int i = 0; i < pages_at_once; ++i) {
        auto* queue = queue_to_search();
        if (queue == nullptr) return search_.reset();
        found.clear();
        auto next = queue->queue.find_in_segment(search_->segment, search_->page, found);
        for (auto sequence : found) planned_.push_back({queue->record.id, sequence, queue->queue.slot(sequence).place()});
        if (next)
            search_->page = *next;
        else
            *search_ = {search_->segment, queue->record.id.next(), 0};
    }
}

/// The queue that is being looked through, or the one with the next id.
NamedQueue* Stragglers::queue_to_search() {
    for (auto id = search_->queue; id < state_.queues.next_id(); id = id.next()) {
        auto* queue = state_.queues.find(id);
        if (queue == nullptr) continue;
        if (id != search_->queue) *search_ = {search_->segment, id, 0};
        return queue;
    }
    return nullptr;
}

}  // namespace forebay::broker
