// `upgrade`: the parent becomes the binary that lies at its place now.
#include "cli/process/paths.h"
#include "cli/verb.h"
#include "cli/verbs/processes.h"
#include "cli/verbs/verbs.h"

namespace forebay::cli {

int run_upgrade(Invocation& invocation) {
    auto& terminal = invocation.terminal();
    supervisor::ControlRequest request;
    request.verb = supervisor::Verb::upgrade;
    request.dry_run = invocation.has("dry-run");
    request.reason = invocation.value("reason").value_or("");
    if (!request.dry_run && !invocation.is_agreed("Upgrade the running forebay to the binary that lies at its place now?"))
        return exit_code::done;
    auto answer = ask_supervisor(invocation, control_path(invocation.whatever_is_configured().node.data_dir), request);
    if (!answer) return answer.error();
    if (!answer->ok) {
        terminal.complain("not upgraded, what runs goes on: " + answer->error);
        return exit_code::check_failed;
    }
    if (terminal.wants_json())
        terminal.result_json(json::Value().set("dry_run", request.dry_run).set("ok", true));
    else if (request.dry_run)
        terminal.result("The binary that lies there now starts and takes the configuration; it would take over.\n");
    else
        terminal.result(
            "The new binary takes over under the same pid, and forebay's own processes are renewed one by one: forebay status shows "
            "them.\n");
    return exit_code::done;
}

}  // namespace forebay::cli
