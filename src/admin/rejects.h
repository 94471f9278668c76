#pragma once
// /api/rejects: refused posts as the quarantine keeps them, and letting them in after the rule was mended.

#include "admin/call.h"
#include "broker/ask.h"
#include "intake/intake.h"

namespace forebay::admin {

http::Response list_rejects(broker::Commands& commands, const Call& call);
http::Response show_reject(broker::Commands& commands, const Call& call);
http::Response readmit_rejects(broker::Commands& commands, intake::Intake& intake, const Call& call);

}  // namespace forebay::admin
