#include "base/hmac.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/check.h"

namespace forebay {
namespace {

const unsigned char* data_of(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

}  // namespace

struct HmacKey::Context {
    explicit Context(std::string_view key) {
        static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
        CHECK(algorithm != nullptr, "OpenSSL offers HMAC");
        handle = EVP_MAC_CTX_new(algorithm);
        char digest[] = "SHA256";
        const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
        CHECK(EVP_MAC_init(handle, data_of(key), key.size(), params) == 1, "an HMAC takes any key");
    }
    ~Context() { EVP_MAC_CTX_free(handle); }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;
    EVP_MAC_CTX* handle = nullptr;
};

HmacKey::HmacKey(std::string_view key) : context_(std::make_unique<Context>(key)) {}
HmacKey::~HmacKey() = default;
HmacKey::HmacKey(HmacKey&&) noexcept = default;
HmacKey& HmacKey::operator=(HmacKey&&) noexcept = default;

Sha256 HmacKey::operator()(std::string_view bytes) const {
    Sha256 out;
    std::size_t size = 0;
    // Without a key it begins anew with the one it has.
    bool ok = EVP_MAC_init(context_->handle, nullptr, 0, nullptr) == 1 &&
              EVP_MAC_update(context_->handle, data_of(bytes), bytes.size()) == 1 &&
              EVP_MAC_final(context_->handle, out.data(), &size, out.size()) == 1;
    CHECK(ok && size == out.size(), "an HMAC of bytes in memory cannot fail");
    return out;
}

}  // namespace forebay
