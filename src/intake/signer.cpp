#define OPENSSL_SUPPRESS_DEPRECATED  // SHA256_CTX can be copied for nothing; the newer interface allocates
#include "intake/signer.h"

#include <openssl/sha.h>

#include <charconv>

namespace forebay::intake {
namespace {

constexpr std::size_t block_bytes = SHA256_CBLOCK;

std::string_view view_of(const Sha256& hash) { return {reinterpret_cast<const char*>(hash.data()), hash.size()}; }

/// The state of SHA-256 after one block of the key, each byte exclusive-or `pad` (RFC 2104).
SHA256_CTX started(std::string_view key, unsigned char pad) {
    unsigned char block[block_bytes];
    for (std::size_t i = 0; i < block_bytes; ++i) block[i] = static_cast<unsigned char>((i < key.size() ? key[i] : 0) ^ pad);
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, block, block_bytes);
    return context;
}

void append_number(std::string& out, std::int64_t n) {
    char text[24];
    out.append(text, std::to_chars(text, text + sizeof text, n).ptr);
}

void append_hex(std::string& out, const Sha256& hash) {
    constexpr char digits[] = "0123456789abcdef";
    char text[64];
    for (std::size_t i = 0; i < hash.size(); ++i) {
        text[2 * i] = digits[hash[i] >> 4];
        text[2 * i + 1] = digits[hash[i] & 15];
    }
    out.append(text, sizeof text);
}

std::optional<std::int64_t> number_of(std::string_view text) {
    std::int64_t n = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    return error == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(n) : std::nullopt;
}

}  // namespace

struct Signer::Keyed {
    SHA256_CTX inner, outer;
};

Signer::Signer(std::string_view secret) {
    auto key = sha256(secret);  // never longer than a block
    keyed_ = std::make_unique<Keyed>(Keyed{started(view_of(key), 0x36), started(view_of(key), 0x5c)});
}
Signer::~Signer() = default;

Sha256 Signer::sign(std::string_view text) const {
    Sha256 inner, out;
    auto context = keyed_->inner;
    SHA256_Update(&context, text.data(), text.size());
    SHA256_Final(inner.data(), &context);
    context = keyed_->outer;
    SHA256_Update(&context, inner.data(), inner.size());
    SHA256_Final(out.data(), &context);
    return out;
}

void Signer::append_receipt(std::string& out, Timestamp at, const Uuid& id, std::string_view endpoint, const Sha256& body) const {
    thread_local std::string text;
    text.assign("receipt\n");
    append_number(text, at.ms / 1000);
    text += '\n';
    append_text(text, id);
    text.append("\n").append(endpoint).append("\n");
    append_hex(text, body);
    out += "v1,";
    append_number(out, at.ms / 1000);
    out += ",sha256:";
    append_hex(out, body);
    out.append(",hmac:").append(to_base64url(view_of(sign(text))));
}

bool Signer::is_receipt(std::string_view receipt, const Uuid& id, std::string_view endpoint, const Sha256& body) const {
    if (!receipt.starts_with("v1,")) return false;
    auto at = number_of(receipt.substr(3, receipt.find(',', 3) - 3));
    if (!at || *at < 0 || *at > 1'000'000'000'000) return false;
    std::string expected;
    append_receipt(expected, Timestamp{*at * 1000}, id, endpoint, body);
    return equal_in_constant_time(receipt, expected);
}

std::string Signer::token(Timestamp at, std::string_view endpoint) const {
    std::string out;
    append_number(out, at.ms);
    auto text = "token\n" + out + "\n" + std::string(endpoint);
    return out + "." + to_base64url(view_of(sign(text)));
}

std::optional<Timestamp> Signer::time_of_token(std::string_view token, std::string_view endpoint) const {
    auto at = number_of(token.substr(0, token.find('.')));
    if (!at || !equal_in_constant_time(token, this->token({*at}, endpoint))) return std::nullopt;
    return Timestamp{*at};
}

}  // namespace forebay::intake
