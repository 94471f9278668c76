#pragma once
// What the three batch actions share: entries with distinct ids, and an answer in which each entry has succeeded
// or failed by itself.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "sqs/arguments.h"
#include "sqs/error.h"

namespace forebay::sqs {

/// Collects how each entry went. Entries that pass the API's own checks are submitted together; the broker's
/// answers come back in that order.
class BatchOutcome {
  public:
    explicit BatchOutcome(std::vector<std::string> ids) : entries_(ids.size()) {
        for (std::size_t i = 0; i < ids.size(); ++i) entries_[i].id = std::move(ids[i]);
    }
    /// The entry is not submitted.
    void fail(std::size_t entry, Error error) { entries_[entry].error = std::move(error); }
    /// The entry is submitted; `result` is what its success says beside its id.
    void submit(std::size_t entry, json::Value result = json::Value::object());

    std::size_t submitted_count() const { return submitted_.size(); }
    /// Of the n-th submitted entry.
    void fail_submitted(std::size_t n, Error error) { fail(submitted_[n], std::move(error)); }
    json::Value& result_of_submitted(std::size_t n) { return entries_[submitted_[n]].result; }

    /// {"Successful": […], "Failed": […]}, each left out when empty.
    json::Value to_json() &&;

  private:
    struct Entry {
        std::string id;
        json::Value result;
        std::optional<Error> error;
    };
    std::vector<Entry> entries_;
    std::vector<std::size_t> submitted_;
};

struct BatchEntries {
    std::vector<std::string> ids;
    std::vector<Arguments> entries;
};
/// The entries of a call, with AWS's checks of their number, at most `most`, and ids. `request_entry` as in
/// "There should be at least one SendMessageBatchRequestEntry in the request."
Result<BatchEntries, Error> read_batch(Arguments& call, std::string_view request_entry, unsigned most);

/// Whether an entry's error is about the form of the whole call and fails it.
bool fails_the_call(const Error& error);

}  // namespace forebay::sqs
