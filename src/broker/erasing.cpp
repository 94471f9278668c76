#include "broker/erasing.h"

#include <map>

#include "broker/ask.h"
#include "broker/log_record.h"
#include "journal/rewrite.h"

namespace forebay::broker {
namespace {

constexpr Duration held_for = 5min;

/// Where a message was put last; its queue by number, since names come later in the log.
struct Place {
    queue::QueueId queue;
    queue::Sequence sequence;
    auto operator<=>(const Place&) const = default;
};

std::optional<Place> place_of(const journal::Entry& entry) {
    switch (static_cast<RecordType>(entry.type)) {
        case RecordType::enqueued:
            if (auto record = decode_enqueued(entry.flags, entry.body)) return Place{record->queue, record->sequence};
            return std::nullopt;
        case RecordType::moved:
            if (auto record = decode_moved(entry.body)) return Place{record->to, record->to_sequence};
            return std::nullopt;
        case RecordType::copied:
            if (auto record = decode_copied(entry.body)) return Place{record->queue, record->sequence};
            return std::nullopt;
        default:
            return std::nullopt;
    }
}

class Erasing {
  public:
    Erasing(disk::Disk& disk, Commands& commands, LogKeeper& log, IsWanted& is_wanted, Blank& blank)
        : disk_(disk), commands_(commands), log_(log), is_wanted_(is_wanted), blank_(blank) {}

    Result<Erased, std::string> run() {
        TRY(take_out_messages());
        // From here on nothing writes these bodies anew: what waits in a queue is copied forward, and it waits no more.
        if (!log_.seal(held_for)) return Failure{std::string("the node is stopping")};
        auto done = blank_bodies();
        (void)log_.hold(Duration(0));
        if (!done.ok()) return Failure{done.error()};
        return out_;
    }

  private:
    Result<void, std::string> visit(UniqueFunction<void(const journal::Entry&, const MessagePart&)> found) {
        auto done = journal::visit_everything(disk_, [&](const journal::Entry& entry) {
            learn(entry);
            auto message = message_of(entry.type, entry.flags, entry.body);
            if (message && is_wanted_(message->body, message->id, message->sent_at)) found(entry, *message);
            return true;
        });
        if (!done.ok()) return Failure{"the log cannot be read: " + done.error().text()};
        return {};
    }

    void learn(const journal::Entry& entry) {
        if (entry.type == static_cast<std::uint8_t>(RecordType::preamble))
            if (auto preamble = decode_preamble(entry.body))
                for (const auto& item : preamble->queues) names_[item.queue.id] = item.queue.name;
        if (entry.type == static_cast<std::uint8_t>(RecordType::queue_set))
            if (auto queue = decode_queue_set(entry.body)) names_[queue->id] = queue->name;
    }

    Result<void, std::string> take_out_messages() {
        std::set<Place> places;
        TRY(visit([&](const journal::Entry& entry, const MessagePart&) {
            if (auto place = place_of(entry)) places.insert(*place);
        }));
        for (const auto& place : places)
            if (auto name = names_.find(place.queue); name != names_.end()) take_out(name->second, place.sequence);
        return {};
    }

    /// Most are not there any more.
    void take_out(const std::string& name, queue::Sequence sequence) {
        Peek peek;
        peek.queue = name;
        peek.max_messages = 1;
        if (sequence.value() > 0) peek.after = queue::Sequence(sequence.value() - 1);
        auto seen = ask(commands_, std::move(peek));
        if (!seen.ok() || seen->empty() || seen->front().message.receipt.sequence != sequence) return;
        Delete gone;
        gone.queue = name;
        gone.receipts.push_back(seen->front().message.receipt);
        auto answer = ask(commands_, std::move(gone));
        (answer.ok() && answer->front().ok() ? out_.messages : out_.messages_left) += 1;
    }

    Result<void, std::string> blank_bodies() {
        std::map<std::uint32_t, std::vector<journal::Patch>> patches;
        TRY(visit([&](const journal::Entry& entry, const MessagePart& message) {
            auto blank = blank_(message.body, message.id, message.sent_at);
            if (!blank) {
                out_.bodies_left += 1;
                return;
            }
            if (*blank == message.body) return;
            // The body is the last of the record.
            auto offset = entry.location.offset + entry.location.length - message.body.size();
            patches[entry.location.segment].push_back({offset, std::move(*blank)});
        }));
        for (const auto& [segment, of_segment] : patches) {
            journal::SegmentNumber number(segment);
            auto written = journal::write_replacement(disk_, number, of_segment);
            if (!written.ok()) return Failure{"a segment cannot be written again: " + written.error().text()};
            TRY_ASSIGN(bool replaced, log_.replace(number));
            if (!replaced) return Failure{"segment " + std::to_string(segment) + " has moved meanwhile; try again"};
            out_.segments += 1;
            out_.bodies += of_segment.size();
            // Reading went on without the owner's hold being renewed.
            if (!log_.hold(held_for)) return Failure{std::string("the node is stopping")};
        }
        return {};
    }

    disk::Disk& disk_;
    Commands& commands_;
    LogKeeper& log_;
    IsWanted& is_wanted_;
    Blank& blank_;
    std::map<queue::QueueId, std::string> names_;
    Erased out_;
};

}  // namespace

Result<Erased, std::string> erase(disk::Disk& disk, Commands& commands, LogKeeper& log, IsWanted& is_wanted, Blank& blank) {
    return Erasing(disk, commands, log, is_wanted, blank).run();
}

}  // namespace forebay::broker
