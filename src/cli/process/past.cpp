#include "cli/process/past.h"

#include "base/log_line.h"
#include "broker/history.h"

namespace forebay::cli {

Result<admin::PastPage, std::string> PastRecords::page(Timestamp from, Timestamp to, std::string_view cursor, std::size_t max) {
    broker::HistoryQuery query{from, to, std::nullopt, max};
    if (!cursor.empty()) {
        query.after = broker::HistoryCursor::parse(cursor);
        if (!query.after) return Failure{"\"" + std::string(cursor) + "\" is not a cursor this server gave."};
    }
    admin::PastPage page;
    auto visited = broker::visit_accepted(disk_, query, [&](const broker::AcceptedRecord& record) {
        page.records.push_back({std::string(record.queue), std::string(record.body), record.sent_at, record.message_id});
        return true;
    });
    if (!visited.ok()) return Failure{"The log cannot be read: " + visited.error().text() + "."};
    for (const auto& damage : visited->damage) log_warn("history.damage").with("what", damage);
    if (visited->next) page.next = visited->next->text();
    return page;
}

}  // namespace forebay::cli
