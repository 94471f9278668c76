// The bodies of the broker's records, and receipt handles. The first byte is the type, the second the flags. Frames are checked before
// records are decoded, so this is what a newer version, a bug or a forged handle could bring.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "broker/log_record.h"
#include "broker/move_record.h"
#include "broker/receipt_handle.h"

namespace {

using namespace forebay::broker;

void decode(std::uint8_t type, std::uint8_t flags, std::string_view body) {
    std::string again;
    switch (static_cast<RecordType>(type)) {
        case RecordType::preamble:
            (void)decode_preamble(body);
            return;
        case RecordType::enqueued:
            (void)decode_enqueued(flags, body);
            return;
        case RecordType::touched:
            (void)decode_touched(body);
            return;
        case RecordType::deleted:
            if (auto record = decode_deleted(body)) {
                encode_deleted(again, record->queue, record->sequences);
                CHECK(again == body, "a deleted record is written as it is read");
            }
            return;
        case RecordType::moved:
            (void)decode_moved(body);
            return;
        case RecordType::copied:
            (void)decode_copied(body);
            return;
        case RecordType::queue_set:
            if (auto record = decode_queue_set(body)) {
                encode_queue_set(again, *record);
                CHECK(decode_queue_set(again).has_value(), "a queue that was read can be written");
            }
            return;
        case RecordType::queue_deleted:
            (void)decode_queue_deleted(body);
            return;
        case RecordType::purged:
            (void)decode_purged(body);
            return;
        case RecordType::move_set:
            if (auto task = decode_move_set(body)) {
                encode_move_set(again, *task);
                CHECK(decode_move_set(again).has_value(), "a move task that was read can be written");
            }
            return;
    }
    static const ReceiptHandles handles(std::string(32, 'k'));
    if (auto receipt = handles.receipt_of(body)) CHECK(handles.text_of(*receipt) == body, "a receipt has one handle");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const auto body = std::string_view(reinterpret_cast<const char*>(data) + 2, size - 2);
    decode(data[0] % 20, data[1], body);
    if (auto message = message_of(data[0] % 20, data[1], body)) (void)decode_attributes(message->attributes);
    return 0;
}
