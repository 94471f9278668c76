// `ctl`: a prompt for those who know supervisorctl. Every line is a command line of forebay; supervisorctl's words that forebay has
// not are understood too, or refused with the other way. docs/supervisorctl.md is the table.
#include <algorithm>
#include <cctype>

#include "cli/console.h"
#include "cli/similar.h"
#include "cli/verbs/verbs.h"

namespace forebay::cli {
namespace {

using Words = std::vector<std::string>;

/// What a word of supervisorctl is here.
struct Alias {
    std::string_view word;
    Words becomes;                ///< empty = refused
    std::string_view instead{};   ///< the other way
    bool takes_arguments = true;  ///< else they are left out
};

const std::vector<Alias>& aliases() {
    static const std::vector<Alias> all = {
        {"reread", {"reload", "--dry-run"}, {}, false},
        {"update", {"reload"}, {}, false},
        {"add",
         {},
         "a group comes with the configuration: write it into forebay.toml, then reload. One that is there is started: start GROUP:*"},
        {"remove",
         {},
         "a group goes with the configuration: take it out of forebay.toml, then reload. For now it is stopped: stop GROUP:*"},
        {"fg", {}, "processes read nothing from a terminal, so there is nothing to type to one. See what it writes: tail -f NAME"},
    };
    return all;
}

/// Verbs that stay until they are stopped, or are this one.
bool is_for_shells_only(std::string_view verb) {
    constexpr std::string_view all[] = {"dev", "serve", "node", "work", "ctl", "dbcheck", "completion"};
    return std::find(std::begin(all), std::end(all), verb) != std::end(all);
}

/// A line's words, as a shell takes them apart; nothing where a quotation mark is not closed.
std::optional<Words> words_of_line(const std::string& line) {
    Words words;
    std::string word;
    bool has_word = false;
    char quote = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        char c = line[i];
        if (c == '\\' && quote != '\'' && i + 1 < line.size()) {
            word += line[++i];
            has_word = true;
        } else if (quote != 0) {
            if (c == quote)
                quote = 0;
            else
                word += c;
        } else if (c == '"' || c == '\'') {
            quote = c;
            has_word = true;
        } else if (std::isspace(static_cast<unsigned char>(c)) != 0) {
            if (has_word) words.push_back(std::move(word));
            word.clear();
            has_word = false;
        } else if (c == '#' && !has_word) {
            break;
        } else {
            word += c;
            has_word = true;
        }
    }
    if (quote != 0) return std::nullopt;
    if (has_word) words.push_back(std::move(word));
    return words;
}

bool is_number_option(const std::string& word) {
    return word.size() > 1 && word[0] == '-' &&
           std::all_of(word.begin() + 1, word.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

class Prompt {
  public:
    explicit Prompt(Invocation& invocation) : invocation_(invocation), globals_(invocation.globals()) {}

    int run_lines() {
        if (terminal().can_ask()) {
            obey({"status", "all"});
            terminal().talk("help lists the commands, quit ends.");
        }
        int worst = exit_code::done;
        while (auto line = terminal().read_line("forebay> ")) {
            auto words = words_of_line(*line);
            if (!words) {
                terminal().complain("a quotation mark is not closed: " + *line);
                worst = std::max(worst, exit_code::usage);
                continue;
            }
            if (words->empty()) continue;
            if (words->front() == "quit" || words->front() == "exit") break;
            worst = std::max(worst, obey(std::move(*words)));
        }
        // A person saw how each command ended.
        return terminal().can_ask() ? exit_code::done : worst;
    }

    int obey(Words words) {
        if (words.front() == "forebay") words.erase(words.begin());
        if (words.empty()) return exit_code::done;
        auto verb = words.front();
        if (verb == "quit" || verb == "exit") return exit_code::done;
        if (verb == "open") return open(words);
        if (is_for_shells_only(verb)) {
            terminal().complain("\"" + verb + "\" is for a shell: forebay " + verb);
            return exit_code::usage;
        }
        if (verb == "help" && words.size() == 1) return help();
        if (verb == "help") words[1] = known_word(words[1]);
        if (auto alias = find_alias(verb); alias != nullptr) {
            if (alias->becomes.empty()) {
                terminal().complain("no " + verb + " here: " + std::string(alias->instead));
                return exit_code::usage;
            }
            auto rest = Words(words.begin() + 1, words.end());
            words = alias->becomes;
            for (const auto& word : rest)
                if (alias->takes_arguments || word.starts_with("-")) words.push_back(word);
        }
        if (verb == "tail" || verb == "maintail") words = as_tail(std::move(words));
        return run_line(words);
    }

  private:
    Terminal& terminal() { return invocation_.terminal(); }

    static const Alias* find_alias(std::string_view word) {
        auto found = std::find_if(aliases().begin(), aliases().end(), [&](const Alias& alias) { return alias.word == word; });
        return found == aliases().end() ? nullptr : &*found;
    }

    static std::string known_word(const std::string& word) {
        const auto* alias = find_alias(word);
        return alias == nullptr || alias->becomes.empty() ? word : alias->becomes.front();
    }

    /// `tail -100 NAME stdout` counts bytes; a process has one log.
    static Words as_tail(Words words) {
        Words out;
        for (auto& word : words) {
            if (is_number_option(word))
                out.insert(out.end(), {"--bytes", word.substr(1)});
            else if (out.size() < 2 || (word != "stdout" && word != "stderr"))
                out.push_back(std::move(word));
        }
        return out;
    }

    int open(const Words& words) {
        if (words.size() != 2) {
            terminal().complain("open URL: the operator's interface of a node, such as http://10.0.0.7:8090; open - is this one's");
            return exit_code::usage;
        }
        globals_.node = words[1] == "-" ? std::string() : words[1];
        return run_line({"status"});
    }

    int help() {
        std::string out = "Every command of forebay but those that run it; NAME is store, store:1, core:*, node or all.\n";
        for (auto group : {"workers", "queues", "run it"}) {
            out += "\n" + terminal().painted(group, Colour::heading) + "\n";
            for (const auto& verb : verbs())
                if (verb.group == group && !is_for_shells_only(verb.name))
                    out += "  " + terminal().painted(padded(verb.name), Colour::name) + "  " + std::string(verb.summary) + "\n";
        }
        out += "\n" + terminal().painted("as in supervisorctl", Colour::heading) + "\n";
        for (const auto& alias : aliases()) {
            auto what = std::string(alias.instead);
            if (what.empty())
                for (const auto& word : alias.becomes) what += (what.empty() ? "is: " : " ") + word;
            out += "  " + terminal().painted(padded(alias.word), Colour::name) + "  " + what + "\n";
        }
        out += "  " + terminal().painted(padded("open"), Colour::name) + "  URL: looks at another node from now on\n";
        out += "  " + terminal().painted(padded("quit"), Colour::name) + "  ends this, as exit does\n";
        terminal().result(out + "\nMore about one: help COMMAND\n");
        return exit_code::done;
    }

    static std::string padded(std::string_view word) {
        constexpr std::size_t width = 14;
        return std::string(word) + std::string(width - std::min(width, word.size()), ' ');
    }

    /// The console with a terminal of its own, whose manners are those of the line.
    int run_line(const Words& words) {
        auto arguments = words_of_globals();
        arguments.insert(arguments.end(), words.begin(), words.end());
        Terminal terminal_of_line = terminal();
        World& world = invocation_.world();
        World inside{terminal_of_line, world.clock, world.entropy, world.variables, world.http, world.control};
        int code = run(arguments, inside);
        terminal_of_line.flush();
        return code;
    }

    Words words_of_globals() const {
        Words words;
        auto add = [&](std::string_view option, const std::string& value) {
            if (!value.empty()) words.insert(words.end(), {std::string(option), value});
        };
        add("--config", globals_.file);
        add("--env", globals_.environment);
        add("--node", globals_.node);
        for (auto [is_on, option] : {std::pair(globals_.json, "--json"), std::pair(globals_.yes, "--yes"),
                                     std::pair(globals_.quiet, "--quiet"), std::pair(globals_.no_interaction, "--no-interaction")})
            if (is_on) words.emplace_back(option);
        for (int i = 0; i < globals_.verbosity; ++i) words.emplace_back("-v");
        if (globals_.colour) words.emplace_back(*globals_.colour ? "--ansi" : "--no-ansi");
        return words;
    }

    Invocation& invocation_;
    Globals globals_;
};

}  // namespace

int run_ctl(Invocation& invocation) {
    Prompt prompt(invocation);
    return invocation.words().empty() ? prompt.run_lines() : prompt.obey(invocation.words());
}

}  // namespace forebay::cli
