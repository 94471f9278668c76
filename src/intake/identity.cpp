#include "intake/identity.h"

#include <algorithm>
#include <span>

#include "base/codec.h"
#include "base/digest.h"

namespace forebay::intake {
namespace {

constexpr std::size_t client_key_bytes_max = 255;

Uuid uuid_of(std::string_view text) {
    auto hash = sha256(text);
    return make_uuid_v8(std::span(hash).first<16>());
}

}  // namespace

std::optional<std::string_view> client_key_of(std::string_view header) {
    if (header.size() >= 2 && header.front() == '"' && header.back() == '"') header = header.substr(1, header.size() - 2);
    bool printable = std::all_of(header.begin(), header.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
    if (!printable || header.size() > client_key_bytes_max) return std::nullopt;
    return header;
}

Identity identity_with_key(std::string_view who, std::string_view endpoint, std::string_view client_key, std::string_view canonical) {
    thread_local std::string text;
    text.clear();
    for (auto part : {who, endpoint, client_key}) put_bytes(text, part);
    broker::OnceKey once;
    once.key = uuid_of(text);
    once.content = uuid_of(canonical);
    put_bytes(text, canonical);
    once.record = uuid_of(text);
    return {once.record, once};
}

broker::AboutKey about_key(std::string_view endpoint, std::string_view content, const Uuid& record) {
    std::string text;
    for (auto part : {std::string_view("content"), endpoint, content}) put_bytes(text, part);
    broker::AboutKey about;
    about.key = uuid_of(text);
    about.record = record;
    return about;
}

}  // namespace forebay::intake
