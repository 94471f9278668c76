#include "sqs/access.h"

#include <algorithm>
#include <iterator>

#include "http/text.h"

namespace forebay::sqs {
namespace {

struct Word {
    std::string_view text;
    std::optional<Verb> verb;
};
constexpr Word words[] = {
    {"send", Verb::send}, {"receive", Verb::receive}, {"delete", Verb::remove}, {"admin", Verb::admin}, {"*", std::nullopt}};

constexpr std::size_t pattern_bytes_max = 80, key_id_bytes_max = 128;

bool is_pattern(std::string_view text) {
    return !text.empty() && text.size() <= pattern_bytes_max && std::all_of(text.begin(), text.end(), [](char c) {
        return http::is_letter_or_digit(c) || c == '-' || c == '_' || c == '.' || c == '*';
    });
}

}  // namespace

Result<Grant, std::string> parse_grant(std::string_view text) {
    auto colon = text.find(':');
    auto word = std::find_if(std::begin(words), std::end(words), [&](auto& one) { return one.text == text.substr(0, colon); });
    if (colon == std::string_view::npos || word == std::end(words))
        return Failure{std::string("must be VERB:QUEUE, the verb one of send, receive, delete, admin and *")};
    auto queues = text.substr(colon + 1);
    if (!is_pattern(queues)) return Failure{std::string("must name a queue after the colon; * stands for any characters of its name")};
    return Grant{word->verb, std::string(queues)};
}

std::string to_text(const Grant& grant) {
    auto word = std::find_if(std::begin(words), std::end(words), [&](auto& one) { return one.verb == grant.verb; });
    return std::string(word->text) + ":" + grant.queues;
}

bool AccessKey::may(Verb verb, std::string_view queue) const {
    return std::any_of(allow.begin(), allow.end(), [&](const Grant& grant) {
        return (verb == Verb::look || !grant.verb || grant.verb == verb) && matches(grant.queues, queue);
    });
}

std::optional<std::string> problem_of_key_id(std::string_view id) {
    bool good = !id.empty() && id.size() <= key_id_bytes_max &&
                std::all_of(id.begin(), id.end(), [](char c) { return http::is_letter_or_digit(c) || c == '-' || c == '_' || c == '.'; });
    if (good) return std::nullopt;
    return "must have 1 to 128 letters, digits, -, _ and .";
}

bool matches(std::string_view pattern, std::string_view text) {
    std::size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            resume = t;
        } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

}  // namespace forebay::sqs
