#pragma once
// Little-endian numbers and length-prefixed bytes, written to a string and read back with checks.
// A Reader never reads past its end: after the first short read it is `failed()` and yields zeros.

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace forebay {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the formats on disk are little-endian and written as they lie in memory");

template <class T>
void put(std::string& out, T value) {
    static_assert(std::is_integral_v<T>);
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
/// u32 length, then the bytes.
inline void put_bytes(std::string& out, std::string_view bytes) {
    put(out, static_cast<std::uint32_t>(bytes.size()));
    out.append(bytes);
}
template <class T>
void put_at(std::string& out, std::size_t pos, T value) {
    std::memcpy(out.data() + pos, &value, sizeof value);
}

class Reader {
  public:
    explicit Reader(std::string_view bytes) : left_(bytes) {}
    template <class T>
    T take() {
        T value{};
        if (left_.size() < sizeof value) {
            fail();
            return value;
        }
        // The size is checked above.
        std::memcpy(&value, left_.data(), sizeof value);  // NOLINT(bugprone-suspicious-stringview-data-usage)
        left_.remove_prefix(sizeof value);
        return value;
    }
    std::string_view take_raw(std::size_t n) {
        if (left_.size() < n) {
            fail();
            return {};
        }
        auto part = left_.substr(0, n);
        left_.remove_prefix(n);
        return part;
    }
    std::string_view take_bytes() { return take_raw(take<std::uint32_t>()); }
    std::string_view rest() const { return left_; }
    bool failed() const { return failed_; }
    bool at_end() const { return left_.empty() && !failed_; }

  private:
    void fail() {
        failed_ = true;
        left_ = {};
    }
    std::string_view left_;
    bool failed_ = false;
};

}  // namespace forebay
