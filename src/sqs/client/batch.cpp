#include "sqs/client/batch.h"

#include <algorithm>
#include <charconv>

#include "queue/limits.h"

namespace forebay::sqs::client {

namespace limits = queue::limits;
using Kind = ClientError::Kind;

std::size_t Batch::end_of_call(std::size_t from) const {
    const auto last = std::min<std::size_t>(from + most, entries.size());
    if (bytes.empty()) return last;
    auto sum = bytes[from];
    auto to = from + 1;
    while (to < last && sum + bytes[to] <= limits::message_bytes_max) sum += bytes[to++];
    return to;
}

OpenEntries::OpenEntries(const Batch& batch, std::size_t from, std::size_t to, Outcomes& outcomes) : batch_(batch), outcomes_(outcomes) {
    for (auto entry = from; entry < to; ++entry) open_.push_back({entry});
}

Call OpenEntries::call(std::string queue) const {
    Call out{batch_.action, std::move(queue), json::Value::object(), batch_.headers};
    auto list = json::Value::array();
    for (std::size_t n = 0; n < open_.size(); ++n) {
        auto entry = batch_.entries[open_[n].entry];
        entry.set("Id", std::to_string(n));
        list.push(std::move(entry));
    }
    out.members.set("Entries", std::move(list));
    return out;
}

OpenEntries::Open* OpenEntries::named_in(const json::Value& said) {
    const auto& id = said["Id"].text();
    auto n = open_.size();
    std::from_chars(id.data(), id.data() + id.size(), n);
    return n < open_.size() ? &open_[n] : nullptr;
}

void OpenEntries::succeeded(Open& open, const json::Value& said, ClientError error) {
    open.is_settled = true;
    outcomes_[open.entry] = {};
    if (!batch_.check) return;
    auto sound = batch_.check(open.entry, said);
    if (sound.ok()) return;
    error.message = "entry " + std::to_string(open.entry) + ": " + sound.error();
    outcomes_[open.entry] = Failure{std::move(error)};
}

void OpenEntries::failed(Open& open, const json::Value& said, ClientError error) {
    error.code = said["Code"].text();
    error.message = said["Message"].text();
    open.is_settled = said["SenderFault"].boolean() && !is_throttling(error.code);
    error.kind = open.is_settled ? Kind::refused : Kind::unreachable;
    outcomes_[open.entry] = Failure{std::move(error)};
}

void OpenEntries::settle(const Answer& answer, const Caller& caller, const Call& call) {
    auto error = caller.damaged(call, answer, {});
    for (auto& open : open_) {
        error.message = "the answer says nothing of entry " + std::to_string(open.entry);
        outcomes_[open.entry] = Failure{error};
    }
    for (const auto& said : answer.members["Successful"].elements())
        if (auto* open = named_in(said)) succeeded(*open, said, error);
    for (const auto& said : answer.members["Failed"].elements())
        if (auto* open = named_in(said)) failed(*open, said, error);
    std::erase_if(open_, [](const Open& open) { return open.is_settled; });
}

void OpenEntries::fail(const ClientError& error) {
    for (const auto& open : open_) outcomes_[open.entry] = Failure{error};
}

}  // namespace forebay::sqs::client
