// A message body in any of the three forms. What is read can be written in each of them and read again, and is then the same.

#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "record/envelope.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace forebay;
    const auto body = std::string_view(reinterpret_cast<const char*>(data), size);
    const auto envelope = record::decode(body, Uuid{}, Timestamp{0});
    if (!envelope.ok()) return 0;
    const auto text = record::to_json(*envelope);
    for (auto form : {record::BodyForm::json, record::BodyForm::base64_json}) {
        const auto again = record::decode(record::encode(*envelope, form), Uuid{}, Timestamp{0});
        CHECK(again.ok(), "what was written can be read");
        CHECK(record::to_json(*again) == text, "and is the same");
    }
    // In PHP a list and an array with keys 0, 1, 2 … are one, and numbers lose their spelling: it can be read, that is all.
    CHECK(record::decode(record::encode(*envelope, record::BodyForm::php), Uuid{}, Timestamp{0}).ok(), "the PHP form can be read");
    return 0;
}
