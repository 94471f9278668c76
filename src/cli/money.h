#pragma once
// Money at stake in many records: exact sums, one a currency.

#include <map>
#include <string>
#include <string_view>

#include "base/decimal.h"
#include "base/json.h"

namespace forebay::cli {

class Money {
  public:
    /// An amount as a record has it; one that is no number, or empty, counts for nothing.
    void add(std::string_view value, const std::string& currency);
    void add(const Money& other);
    bool is_nothing() const;
    /// `$88,788.00`, `1,200.00 EUR + $5.00`; empty if there is nothing.
    std::string text() const;
    /// ` ($462.00)` to follow a count; empty if there is nothing.
    std::string in_brackets() const;
    /// `{"USD":"462.00"}`; the name is empty where no currency is known.
    json::Value to_json() const;
    static Money of_json(const json::Value& sums);

  private:
    std::map<std::string, Decimal> sums_;
};

}  // namespace forebay::cli
