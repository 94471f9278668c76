#pragma once
// The command line as a whole: finds the verb (abbreviations, "did you mean"), reads the options, prints help
// and runs it. The manners are those of the guide's console: -h -q -V -n -v|-vv|-vvv --ansi --no-ansi -e.

#include <string>
#include <vector>

#include "cli/verb.h"

namespace forebay::cli {

/// All verbs, in the order of the list.
const std::vector<Verb>& verbs();
/// The options that every verb takes.
const std::vector<Option>& global_options();
std::string_view version();

struct UsageError {
    std::string what;
    std::string_view verb = {};  ///< whose help would tell; empty = the list would
};

/// Which verb the first words name, and how many of the words. Unambiguous beginnings are enough.
struct FoundVerb {
    const Verb* verb = nullptr;
    std::size_t words = 0;
};
Result<FoundVerb, UsageError> find_verb(const std::vector<std::string>& words);

/// The command line as read. `verb` is null when no word was given.
struct CommandLine {
    const Verb* verb = nullptr;
    Globals globals;
    std::vector<std::string> words;
    std::multimap<std::string, std::string> options;
};
Result<CommandLine, UsageError> parse(const std::vector<std::string>& arguments);

/// `forebay help VERB` and `forebay list`, as text.
std::string help_of(const Verb& verb, const Terminal& terminal);
std::string list_of_verbs(const Terminal& terminal);

/// Runs one command line (without the program's name) and returns the exit code.
int run(const std::vector<std::string>& arguments, World& world);

}  // namespace forebay::cli
