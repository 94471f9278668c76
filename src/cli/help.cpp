#include <algorithm>

#include "cli/console.h"

namespace forebay::cli {
namespace {

std::string padded(std::string text, std::size_t width) {
    if (text.size() < width) text.append(width - text.size(), ' ');
    return text;
}

std::string spelling(const Option& option) {
    std::string out = option.letter != 0 ? std::string("-") + option.letter + ", " : "    ";
    out += "--" + std::string(option.name);
    if (!option.value.empty()) out += " " + std::string(option.value);
    return out;
}

std::string usage_of(const Verb& verb) {
    std::string out = "forebay " + std::string(verb.name);
    if (!verb.options.empty()) out += " [options]";
    for (const auto& argument : verb.arguments) {
        std::string word = std::string(argument.name) + (argument.many ? "…" : "");
        out += argument.required ? " " + word : " [" + word + "]";
    }
    return out;
}

std::string options_text(const std::vector<Option>& options, const Terminal& terminal) {
    std::size_t width = 0;
    for (const auto& option : options) width = std::max(width, spelling(option).size());
    std::string out;
    for (const auto& option : options)
        out += "  " + terminal.painted(padded(spelling(option), width), Colour::name) + "  " + std::string(option.help) + "\n";
    return out;
}

}  // namespace

std::string help_of(const Verb& verb, const Terminal& terminal) {
    std::string out = std::string(verb.summary) + "\n\n" + terminal.painted("Usage:", Colour::heading) + "\n  " + usage_of(verb) + "\n";
    if (!verb.arguments.empty()) {
        out += "\n" + terminal.painted("Arguments:", Colour::heading) + "\n";
        std::size_t width = 0;
        for (const auto& argument : verb.arguments) width = std::max(width, argument.name.size());
        for (const auto& argument : verb.arguments)
            out +=
                "  " + terminal.painted(padded(std::string(argument.name), width), Colour::name) + "  " + std::string(argument.help) + "\n";
    }
    if (!verb.options.empty()) out += "\n" + terminal.painted("Options:", Colour::heading) + "\n" + options_text(verb.options, terminal);
    out += "\n" + terminal.painted("Global options:", Colour::heading) + "\n" + options_text(global_options(), terminal);
    if (!verb.more.empty()) out += "\n" + std::string(verb.more) + "\n";
    return out;
}

std::string list_of_verbs(const Terminal& terminal) {
    std::string out = "forebay " + terminal.painted(version(), Colour::name) + "\n\n" + terminal.painted("Usage:", Colour::heading) +
                      "\n  forebay COMMAND [options] [arguments]\n";
    std::size_t width = 0;
    for (const auto& verb : verbs()) width = std::max(width, verb.name.size());
    std::string_view group;
    for (const auto& verb : verbs()) {
        if (verb.group.empty()) continue;
        if (verb.group != group) out += "\n" + terminal.painted(verb.group, Colour::heading) + "\n";
        group = verb.group;
        out += "  " + terminal.painted(padded(std::string(verb.name), width), Colour::name) + "  " + std::string(verb.summary) + "\n";
    }
    return out + "\n" + terminal.painted("Global options:", Colour::heading) + "\n" + options_text(global_options(), terminal) +
           "\nMore about one: forebay help COMMAND\n";
}

}  // namespace forebay::cli
