#include "broker/history.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "broker/log_record.h"
#include "journal/history_reader.h"

namespace forebay::broker {
namespace {

/// A frame is written a moment after its records were sent, by the same clock, which never goes back (LogClock).
constexpr Duration written_later = 1min;

class Visitor {
  public:
    Visitor(const HistoryQuery& query, VisitAccepted& visit, HistoryPage& page) : query_(query), visit_(visit), page_(page) {}

    bool operator()(const journal::Entry& entry) {
        // A preamble has no position of its own.
        if (entry.type != static_cast<std::uint8_t>(RecordType::preamble)) page_.end = HistoryCursor{entry.written_at, entry.position};
        switch (static_cast<RecordType>(entry.type)) {
            case RecordType::preamble:
                learn_preamble(entry.body);
                return true;
            case RecordType::queue_set:
                learn_queue(entry.body);
                return true;
            case RecordType::enqueued:
                return (query_.queue.empty() && (entry.flags & flag_accepted_record) == 0) || visit(entry);
            default:
                return true;
        }
    }

  private:
    void learn_preamble(std::string_view body) {
        auto preamble = decode_preamble(body);
        if (!preamble) return;
        for (auto& item : preamble->queues) names_[item.queue.id] = std::move(item.queue.name);
    }
    void learn_queue(std::string_view body) {
        if (auto queue = decode_queue_set(body)) names_[queue->id] = std::move(queue->name);
    }
    bool visit(const journal::Entry& entry) {
        if (query_.after && entry.position <= query_.after->position) return true;
        auto record = decode_enqueued(entry.flags, entry.body);
        if (!record || record->message.sent_at < query_.from || record->message.sent_at >= query_.to) return true;
        const auto& name = names_[record->queue];
        if (!query_.queue.empty() && name != query_.queue) return true;
        if (page_.records == query_.max) {
            page_.next = last_;
            return false;
        }
        page_.records += 1;
        last_ = HistoryCursor{entry.written_at, entry.position};
        const auto& message = record->message;
        if (visit_({message.id, name, message.body, message.sent_at, message.group, message.attributes})) return true;
        page_.next = last_;
        return false;
    }

    const HistoryQuery& query_;
    VisitAccepted& visit_;
    HistoryPage& page_;
    HistoryCursor last_;
    std::map<queue::QueueId, std::string> names_;
};

Timestamp later(Timestamp at, Duration by) { return at.ms > INT64_MAX - by.count() ? at : at + by; }

}  // namespace

std::string HistoryCursor::text() const { return fmt::format("{}-{}", written_at.ms, position.value()); }

std::optional<HistoryCursor> HistoryCursor::parse(std::string_view text) {
    std::int64_t ms = 0;
    std::uint64_t position = 0;
    auto end = text.data() + text.size();
    auto first = std::from_chars(text.data(), end, ms);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != '-') return std::nullopt;
    auto second = std::from_chars(first.ptr + 1, end, position);
    if (second.ec != std::errc() || second.ptr != end) return std::nullopt;
    return HistoryCursor{Timestamp{ms}, journal::Position(position)};
}

Result<HistoryPage, disk::Error> visit_accepted(disk::Disk& disk, const HistoryQuery& query, VisitAccepted visit) {
    HistoryPage page;
    Visitor visitor(query, visit, page);
    auto from = query.from - written_later;
    page.end = query.after;
    if (query.after) from = std::max(from, query.after->written_at - written_later);
    journal::HistoryReader reader(disk);
    auto first = query.after ? query.after->position : journal::Position(0);
    TRY_ASSIGN(auto summary, query.with_queues ? reader.visit(
                                                     from, later(query.to, written_later),
                                                     [&](const journal::Entry& entry) { return visitor(entry); }, first)
                                               : reader.visit_from(first, from, later(query.to, written_later),
                                                                   [&](const journal::Entry& entry) { return visitor(entry); }));
    page.damage = std::move(summary.damage);
    page.begins = summary.begins;
    return page;
}

}  // namespace forebay::broker
