#include "cli/process/past.h"

#include "base/log_line.h"
#include "broker/log_record.h"

namespace forebay::cli {

Result<broker::HistoryPage, std::string> PastRecords::look(broker::HistoryQuery query, std::string_view cursor,
                                                           broker::VisitAccepted visit) {
    if (!cursor.empty()) {
        query.after = broker::HistoryCursor::parse(cursor);
        if (!query.after) return Failure{"\"" + std::string(cursor) + "\" is not a cursor this server gave."};
    }
    auto visited = broker::visit_accepted(disk_, query, std::move(visit));
    if (!visited.ok()) return Failure{"The log cannot be read: " + visited.error().text() + "."};
    for (const auto& damage : visited->damage) log_warn("history.damage").with("what", damage);
    return std::move(*visited);
}

Result<admin::PastVisit, std::string> PastRecords::visit(Timestamp from, Timestamp to, std::string_view cursor,
                                                         UniqueFunction<bool(const admin::PastView&)> visit) {
    TRY_ASSIGN(auto visited, look({from, to, std::nullopt, SIZE_MAX, {}}, cursor, [&](const broker::AcceptedRecord& record) {
                   return visit({record.queue, record.body, record.sent_at, record.message_id});
               }));
    return admin::PastVisit{visited.next ? visited.next->text() : "", std::move(visited.damage), visited.begins};
}

Result<admin::PastPage, std::string> PastRecords::page(Timestamp from, Timestamp to, std::string_view cursor, std::size_t max) {
    admin::PastPage page;
    TRY_ASSIGN(auto visited, look({from, to, std::nullopt, max, {}}, cursor, [&](const broker::AcceptedRecord& record) {
                   page.records.push_back({std::string(record.queue), std::string(record.body), record.sent_at, record.message_id});
                   return true;
               }));
    if (visited.next) page.next = visited.next->text();
    if (visited.end) page.end = visited.end->text();
    return page;
}

Result<admin::PastPage, std::string> PastRecords::since(std::string_view cursor, std::size_t max) {
    broker::HistoryQuery query;
    query.max = max;
    query.with_queues = false;
    admin::PastPage page;
    TRY_ASSIGN(auto visited, look(query, cursor, [&](const broker::AcceptedRecord& record) {
                   page.records.push_back({"", std::string(record.body), record.sent_at, record.message_id});
                   return true;
               }));
    if (visited.next) page.next = visited.next->text();
    if (visited.end) page.end = visited.end->text();
    return page;
}

Result<admin::PastPage, std::string> PastRecords::sent_to(std::string_view queue, Timestamp from, Timestamp to, std::string_view cursor,
                                                          std::size_t max) {
    admin::PastPage page;
    TRY_ASSIGN(auto visited, look({from, to, std::nullopt, max, std::string(queue)}, cursor, [&](const broker::AcceptedRecord& message) {
                   page.records.push_back({std::string(message.queue), std::string(message.body), message.sent_at, message.message_id,
                                           std::string(message.group), broker::decode_attributes(message.attributes)});
                   return true;
               }));
    if (visited.next) page.next = visited.next->text();
    return page;
}

}  // namespace forebay::cli
