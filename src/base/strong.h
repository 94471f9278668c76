#pragma once
// A number with a name: values of different tags do not mix and do not convert by themselves.

#include <compare>
#include <cstdint>
#include <functional>

namespace forebay {

template <class Tag, class Rep = std::uint64_t>
class Strong {
  public:
    constexpr Strong() = default;
    constexpr explicit Strong(Rep value) : value_(value) {}
    constexpr Rep value() const { return value_; }
    constexpr Strong next() const { return Strong(static_cast<Rep>(value_ + 1)); }
    constexpr auto operator<=>(const Strong&) const = default;

  private:
    Rep value_{};
};

}  // namespace forebay

template <class Tag, class Rep>
struct std::hash<forebay::Strong<Tag, Rep>> {
    std::size_t operator()(const forebay::Strong<Tag, Rep>& s) const noexcept { return std::hash<Rep>{}(s.value()); }
};
