// `check`: reads the configuration as the node would and says what is wrong, without touching anything.
#include "cli/verb.h"
#include "cli/verbs/verbs.h"
#include "cli/words.h"

namespace forebay::cli {
namespace {

json::Value to_json(const Diagnostic& diagnostic) {
    json::Value out;
    out.set("severity", diagnostic.severity == Severity::error ? "error" : "warning");
    if (diagnostic.place.is_known()) out.set("file", diagnostic.place.file);
    if (diagnostic.place.line > 0) out.set("line", diagnostic.place.line);
    if (diagnostic.place.column > 0) out.set("column", diagnostic.place.column);
    out.set("message", diagnostic.message);
    if (!diagnostic.hint.empty()) out.set("hint", diagnostic.hint);
    return out;
}

std::string what_there_is(const Configuration& c) {
    return counted(c.endpoints.size(), "endpoint") + ", " + counted(c.queues.size(), "queue") + ", " + counted(c.workers.size(), "worker");
}

void print(Terminal& terminal, const Loaded& loaded) {
    terminal.error_text(loaded.diagnostics.text(terminal.colours_errors()));
    std::string files;
    for (const auto& file : loaded.files) files += (files.empty() ? "" : ", ") + file;
    auto summary = loaded.diagnostics.summary();
    if (!loaded.is_usable())
        terminal.talk(summary + ". The running configuration is unchanged.");
    else
        terminal.result(files + ": " + what_there_is(loaded.configuration) + ", " + summary + ".\n");
}

/// Said here only: who starts a node for a look needs no audit.
void advise(Loaded& loaded) {
    if (!loaded.is_usable() || loaded.configuration.workers.empty() || loaded.configuration.has_audit()) return;
    loaded.diagnostics.warning({}, "no audit is scheduled: history goes when it is older than journal.keep, whether it was counted or not",
                               "[schedule.audit] every = \"1h\", run = \"audit --since 24h\"");
}

}  // namespace

int run_check(Invocation& invocation) {
    auto options = invocation.load_options();
    if (!invocation.words().empty()) options.file = invocation.word(0);
    auto loaded = load(options);
    advise(loaded);
    auto& terminal = invocation.terminal();
    if (terminal.wants_json()) {
        auto problems = json::Value::array();
        for (const auto& diagnostic : loaded.diagnostics.all()) problems.push(to_json(diagnostic));
        terminal.result_json(json::Value()
                                 .set("errors", loaded.diagnostics.errors())
                                 .set("warnings", loaded.diagnostics.warnings())
                                 .set("problems", problems));
    } else {
        print(terminal, loaded);
    }
    bool is_bad = !loaded.is_usable() || (invocation.has("warnings-as-errors") && loaded.diagnostics.warnings() > 0);
    return is_bad ? exit_code::configuration : exit_code::done;
}

}  // namespace forebay::cli
