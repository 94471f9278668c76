#pragma once
// /api/records and /api/replay: accepted records as the log keeps them, and putting them on a queue again.

#include <optional>

#include "admin/call.h"
#include "admin/history.h"
#include "broker/ask.h"
#include "record/envelope.h"

namespace forebay::admin {

struct FoundRecord {
    record::Envelope envelope;
    PastRecord past;
};

/// Looks near the time a version 7 id carries; with `whole_log` also everywhere else (a version 8 id carries none).
std::optional<FoundRecord> find_record(History& history, Clock& clock, const Uuid& id, bool whole_log = false);

http::Response list_records(History& history, Clock& clock, const Call& call);
/// What was accepted behind `after`, with its fields; without it, what was accepted from `from` on. `cursor` is the next `after`.
http::Response new_records(History& history, Clock& clock, const Call& call);
http::Response show_record(History& history, Clock& clock, const Call& call);
/// Sends the envelopes of the given ids to a queue again, as they were accepted. Not counted as accepted anew.
http::Response replay(History& history, Clock& clock, broker::Commands& commands, const Call& call);

/// Sends every message again that was sent to a queue in a range, a page at a time: as new messages with the attributes and the
/// group they had.
http::Response replay_queue(History& history, Clock& clock, broker::Commands& commands, const Call& call);

}  // namespace forebay::admin
