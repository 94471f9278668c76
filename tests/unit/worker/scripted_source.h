#pragma once
// A queue in memory for tests of the worker: hands out what it was given, writes down what was asked of it,
// and fails when told to. Visibility does not run out by itself.

#include <algorithm>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "transport/source.h"

namespace forebay::worker {

class ScriptedSource final : public transport::Source {
  public:
    struct Extension {
        std::string handle;
        Duration timeout;
        std::optional<std::uint32_t> attempts;
        bool operator==(const Extension&) const = default;
    };
    struct Sent {
        std::string queue;
        std::string body;
        std::vector<queue::MessageAttribute> attributes;
    };

    void put(const std::string& name, const std::string& body, std::uint32_t attempts = 0) {
        transport::Received message;
        message.message_id = message.handle = name;
        message.body = body;
        message.attempts = attempts;
        message.receive_count = attempts + 1;
        std::lock_guard lock(mutex);
        waiting.push_back(std::move(message));
    }

    Result<std::vector<transport::Received>, transport::SourceError> receive(const std::string&, unsigned max, Duration wait,
                                                                             std::optional<Duration>) override {
        {
            std::lock_guard lock(mutex);
            ++receives;
            if (receive_failures > 0) {
                --receive_failures;
                return away();
            }
            std::vector<transport::Received> out;
            while (out.size() < std::min(max, 10u) && !waiting.empty()) {  // as SQS
                out.push_back(std::move(waiting.front()));
                in_flight.push_back(out.back());
                waiting.pop_front();
            }
            if (!out.empty()) {
                batches.push_back(out.size());
                return out;
            }
        }
        std::this_thread::sleep_for(1ms);
        if (when_empty && wait > Duration::zero()) when_empty();
        return std::vector<transport::Received>{};
    }
    Result<void, transport::SourceError> settle(const std::string&, const std::vector<std::string>& handles) override {
        std::lock_guard lock(mutex);
        if (settle_failures > 0) {
            --settle_failures;
            return away();
        }
        for (auto& handle : handles) {
            settled.push_back(handle);
            steps.push_back("delete " + handle);
        }
        return {};
    }
    Result<void, transport::SourceError> extend(const std::string&, const std::string& handle, Duration timeout,
                                                std::optional<std::uint32_t> attempts) override {
        std::lock_guard lock(mutex);
        extended.push_back({handle, timeout, attempts});
        steps.push_back("extend " + handle);
        return {};
    }
    Result<void, transport::SourceError> release(const std::string&, const std::string& handle) override {
        std::lock_guard lock(mutex);
        released.push_back(handle);
        steps.push_back("release " + handle);
        if (!comes_back) return {};
        auto message = std::find_if(in_flight.begin(), in_flight.end(), [&](auto& one) { return one.handle == handle; });
        waiting.push_back(*message);
        in_flight.erase(message);
        return {};
    }
    Result<std::uint64_t, transport::SourceError> ready(const std::string&) override {
        std::lock_guard lock(mutex);
        return waiting.size();
    }
    Result<void, transport::SourceError> send(const std::string& queue, const std::vector<transport::OutgoingBody>& messages) override {
        std::lock_guard lock(mutex);
        if (send_refusals > 0) {
            --send_refusals;
            return Failure{transport::SourceError{transport::SourceError::Kind::refused, "too large"}};
        }
        for (auto& message : messages) {
            sent.push_back({queue, message.body, message.attributes});
            steps.push_back("send " + queue);
        }
        return {};
    }

    std::mutex mutex;
    std::deque<transport::Received> waiting;
    std::vector<transport::Received> in_flight;
    std::function<void()> when_empty;  ///< a long poll found nothing
    bool comes_back = true;            ///< released messages wait again
    int receive_failures = 0, settle_failures = 0, send_refusals = 0;
    int receives = 0;
    std::vector<std::size_t> batches;
    std::vector<std::string> settled, released, steps;
    std::vector<Extension> extended;
    std::vector<Sent> sent;

  private:
    static Failure<transport::SourceError> away() {
        return {transport::SourceError{transport::SourceError::Kind::unreachable, "connection refused"}};
    }
};

}  // namespace forebay::worker
