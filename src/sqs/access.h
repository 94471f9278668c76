#pragma once
// Access keys of the queue port and what each may do: verbs on queues, nothing that is not granted. Knows neither
// signatures nor where the configuration stands.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace forebay::sqs {

/// What an action does to its queue. ChangeMessageVisibility is part of receiving.
enum class Verb : std::uint8_t {
    send,
    receive,
    remove,  ///< `delete`, of messages
    admin,   ///< makes, changes, empties, deletes queues and moves what is in them
    look,    ///< changes nothing: who has any other verb on the queue may look
};

/// `send:leads`, `receive:orders-*`, `*:*`.
struct Grant {
    std::optional<Verb> verb;  ///< nothing = every verb
    std::string queues;        ///< a name, in which `*` stands for any characters
    bool operator==(const Grant&) const = default;
};
/// The error is the end of a sentence: `must be VERB:QUEUE, …`.
Result<Grant, std::string> parse_grant(std::string_view text);
std::string to_text(const Grant& grant);

struct AccessKey {
    std::string name;  ///< user/NAME in ARNs of principals
    std::string id, secret;
    std::vector<Grant> allow;
    bool may(Verb verb, std::string_view queue) const;
};

/// What is wrong with an id as the end of a sentence; nothing if it can stand in a signature.
std::optional<std::string> problem_of_key_id(std::string_view id);
inline constexpr std::size_t secret_bytes_min = 16;

/// Whether `text` is what `pattern` says; `*` stands for any characters, `?` for one.
bool matches(std::string_view pattern, std::string_view text);

}  // namespace forebay::sqs
