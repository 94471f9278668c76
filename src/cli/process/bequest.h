#pragma once
// Open connections on their way from a node that ends to its successor: one after the other over a unix socket, each with the
// bytes that were read and not taken up. The end of the stream says that the store is closed: it is the successor's now.

#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/spawn.h"
#include "http/server.h"

namespace forebay::cli {

/// The side that gives. When it is destroyed the successor opens the store.
class Bequest {
  public:
    explicit Bequest(Descriptor socket) : socket_(std::move(socket)) {}
    /// Any thread. Waits until the successor has taken it; whoever cannot be given is cut.
    void give(const std::string& listener, http::HandedConnection connection);
    std::size_t given() const { return given_; }

  private:
    bool send(const std::string& listener, const http::HandedConnection& connection);
    Descriptor socket_;
    std::mutex lock_;
    std::size_t given_ = 0;
};

struct Bequeathed {
    std::string listener;  ///< `intake.listen 127.0.0.1:8080`
    http::HandedConnection connection;
};

/// Everything until the end of the stream, which also comes when the giving process dies.
std::vector<Bequeathed> inherit(Descriptor socket);

}  // namespace forebay::cli
