// The bodies that intake reads: JSON, forms and multipart. The first byte chooses the kind. What is read is bounded, UTF-8, and
// the same when read again by the same Post.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/json.h"
#include "intake/post.h"

namespace {

using namespace forebay::intake;

constexpr PostLimits limits{50, 10, 64};

MediaType type_of(std::uint8_t choice) {
    switch (choice % 3) {
        case 0:
            return {MediaKind::json, {}, true};
        case 1:
            return {MediaKind::form, {}, true};
        default:
            return {MediaKind::multipart, "b", true};
    }
}

std::string told(const Post& post) {
    std::string all;
    for (const auto& input : post.inputs()) {
        CHECK(forebay::json::is_utf8(input.name) && forebay::json::is_utf8(input.text), "what is taken is UTF-8");
        if (input.kind == Input::Kind::nested) CHECK(forebay::json::parse(input.text).ok(), "what is nested is JSON");
        all.append(input.name).append("=").append(input.text).append("\n");
    }
    return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto type = type_of(data[0]);
    const std::string body(reinterpret_cast<const char*>(data) + 1, size - 1);
    Post post;
    const bool ok = post.read(type, body, limits).ok();
    if (!ok) return 0;
    CHECK(post.inputs().size() <= limits.fields_max, "bounded fields");
    const auto first = told(post);
    CHECK(post.read(type, body, limits).ok() && told(post) == first, "the same body is the same post");
    return 0;
}
