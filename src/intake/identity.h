#pragma once
// Which record a post is (D11): a client's key makes the id, so that two nodes that get the same post give
// it the same id without talking to each other.

#include <optional>
#include <string>
#include <string_view>

#include "base/uuid.h"
#include "transport/sender.h"

namespace forebay::intake {

/// A client's key as a header says it: quotes around it do not count. Nothing if it is longer than 255
/// characters or has control characters in it.
std::optional<std::string_view> client_key_of(std::string_view header);

struct Identity {
    Uuid id;
    std::optional<broker::OnceKey> once;  ///< only with a client key
};
/// `who` is the caller's name, `canonical` Examination::canonical().
Identity identity_with_key(std::string_view who, std::string_view endpoint, std::string_view client_key, std::string_view canonical);

/// `content` is Examination::content(). The same for every caller, and of no client's key.
broker::AboutKey about_key(std::string_view endpoint, std::string_view content, const Uuid& record);

}  // namespace forebay::intake
