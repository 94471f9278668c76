#include "sqs/fifo.h"

#include <algorithm>

namespace forebay::sqs {
namespace {

constexpr std::size_t id_bytes_max = 128;
/// Added, so that a number has no leading zeros to lose.
constexpr std::uint64_t first_sequence_number = 10'000'000'000'000'000'000u;

bool is_id(std::string_view text) {
    return !text.empty() && text.size() <= id_bytes_max &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

Result<std::optional<std::string>, Error> read_id(Arguments& of, std::string_view name) {
    TRY_ASSIGN(auto id, of.text(name));
    if (id && !is_id(*id))
        return Failure{
            invalid_value(*id, name, std::string(name) + " can only include alphanumeric and punctuation characters. 1 to 128 in length.")};
    return id;
}

Error not_for_this_queue_type(std::string_view value, std::string_view name) {
    return invalid_value(value, name, "The request include parameter that is not valid for this queue type.");
}

std::string sequence_number(queue::Sequence sequence) { return std::to_string(first_sequence_number + sequence.value()); }

}  // namespace forebay::sqs
