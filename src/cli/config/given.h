#pragma once
// What the files and the environment say, as one tree before anybody knows what it means: every value keeps
// the place it was written at. Later layers are laid over earlier ones table by table.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/config/diagnostic.h"

namespace forebay::cli {

struct Given;

/// One `key = value` or one table.
struct GivenMember;

struct Given {
    enum class Kind { text, integer, real, boolean, array, table, other };
    Kind kind = Kind::table;
    std::string text;  ///< of a text; a number or boolean as it reads in TOML
    std::vector<Given> elements;
    std::vector<GivenMember> members;  ///< in the order of the file
    Place place;
    bool from_environment = false;  ///< text that may stand for any kind
    bool had_reference = false;     ///< ${env:…} or ${file:…} was replaced in it

    const GivenMember* find(std::string_view key) const;
    GivenMember* find(std::string_view key);
};

struct GivenMember {
    std::string key;
    Place place;  ///< of the key
    Given value;
};

/// `a table`, `a number`, …
std::string_view name_of(Given::Kind kind);

/// Lays `over` on `base`: tables are joined, everything else is replaced.
void overlay(Given& base, Given over);

/// Sets FOREBAY__INTAKE__MAX_BODY=128KiB in the tree: names are compared without case, `_` standing for `-` too.
void set_from_environment(Given& root, std::string_view variable, std::string_view value);

/// Reads a TOML text. What is no TOML is reported and an empty table returned.
Given read_toml(const std::string& file, std::string_view text, Diagnostics& diagnostics);

}  // namespace forebay::cli
