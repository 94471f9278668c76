// `reload`: the parent takes up the configuration of the files, after it was checked, and says what changed.
#include "cli/process/paths.h"
#include "cli/verb.h"
#include "cli/verbs/processes.h"
#include "cli/verbs/verbs.h"

namespace forebay::cli {

int run_reload(Invocation& invocation) {
    auto& terminal = invocation.terminal();
    auto loaded = load(invocation.load_options());
    if (!loaded.is_usable()) {
        terminal.error_text(loaded.diagnostics.text(terminal.colours_errors()));
        terminal.talk("The running configuration is unchanged.");
        return exit_code::configuration;
    }
    supervisor::ControlRequest request;
    request.verb = supervisor::Verb::reload;
    request.dry_run = invocation.has("dry-run");
    request.reason = invocation.value("reason").value_or("");
    auto answer = ask_supervisor(invocation, control_path(loaded.configuration.node.data_dir), request);
    if (!answer) return answer.error();
    if (!answer->ok) {
        terminal.complain(answer->error);
        return exit_code::configuration;
    }
    if (terminal.wants_json())
        terminal.result_json(json::Value().set("dry_run", request.dry_run).set("text", answer->text));
    else if (answer->text.empty())
        terminal.result("Nothing changed: what runs is what the files say.\n");
    else
        terminal.result(answer->text + (answer->text.ends_with('\n') ? "" : "\n"));
    return exit_code::done;
}

}  // namespace forebay::cli
