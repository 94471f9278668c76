#pragma once
// Bodies that are kept must not keep the key that came in them, also those that could not be read. JSON that is
// whole is covered where it says the field. In everything else the secret is looked for by the name of its field, in
// whatever the body seems to be: JSON, a form, multipart, one inside another, whole or broken.

#include <optional>
#include <string>
#include <string_view>

#include "intake/endpoint.h"

namespace forebay::intake {

/// `raw`, which was said to be of that kind, with what the field of that name says covered: text by `*`, digits of a
/// number by `1`. Lengths and everything else stay as they are. In JSON that is whole, and in texts of it that are
/// whole JSON themselves, a list or object is covered by spaces, so that it still is JSON and says the same of every
/// other field. An empty name covers nothing. Linear in `raw`.
std::string without_secret(std::string_view raw, std::string_view field, std::optional<MediaKind> kind);

}  // namespace forebay::intake
