#pragma once
// How `forebay status|start|stop|restart` talk to the supervising parent: JSON lines over a unix
// socket that only the owner can open. One request a line, one answer a line.
//
//   {"do":"status"}                                     at once
//   {"do":"start"|"stop"|"restart","names":["core:*"]}  answered when it is done: started ones are RUNNING
//   {"do":"restart","names":[…],"all_at_once":true}     not one after the other (the default is rolling)
//   {"do":"stop","names":[…],"reason":"disk swap"}      the reason is kept in the log
//   {"do":"signal","names":[…],"signal":"TSTP"}         pause and go on: TSTP, CONT, USR1, HUP, QUIT
//   {"do":"scale","names":["store"],"count":4}          so many from now on, whatever the load; answered when they run
//   {"do":"scale","names":["store"],"auto":true}        the load decides again
//   {"do":"reload"}                                     "text" says what is different; answered when all have taken it up
//   {"do":"reload","dry_run":true}                      only says it
//   {"do":"upgrade"}                                    at once: the new binary takes over, under the same pid
//   {"do":"upgrade","dry_run":true}                     only says whether it would run
//   {"do":"shutdown"}                                   at once; everything stops, then the parent ends
//
// Answer: {"ok":true,"processes":[{"name","group","worker","n","pid","state","since_ms","restarts","next_ms","log","why",
//          "restarts_by":{"recycle","crash","deploy"}}],
//          "pools":[{"worker","group","count","count_min","count_max","by_hand"}]}
// or {"ok":false,"error":"no process is called stor:1"}. A start that ends in FATAL answers ok:false with
// the reason and the processes. With "wait":false start, stop and restart answer at once.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "supervisor/supervisor.h"

namespace forebay::supervisor {

enum class Verb { status, start, stop, restart, signal, scale, reload, upgrade, shutdown };

struct ControlRequest {
    Verb verb = Verb::status;
    std::vector<std::string> names;
    bool all_at_once = false;
    bool wait = true;
    int signal = 0;
    std::string reason = {};          ///< of the person who asks; for the log
    std::optional<unsigned> count{};  ///< of scale; nothing = automatic again
    bool dry_run = false;             ///< of reload
};

/// `restart`
std::string_view name_of(Verb verb);
/// Nothing = not a request; the text says why.
Result<ControlRequest, std::string> parse_request(std::string_view line);
std::string to_line(const ControlRequest& request);
json::Value to_json(const ProcessStatus& process);
ProcessStatus process_status_of(const json::Value& value);

/// The blocking client. One request a connection.
struct ControlError {
    bool unreachable = false;  ///< nobody listens there: exit code 69 for the CLI
    std::string what;
};
struct ControlAnswer {
    bool ok = false;
    std::string error;
    std::vector<ProcessStatus> processes;
    std::vector<PoolStatus> pools{};
    std::string text{};  ///< of reload
};
Result<ControlAnswer, ControlError> ask(const std::string& control_path, const ControlRequest& request, Duration timeout = 5min);

}  // namespace forebay::supervisor
