#pragma once
// The names of a condition about a record: its fields, and what it has besides. The names are those of `sql` statements.

#include <map>

#include "condition/condition.h"
#include "record/envelope.h"

namespace forebay::condition {

class RecordScope final : public Scope {
  public:
    /// `record` must outlive the scope. Not for two threads at once.
    explicit RecordScope(const record::Envelope& record) : record_(record) {}

    /// `id`, `endpoint`, `received_at`, `_ip`, `_value`, `_currency`, `_flags`, `fields` (all of them, for a field with such a
    /// name), else the field of that name.
    const json::Value* find(std::string_view name) const override;

    /// Whether the name is of what every record has, not a field.
    static bool is_own(std::string_view name);

  private:
    json::Value own(std::string_view name) const;
    const record::Envelope& record_;
    mutable std::map<std::string, json::Value, std::less<>> made_;
};

/// Whether the condition holds for the record.
bool holds_for(const Condition& condition, const record::Envelope& record);

}  // namespace forebay::condition
