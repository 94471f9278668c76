#pragma once
// /api/import and /api/endpoints: rows of a file, handed in a batch at a time, through the checks and the queue that posts go through.

#include "admin/call.h"
#include "intake/intake.h"

namespace forebay::admin {

/// Every endpoint with its fields, their aliases and what becomes of fields it does not know.
http::Response list_endpoints(intake::Intake& intake);
/// `{endpoint, source, dry_run, rows: [{line, row} | {line, raw | raw_base64, raw_type, code, detail}]}`, `row` being a JSON object as
/// text. Answers when every row is durable or said not to be: counts, and each row that was not taken, with its reasons.
http::Response import_rows(intake::Intake& intake, const Call& call);

}  // namespace forebay::admin
