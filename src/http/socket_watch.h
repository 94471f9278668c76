#pragma once
// Which sockets can be read or written again, asked of the kernel for many at once. A socket is registered
// once and edge-triggered: no call per read or write to wait for the next, where Asio makes one or two.
// Asio's loop runs it: to Asio it is one descriptor.
// For http/*.cpp only: it includes Asio.

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "base/unique_function.h"

namespace forebay::http {

class Connection;

/// What has changed since it was told last. After an edge a socket stays readable until a read brings less than asked.
struct Readiness {
    bool readable = false;
    bool writable = false;
    bool ended = false;  ///< the peer has ended its side, or the connection is broken: a read will say which
};

class SocketWatch {
  public:
    using Tell = UniqueFunction<void(Connection&, Readiness)>;

    /// Throws std::system_error when the kernel has no descriptor left. `tell` runs on the loop.
    SocketWatch(boost::asio::io_context& io, Tell tell);
    /// False when the kernel refuses.
    bool add(int descriptor, Connection& connection);
    /// Before the socket is closed or given away: closing alone does not end the watch while a copy of the socket is held
    /// elsewhere. The connection must not be destroyed within this turn of the loop: events of it may still name it.
    void remove(int descriptor);
    void start() { wait(); }

  private:
    void wait();
    void tell_ready();
    boost::asio::posix::stream_descriptor set_;
    Tell tell_;
};

}  // namespace forebay::http
