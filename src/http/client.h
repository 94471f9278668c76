#pragma once
// Outbound HTTP for threads that may block: one libcurl handle, so connections are kept and reused.
// Redirects are not followed, only http and https are spoken, and an answer has a size it may not pass.

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace forebay::http {

struct ClientRequest {
    std::string method = "GET";
    std::string url{};
    std::vector<std::pair<std::string, std::string>> headers{};
    std::string body{};  ///< sent with POST, PUT, PATCH, DELETE
    Duration connect_deadline = 5s;
    Duration total_deadline = 30s;
    std::size_t response_bytes_max = 16_MiB;
    /// A kept connection may turn out to have been closed by the server; libcurl then sends once more on a new
    /// one. With this the request goes on a new connection from the start, and never a second time.
    bool never_twice = false;
};

struct ClientResponse {
    unsigned status = 0;
    std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
    std::string body;
    /// The first header of that name, given in lower case; empty if there is none.
    std::string_view find(std::string_view name) const;
};

struct ClientError {
    enum class Kind {
        invalid_request,     ///< the URL or a header cannot be sent: trying again is useless
        refused_address,     ///< the name resolves to an address that is not allowed
        not_connected,       ///< nothing was sent
        timed_out,           ///< the request may or may not have been carried out
        broken,              ///< the same: the connection broke or the answer was no HTTP
        response_too_large,  ///< the same
    };
    Kind kind = Kind::broken;
    std::string detail;
};

struct ClientOptions {
    /// Refuses loopback, link-local, private and metadata addresses, whatever name led there.
    bool public_addresses_only = false;
    bool verify_certificates = true;
    std::string certificate_authorities{};  ///< file; empty = the system's
};

/// Not for use from several threads at once.
class Client {
  public:
    explicit Client(ClientOptions options = {});
    ~Client();
    Client(Client&&) noexcept;
    Client& operator=(Client&&) noexcept;

    Result<ClientResponse, ClientError> send(const ClientRequest& request);

  private:
    struct Inside;
    std::unique_ptr<Inside> inside_;
};

}  // namespace forebay::http
