#pragma once
// Messages read back from where the log holds them: from memory when they are new, from the journal otherwise.

#include <cstdint>
#include <string>

#include "broker/body_cache.h"
#include "broker/log_record.h"
#include "journal/journal.h"
#include "queue/page.h"

namespace forebay::broker {

class MessageReader {
  public:
    MessageReader(journal::Journal& journal, std::size_t memory) : journal_(journal), cache_(memory) {}

    void keep(const journal::Location& location, RecordType type, std::uint8_t flags, std::string_view body) {
        cache_.keep(location, static_cast<std::uint8_t>(type), flags, body);
    }
    /// The message at a place; its views hold until the next call. A failure is counted and logged here: EBADMSG when its
    /// bytes are not what was written, else the device may yet give them.
    Result<MessagePart, disk::Error> read(const queue::Place& place);

    /// After a failure: the message id that can be made out, for a person; it may be damaged itself.
    std::string id_as_it_stands() const;

    std::uint64_t hits() const { return hits_; }
    std::uint64_t reads() const { return reads_; }
    std::uint64_t damaged() const { return damaged_; }

  private:
    Result<MessagePart, disk::Error> read_journal(const queue::Place& place);
    journal::Journal& journal_;
    BodyCache cache_;
    std::string buffer_;
    std::uint64_t hits_ = 0, reads_ = 0, damaged_ = 0;
};

}  // namespace forebay::broker
