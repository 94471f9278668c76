#pragma once
// Accepted records as the log knows them, whatever became of their messages: for the list of records, replay
// and receipts. A port: cli/ fills it from broker/history.h.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "base/unique_function.h"
#include "base/uuid.h"
#include "queue/message.h"

namespace forebay::admin {

struct PastRecord {
    std::string queue;
    std::string body;  ///< the message body: an envelope in one of its forms
    Timestamp sent_at;
    Uuid message_id;
    std::string group{};                                ///< of what sent_to() gives
    std::vector<queue::MessageAttribute> attributes{};  ///< of what sent_to() gives
};

struct PastPage {
    std::vector<PastRecord> records;  ///< oldest first
    std::string next;                 ///< cursor of the next page; empty = that was all
    std::string end;                  ///< cursor of the newest that was seen; empty = nothing was
};

/// A record as it lies in the log; the views hold during the visit.
struct PastView {
    std::string_view queue, body;
    Timestamp sent_at;
    Uuid message_id;
};

struct PastVisit {
    std::string next;                 ///< cursor of the rest; empty = the end was reached
    std::vector<std::string> damage;  ///< one sentence for each place where records are missing
    std::optional<Timestamp> begins;  ///< how far back the log goes; nothing = it is empty
};

class History {
  public:
    virtual ~History() = default;
    /// The records sent in [from, to), oldest first, after `cursor`, until `visit` says false (it has seen that one). The
    /// error is a sentence.
    virtual Result<PastVisit, std::string> visit(Timestamp from, Timestamp to, std::string_view cursor,
                                                 UniqueFunction<bool(const PastView&)> visit) = 0;
    /// At most `max` records sent in [from, to), after `cursor` (empty = from the start). The error is a sentence.
    virtual Result<PastPage, std::string> page(Timestamp from, Timestamp to, std::string_view cursor, std::size_t max) = 0;
    /// The same of every message that was sent to this queue, a record or not. Those that are none are in the log only as long as
    /// something beside them is kept.
    virtual Result<PastPage, std::string> sent_to(std::string_view queue, Timestamp from, Timestamp to, std::string_view cursor,
                                                  std::size_t max) = 0;
    /// At most `max` records behind `cursor`, which is PastPage::end of an earlier look; quick, and `queue` may be empty.
    virtual Result<PastPage, std::string> since(std::string_view cursor, std::size_t max) = 0;
};

}  // namespace forebay::admin
