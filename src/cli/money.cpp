#include "cli/money.h"

#include <algorithm>

namespace forebay::cli {
namespace {

/// `1234567.50` as `1,234,567.50`.
std::string grouped_decimal(std::string text) {
    auto point = std::min(text.find('.'), text.size());
    std::size_t first = text.starts_with('-') ? 1 : 0;
    for (auto at = point; at > first + 3;) {
        at -= 3;
        text.insert(at, 1, ',');
    }
    return text;
}

std::string amount_text(const std::string& currency, const Decimal& sum) {
    auto text = grouped_decimal(sum.text());
    if (currency == "USD") return text.starts_with('-') ? "-$" + text.substr(1) : "$" + text;
    return currency.empty() ? text : text + " " + currency;
}

}  // namespace

void Money::add(std::string_view value, const std::string& currency) {
    auto amount = Decimal::parse(value);
    if (amount) sums_[currency] += *amount;
}

void Money::add(const Money& other) {
    for (const auto& [currency, sum] : other.sums_) sums_[currency] += sum;
}

bool Money::is_nothing() const {
    return std::all_of(sums_.begin(), sums_.end(), [](const auto& sum) { return sum.second.is_zero(); });
}

std::string Money::text() const {
    std::string out;
    for (const auto& [currency, sum] : sums_)
        if (!sum.is_zero()) out += (out.empty() ? "" : " + ") + amount_text(currency, sum);
    return out;
}

std::string Money::in_brackets() const { return is_nothing() ? std::string() : " (" + text() + ")"; }

json::Value Money::to_json() const {
    auto out = json::Value::object();
    for (const auto& [currency, sum] : sums_) out.set(currency, sum.text());
    return out;
}

Money Money::of_json(const json::Value& sums) {
    Money money;
    for (const auto& [currency, sum] : sums.members()) money.add(sum.text(), currency);
    return money;
}

}  // namespace forebay::cli
