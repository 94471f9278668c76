#include "cli/verb.h"

#include <charconv>
#include <utility>

namespace forebay::cli {

std::optional<std::string> Invocation::value(std::string_view option) const {
    auto at = options_.find(std::string(option));
    return at == options_.end() ? std::nullopt : std::optional(at->second);
}

std::vector<std::string> Invocation::values(std::string_view option) const {
    std::vector<std::string> values;
    auto [begin, end] = options_.equal_range(std::string(option));
    for (auto at = begin; at != end; ++at) values.push_back(at->second);
    return values;
}

LoadOptions Invocation::load_options() const { return {globals_.file, globals_.environment, world_.variables}; }

std::optional<Configuration> Invocation::configuration() {
    auto loaded = load(load_options());
    terminal().error_text(loaded.diagnostics.text(terminal().colours_errors()));
    if (!loaded.is_usable()) return std::nullopt;
    return std::move(loaded.configuration);
}

std::optional<std::uint64_t> Invocation::number(std::string_view option, std::uint64_t usual, std::uint64_t least,
                                                std::uint64_t most) const {
    auto given = value(option);
    if (!given) return usual;
    std::uint64_t number = 0;
    auto end = given->data() + given->size();
    auto [stop, error] = std::from_chars(given->data(), end, number);
    if (error != std::errc() || stop != end || number < least || number > most) return std::nullopt;
    return number;
}

Configuration Invocation::whatever_is_configured() {
    auto loaded = load(load_options());
    bool is_elsewhere = !globals_.node.empty();
    if (loaded.files.empty() && !is_elsewhere && !std::exchange(has_complained_, true))
        terminal().error_text(loaded.diagnostics.text(terminal().colours_errors()));
    return std::move(loaded.configuration);
}

bool Invocation::is_agreed(std::string_view question) {
    if (globals_.yes || !terminal().can_ask()) return true;
    auto answer = terminal().ask(std::string(question) + " [y/N]");
    bool agreed = answer && (answer->starts_with('y') || answer->starts_with('Y'));
    if (!agreed) terminal().talk("Nothing was changed.");
    return agreed;
}

std::string Invocation::reason() {
    if (auto given = value("reason")) return *given;
    return terminal().ask("Why? (kept in the log)").value_or("");
}

int Invocation::misused(std::string_view what) {
    terminal().complain(what);
    terminal().talk("See: forebay help " + std::string(verb_.name));
    return exit_code::usage;
}

}  // namespace forebay::cli
