// `completion SHELL` prints what a shell sources; `_complete WORD…` answers it with candidates for the last
// word, from the same table that the parser reads.
#include <algorithm>
#include <set>

#include "cli/console.h"
#include "cli/verbs/verbs.h"

namespace forebay::cli {
namespace {

constexpr std::string_view bash_script = R"(# forebay completion for bash:  source <(forebay completion bash)
_forebay() {
    local candidates
    mapfile -t candidates < <("${COMP_WORDS[0]}" _complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    COMPREPLY=("${candidates[@]}")
    [[ ${#COMPREPLY[@]} -eq 0 ]] && compopt -o default
}
COMP_WORDBREAKS=${COMP_WORDBREAKS//:}
complete -F _forebay forebay
)";

constexpr std::string_view zsh_script = R"(#compdef forebay
# forebay completion for zsh:  source <(forebay completion zsh)
_forebay() {
    local -a candidates
    candidates=("${(@f)$("${words[1]}" _complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    candidates=("${(@)candidates:#}")
    if (( ${#candidates} )); then compadd -- "${candidates[@]}"; else _files; fi
}
compdef _forebay forebay
)";

constexpr std::string_view fish_script = R"(# forebay completion for fish:  forebay completion fish | source
function __forebay_candidates
    set -l words (commandline -opc) (commandline -ct)
    forebay _complete -- $words[2..-1] 2>/dev/null
end
complete -c forebay -f -a '(__forebay_candidates)'
)";

class Candidates {
  public:
    Candidates(Invocation& invocation, std::vector<std::string> words) : invocation_(invocation), words_(std::move(words)) {}

    std::vector<std::string> run() {
        last_ = words_.empty() ? std::string() : words_.back();
        if (!words_.empty()) words_.pop_back();
        read_words();
        if (last_.starts_with("-"))
            add_options();
        else if (verb_ == nullptr)
            add_verbs();
        else
            add_arguments();
        return {found_.begin(), found_.end()};
    }

  private:
    void offer(std::string_view candidate) {
        if (candidate.starts_with(last_)) found_.emplace(candidate);
    }

    /// The words that are no options name the verb, as in the parser.
    void read_words() {
        std::erase_if(words_, [](const std::string& word) { return word.starts_with("-"); });
        if (words_.empty()) return;
        auto found = find_verb({words_.begin(), words_.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(words_.size(), 2))});
        if (found) verb_ = found->verb;
    }

    void add_options() {
        for (const auto& option : global_options()) offer("--" + std::string(option.name));
        if (verb_ == nullptr) return;
        for (const auto& option : verb_->options) offer("--" + std::string(option.name));
    }

    /// The first word, or the second one of a family such as `queue`.
    void add_verbs() {
        for (const auto& verb : verbs()) {
            if (verb.group.empty()) continue;
            auto space = verb.name.find(' ');
            auto first = verb.name.substr(0, space);
            if (words_.empty())
                offer(first);
            else if (space != std::string_view::npos && first.starts_with(words_[0]))
                offer(verb.name.substr(space + 1));
        }
    }

    void add_arguments() {
        if (verb_->completes == Completes::shells) {
            for (auto shell : {"bash", "zsh", "fish"}) offer(shell);
            return;
        }
        if (verb_->completes == Completes::verbs) {
            words_.clear();
            add_verbs();
            return;
        }
        auto configuration = invocation_.whatever_is_configured();
        if (verb_->completes == Completes::queues)
            for (const auto& queue : configuration.queues) offer(queue.name);
        if (verb_->completes == Completes::pausable) {
            for (const auto& queue : configuration.queues) offer("queue." + queue.name);
            for (const auto& worker : configuration.workers)
                if (worker.handler != HandlerKind::program) offer("worker." + worker.name);
            return;
        }
        bool takes_processes = verb_->completes == Completes::processes;
        if (!takes_processes && verb_->completes != Completes::workers) return;
        for (const auto& worker : configuration.workers) {
            offer(worker.name);
            if (takes_processes) offer(worker.process.group + ":*");
            for (std::uint32_t n = 1; takes_processes && worker.count_min > 1 && n <= worker.count_min; ++n)
                offer(worker.name + ":" + std::to_string(n));
        }
    }

    Invocation& invocation_;
    std::vector<std::string> words_;
    std::string last_;
    const Verb* verb_ = nullptr;
    std::set<std::string> found_;
};

}  // namespace

int run_completion(Invocation& invocation) {
    auto shell = invocation.word(0);
    if (shell != "bash" && shell != "zsh" && shell != "fish")
        return invocation.misused("there is completion for bash, zsh and fish, not for " + shell);
    invocation.terminal().result(shell == "bash" ? bash_script : shell == "zsh" ? zsh_script : fish_script);
    return exit_code::done;
}

int run_complete(Invocation& invocation) {
    for (const auto& candidate : Candidates(invocation, invocation.words()).run()) invocation.terminal().result(candidate + "\n");
    return exit_code::done;
}

}  // namespace forebay::cli
