#include "base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <cstdint>

#include "base/check.h"

namespace forebay {
namespace {

const unsigned char* data_of(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

/// Fetched once: a fetch per digest costs more than the digest of a short message.
const EVP_MD* md5_algorithm() {
    static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "MD5", nullptr);
    CHECK(algorithm != nullptr, "OpenSSL offers MD5");
    return algorithm;
}
const EVP_MD* sha256_algorithm() {
    static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    CHECK(algorithm != nullptr, "OpenSSL offers SHA256");
    return algorithm;
}

struct Context {
    EVP_MD_CTX* handle = EVP_MD_CTX_new();
    ~Context() { EVP_MD_CTX_free(handle); }
};

template <std::size_t N>
std::array<unsigned char, N> digest(const EVP_MD* algorithm, std::string_view bytes) {
    thread_local Context context;
    std::array<unsigned char, N> out;
    unsigned int size = 0;
    bool ok = EVP_DigestInit_ex2(context.handle, algorithm, nullptr) == 1 &&
              EVP_DigestUpdate(context.handle, bytes.data(), bytes.size()) == 1 &&
              EVP_DigestFinal_ex(context.handle, out.data(), &size) == 1;
    CHECK(ok && size == N, "a digest of bytes in memory cannot fail");
    return out;
}

constexpr char standard_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr char url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string encode64(std::string_view bytes, const char* alphabet, bool pad) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    std::size_t i = 0;
    for (; i + 2 < bytes.size(); i += 3) {
        std::uint32_t n = static_cast<std::uint32_t>(data_of(bytes)[i]) << 16 | static_cast<std::uint32_t>(data_of(bytes)[i + 1]) << 8 |
                          data_of(bytes)[i + 2];
        for (int shift : {18, 12, 6, 0}) out += alphabet[n >> shift & 63];
    }
    if (i < bytes.size()) {
        bool two = i + 1 < bytes.size();
        std::uint32_t n =
            static_cast<std::uint32_t>(data_of(bytes)[i]) << 16 | (two ? static_cast<std::uint32_t>(data_of(bytes)[i + 1]) << 8 : 0);
        out += alphabet[n >> 18 & 63];
        out += alphabet[n >> 12 & 63];
        if (two) out += alphabet[n >> 6 & 63];
        if (pad) out.append(two ? 1 : 2, '=');
    }
    return out;
}

int value64(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+' || c == '-') return 62;
    if (c == '/' || c == '_') return 63;
    return -1;
}

int nibble(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

Sha256 sha256(std::string_view bytes) { return digest<32>(sha256_algorithm(), bytes); }
Md5 md5(std::string_view bytes) { return digest<16>(md5_algorithm(), bytes); }

Sha256 hmac_sha256(std::string_view key, std::string_view bytes) {
    Sha256 out;
    unsigned int size = 0;
    auto* done = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), data_of(bytes), bytes.size(), out.data(), &size);
    CHECK(done != nullptr && size == out.size(), "an HMAC of bytes in memory cannot fail");
    return out;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string to_hex(std::string_view bytes) {
    constexpr char alphabet[] = "0123456789abcdef";
    std::string out;
    out.reserve(bytes.size() * 2);
    for (char c : bytes) {
        out += alphabet[static_cast<unsigned char>(c) >> 4];
        out += alphabet[c & 15];
    }
    return out;
}

std::optional<std::string> from_hex(std::string_view text) {
    if (text.size() % 2 != 0) return std::nullopt;
    std::string out;
    out.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        int high = nibble(text[i]), low = nibble(text[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        out += static_cast<char>(high << 4 | low);
    }
    return out;
}

std::string to_base64(std::string_view bytes) { return encode64(bytes, standard_alphabet, true); }
std::string to_base64url(std::string_view bytes) { return encode64(bytes, url_alphabet, false); }

std::optional<std::string> from_base64(std::string_view text) {
    while (!text.empty() && text.back() == '=') text.remove_suffix(1);
    if (text.size() % 4 == 1) return std::nullopt;
    std::string out;
    out.reserve(text.size() * 3 / 4);
    std::uint32_t buffer = 0;
    int bits = 0;
    for (char c : text) {
        int v = value64(c);
        if (v < 0) return std::nullopt;
        buffer = buffer << 6 | static_cast<std::uint32_t>(v);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out += static_cast<char>(buffer >> bits & 255);
        }
    }
    return out;
}

}  // namespace forebay
