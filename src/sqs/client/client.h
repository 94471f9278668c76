#pragma once
// A client of Amazon SQS's API, for Forebay's own node, Amazon's service and whatever else speaks it. Blocks; one
// connection, kept. Splits what is more than one batch takes, tries again what failed for no fault of ours, and tells
// the outcome of every entry. Checks every digest that comes back.
//
// What is tried again when nobody knows whether it was done: deleting and changing a visibility, which twice do what
// once does, and sending. A message sent again may be there twice, which a standard queue allows at any time and its
// receivers bear, where one that was given up would be lost; a FIFO queue knows it by its deduplication id. A receive
// is not: what the lost answer held comes again by itself, and more would only be hidden with it.
//
// A queue is named by its name, and GetQueueUrl asked once, or by its URL (anything with `://`), which is used as given.

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "sqs/client/batch.h"
#include "sqs/client/caller.h"
#include "sqs/client/wire.h"

namespace forebay::sqs::client {

struct ReceiveRequest {
    unsigned max_messages = 10;          ///< cut to 1…10, or ClientOptions::batch_max
    Duration wait{0};                    ///< cut to whole seconds and to 20 of them
    std::optional<Duration> visibility;  ///< nothing = the queue's
    std::vector<std::string> system_attributes{};
};

struct HandleTimeout {
    std::string handle;
    Duration timeout;  ///< rounded up to seconds
};

/// Not for use from several threads at once.
class Client {
  public:
    /// Without credentials nothing is signed. `clock` and `entropy` outlive it.
    Client(ClientOptions options, std::optional<Credentials> credentials, Clock& clock, Entropy& entropy)
        : caller_(std::move(options), std::move(credentials), clock, entropy) {}

    Result<std::string, ClientError> queue_url(const std::string& name);
    /// ApproximateNumberOfMessages.
    Result<std::uint64_t, ClientError> ready(const std::string& queue);
    /// With all message attributes. A message that is not what its digests say fails the receive.
    Result<std::vector<ReceivedMessage>, ClientError> receive(const std::string& queue, const ReceiveRequest& request);
    /// When a batch fails as a whole after all tries, the batches behind it are not tried and have its error.
    Outcomes send(const std::string& queue, std::span<const queue::OutgoingMessage> messages);
    Outcomes remove(const std::string& queue, std::span<const std::string> handles);
    Outcomes change_visibility(const std::string& queue, std::span<const HandleTimeout> changes, const Headers& headers = {});

  private:
    static constexpr std::size_t kept_urls_max = 1000;
    Result<std::string, ClientError> url_of(const std::string& queue);
    Result<Answer, ClientError> ask(const std::string& queue, Call& call, Tries& tries);
    Result<void, ClientError> run(const std::string& queue, OpenEntries entries);
    Outcomes run(const std::string& queue, Batch batch);

    Caller caller_;
    std::map<std::string, std::string> urls_;
};

}  // namespace forebay::sqs::client
