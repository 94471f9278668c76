#pragma once
// How intake hands an accepted record on: durable when the answer says so, wherever the queue lives.

#include <string>

#include "broker/broker.h"

namespace forebay::transport {

class Sender {
  public:
    virtual ~Sender() = default;
    /// Any thread. The answer runs once, on another thread, after the message is durable.
    virtual void send(broker::Send send) = 0;
};

/// The embedded queue of this process.
class LocalSender final : public Sender {
  public:
    explicit LocalSender(broker::Commands& commands) : commands_(commands) {}
    void send(broker::Send send) override { commands_.submit(std::move(send)); }

  private:
    broker::Commands& commands_;
};

}  // namespace forebay::transport
