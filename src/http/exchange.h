#pragma once
// One request on its way through the server and back. Exchanges live in a table that never moves or frees
// them while the server lives, so a token given to any thread can be looked up without a lock; a generation
// tells an old token from a new one.

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "http/message.h"
#include "http/parser.h"

namespace forebay::http {

class Connection;

struct Exchange {
    // The loop's alone.
    std::string head;
    std::string body;
    Request request;  ///< its views point into head and body
    Framing framing;
    Connection* connection = nullptr;  ///< null once the connection has gone
    std::string counted_address;       ///< the forwarded client this counts for in the cap per address; may be empty
    std::uint64_t bytes_held = 0;
    bool answered = false;
    bool close_after = false;

    // Written by whoever answers, before it goes into the mailbox.
    Response response;
    Exchange* next = nullptr;

    std::uint32_t index = 0;
    /// Generation and, in the lowest bit, whether the client is still there. Written by the loop, read by any thread.
    std::atomic<std::uint64_t> presence{0};

    /// Frees the request; what the form of its answer needs stays.
    void forget_request();
};

class ExchangeTable {
  public:
    /// On the loop. Null when the table is full.
    Exchange* acquire();
    void release(Exchange& exchange);
    std::size_t in_use() const;

    // Any thread.
    static std::uint64_t token_of(const Exchange& exchange);
    Exchange& find(std::uint64_t token);
    bool is_connected(std::uint64_t token);

  private:
    static constexpr std::uint32_t index_bits = 20;
    static constexpr std::uint32_t chunk_bits = 8;
    struct Chunk {
        std::array<Exchange, 1u << chunk_bits> exchanges;
    };
    void grow();
    std::array<std::atomic<Chunk*>, 1u << (index_bits - chunk_bits)> chunks_{};
    std::vector<std::unique_ptr<Chunk>> owned_;
    std::vector<Exchange*> free_;
};

}  // namespace forebay::http
