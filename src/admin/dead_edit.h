#pragma once
// POST /api/dead/edit {id, effect, set: {FIELD: TEXT or null}, reason, dry_run}: fields of a dead record changed, held against the
// rules of its endpoint, and its effect run again with them. What they were stays in the record (record/FORMAT.md, `edited`).

#include "admin/dead_letters.h"
#include "intake/intake.h"

namespace forebay::admin {

http::Response edit_dead(broker::Commands& commands, const Routes& routes, intake::Intake& intake, Clock& clock, const Call& call);

}  // namespace forebay::admin
