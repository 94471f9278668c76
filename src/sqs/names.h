#pragma once
// How a queue is called outside: its URL and its ARN, both made for the client that asks, because a QueueUrl
// must work from where the client is. On the way in only the last part of a URL's path counts.

#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"
#include "sqs/api.h"

namespace forebay::sqs {

/// The queue's name in a QueueUrl, of any host, or in a bare name or path; empty if there is none.
std::string_view name_of_url(std::string_view url);
/// `arn:aws:sqs:REGION:ACCOUNT:NAME` of any region and account.
std::optional<std::string_view> name_of_arn(std::string_view arn);
/// 1 to 80 of `[A-Za-z0-9_-]`, `.fifo` at the end counted.
bool is_queue_name(std::string_view name);
bool is_fifo_name(std::string_view name);

class Names {
  public:
    /// Region: the options', else the signature's scope's, else us-east-1. Base of URLs: the options', else
    /// X-Forwarded-Host, else Host.
    Names(const ApiOptions& options, const http::Request& request);
    std::string url_of(std::string_view queue) const;
    std::string arn_of(std::string_view queue) const;
    const std::string& account() const { return account_; }

  private:
    std::string account_;
    std::string region_;
    std::string base_;
};

}  // namespace forebay::sqs
