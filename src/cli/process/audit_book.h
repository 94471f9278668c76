#pragma once
// What audits have found (admin/audit.h), durable in `<data_dir>/audit/kept.json`: the last result, the hours of two days,
// and for every hour that was ever counted whether everything accepted in it was settled. Of the last the journal asks before
// it lets history go (D2). Keeps the metrics of the last result too.

#include <atomic>
#include <mutex>
#include <set>
#include <string>

#include "admin/audit.h"
#include "disk/disk.h"
#include "metrics/metrics.h"

namespace forebay::cli {

class AuditBook final : public admin::Audits {
  public:
    /// `disk` is the folder it is kept in, and nobody else's. A file that cannot be read is told in the log; then no hour is
    /// settled until it is counted again.
    AuditBook(disk::Disk& disk, Clock& clock, metrics::Registry& registry);

    json::Value kept() override;
    Result<void, std::string> keep(const json::Value& found) override;

    /// Without an audit that is scheduled nobody counts, and nothing waits for it. Any thread.
    void set_scheduled(bool is_scheduled) { is_scheduled_ = is_scheduled; }
    /// Whether history of that time may go: see is_settled. Any thread.
    bool may_forget(Timestamp from, Timestamp to) const { return !is_scheduled_ || is_settled(from, to); }
    /// Whether every hour that the time from `from` to `to` touches was counted, with all that was accepted in it settled,
    /// discarded or erased, and no difference. Any thread.
    bool is_settled(Timestamp from, Timestamp to) const;

  private:
    Result<void, std::string> read();
    Result<void, std::string> write(const json::Value& kept);
    json::Value whole() const;
    json::Value today() const;
    void take_hours(const json::Value& found);
    void forget_old_hours();
    void show_metrics();

    disk::Disk& disk_;
    Clock& clock_;
    metrics::Registry& registry_;
    json::Value last_;                           ///< the last result, without its hours; null = there was none
    json::Value recent_ = json::Value::array();  ///< hours of two days, as POST /api/audit tells them
    mutable std::mutex lock_;                    ///< guards settled_ and unsettled_
    std::set<std::int64_t> settled_;             ///< hours since 1970
    std::set<std::int64_t> unsettled_;
    std::atomic<bool> is_scheduled_{false};
};

}  // namespace forebay::cli
