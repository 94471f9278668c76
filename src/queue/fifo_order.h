#pragma once
// What a FIFO queue hands out next: the oldest message of the group whose oldest message is the oldest, among the groups that
// nothing is in flight of. An index over the oldest messages only, made from the pages as it is needed and thrown away when
// something unusual happens to them: it holds nothing that the pages do not say, so a restart or a crash changes no rule.
// Memory: 16 bytes for a message and about 100 for a group, of at most `look_ahead_max` messages (SQS's own bound).

#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/time.h"
#include "queue/message_table.h"

namespace forebay::queue {

class FifoOrder {
  public:
    static constexpr std::size_t look_ahead_max = 120'000;   ///< behind this many messages no group is looked for
    static constexpr std::size_t look_ahead_least = 16'384;  ///< so many are known, when there are, for a receive to fill from one group

    explicit FifoOrder(MessageTable& messages) : messages_(messages) {}

    /// The message to hand out next; it stays the next one until something happens to it. `same_receive`: what was taken before is
    /// being handed out together with this one, so its group goes on although it is in flight.
    std::optional<Sequence> take(Timestamp now, bool same_receive);

    /// A message of this group was received, hidden, shown or removed.
    void changed(Sequence sequence, std::uint64_t group);
    void removed(Sequence sequence, std::uint64_t group);
    /// A message was added.
    void added(Sequence sequence);
    /// Many messages were removed: what is known is found again.
    void reset();

    std::optional<Timestamp> next_due() const;
    bool may_have_ready(Timestamp now) const;
    /// Groups that something is in flight of.
    std::size_t locked_groups() const { return locked_; }
    std::size_t known_messages() const { return known_; }

  private:
    using Index = std::uint32_t;
    static constexpr Index none = UINT32_MAX;
    struct Node {
        Sequence sequence;
        Index next = none;
    };
    enum class State : std::uint8_t { nowhere, free, hidden };
    struct Group {
        std::uint64_t hash = 0;
        Index first = none, last = none;
        std::int64_t key = 0;  ///< in free_: the sequence of its oldest; in hidden_: when it may be free
        State state = State::nowhere;
        bool is_changed = false, is_locked = false;
    };
    /// What the head of a group says of it.
    struct Head {
        std::int64_t locked_until = 0;
        std::int64_t visible_at = 0;
    };

    void settle(Timestamp now);
    void evaluate_changed(Timestamp now);
    void evaluate(Index group, Timestamp now);
    Head look_at_head(Group& group, Timestamp now);
    void unschedule(Index group);
    void set_locked(Group& group, bool is_locked);
    bool has_looked_at_all() const;
    bool must_look_further() const;
    void look_further();
    void append(Sequence sequence, const Slot& slot);
    Index group_of(std::uint64_t hash);
    void mark(Index group);
    Index take_node();
    void free_node(Index node);
    void erase(Index group);

    MessageTable& messages_;
    Sequence looked_to_;        ///< what is older is known
    Sequence in_flight_below_;  ///< so far must be looked to know which groups are locked
    bool is_fresh_ = true;      ///< nothing was looked at since the last reset
    std::vector<Node> nodes_;
    std::vector<Group> groups_;
    Index free_nodes_ = none, free_groups_ = none;
    std::unordered_map<std::uint64_t, Index> by_hash_;
    std::set<std::pair<std::int64_t, Index>> free_, hidden_;
    std::vector<Index> changed_;
    Index serving_ = none;  ///< the next message of the group that is being handed out
    std::size_t known_ = 0, gone_ = 0, locked_ = 0;
};

}  // namespace forebay::queue
