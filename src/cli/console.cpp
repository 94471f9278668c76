#include "cli/console.h"

namespace forebay::cli {
namespace {

void apply(const Globals& globals, World& world) {
    auto& terminal = world.terminal;
    terminal.set_quiet(globals.quiet);
    terminal.set_verbosity(globals.verbosity);
    terminal.set_json(globals.json);
    terminal.set_can_ask(!globals.no_interaction);
    bool no_colour = false;
    for (const auto& [name, value] : world.variables) no_colour = no_colour || (name == "NO_COLOR" && !value.empty());
    if (globals.colour)
        terminal.set_colour(*globals.colour);
    else if (no_colour)
        terminal.set_colour(false);
}

}  // namespace

std::string_view version() { return FOREBAY_VERSION; }

int run(const std::vector<std::string>& arguments, World& world) {
    auto line = parse(arguments);
    if (!line) {
        world.terminal.complain(line.error().what);
        auto verb = std::string(line.error().verb);
        world.terminal.talk("See: forebay " + (verb.empty() ? "list" : "help " + verb));
        return exit_code::usage;
    }
    apply(line->globals, world);
    if (line->globals.version) {
        world.terminal.result("forebay " + std::string(version()) + "\n");
        return exit_code::done;
    }
    if (line->verb == nullptr || line->globals.help) {
        world.terminal.result(line->verb == nullptr ? list_of_verbs(world.terminal) : help_of(*line->verb, world.terminal));
        return exit_code::done;
    }
    Invocation invocation(*line->verb, world, line->globals, line->words, line->options);
    int code = line->verb->run(invocation);
    world.terminal.flush();
    return code;
}

}  // namespace forebay::cli
