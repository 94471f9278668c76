#include "admin/backup.h"

namespace forebay::admin {
namespace {
/// A copy that died must not keep the log from being dropped for long: who goes on copying asks again.
constexpr std::int64_t seconds_max = 300;
}  // namespace

http::Response hold_log(broker::LogKeeper& log, Clock& clock, const Call& call) {
    auto seconds = call.body["seconds"].integer().value_or(-1);
    if (seconds < 0 || seconds > seconds_max) return bad_request("\"seconds\" must be a number from 0 to 300.");
    auto extent = log.hold(Duration(seconds * 1000));
    if (!extent) return http::problem(503, "stopping", "The node is stopping.");
    return json_response(json::Value()
                             .set("at", to_rfc3339(clock.wall()))
                             .set("position", extent->end.value())
                             .set("first_segment", extent->first.value())
                             .set("last_segment", extent->last.value())
                             .set("last_bytes", extent->last_bytes));
}

}  // namespace forebay::admin
