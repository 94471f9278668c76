#include "base/decimal.h"

#include <algorithm>
#include <charconv>

namespace forebay {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view take_digits(std::string_view& text) {
    std::size_t end = 0;
    while (end < text.size() && is_digit(text[end])) ++end;
    auto digits = text.substr(0, end);
    text.remove_prefix(end);
    return digits;
}

/// The exponent at the front of `text`, which must be all of it; 0 without one.
std::optional<int> exponent_of(std::string_view text) {
    if (text.empty()) return 0;
    if (text[0] != 'e' && text[0] != 'E') return std::nullopt;
    text.remove_prefix(1);
    if (text.starts_with('+')) text.remove_prefix(1);
    int exponent = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return exponent;
}

/// Both with as many digits before and behind the point, so that they compare and add digit by digit.
struct Aligned {
    std::string a, b;
};
Aligned align(std::string a, std::size_t a_decimals, std::string b, std::size_t b_decimals) {
    auto decimals = std::max(a_decimals, b_decimals);
    a.append(decimals - a_decimals, '0');
    b.append(decimals - b_decimals, '0');
    auto length = std::max(a.size(), b.size());
    a.insert(0, length - a.size(), '0');
    b.insert(0, length - b.size(), '0');
    return {std::move(a), std::move(b)};
}

std::string sum_of(const std::string& a, const std::string& b) {
    std::string out(a.size() + 1, '0');
    int carry = 0;
    for (std::size_t i = a.size(); i-- > 0;) {
        int digit = (a[i] - '0') + (b[i] - '0') + carry;
        out[i + 1] = static_cast<char>('0' + digit % 10);
        carry = digit / 10;
    }
    out[0] = static_cast<char>('0' + carry);
    return out;
}

/// Of a `greater` that is not less than the other.
std::string difference_of(const std::string& greater, const std::string& less) {
    std::string out(greater.size(), '0');
    int borrow = 0;
    for (std::size_t i = greater.size(); i-- > 0;) {
        int digit = (greater[i] - '0') - (less[i] - '0') - borrow;
        borrow = digit < 0 ? 1 : 0;
        out[i] = static_cast<char>('0' + digit + (borrow != 0 ? 10 : 0));
    }
    return out;
}

/// Without zeros at the front, but for one before the point.
void shorten(std::string& digits, std::size_t decimals) {
    auto first = digits.find_first_not_of('0');
    auto kept = decimals + 1;
    auto most = digits.size() > kept ? digits.size() - kept : 0;
    digits.erase(0, std::min(first == std::string::npos ? digits.size() : first, most));
}

}  // namespace

std::optional<Decimal> Decimal::parse(std::string_view text) {
    Decimal out;
    out.negative_ = text.starts_with('-');
    if (out.negative_) text.remove_prefix(1);
    auto whole = take_digits(text);
    if (whole.empty() || (whole.size() > 1 && whole[0] == '0')) return std::nullopt;
    std::string_view fraction;
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        fraction = take_digits(text);
        if (fraction.empty()) return std::nullopt;
    }
    auto exponent = exponent_of(text);
    constexpr int most = digits_max;
    if (!exponent || *exponent > most || *exponent < -most || whole.size() + fraction.size() > digits_max) return std::nullopt;
    out.digits_ = std::string(whole).append(fraction);
    auto decimals = static_cast<int>(fraction.size()) - *exponent;
    if (decimals < 0) out.digits_.append(static_cast<std::size_t>(-decimals), '0');
    out.decimals_ = static_cast<std::size_t>(std::max(decimals, 0));
    if (out.digits_.size() <= out.decimals_) out.digits_.insert(0, out.decimals_ + 1 - out.digits_.size(), '0');
    shorten(out.digits_, out.decimals_);
    if (out.digits_.size() > digits_max) return std::nullopt;
    if (out.is_zero()) out.negative_ = false;
    return out;
}

bool Decimal::is_zero() const { return digits_.find_first_not_of('0') == std::string::npos; }

std::strong_ordering Decimal::operator<=>(const Decimal& other) const {
    if (negative_ != other.negative_) return negative_ ? std::strong_ordering::less : std::strong_ordering::greater;
    auto [a, b] = align(digits_, decimals_, other.digits_, other.decimals_);
    return negative_ ? b.compare(a) <=> 0 : a.compare(b) <=> 0;
}

Decimal& Decimal::operator+=(const Decimal& other) {
    auto [a, b] = align(digits_, decimals_, other.digits_, other.decimals_);
    decimals_ = std::max(decimals_, other.decimals_);
    if (negative_ == other.negative_) {
        digits_ = sum_of(a, b);
    } else {
        bool other_is_greater = a < b;
        digits_ = other_is_greater ? difference_of(b, a) : difference_of(a, b);
        if (other_is_greater) negative_ = other.negative_;
    }
    shorten(digits_, decimals_);
    if (is_zero()) negative_ = false;
    return *this;
}

std::string Decimal::text() const {
    auto out = (negative_ ? "-" : "") + digits_;
    if (decimals_ > 0) out.insert(out.size() - decimals_, 1, '.');
    return out;
}

}  // namespace forebay
