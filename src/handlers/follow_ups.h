#pragma once
// What is sent once an effect is done, and how the ledger's outbox knows it.

#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "ledger/outbox.h"
#include "worker/handler.h"

namespace forebay::handlers {

/// The record with the fields of `set`, for each queue of `then`. The target of each is its queue.
std::vector<worker::FollowUp> follow_ups_of(const record::Envelope& envelope, const json::Value& set, const std::vector<std::string>& then);

/// Names those of a command's own `send` by their places: `mail#1`, or `mail#1 again-2` of what is run again, which sends them
/// again. No queue's name has a #.
void name_targets(std::vector<worker::FollowUp>& sends, std::uint32_t again);

/// The rows of a job's follow-ups.
std::vector<ledger::OutboxKey> outbox_keys(const Uuid& record, std::span<const worker::FollowUp> follow_ups);
std::vector<ledger::OutboxKey> outbox_keys(std::span<const worker::Sent> sent);

/// Leaves those that are not known to be sent.
void leave_unsent(const Uuid& record, std::vector<worker::FollowUp>& follow_ups, const std::set<ledger::OutboxKey>& sent);

}  // namespace forebay::handlers
