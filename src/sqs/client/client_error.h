#pragma once
// Why a queue's server did not do what it was asked: what it said, in AWS's words, and where.

#include <string>
#include <string_view>

#include "http/client.h"

namespace forebay::sqs::client {

struct ClientError {
    enum class Kind {
        unreachable,  ///< no answer, or the server cannot now: later it may
        refused,      ///< asking again is useless
        damaged,      ///< the answer makes no sense, or what came back is not what was sent (MD5)
    };
    Kind kind = Kind::unreachable;
    std::string action;      ///< `SendMessageBatch`
    std::string queue;       ///< its name
    std::string endpoint;    ///< where it was asked
    std::string code;        ///< AWS's, `QueueDoesNotExist`; empty when no server said one
    std::string message;     ///< the server's, or ours
    std::string request_id;  ///< the server's name of the request; empty when it said none
};

/// `queue leads at http://127.0.0.1:9324: SendMessageBatch: QueueDoesNotExist: The specified … (request 6f1c…)`
std::string to_text(const ClientError& error);

/// Takes code, message and request id from an answer that is none of success. An answer in no form of AWS's, as of a
/// proxy between, is told by its status.
void read_error(const http::ClientResponse& response, ClientError& into);

/// Codes with which AWS asks to be asked later; nothing was done.
bool is_throttling(std::string_view code);

}  // namespace forebay::sqs::client
