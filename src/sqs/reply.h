#pragma once
// The right to answer one call, in the protocol it came in. Moved into a broker command's answer, so it may be
// used on any thread, once.

#include <string_view>

#include "base/json.h"
#include "http/message.h"
#include "sqs/error.h"

namespace forebay::sqs {

enum class Protocol { json, query };

/// An error as an answer.
http::Response refusal(Protocol protocol, const Error& error);

class Reply {
  public:
    /// `action` must be a literal of the action table.
    Reply(http::Responder responder, Protocol protocol, std::string_view action, bool has_result)
        : responder_(std::move(responder)), action_(action), protocol_(protocol), has_result_(has_result) {}

    /// `on_undelivered`: see http::Response.
    void succeed(const json::Value& result = json::Value::object(), UniqueFunction<void()> on_undelivered = {});
    void fail(const Error& error);
    void fail(broker::Refusal refusal) { fail(error_of(refusal)); }
    /// See http::Responder.
    void forget_request() { responder_.forget_request(); }
    /// Whether the client is still there, to be asked after the Reply has moved on.
    UniqueFunction<bool()> connection_probe() const { return responder_.connection_probe(); }

  private:
    http::Responder responder_;
    std::string_view action_;
    Protocol protocol_;
    bool has_result_;
};

}  // namespace forebay::sqs
