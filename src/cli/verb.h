#pragma once
// What a verb of the command line is: a row of the table in verbs.cpp. Parsing, help, the list, abbreviations
// and completion all read this row; the verb's own file only holds the function that does it.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/entropy.h"
#include "base/result.h"
#include "base/time.h"
#include "cli/config/load.h"
#include "cli/exit_code.h"
#include "cli/terminal.h"
#include "http/client.h"
#include "supervisor/control.h"

namespace forebay::cli {

struct Option {
    std::string_view name;   ///< without dashes
    char letter = 0;         ///< 0 = none
    std::string_view value;  ///< what stands for the value in help; empty = a flag
    std::string_view help;
};

struct Argument {
    std::string_view name;  ///< in capitals, as in the usage line
    std::string_view help;
    bool required = true;
    bool many = false;  ///< takes all that follow; only the last
};

/// What a word of the command line completes to.
enum class Completes { nothing, files, queues, workers, processes, pausable, endpoints, verbs, shells };

class Invocation;

struct Verb {
    std::string_view group;  ///< `run it`, `workers`, …: where `list` shows it; empty = not shown
    std::string_view name;   ///< one word or two: `queue peek`
    std::string_view summary;
    std::vector<Argument> arguments;
    std::vector<Option> options;
    int (*run)(Invocation&);
    Completes completes = Completes::nothing;
    std::string_view more = {};  ///< further paragraphs of the help
    bool takes_command = false;  ///< from its first word on everything is another command line
};

struct Globals {
    bool help = false;
    bool version = false;
    bool quiet = false;
    bool no_interaction = false;
    bool json = false;
    bool yes = false;
    int verbosity = 0;
    std::optional<bool> colour;
    std::string file;         ///< -c
    std::string environment;  ///< -e
    std::string node;         ///< --node
};

/// Everything outside the process, so that tests can put a verb into a world of their own.
struct World {
    Terminal& terminal;
    Clock& clock;
    Entropy& entropy;
    Variables variables;
    std::function<Result<http::ClientResponse, http::ClientError>(const http::ClientRequest&)> http;
    std::function<Result<supervisor::ControlAnswer, supervisor::ControlError>(const std::string& path, const supervisor::ControlRequest&)>
        control;
};

/// One call of one verb.
class Invocation {
  public:
    Invocation(const Verb& verb, World& world, Globals globals, std::vector<std::string> words,
               std::multimap<std::string, std::string> options)
        : verb_(verb), world_(world), globals_(std::move(globals)), words_(std::move(words)), options_(std::move(options)) {}

    const Verb& verb() const { return verb_; }
    World& world() { return world_; }
    Terminal& terminal() { return world_.terminal; }
    const Globals& globals() const { return globals_; }

    /// The words after the verb.
    const std::vector<std::string>& words() const { return words_; }
    /// The word at that place, empty if it was not given.
    std::string word(std::size_t i) const { return i < words_.size() ? words_[i] : std::string(); }
    bool has(std::string_view option) const { return options_.find(std::string(option)) != options_.end(); }
    std::optional<std::string> value(std::string_view option) const;
    std::vector<std::string> values(std::string_view option) const;
    /// The option as a whole number, `usual` if it was not given; nothing if it is none of those from least to most.
    std::optional<std::uint64_t> number(std::string_view option, std::uint64_t usual, std::uint64_t least, std::uint64_t most) const;

    LoadOptions load_options() const;
    /// The checked configuration; after problems were printed nothing: then return exit_code::configuration.
    std::optional<Configuration> configuration();
    /// What can be read of it: for verbs that only need to know where things are. Complains only when there is no file
    /// to read, and once.
    Configuration whatever_is_configured();

    /// Whether to go on: --yes, or `y` at the terminal. When nobody can be asked the command line is the answer.
    bool is_agreed(std::string_view question);
    /// --reason, or what the person at the terminal answers; empty if there is none.
    std::string reason();
    /// Complains and returns exit_code::usage.
    int misused(std::string_view what);

  private:
    const Verb& verb_;
    World& world_;
    Globals globals_;
    std::vector<std::string> words_;
    std::multimap<std::string, std::string> options_;
    bool has_complained_ = false;  ///< that there is no configuration
};

}  // namespace forebay::cli
