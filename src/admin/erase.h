#pragma once
// /api/erase: a person's wish that what is known of them goes. What the log and the queues have of it; databases are for others.

#include "admin/call.h"
#include "broker/erasing.h"

namespace forebay::admin {

/// `{text}`: the ids of the records in which a field says exactly that (whatever its case), refused ones in which it stands anywhere.
http::Response find_to_erase(disk::Disk& disk, const Call& call);
/// `{ids, reason}`: what was taken out of queues, blanked, and left.
http::Response erase_records(disk::Disk& disk, broker::Commands& commands, broker::LogKeeper& log, const Call& call);

}  // namespace forebay::admin
