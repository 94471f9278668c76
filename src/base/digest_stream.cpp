#include "base/digest_stream.h"

#include <openssl/evp.h>

#include "base/check.h"

namespace forebay {

struct Sha256Stream::Inside {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    ~Inside() { EVP_MD_CTX_free(context); }
};

Sha256Stream::Sha256Stream() : inside_(std::make_unique<Inside>()) {
    CHECK(EVP_DigestInit_ex(inside_->context, EVP_sha256(), nullptr) == 1, "SHA-256 is there");
}
Sha256Stream::~Sha256Stream() = default;

void Sha256Stream::add(std::string_view bytes) {
    CHECK(EVP_DigestUpdate(inside_->context, bytes.data(), bytes.size()) == 1, "hashing cannot fail");
}

Sha256 Sha256Stream::finish() {
    Sha256 out;
    CHECK(EVP_DigestFinal_ex(inside_->context, out.data(), nullptr) == 1, "hashing cannot fail");
    return out;
}

}  // namespace forebay
