#pragma once
// The listening side of the control socket: requests come out as values with the number of their
// connection, answers go in. Never blocks; the supervisor's poll loop drives it.

#include <poll.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/spawn.h"
#include "supervisor/control.h"

namespace forebay::supervisor {

class ControlServer {
  public:
    /// Replaces a socket nobody answers on; refuses when somebody does.
    static Result<ControlServer, std::string> open(const std::string& path);
    /// Goes on with a socket that listens at that path already.
    static ControlServer adopt(std::string path, Descriptor listener) { return ControlServer(std::move(path), std::move(listener)); }
    int descriptor() const { return listener_.get(); }
    /// Everything that was to be said has been sent.
    bool is_idle() const;
    ControlServer(ControlServer&&) noexcept = default;
    ControlServer& operator=(ControlServer&&) = delete;
    ~ControlServer();

    using Connection = std::uint64_t;
    struct Asked {
        Connection connection;
        ControlRequest request;
    };
    void add_to(std::vector<pollfd>& polled) const;
    /// What the ready descriptors bring. Broken requests are answered here.
    std::vector<Asked> take(const std::vector<pollfd>& polled);
    /// A connection that has gone meanwhile is ignored.
    void answer(Connection connection, const ControlAnswer& answer);

    static constexpr std::size_t connections_max = 32;
    static constexpr std::size_t request_bytes_max = 64 * 1024;

  private:
    struct Client {
        Descriptor socket;
        std::string in, out;
        bool closing = false;  ///< gone once `out` is sent
    };
    ControlServer(std::string path, Descriptor listener) : path_(std::move(path)), listener_(std::move(listener)) {}
    void accept_new();
    void turn_away();
    void read_from(Connection id, Client& client, std::vector<Asked>& asked);
    void write_to(Client& client);

    std::string path_;
    Descriptor listener_;
    Descriptor spare_;  ///< given up for a moment when there is no other
    std::map<Connection, Client> clients_;
    Connection next_ = 1;
};

/// The answer's line, as the client reads it.
std::string to_line(const ControlAnswer& answer);
Result<ControlAnswer, std::string> parse_answer(std::string_view line);

}  // namespace forebay::supervisor
