#include "admin/call.h"

#include <algorithm>
#include <charconv>

namespace forebay::admin {

std::string_view Call::parameter(std::string_view name) const {
    for (const auto& [key, value] : query)
        if (key == name) return value;
    return {};
}

std::optional<std::int64_t> Call::number(std::string_view name) const {
    auto text = parameter(name);
    std::int64_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

bool Call::is_number_or_missing(std::string_view name) const { return parameter(name).empty() || number(name).has_value(); }

std::size_t Call::page_size() const {
    auto asked = number("max").value_or(static_cast<std::int64_t>(page_default));
    return static_cast<std::size_t>(std::clamp<std::int64_t>(asked, 1, page_max));
}

http::Response json_response(const json::Value& value) { return {200, {}, "application/json", json::to_text(value)}; }

http::Response bad_request(std::string_view detail) { return http::problem(400, "bad_request", detail); }

RefusalWords words_of(broker::Refusal refusal, std::string_view queue) {
    using broker::Refusal;
    switch (refusal) {
        case Refusal::no_such_queue:
            return {404, "no_such_queue", "There is no queue \"" + std::string(queue) + "\"."};
        case Refusal::queue_is_declared:
            return {409, "queue_is_declared", "This queue is declared in the configuration and cannot be changed here."};
        case Refusal::message_too_long:
            return {413, "message_too_long", "The message is longer than the queue takes."};
        case Refusal::group_missing:
            return {400, "group_missing", "A message of the FIFO queue \"" + std::string(queue) + "\" needs a group."};
        case Refusal::deduplication_missing:
            return {400, "deduplication_missing",
                    "The queue \"" + std::string(queue) + "\" does not deduplicate by content: a message needs an id for that."};
        case Refusal::no_room:
            return {503, "no_room", "The disk has no room for more; receive and delete still work."};
        case Refusal::overloaded:
            return {503, "overloaded", "Too many commands are waiting; try again in a second."};
        case Refusal::not_a_dead_letter_queue:
            return {409, "not_a_dead_letter_queue",
                    "The queue \"" + std::string(queue) + "\" is no queue's dead_letter, so nothing in it has a way back."};
        case Refusal::same_queue:
            return {409, "same_queue", "The messages are in that queue already."};
        case Refusal::no_such_destination:
            return {404, "no_such_destination", "There is no such queue to move them to."};
        case Refusal::other_kind_of_queue:
            return {409, "other_kind_of_queue", "One of the two queues is FIFO and the other is not."};
        case Refusal::move_is_running:
            return {409, "move_is_running",
                    "Messages of \"" + std::string(queue) + "\" are being moved already; wait until they are, or cancel that."};
        case Refusal::too_many_moves:
            return {409, "too_many_moves", "As many moves as may are running; try again when one has ended."};
        case Refusal::stopping:
            return {503, "stopping", "This node is stopping; try again when it is back."};
        default:
            return {409, "refused", "The queue refused this."};
    }
}

http::Response refused(broker::Refusal refusal, std::string_view queue) {
    auto words = words_of(refusal, queue);
    return http::problem(words.status, words.code, words.detail);
}

}  // namespace forebay::admin
