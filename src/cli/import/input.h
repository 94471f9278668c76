#pragma once
// The bytes of a file, or of standard input, a piece at a time: what was read and not yet used stays in one buffer.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace forebay::cli {

/// The longest row that is read: what a queue could still take as a record.
inline constexpr std::size_t row_bytes_max = 1_MiB;

class Input {
  public:
    /// `-` is standard input. The error is a sentence.
    static Result<std::unique_ptr<Input>, std::string> open(const std::string& path);
    ~Input();
    Input(const Input&) = delete;
    Input& operator=(const Input&) = delete;

    /// Bytes of the file; 0 for what has no size.
    std::uint64_t size() const { return size_; }
    bool is_seekable() const { return is_seekable_; }
    /// Goes on from there; only of a seekable file.
    Result<void, std::string> seek(std::uint64_t offset);

    /// What is there and not used, at least `wanted` bytes of it unless the file ends. Valid until the next call.
    std::string_view look(std::size_t wanted);
    void use(std::size_t bytes);
    /// Where the first unused byte lies in the file.
    std::uint64_t offset() const { return offset_; }
    /// Why reading ended before the end of the file; empty if it did not.
    const std::string& failure() const { return failure_; }

  private:
    Input(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}
    void read_more();

    int descriptor_;
    std::string name_;
    std::uint64_t size_ = 0, offset_ = 0;
    bool is_seekable_ = false, ended_ = false;
    std::string buffer_, failure_;
    std::size_t used_ = 0;  ///< bytes of the buffer
};

/// Why a file that begins so cannot be read as text; empty if it can. A sentence with what to do.
std::string why_no_text(std::string_view beginning, const std::string& name);

}  // namespace forebay::cli
