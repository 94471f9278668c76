#include "base/ascending_ids.h"

namespace forebay {
namespace {

constexpr unsigned start_below = 1024;
constexpr unsigned count_end = 4096;

}  // namespace

Uuid AscendingIds::next(Timestamp at, Entropy& entropy) {
    auto id = make_uuid_v7(at, entropy);
    auto random = static_cast<unsigned>((id.bytes[6] & 0x0f) << 8 | id.bytes[7]);
    count_ = at == last_ && count_ + 1 < count_end ? count_ + 1 : random % start_below;
    last_ = at;
    id.bytes[6] = static_cast<unsigned char>((id.bytes[6] & 0xf0) | count_ >> 8);
    id.bytes[7] = static_cast<unsigned char>(count_);
    return id;
}

}  // namespace forebay
