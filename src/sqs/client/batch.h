#pragma once
// Any number of entries for one batch action: which go in one call, and what an answer says of each.
// For sqs/client/*.cpp only.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sqs/client/caller.h"

namespace forebay::sqs::client {

using Outcomes = std::vector<Result<void, ClientError>>;  ///< one for each entry, in their order

struct Batch {
    std::string_view action;
    std::vector<json::Value> entries{};  ///< without their ids
    std::vector<std::uint64_t> bytes{};  ///< of each; empty = they have no size that counts
    Headers headers{};
    unsigned most = 10;  ///< in one call
    /// Looks at what the answer says of an entry that succeeded. May be empty.
    std::function<Result<void, std::string>(std::size_t entry, const json::Value& said)> check{};

    /// Behind the last entry that still goes in one call with `from`.
    std::size_t end_of_call(std::size_t from) const;
};

/// The entries of one call for which nothing is settled yet.
class OpenEntries {
  public:
    OpenEntries(const Batch& batch, std::size_t from, std::size_t to, Outcomes& outcomes);
    Call call(std::string queue) const;
    /// Sets the outcome of every entry. Those that may be tried again stay open: what the server could not do, and what the
    /// answer does not speak of.
    void settle(const Answer& answer, const Caller& caller, const Call& call);
    void fail(const ClientError& error);
    bool empty() const { return open_.empty(); }

  private:
    struct Open {
        std::size_t entry;
        bool is_settled = false;
    };
    Open* named_in(const json::Value& said);
    void succeeded(Open& open, const json::Value& said, ClientError error);
    void failed(Open& open, const json::Value& said, ClientError error);

    const Batch& batch_;
    Outcomes& outcomes_;
    std::vector<Open> open_;
};

}  // namespace forebay::sqs::client
