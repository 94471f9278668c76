#include "cli/backup/copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/bytes.h"
#include "base/digest_stream.h"

namespace forebay::cli {
namespace {

constexpr std::size_t piece_bytes = 1_MiB;

std::string why(const std::string& path) { return path + ": " + std::strerror(errno); }

class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int number() const { return number_; }

  private:
    int number_;
};

Result<void, std::string> write_all(int to, std::string_view bytes, const std::string& path) {
    while (!bytes.empty()) {
        auto n = ::write(to, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return Failure{why(path)};
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
}

/// `to` is -1 to only read.
Result<Copied, std::string> pass(int from, const std::string& from_path, int to, const std::string& to_path, std::uint64_t bytes_max,
                                 const OnBytes& on_bytes) {
    Sha256Stream hash;
    Copied copied;
    std::string piece;
    while (copied.bytes < bytes_max) {
        piece.resize(std::min<std::uint64_t>(piece_bytes, bytes_max - copied.bytes));
        auto n = ::read(from, piece.data(), piece.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return Failure{why(from_path)};
        if (n == 0) break;
        piece.resize(static_cast<std::size_t>(n));
        hash.add(piece);
        if (to >= 0) TRY(write_all(to, piece, to_path));
        copied.bytes += piece.size();
        if (on_bytes && !on_bytes(piece.size())) return Failure{std::string("stopped")};
    }
    copied.sha256 = to_hex(hash.finish());
    return copied;
}

}  // namespace

Result<Copied, std::string> copy_file(const std::string& from, const std::string& to, std::uint64_t bytes_max, const OnBytes& on_bytes,
                                      bool* missing) {
    Descriptor source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
    if (source.number() < 0) {
        if (missing != nullptr) *missing = errno == ENOENT;
        return Failure{why(from)};
    }
    Descriptor target(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (target.number() < 0) return Failure{why(to)};
    TRY_ASSIGN(auto copied, pass(source.number(), from, target.number(), to, bytes_max, on_bytes));
    if (::fsync(target.number()) != 0) return Failure{why(to)};
    return copied;
}

Result<Copied, std::string> read_file(const std::string& path, const OnBytes& on_bytes) {
    Descriptor source(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (source.number() < 0) return Failure{why(path)};
    return pass(source.number(), path, -1, "", UINT64_MAX, on_bytes);
}

Result<void, std::string> write_new_file(const std::string& path, std::string_view text) {
    Descriptor target(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (target.number() < 0) return Failure{why(path)};
    TRY(write_all(target.number(), text, path));
    if (::fsync(target.number()) != 0) return Failure{why(path)};
    return {};
}

Result<void, std::string> make_directories(const std::string& path) {
    for (std::size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
        auto part = path.substr(0, at);
        if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) return Failure{why(part)};
        if (at == std::string::npos) return {};
    }
}

Result<void, std::string> sync_directory(const std::string& path) {
    Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory.number() < 0 || ::fsync(directory.number()) != 0) return Failure{why(path)};
    return {};
}

}  // namespace forebay::cli
