#pragma once
// Bodies that are kept must not keep the key that came in them, also those that could not be read. So the secret
// is looked for by the name of its field, in whatever the body seems to be: JSON, a form, multipart, one inside
// another, whole or broken.

#include <string>
#include <string_view>

namespace forebay::intake {

/// `raw` with what the field of that name says covered: text by `*`, digits of a number by `1`, so that what was
/// JSON still is. Lengths and everything else stay as they are. An empty name covers nothing. Linear in `raw`.
std::string without_secret(std::string_view raw, std::string_view field);

}  // namespace forebay::intake
