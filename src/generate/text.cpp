#include "generate/text.h"

#include <crypt.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/check.h"
#include "base/digest.h"

namespace forebay::generate {
namespace {

constexpr std::size_t salt_characters = 16;  // the most that crypt(3) takes of one

std::string sha1(std::string_view bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    CHECK(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha1(), nullptr) == 1, "SHA-1 is there");
    return {reinterpret_cast<const char*>(digest.data()), size};
}

}  // namespace

std::uint32_t weight_of(const Cluster& cluster, std::size_t node) {
    constexpr std::uint32_t of_the_writer = 1, of_others = 50;
    return cluster.nodes[node].weight.value_or(node == 0 ? of_the_writer : of_others);
}

std::string at(const std::string& address, std::uint16_t port) {
    bool is_ipv6 = address.find(':') != std::string::npos;
    return (is_ipv6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

std::string sql_text(std::string_view text) {
    std::string out = "'";
    for (char c : text) {
        if (c == '\'' || c == '\\') out += '\\';
        out += c;
    }
    return out + "'";
}

std::string sql_name(std::string_view name) {
    std::string out = "`";
    for (char c : name) out += c == '`' ? "``" : std::string(1, c);
    return out + "`";
}

std::string shell_word(std::string_view word) {
    auto is_plain = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string_view("/._-+=:,@%").find(c) != std::string_view::npos;
    };
    if (!word.empty() && std::all_of(word.begin(), word.end(), is_plain)) return std::string(word);
    std::string out = "'";
    for (char c : word) out += c == '\'' ? "'\"'\"'" : std::string(1, c);
    return out + "'";
}

std::string haproxy_time(Duration duration) {
    auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
    return milliseconds % 1000 == 0 ? std::to_string(milliseconds / 1000) + "s" : std::to_string(milliseconds) + "ms";
}

std::string crypt_hash(const std::string& password, std::string_view place) {
    auto salt = to_hex(sha256(place)).substr(0, salt_characters);
    crypt_data data{};
    const char* hash = crypt_r(password.c_str(), ("$6$" + salt).c_str(), &data);
    CHECK(hash != nullptr && hash[0] == '$', "crypt(3) knows SHA-512");
    return hash;
}

std::string native_password_hash(std::string_view password) {
    auto hex = to_hex(sha1(sha1(password)));
    std::transform(hex.begin(), hex.end(), hex.begin(), [](char c) { return c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c; });
    return "*" + hex;
}

}  // namespace forebay::generate
