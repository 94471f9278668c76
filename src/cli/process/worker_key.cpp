#include "cli/process/worker_key.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

#include "base/digest.h"
#include "base/spawn.h"
#include "cli/process/paths.h"

namespace forebay::cli {
namespace {

constexpr std::size_t id_bytes = 8, secret_bytes = 30;

std::string random_bytes(Entropy& entropy, std::size_t count) {
    std::string bytes(count, '\0');
    entropy.fill({reinterpret_cast<unsigned char*>(bytes.data()), bytes.size()});
    return bytes;
}

bool write_whole(const std::string& path, const std::string& text) {
    Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    return file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(file.get()) == 0;
}

/// The file appears whole or not at all, and once: whoever comes second finds the first one's.
std::string make(const std::string& path, Entropy& entropy) {
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
    auto key = new_key("FBW", entropy);
    auto text = key.id + "\n" + key.secret + "\n";
    auto fresh = path + "." + std::to_string(::getpid());
    bool made = write_whole(fresh, text) && (::link(fresh.c_str(), path.c_str()) == 0 || errno == EEXIST);
    std::string why = made ? "" : std::strerror(errno);
    ::unlink(fresh.c_str());
    return why;
}

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

std::optional<sqs::Credentials> read(const std::string& data_dir) {
    std::ifstream file(worker_key_path(data_dir));
    sqs::Credentials key;
    if (!std::getline(file, key.id) || !std::getline(file, key.secret)) return std::nullopt;
    if (sqs::problem_of_key_id(key.id) || key.secret.size() < sqs::secret_bytes_min) return std::nullopt;
    return key;
}

}  // namespace

sqs::Credentials new_key(std::string_view prefix, Entropy& entropy) {
    auto id = to_hex(random_bytes(entropy, id_bytes));
    std::transform(id.begin(), id.end(), id.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return {std::string(prefix) + id, to_base64url(random_bytes(entropy, secret_bytes)), {}};
}

sqs::Credentials worker_credentials(const std::string& data_dir) {
    if (auto key = read(data_dir)) return *key;
    return {variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"), variable("AWS_SESSION_TOKEN")};
}

Result<sqs::Credentials, std::string> read_or_make_worker_key(const std::string& data_dir, Entropy& entropy) {
    if (auto key = read(data_dir)) return *key;
    auto path = worker_key_path(data_dir);
    if (auto why = make(path, entropy); !why.empty()) return Failure{path + " cannot be made: " + why};
    if (auto key = read(data_dir)) return *key;
    return Failure{path + " is not a key that this user can read: delete it, and another is made at the next start"};
}

sqs::AccessKey access_of_workers(const sqs::Credentials& key) {
    using sqs::Verb;
    return {"forebay-workers", key.id, key.secret, {{Verb::send, "*"}, {Verb::receive, "*"}, {Verb::remove, "*"}}};
}

}  // namespace forebay::cli
