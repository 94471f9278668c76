#pragma once
// Dead letters: messages in the dead-letter queues of queues that carry records, with what a worker said of them. The queues are
// what tells that something is dead; the row in the ledger says the same, and its worker changes it when the letter is run.

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "admin/call.h"
#include "broker/ask.h"
#include "condition/condition.h"
#include "record/envelope.h"

namespace forebay::admin {

/// A worker as the configuration has it now.
struct Route {
    std::string worker, queue;
    bool notes_effects = true;  ///< it obeys what an envelope orders; false of a `program`
};
using Routes = std::function<std::vector<Route>()>;

struct DeadLetter {
    std::string queue;  ///< where it lies
    broker::Peek::Item item;
    std::optional<record::Envelope> record;  ///< nothing: its body is none
    std::string effect;                      ///< `store`, `store again-1`; empty if nobody said which
    std::string reason;
    std::optional<Route> route;  ///< whose it is, if that worker is still there
};

/// Which letters are meant. Without anything set: all.
struct DeadFilter {
    std::set<std::string> ids;  ///< of records, or of messages for a letter that is no record
    std::string effect;         ///< the worker's name
    std::string endpoint;
    std::string cause;  ///< stands in the reason
    std::optional<Timestamp> since;
    std::optional<Timestamp> until;  ///< letters that were there then
    std::optional<condition::Condition> where;

    bool takes(const DeadLetter& letter) const;
    bool is_everything() const { return ids.empty() && effect.empty() && endpoint.empty() && cause.empty() && !since && !where; }
};

/// The id by which people speak of a letter: the record's, or the message's.
std::string id_of(const DeadLetter& letter);
/// The reason without what differs from record to record, to group by.
std::string cause_of(std::string_view reason);

/// Where a walk over all of them goes on.
struct DeadCursor {
    std::string queue;
    std::optional<queue::Sequence> after;
};

/// Calls `visit` for each letter that the filter takes, queue by queue, oldest first, until it says stop.
Result<void, broker::Refusal> each_dead_letter(broker::Commands& commands, const std::vector<Route>& routes, const DeadFilter& filter,
                                               DeadCursor from, UniqueFunction<bool(DeadLetter&)> visit);

/// `ids` (a list), `effect`, `endpoint`, `cause`, `since` (milliseconds), `where`. The error is a sentence.
Result<DeadFilter, std::string> dead_filter_of(const json::Value& object);
json::Value to_json(const DeadFilter& filter);

http::Response list_dead(broker::Commands& commands, const Routes& routes, const Call& call);
http::Response show_causes_of_death(broker::Commands& commands, const Routes& routes, const Call& call);
http::Response show_dead(broker::Commands& commands, const Routes& routes, const Call& call);

}  // namespace forebay::admin
