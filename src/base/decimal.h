#pragma once
// Decimal numbers as they are written, compared and added exactly: amounts of money, and the numbers of conditions.

#include <compare>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace forebay {

class Decimal {
  public:
    /// Zero.
    Decimal() = default;
    /// A number as JSON writes it, of at most `digits_max` digits when its exponent is written out; else nothing.
    static std::optional<Decimal> parse(std::string_view text);

    /// By value: 1.5 and 1.50 are equal.
    std::strong_ordering operator<=>(const Decimal& other) const;
    bool operator==(const Decimal& other) const { return (*this <=> other) == std::strong_ordering::equal; }
    Decimal& operator+=(const Decimal& other);

    bool is_zero() const;
    /// Without an exponent, with as many decimals as the most exact of what was added: 42.00 + 1 is 43.00.
    std::string text() const;

    static constexpr std::size_t digits_max = 1000;

  private:
    bool negative_ = false;
    std::string digits_ = "0";  ///< of the number without its point
    std::size_t decimals_ = 0;  ///< how many of them are behind the point
};

}  // namespace forebay
