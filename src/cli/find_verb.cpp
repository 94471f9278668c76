#include <algorithm>
#include <set>

#include "cli/console.h"
#include "cli/similar.h"

namespace forebay::cli {
namespace {

std::string_view first_word(std::string_view name) { return name.substr(0, name.find(' ')); }
std::string_view second_word(std::string_view name) {
    auto space = name.find(' ');
    return space == std::string_view::npos ? std::string_view() : name.substr(space + 1);
}

std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const auto& word : words) out += (out.empty() ? "" : ", ") + word;
    return out;
}

/// The one candidate that is `word` or begins with it.
Result<std::string, UsageError> complete_word(const std::string& word, const std::vector<std::string>& candidates,
                                              const std::string& before) {
    if (std::find(candidates.begin(), candidates.end(), word) != candidates.end()) return word;
    std::vector<std::string> fitting;
    for (const auto& candidate : candidates)
        if (!word.empty() && candidate.starts_with(word)) fitting.push_back(candidate);
    if (fitting.size() == 1) return fitting[0];
    if (fitting.size() > 1) return Failure{UsageError{"\"" + before + word + "\" is ambiguous: " + joined(fitting)}};
    auto meant = nearest(word, candidates);
    return Failure{
        UsageError{"there is no command \"" + before + word + "\"" + (meant.empty() ? "" : "; did you mean \"" + before + meant + "\"?")}};
}

std::vector<std::string> first_words() {
    std::vector<std::string> words;
    for (const auto& verb : verbs()) {
        std::string word(first_word(verb.name));
        bool is_hidden = verb.group.empty();
        if (!is_hidden && std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
    }
    return words;
}

std::vector<std::string> second_words(std::string_view first) {
    std::vector<std::string> words;
    for (const auto& verb : verbs())
        if (first_word(verb.name) == first && !second_word(verb.name).empty()) words.emplace_back(second_word(verb.name));
    return words;
}

const Verb* verb_called(std::string_view name) {
    auto at = std::find_if(verbs().begin(), verbs().end(), [&](const Verb& verb) { return verb.name == name; });
    return at == verbs().end() ? nullptr : &*at;
}

}  // namespace

Result<FoundVerb, UsageError> find_verb(const std::vector<std::string>& words) {
    auto first = words.at(0);
    if (const auto* exact = verb_called(first)) return FoundVerb{exact, 1};
    std::optional<std::string> second = words.size() > 1 ? std::optional(words[1]) : std::nullopt;
    std::size_t used = 2;
    if (auto colon = first.find(':'); colon != std::string::npos) {  // queue:ls, as the guide's console writes it
        second = first.substr(colon + 1);
        first.resize(colon);
        used = 1;
    }
    TRY_ASSIGN(auto verb_or_family, complete_word(first, first_words(), ""));
    auto family = second_words(verb_or_family);
    if (family.empty()) return FoundVerb{verb_called(verb_or_family), 1};
    if (!second) return Failure{UsageError{"\"" + verb_or_family + "\" needs one more word: " + joined(family)}};
    TRY_ASSIGN(auto member, complete_word(*second, family, verb_or_family + " "));
    return FoundVerb{verb_called(verb_or_family + " " + member), used};
}

}  // namespace forebay::cli
