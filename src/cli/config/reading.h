#pragma once
// Fills a configuration from what is given and reports what is unknown, of a later version or wrong.

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "cli/config/diagnostic.h"
#include "cli/config/given.h"
#include "cli/config/scope.h"

namespace forebay::cli {

/// Where the value of each setting (`queue.leads.dead_letter`) and the key of each table that was given stands.
using Places = std::map<std::string, Place>;

/// The value of an environment variable, if it is set.
using Lookup = std::function<std::optional<std::string>(const std::string&)>;

class Reading final : public Scope {
  public:
    struct Context {
        Diagnostics& diagnostics;
        Places& places;
        const Lookup& environment;
    };
    Reading(Context context, const Given* table, std::string path) : context_(context), table_(table), path_(std::move(path)) {}

    void setting(std::string_view key, Slot slot, std::string_view help) override;
    void table(std::string_view key, const Declaration& declare) override;
    void texts_by_name(std::string_view key, std::vector<NamedText>& texts, std::string_view help) override;
    void tables(std::string_view key, const NamedTables& named, bool in_one_line) override;
    void later(std::initializer_list<std::string_view> keys) override;

    /// Reports every key that was given and not declared. After the declaration has run.
    void report_unknown();

  private:
    const GivenMember* take(std::string_view key);
    const Given* take_table(std::string_view key);
    std::string path_to(std::string_view key) const;

    Context context_;
    const Given* table_;  ///< null: nothing is given here, defaults stay
    std::string path_;
    std::vector<std::string> declared_;
};

/// Replaces ${env:X} and ${file:PATH} in every text of a value; other ${…} stay. Says what cannot be read.
std::optional<std::string> resolve(Given& value, const Lookup& environment);

}  // namespace forebay::cli
