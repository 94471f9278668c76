#pragma once
// One action of SQS asked of a server, in AWS JSON 1.0 over HTTP: written, signed, sent, tried again where that is
// safe, and its answer read. Knows no action by name.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "http/client.h"
#include "sqs/client/client_error.h"
#include "sqs/client/tries.h"
#include "sqs/signature.h"

namespace forebay::sqs::client {

struct ClientOptions {
    /// http or https. Every request goes to it, whatever host a queue's URL names: that may be a name which only
    /// the server's side knows.
    std::string endpoint_url = "http://127.0.0.1:9324";
    std::string region = "us-east-1";  ///< requests are signed for it
    Duration connect_deadline = 2s;
    Duration answer_deadline = 30s;  ///< beyond the time a receive waits
    TryLimits limits{};
    unsigned batch_max = 10;  ///< entries of one call; more, up to 100, only a node of ours takes (it is told in a header)
};

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Call {
    std::string_view action;
    std::string queue;  ///< its name, for errors
    json::Value members;
    Headers headers{};       ///< beside those of the protocol; signed too
    Duration wait{0};        ///< how long the server may take by our own wish
    bool repeatable = true;  ///< may be sent again when nobody knows whether it was carried out
};

struct Answer {
    json::Value members;
    std::string request_id;
};

/// Not for use from several threads at once.
class Caller {
  public:
    /// Without credentials nothing is signed.
    Caller(ClientOptions options, std::optional<Credentials> credentials, Clock& clock, Entropy& entropy);

    unsigned batch_max() const { return options_.batch_max; }
    Tries tries() const { return {options_.limits, clock_, entropy_}; }
    /// Tries again, as long as `tries` lets it, after a connection that could not be made, a 503 and throttling, which
    /// all mean that nothing was done; a repeatable call also after any other 5xx, a deadline and a broken connection.
    Result<Answer, ClientError> call(const Call& call, Tries& tries);
    /// What is wrong with an answer that said it was one of success.
    ClientError damaged(const Call& call, const Answer& answer, std::string message) const;

  private:
    struct NotDone {
        ClientError error;
        bool may_repeat = false;
    };
    Result<Answer, NotDone> call_once(const Call& call, const std::string& body, Duration deadline);
    ClientError error(ClientError::Kind kind, const Call& call, std::string message) const;
    NotDone refusal_of(const Call& call, const http::ClientResponse& response) const;
    Headers headers_of(const Call& call, std::string_view body);

    ClientOptions options_;
    std::string authority_, path_;  ///< of the endpoint's URL
    std::optional<Credentials> credentials_;
    Clock& clock_;
    Entropy& entropy_;
    SigningKeys keys_;
    http::Client http_;
};

}  // namespace forebay::sqs::client
