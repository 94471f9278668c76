// `list`, `help` and `version`: what the console says about itself.
#include "cli/console.h"
#include "cli/verbs/verbs.h"

namespace forebay::cli {
namespace {

json::Value to_json(const Verb& verb) {
    auto arguments = json::Value::array(), options = json::Value::array();
    for (const auto& argument : verb.arguments)
        arguments.push(json::Value()
                           .set("name", argument.name)
                           .set("help", argument.help)
                           .set("required", argument.required)
                           .set("many", argument.many));
    for (const auto& option : verb.options)
        options.push(json::Value().set("name", option.name).set("value", option.value).set("help", option.help));
    return json::Value()
        .set("name", verb.name)
        .set("group", verb.group)
        .set("summary", verb.summary)
        .set("arguments", arguments)
        .set("options", options);
}

}  // namespace

int run_list(Invocation& invocation) {
    auto& terminal = invocation.terminal();
    if (!terminal.wants_json()) {
        terminal.result(list_of_verbs(terminal));
        return exit_code::done;
    }
    auto all = json::Value::array();
    for (const auto& verb : verbs())
        if (!verb.group.empty()) all.push(to_json(verb));
    terminal.result_json(json::Value().set("version", version()).set("commands", std::move(all)));
    return exit_code::done;
}

int run_help(Invocation& invocation) {
    auto& terminal = invocation.terminal();
    if (invocation.words().empty()) return run_list(invocation);
    auto found = find_verb(invocation.words());
    if (!found) {
        terminal.complain(found.error().what);
        return exit_code::usage;
    }
    if (terminal.wants_json())
        terminal.result_json(to_json(*found->verb));
    else
        terminal.result(help_of(*found->verb, terminal));
    return exit_code::done;
}

int run_version(Invocation& invocation) {
    auto& terminal = invocation.terminal();
    if (terminal.wants_json())
        terminal.result_json(json::Value().set("name", "forebay").set("version", version()));
    else
        terminal.result("forebay " + std::string(version()) + "\n");
    return exit_code::done;
}

}  // namespace forebay::cli
