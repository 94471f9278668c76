#pragma once
// admin/history.h over the broker's history reader.

#include "admin/history.h"
#include "broker/history.h"
#include "disk/posix_disk.h"

namespace forebay::cli {

class PastRecords final : public admin::History {
  public:
    /// `disk` is one that nothing else uses: it looks into the store that the node owns.
    explicit PastRecords(disk::Disk& disk) : disk_(disk) {}
    Result<admin::PastVisit, std::string> visit(Timestamp from, Timestamp to, std::string_view cursor,
                                                UniqueFunction<bool(const admin::PastView&)> visit) override;
    Result<admin::PastPage, std::string> page(Timestamp from, Timestamp to, std::string_view cursor, std::size_t max) override;
    Result<admin::PastPage, std::string> sent_to(std::string_view queue, Timestamp from, Timestamp to, std::string_view cursor,
                                                 std::size_t max) override;
    Result<admin::PastPage, std::string> since(std::string_view cursor, std::size_t max) override;

  private:
    Result<broker::HistoryPage, std::string> look(broker::HistoryQuery query, std::string_view cursor, broker::VisitAccepted visit);
    disk::Disk& disk_;
};

}  // namespace forebay::cli
