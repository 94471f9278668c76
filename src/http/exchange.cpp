#include "http/exchange.h"

#include "base/check.h"

namespace forebay::http {
namespace {

/// Strings keep their room for the next request, unless they would keep a lot.
void empty(std::string& text) {
    static constexpr std::size_t kept_bytes = 8192;
    if (text.capacity() > kept_bytes) text = std::string();
    text.clear();
}

}  // namespace

void Exchange::forget_request() {
    const bool is_head = request.method == "HEAD";
    request = Request{};
    if (is_head) request.method = "HEAD";
    head = std::string();
    body = std::string();
}

void ExchangeTable::grow() {
    if (owned_.size() == chunks_.size()) return;
    auto& chunk = *owned_.emplace_back(std::make_unique<Chunk>());
    const auto first = static_cast<std::uint32_t>(owned_.size() - 1) << chunk_bits;
    for (std::uint32_t i = 0; i < chunk.exchanges.size(); ++i) {
        const auto from_the_end = static_cast<std::uint32_t>(chunk.exchanges.size()) - 1 - i;
        chunk.exchanges[from_the_end].index = first + from_the_end;
        free_.push_back(&chunk.exchanges[from_the_end]);
    }
    chunks_[owned_.size() - 1].store(&chunk, std::memory_order_release);
}

Exchange* ExchangeTable::acquire() {
    if (free_.empty()) grow();
    if (free_.empty()) return nullptr;
    Exchange* exchange = free_.back();
    free_.pop_back();
    const auto generation = (exchange->presence.load(std::memory_order_relaxed) >> 1) + 1;
    exchange->presence.store(generation << 1 | 1, std::memory_order_release);
    return exchange;
}

void ExchangeTable::release(Exchange& exchange) {
    exchange.presence.fetch_and(~std::uint64_t{1}, std::memory_order_relaxed);
    empty(exchange.head);
    empty(exchange.body);
    exchange.request.method = exchange.request.target = exchange.request.path = exchange.request.query = exchange.request.body = {};
    exchange.request.headers.clear();
    exchange.request.secure = exchange.request.from_trusted_proxy = false;
    exchange.framing = Framing{};
    exchange.connection = nullptr;
    exchange.answered = exchange.close_after = false;
    exchange.response = Response{};
    exchange.next = nullptr;
    free_.push_back(&exchange);
}

std::size_t ExchangeTable::in_use() const { return (owned_.size() << chunk_bits) - free_.size(); }

std::uint64_t ExchangeTable::token_of(const Exchange& exchange) {
    return (exchange.presence.load(std::memory_order_relaxed) >> 1) << index_bits | exchange.index;
}

Exchange& ExchangeTable::find(std::uint64_t token) {
    const auto index = token & ((1u << index_bits) - 1);
    Chunk* chunk = chunks_[index >> chunk_bits].load(std::memory_order_acquire);
    CHECK(chunk != nullptr, "a token was made by this server");
    return chunk->exchanges[index & ((1u << chunk_bits) - 1)];
}

bool ExchangeTable::is_connected(std::uint64_t token) {
    const auto wanted = token >> index_bits << 1 | 1;
    return find(token).presence.load(std::memory_order_acquire) == wanted;
}

}  // namespace forebay::http
