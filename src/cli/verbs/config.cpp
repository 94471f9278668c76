// `config show`, `config diff`, `config schema`: the effective configuration, the running one, the language.
#include "cli/config/settings.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "cli/verbs/verbs.h"

namespace forebay::cli {
namespace {

/// Reads the configuration with its places; after problems were printed nothing.
std::optional<Loaded> usable(Invocation& invocation) {
    auto loaded = load(invocation.load_options());
    if (loaded.is_usable()) return loaded;
    invocation.terminal().error_text(loaded.diagnostics.text(invocation.terminal().colours_errors()));
    return std::nullopt;
}

}  // namespace

int run_config_show(Invocation& invocation) {
    auto loaded = usable(invocation);
    if (!loaded) return exit_code::configuration;
    auto& terminal = invocation.terminal();
    auto settings = settings_of(loaded->configuration);
    if (terminal.wants_json()) {
        if (invocation.has("given")) std::erase_if(settings, [&](auto& setting) { return !loaded->places.contains(setting.path()); });
        terminal.result_json(to_json(settings));
        return exit_code::done;
    }
    terminal.result(to_toml(settings, loaded->places, {invocation.has("given"), terminal.verbosity() > 0}));
    return exit_code::done;
}

int run_config_diff(Invocation& invocation) {
    auto loaded = usable(invocation);
    if (!loaded) return exit_code::configuration;
    auto& terminal = invocation.terminal();
    const auto& data_dir = loaded->configuration.node.data_dir;
    auto running = noted_running(data_dir);
    if (!running) {
        terminal.complain("no node has run with data in " + data_dir + ": there is nothing to compare with");
        return exit_code::cannot_tell;
    }
    auto changes = differences(to_json(settings_of(loaded->configuration)), *running);
    if (terminal.wants_json()) {
        auto list = json::Value::array();
        for (const auto& change : changes)
            list.push(json::Value().set("setting", change.path).set("file", change.here).set("running", change.there));
        terminal.result_json(json::Value().set("differences", std::move(list)));
    } else if (changes.empty()) {
        terminal.result("The running configuration is what the files say.\n");
    } else {
        Table table({"SETTING", "FILES", "RUNNING"});
        for (const auto& change : changes)
            table.add({change.path, change.here.empty() ? "-" : change.here, change.there.empty() ? "-" : change.there});
        terminal.result(table.text(terminal));
    }
    return changes.empty() ? exit_code::done : exit_code::check_failed;
}

int run_config_schema(Invocation& invocation) {
    invocation.terminal().result_json(schema());
    return exit_code::done;
}

}  // namespace forebay::cli
