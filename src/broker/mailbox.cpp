#include "broker/mailbox.h"

#include <thread>

#include "broker/log_record.h"

namespace forebay::broker {
namespace {

std::size_t bytes_of(const Send& send) { return message_bytes(send.message) + (send.about ? send.about->another.size() : 0); }
std::size_t bytes_of(const SendBatch& batch) {
    std::size_t bytes = 0;
    for (const auto& message : batch.messages) bytes += message_bytes(message);
    return bytes;
}
std::size_t bytes_of(const auto&) { return 0; }

}  // namespace

std::size_t body_bytes(const Command& command) {
    return std::visit([](const auto& c) { return bytes_of(c); }, command);
}

std::optional<std::pair<Mailbox::Refused, Command>> Mailbox::put(Command command) {
    auto bytes = body_bytes(command);
    bool wake = false;
    {
        std::lock_guard guard(lock_);
        if (is_closed_) return std::pair{Refused::closed, std::move(command)};
        // One that is larger than the bound still passes through an empty mailbox.
        bool fits = commands_.size() < commands_max_ && (bytes_ + bytes <= bytes_max_ || commands_.empty());
        if (!fits) return std::pair{Refused::full, std::move(command)};
        commands_.push_back(std::move(command));
        bytes_ += bytes;
        wake = std::exchange(is_waiting_, false);
    }
    if (wake) filled_.notify_one();
    return std::nullopt;
}

bool Mailbox::take(std::vector<Command>& out, std::optional<std::chrono::steady_clock::time_point> until) {
    out.clear();
    std::unique_lock guard(lock_);
    auto has_reason = [this] { return !commands_.empty() || is_woken_ || is_closed_; };
    bool has_waited = false;
    while (!has_reason()) {
        is_waiting_ = has_waited = true;
        if (!until) {
            filled_.wait(guard);
        } else if (filled_.wait_until(guard, *until) == std::cv_status::timeout) {
            break;
        }
    }
    is_waiting_ = false;
    if (has_waited && !commands_.empty() && !is_closed_) {
        // Whoever sent the first command usually has more at hand; one sync for all of them beats one for the first.
        guard.unlock();
        std::this_thread::yield();
        guard.lock();
    }
    is_woken_ = false;
    std::swap(out, commands_);
    bytes_ = 0;
    return !out.empty() || !is_closed_;
}

void Mailbox::wake() {
    {
        std::lock_guard guard(lock_);
        is_woken_ = true;
    }
    filled_.notify_one();
}

void Mailbox::close() {
    {
        std::lock_guard guard(lock_);
        is_closed_ = true;
    }
    filled_.notify_all();
}

std::size_t Mailbox::size() const {
    std::lock_guard guard(lock_);
    return commands_.size();
}

}  // namespace forebay::broker
