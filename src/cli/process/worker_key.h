#pragma once
// The key with which this node's own workers sign what they ask of the queue port: a file beside the intake's secret,
// made once. Whoever can read the data directory can use it.

#include <string>
#include <string_view>

#include "base/entropy.h"
#include "base/result.h"
#include "sqs/access.h"
#include "sqs/signature.h"

namespace forebay::cli {

/// A key that nobody has had: an id that begins with `prefix`, and a secret of 240 random bits.
sqs::Credentials new_key(std::string_view prefix, Entropy& entropy);

/// Reads the key, making it first if it is missing; of several processes that do so at once all get the same one.
/// The error says what to do.
Result<sqs::Credentials, std::string> read_or_make_worker_key(const std::string& data_dir, Entropy& entropy);
/// The node's own key where the node is; on another host that of AWS_ACCESS_KEY_ID and its like. With an empty id if there is
/// neither.
sqs::Credentials worker_credentials(const std::string& data_dir);

/// What its holders may do: whatever workers do to messages, on every queue; nothing to queues.
sqs::AccessKey access_of_workers(const sqs::Credentials& key);

}  // namespace forebay::cli
