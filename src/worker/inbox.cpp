#include "worker/inbox.h"

#include "base/digest.h"

namespace forebay::worker {

Uuid id_of_message(const std::string& message_id) {
    if (auto id = parse_uuid(message_id)) return *id;
    auto hash = sha256(message_id);
    return make_uuid_v8(std::span<const unsigned char, 16>(hash.data(), 16));
}

std::vector<std::string> Inbox::handles() const {
    std::vector<std::string> all;
    for (auto& job : jobs) all.push_back(job.handle);
    for (auto& bad : unreadable) all.push_back(bad.message.handle);
    return all;
}

Inbox read(std::vector<transport::Received> messages) {
    Inbox inbox;
    for (auto& message : messages) {
        auto envelope = record::decode(message.body, id_of_message(message.message_id), message.sent_at);
        if (!envelope) {
            inbox.unreadable.push_back({std::move(message), "not a record: " + envelope.error().what});
            continue;
        }
        inbox.jobs.push_back({std::move(*envelope), std::move(message.body), std::move(message.message_id), std::move(message.handle),
                              message.sent_at, message.receive_count, message.attempts});
    }
    return inbox;
}

}  // namespace forebay::worker
