#include "sqs/batch.h"

#include <algorithm>

namespace forebay::sqs {
namespace {

constexpr std::size_t id_bytes_max = 80;

bool is_id(std::string_view id) {
    return !id.empty() && id.size() <= id_bytes_max && std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
}

Result<void, Error> check_count(std::size_t count, std::string_view request_entry, unsigned most) {
    if (count == 0)
        return Failure{
            Error{ErrorKind::empty_batch_request, "There should be at least one " + std::string(request_entry) + " in the request."}};
    if (count > most)
        return Failure{
            Error{ErrorKind::too_many_entries_in_batch_request,
                  "Maximum number of entries per request are " + std::to_string(most) + ". You have sent " + std::to_string(count) + "."}};
    return {};
}

Result<void, Error> check_id(const std::string& id, const std::vector<std::string>& before) {
    if (!is_id(id))
        return Failure{Error{
            ErrorKind::invalid_batch_entry_id,
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long."}};
    if (std::find(before.begin(), before.end(), id) != before.end())
        return Failure{Error{ErrorKind::batch_entry_ids_not_distinct, "Id " + id + " repeated."}};
    return {};
}

json::Value failed_entry(std::string id, const Error& error) {
    auto& row = row_of(error.kind);
    auto out = json::Value::object();
    out.set("Id", std::move(id));
    out.set("Code", row.query_code);
    out.set("SenderFault", row.senders_fault);
    out.set("Message", error.message);
    return out;
}

}  // namespace

void BatchOutcome::submit(std::size_t entry, json::Value result) {
    entries_[entry].result = std::move(result);
    submitted_.push_back(entry);
}

json::Value BatchOutcome::to_json() && {
    auto successful = json::Value::array(), failed = json::Value::array();
    for (auto& entry : entries_) {
        if (entry.error) {
            failed.push(failed_entry(std::move(entry.id), *entry.error));
        } else {
            entry.result.set("Id", std::move(entry.id));
            successful.push(std::move(entry.result));
        }
    }
    auto out = json::Value::object();
    if (!successful.elements().empty()) out.set("Successful", std::move(successful));
    if (!failed.elements().empty()) out.set("Failed", std::move(failed));
    return out;
}

Result<BatchEntries, Error> read_batch(Arguments& call, std::string_view request_entry, unsigned most) {
    BatchEntries out;
    TRY_ASSIGN(out.entries, call.structures("Entries"));
    TRY(check_count(out.entries.size(), request_entry, most));
    for (auto& entry : out.entries) {
        TRY_ASSIGN(auto id, entry.required_text("Id"));
        TRY(check_id(id, out.ids));
        out.ids.push_back(std::move(id));
    }
    return out;
}

bool fails_the_call(const Error& error) { return error.kind == ErrorKind::missing_parameter || error.kind == ErrorKind::serialization; }

}  // namespace forebay::sqs
