#pragma once
// What pause, resume, drain and status have in common: who asks, and how a pause is told.

#include <optional>
#include <string>

#include "base/json.h"
#include "cli/verb.h"
#include "worker/pause.h"

namespace forebay::cli {

/// The name of the person: of sudo, else of the login.
std::string who_asks(Invocation& invocation);
/// `{since_ms, reason, by}` of the operator's interface; nothing for null.
std::optional<worker::Pause> pause_of(const json::Value& value);
/// `3m12s by ann: disk swap`
std::string pause_text(const worker::Pause& pause, Timestamp now);
/// `forebay drain --undo`
int undrain(Invocation& invocation);

}  // namespace forebay::cli
