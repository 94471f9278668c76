#include "worker/courier.h"

#include <utility>

namespace forebay::worker {
namespace {

constexpr std::size_t tasks_max = 2;  // one deletion and one receive

}  // namespace

Courier::Courier(const Options& options, const Parts& parts, Heartbeat& heartbeat)
    : heartbeat_(heartbeat), parts_(parts), receiver_(options, parts_), outbox_(options, parts_), thread_([this] { run(); }) {}

Courier::~Courier() {
    {
        std::lock_guard lock(mutex_);
        is_leaving_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void Courier::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return is_leaving_ || !tasks_.empty(); });
        if (tasks_.empty()) return;
        auto& task = tasks_.front();  // a deque's elements stay where they are when others are added
        lock.unlock();
        task();
        lock.lock();
        tasks_.pop_front();
        changed_.notify_all();
    }
}

void Courier::add(Task task) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return tasks_.size() < tasks_max; });
    tasks_.push_back(std::move(task));
    changed_.notify_all();
}

void Courier::remove(std::vector<std::string> handles) {
    if (handles.empty()) return;
    add([this, handles = std::move(handles)] { outbox_.remove(handles); });
}

void Courier::receive_ahead() {
    is_asked_for_ = true;
    add([this] {
        auto received = read(receiver_.take_ready());
        heartbeat_.watch_ahead(received.handles());
        std::lock_guard lock(mutex_);
        ahead_ = std::move(received);
        is_here_ = true;
    });
}

Inbox Courier::take() {
    if (!std::exchange(is_asked_for_, false)) return {};
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_here_; });
    is_here_ = false;
    auto ahead = std::exchange(ahead_, {});
    lock.unlock();
    heartbeat_.forget_ahead();
    return ahead;
}

}  // namespace forebay::worker
