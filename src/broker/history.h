#pragma once
// Every record that was ever accepted and is still anywhere in the log, live or history, in the order of acceptance:
// what replay, the audit and the list of records read. Needs only the directory, not the broker; what was sent in the last
// moment may be missing or not yet durable.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "base/unique_function.h"
#include "base/uuid.h"
#include "disk/disk.h"
#include "journal/journal.h"

namespace forebay::broker {

struct AcceptedRecord {
    Uuid message_id;
    std::string_view queue;  ///< it was sent to; empty when the log does not say any more
    std::string_view body;
    Timestamp sent_at;
    std::string_view group{};       ///< MessageGroupId
    std::string_view attributes{};  ///< as encoded (log_record.h)
};

/// Where a page of history ended; opaque.
struct HistoryCursor {
    Timestamp written_at;
    journal::Position position;
    /// Text for clients, and back; nothing for a text that is none.
    std::string text() const;
    static std::optional<HistoryCursor> parse(std::string_view text);
};

struct HistoryQuery {
    Timestamp from;                      ///< sent_at of the first
    Timestamp to{INT64_MAX};             ///< sent before this
    std::optional<HistoryCursor> after;  ///< go on from there
    std::size_t max = SIZE_MAX;          ///< records a page
    std::string queue{};                 ///< every message sent to this queue, a record or not; empty = every accepted record
    /// False: what lies before `after` is passed over unread, and AcceptedRecord::queue may be empty.
    bool with_queues = true;
};
struct HistoryPage {
    std::size_t records = 0;
    std::optional<HistoryCursor> next;  ///< nothing = the end was reached
    std::optional<HistoryCursor> end;   ///< the newest of the log that was seen: where a later look goes on
    std::vector<std::string> damage;    ///< one sentence for each place where records may be missing
    std::optional<Timestamp> begins;    ///< of the oldest segment that is still there; nothing = there is none
};

/// Views are valid during the call. False = enough.
using VisitAccepted = UniqueFunction<bool(const AcceptedRecord&)>;

/// Fails only if the directory cannot be read.
Result<HistoryPage, disk::Error> visit_accepted(disk::Disk& disk, const HistoryQuery& query, VisitAccepted visit);

}  // namespace forebay::broker
