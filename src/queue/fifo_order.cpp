#include "queue/fifo_order.h"

#include <algorithm>

namespace forebay::queue {

std::optional<Sequence> FifoOrder::take(Timestamp now, bool same_receive) {
    while (same_receive && serving_ != none) {
        const auto& node = nodes_[serving_];
        serving_ = node.next;
        const auto* slot = messages_.find(node.sequence);
        if (slot == nullptr) continue;
        if (slot->visible_at > now.ms) break;
        return node.sequence;
    }
    settle(now);
    if (free_.empty()) return std::nullopt;
    const auto& head = nodes_[groups_[free_.begin()->second].first];
    serving_ = head.next;
    return head.sequence;
}

void FifoOrder::changed(Sequence sequence, std::uint64_t group) {
    if (sequence >= looked_to_) return;
    if (auto found = by_hash_.find(group); found != by_hash_.end()) mark(found->second);
}

void FifoOrder::removed(Sequence sequence, std::uint64_t group) {
    if (sequence >= looked_to_) return;
    changed(sequence, group);
    // Those removed from the middle of a group stay known until its head comes to them.
    constexpr std::size_t worth_it = 4096;
    if (++gone_ > worth_it && gone_ * 2 > known_) reset();
}

void FifoOrder::added(Sequence sequence) {
    if (sequence < looked_to_) reset();
}

void FifoOrder::reset() {
    nodes_ = {};
    groups_ = {};
    free_nodes_ = free_groups_ = serving_ = none;
    by_hash_ = {};
    free_.clear();
    hidden_.clear();
    changed_.clear();
    known_ = gone_ = locked_ = 0;
    looked_to_ = Sequence(0);
    is_fresh_ = true;
}

std::optional<Timestamp> FifoOrder::next_due() const {
    if (!free_.empty() || !changed_.empty() || must_look_further() || hidden_.empty()) return std::nullopt;
    return Timestamp{hidden_.begin()->first};
}

bool FifoOrder::may_have_ready(Timestamp now) const {
    return !free_.empty() || !changed_.empty() || must_look_further() || (!hidden_.empty() && hidden_.begin()->first <= now.ms);
}

void FifoOrder::settle(Timestamp now) {
    serving_ = none;
    if (is_fresh_) in_flight_below_ = messages_.in_flight_below();
    is_fresh_ = false;
    evaluate_changed(now);
    while (!hidden_.empty() && hidden_.begin()->first <= now.ms) evaluate(hidden_.begin()->second, now);
    constexpr int pages_at_once = 64;
    for (int i = 0; must_look_further() || (known_ < look_ahead_least && !has_looked_at_all() && i < pages_at_once); ++i) {
        look_further();
        evaluate_changed(now);
    }
}

bool FifoOrder::has_looked_at_all() const { return looked_to_ >= messages_.next_sequence(); }

bool FifoOrder::must_look_further() const {
    if (has_looked_at_all()) return false;
    return looked_to_ < in_flight_below_ || (free_.empty() && known_ < look_ahead_max);
}

void FifoOrder::look_further() {
    looked_to_ = messages_.visit_page(looked_to_, [this](Sequence sequence, const Slot& slot) { append(sequence, slot); });
}

void FifoOrder::append(Sequence sequence, const Slot& slot) {
    auto index = group_of(slot.group);
    auto node = take_node();
    nodes_[node] = {sequence, none};
    auto& group = groups_[index];
    if (group.first == none)
        group.first = node;
    else
        nodes_[group.last].next = node;
    group.last = node;
    known_ += 1;
    // One that was received before may be in flight, and then its whole group is locked.
    if (group.first == node || slot.generation > 0) mark(index);
}

FifoOrder::Index FifoOrder::group_of(std::uint64_t hash) {
    auto [found, is_new] = by_hash_.try_emplace(hash, free_groups_);
    if (!is_new) return found->second;
    if (free_groups_ == none) {
        found->second = static_cast<Index>(groups_.size());
        groups_.emplace_back();
    } else {
        free_groups_ = groups_[found->second].first;
        groups_[found->second] = {};
    }
    groups_[found->second].hash = hash;
    return found->second;
}

void FifoOrder::mark(Index group) {
    if (groups_[group].is_changed) return;
    groups_[group].is_changed = true;
    changed_.push_back(group);
}

void FifoOrder::evaluate_changed(Timestamp now) {
    for (auto group : changed_) evaluate(group, now);
    changed_.clear();
}

void FifoOrder::evaluate(Index index, Timestamp now) {
    unschedule(index);
    auto& group = groups_[index];
    group.is_changed = false;
    auto head = look_at_head(group, now);
    set_locked(group, head.locked_until > 0);
    if (group.first == none) return erase(index);
    auto hidden_until = group.is_locked ? head.locked_until : head.visible_at > now.ms ? head.visible_at : 0;
    group.state = hidden_until > 0 ? State::hidden : State::free;
    group.key = hidden_until > 0 ? hidden_until : static_cast<std::int64_t>(nodes_[group.first].sequence.value());
    (hidden_until > 0 ? hidden_ : free_).insert({group.key, index});
}

/// Messages that were ever received are the oldest of their group, since one is handed out only when nothing of the group is in
/// flight, and then from the oldest on. So the look ends at the first one that never was. Removed ones are forgotten on the way.
FifoOrder::Head FifoOrder::look_at_head(Group& group, Timestamp now) {
    Head head;
    bool is_first = true;
    auto* link = &group.first;
    auto last = none;
    while (*link != none) {
        auto node = *link;
        const auto* slot = messages_.find(nodes_[node].sequence);
        if (slot == nullptr) {
            *link = nodes_[node].next;
            free_node(node);
            gone_ -= std::min<std::size_t>(gone_, 1);
            continue;
        }
        if (is_first) head.visible_at = slot->visible_at;
        is_first = false;
        if (slot->generation == 0) return head;
        if (slot->visible_at > now.ms) head.locked_until = std::max(head.locked_until, slot->visible_at);
        last = node;
        link = &nodes_[node].next;
    }
    group.last = last;
    return head;
}

void FifoOrder::unschedule(Index index) {
    auto& group = groups_[index];
    if (group.state == State::free) free_.erase({group.key, index});
    if (group.state == State::hidden) hidden_.erase({group.key, index});
    group.state = State::nowhere;
}

void FifoOrder::set_locked(Group& group, bool is_locked) {
    locked_ += is_locked;
    locked_ -= group.is_locked;
    group.is_locked = is_locked;
}

void FifoOrder::erase(Index index) {
    by_hash_.erase(groups_[index].hash);
    groups_[index].first = free_groups_;
    free_groups_ = index;
}

FifoOrder::Index FifoOrder::take_node() {
    if (free_nodes_ == none) {
        nodes_.emplace_back();
        return static_cast<Index>(nodes_.size() - 1);
    }
    auto node = free_nodes_;
    free_nodes_ = nodes_[node].next;
    return node;
}

void FifoOrder::free_node(Index node) {
    nodes_[node].next = free_nodes_;
    free_nodes_ = node;
    known_ -= 1;
}

}  // namespace forebay::queue
