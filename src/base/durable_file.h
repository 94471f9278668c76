#pragma once
// Small texts that must still be there after the power was cut: replaced as a whole, and synced with their name before the call
// returns. A reader sees the old text or the new one.

#include <string>
#include <string_view>

#include "base/result.h"

namespace forebay {

/// Makes the folder if it is missing. The error says what could not be done, and why.
Result<void, std::string> replace_file(const std::string& path, std::string_view text);
/// A file that is not there is removed.
Result<void, std::string> remove_file(const std::string& path);

}  // namespace forebay
