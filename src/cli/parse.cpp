#include <algorithm>

#include "cli/console.h"
#include "cli/similar.h"

namespace forebay::cli {
namespace {

/// It goes into logs and into records.
constexpr std::size_t reason_bytes_max = 1024;

/// An option as it stands on the command line: `--max=5`, `-n`, `-cFILE`.
struct Written {
    std::string name;  ///< long name, or one letter
    bool is_letter = false;
    std::optional<std::string> value;  ///< after `=`, or the rest of a word of letters
};

Written read_option(const std::string& word) {
    if (!word.starts_with("--")) {
        Written letter{word.substr(1, 1), true, {}};
        if (word.size() > 2) letter.value = word.substr(2);
        return letter;
    }
    auto equals = word.find('=');
    Written option{word.substr(2, equals == std::string::npos ? equals : equals - 2), false, {}};
    if (equals != std::string::npos) option.value = word.substr(equals + 1);
    return option;
}

bool is_option(const std::string& word) { return word.size() > 1 && word[0] == '-'; }

const Option* find_option(const std::vector<Option>& options, const Written& written) {
    for (const auto& option : options) {
        bool fits = written.is_letter ? option.letter != 0 && option.letter == written.name[0] : option.name == written.name;
        if (fits) return &option;
    }
    return nullptr;
}

class Parser {
  public:
    explicit Parser(const std::vector<std::string>& arguments) : arguments_(arguments) {}

    Result<CommandLine, UsageError> run() {
        auto read = read_all();
        if (read) return std::move(line_);
        auto error = read.error();
        if (line_.verb != nullptr) error.verb = line_.verb->name;
        return Failure{error};
    }

  private:
    Result<void, UsageError> read_all() {
        TRY(find());
        for (at_ = 0; at_ < arguments_.size(); ++at_) TRY(take(arguments_[at_]));
        return check_words();
    }

    /// The verb is found first, from the words that are no options, because it says which options take a value.
    Result<void, UsageError> find() {
        std::vector<std::string> words;
        for (std::size_t i = 0; i < arguments_.size() && words.size() < 2; ++i) {
            if (arguments_[i] == "--") break;
            if (!is_option(arguments_[i])) {
                words.push_back(arguments_[i]);
                continue;
            }
            auto written = read_option(arguments_[i]);
            const auto* option = find_option(global_options(), written);
            if (option != nullptr && !option->value.empty() && !written.value) ++i;
        }
        if (words.empty()) return {};
        TRY_ASSIGN(auto found, find_verb(words));
        line_.verb = found.verb;
        words_of_verb_ = found.words;
        return {};
    }

    Result<void, UsageError> take(const std::string& word) {
        if (only_words_ || !is_option(word)) {
            take_word(word);
            return {};
        }
        if (word == "--") {
            only_words_ = true;
            return {};
        }
        return take_option(read_option(word), word);
    }

    void take_word(const std::string& word) {
        if (words_of_verb_ > 0) {
            --words_of_verb_;
            return;
        }
        line_.words.push_back(word);
        only_words_ = only_words_ || line_.verb->takes_command;
    }

    Result<void, UsageError> take_option(Written written, const std::string& word) {
        const auto* option = line_.verb == nullptr ? nullptr : find_option(line_.verb->options, written);
        bool is_global = option == nullptr;
        if (is_global) option = find_option(global_options(), written);
        if (option == nullptr) return Failure{unknown(written, word)};
        if (option->value.empty()) return take_flag(*option, is_global, written, word);
        if (!written.value) {
            if (at_ + 1 >= arguments_.size()) return Failure{UsageError{word + " needs " + std::string(option->value), {}}};
            written.value = arguments_[++at_];
        }
        if (option->name == "reason" && written.value->size() > reason_bytes_max)
            return Failure{UsageError{"--reason has at most " + std::to_string(reason_bytes_max) + " bytes", {}}};
        store(*option, is_global, *written.value);
        return {};
    }

    Result<void, UsageError> take_flag(const Option& option, bool is_global, const Written& written, const std::string& word) {
        store(option, is_global, "");
        if (!written.value) return {};
        if (!written.is_letter) return Failure{UsageError{"--" + written.name + " takes no value", {}}};
        return take_option(read_option("-" + *written.value), word);  // -vn is -v -n
    }

    void store(const Option& option, bool is_global, const std::string& value) {
        if (is_global)
            store_global(option.name, value);
        else
            line_.options.emplace(option.name, value);
    }

    void store_global(std::string_view name, const std::string& value) {
        auto& g = line_.globals;
        if (name == "help") g.help = true;
        if (name == "quiet") g.quiet = true;
        if (name == "version") g.version = true;
        if (name == "no-interaction") g.no_interaction = true;
        if (name == "verbose") ++g.verbosity;
        if (name == "ansi") g.colour = true;
        if (name == "no-ansi" || name == "no-color") g.colour = false;
        if (name == "json") g.json = true;
        if (name == "yes") g.yes = true;
        if (name == "env") g.environment = value;
        if (name == "config") g.file = value;
        if (name == "node") g.node = value;
    }

    UsageError unknown(const Written& written, const std::string& word) const {
        auto dashes = written.is_letter ? "-" + written.name : "--" + written.name;
        auto what = "there is no option " + dashes;
        if (line_.verb != nullptr) what += " for " + std::string(line_.verb->name);
        if (written.is_letter && word.size() > 2) what += " (in " + word + ")";
        if (written.is_letter) return {what, {}};
        std::vector<std::string> names;
        if (line_.verb != nullptr)
            for (const auto& option : line_.verb->options) names.emplace_back(option.name);
        for (const auto& option : global_options()) names.emplace_back(option.name);
        auto meant = nearest(written.name, names);
        return {what + (meant.empty() ? "" : "; did you mean --" + meant + "?"), {}};
    }

    Result<void, UsageError> check_words() const {
        if (line_.verb == nullptr || line_.globals.help || line_.globals.version) return {};
        const auto& arguments = line_.verb->arguments;
        auto required =
            static_cast<std::size_t>(std::count_if(arguments.begin(), arguments.end(), [](const Argument& a) { return a.required; }));
        if (line_.words.size() < required)
            return Failure{UsageError{std::string(line_.verb->name) + " needs " + std::string(arguments[line_.words.size()].name), {}}};
        bool takes_all = !arguments.empty() && arguments.back().many;
        if (line_.words.size() > arguments.size() && !takes_all)
            return Failure{UsageError{std::string(line_.verb->name) + ": unexpected \"" + line_.words[arguments.size()] + "\"", {}}};
        return {};
    }

    const std::vector<std::string>& arguments_;
    std::size_t at_ = 0;
    std::size_t words_of_verb_ = 0;
    bool only_words_ = false;
    CommandLine line_;
};

}  // namespace

Result<CommandLine, UsageError> parse(const std::vector<std::string>& arguments) { return Parser(arguments).run(); }

}  // namespace forebay::cli
