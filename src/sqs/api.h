#pragma once
// The queue port: Amazon SQS's actions over broker::Commands, in AWS JSON 1.0 and in Query/XML, chosen by each
// request. Knows SQS's names, limits and errors; does not know what a message means or where it is kept.
// An action that is refused has changed nothing. Who may do what is the gatekeeper's.

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/broker.h"
#include "http/message.h"
#include "sqs/gatekeeper.h"

namespace forebay::sqs {

struct ApiOptions {
    std::string account = "123456789012";   ///< in queue URLs and ARNs
    std::string region;                     ///< empty = from the signature's scope, else us-east-1
    std::string base_url;                   ///< of queue URLs; empty = from the request's Host or X-Forwarded-Host
    std::vector<std::string> own_queues{};  ///< Forebay's, which no client may see or touch
    bool is_own(std::string_view queue) const { return std::find(own_queues.begin(), own_queues.end(), queue) != own_queues.end(); }
};

class Api {
  public:
    /// `commands` and `gate` outlive the Api and every answer it still owes.
    Api(broker::Commands& commands, Gatekeeper& gate, ApiOptions options)
        : commands_(commands), gate_(gate), options_(std::move(options)) {}
    Api(const Api&) = delete;
    Api& operator=(const Api&) = delete;

    /// Serves one request of the queue port: any path, GET or POST. Does not block; the answer comes from the
    /// broker's thread, or at once when the request itself is wrong. Safe from several loops at once.
    void handle(const http::Request& request, http::Responder responder);
    /// Refuses a request with a long body by its head alone if no key that is known has signed it.
    std::optional<http::Response> refuse_early(const http::Request& head);
    /// Answers a request whose Host is not one of this port's names (http/hosts.h).
    static void refuse_host(const http::Request& request, http::Responder responder);

  private:
    broker::Commands& commands_;
    Gatekeeper& gate_;
    ApiOptions options_;
};

}  // namespace forebay::sqs
