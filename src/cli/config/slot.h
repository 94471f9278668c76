#pragma once
// How one setting is read from what is given and written back: the types of the configuration language.
// Each function binds a field of configuration.h; its current value is the default.

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/config/configuration.h"
#include "cli/config/given.h"

namespace forebay::cli {

struct Slot {
    /// `duration`, `size`, `text`, `list of text`, `json | form` …: for help and the schema.
    std::string kind;
    /// Stores the value, or says what is wrong as the end of a sentence: `must be a size such as "64KiB"`.
    std::function<std::optional<std::string>(const Given&)> take;
    /// The value as it would stand in the file; empty = not set.
    std::function<std::string()> toml;
    bool is_secret = false;  ///< printed masked
};

Slot text(std::string& field);
Slot texts(std::vector<std::string>& field);
Slot flag(bool& field);
Slot flag(std::optional<bool>& field);
Slot count(std::uint32_t& field, std::uint32_t least = 0, std::uint32_t most = UINT32_MAX);
Slot port(std::uint16_t& field);
Slot long_count(std::uint64_t& field);
Slot whole_numbers(std::vector<int>& field, int least, int most);
Slot number(double& field, double least, double most);
Slot size(std::uint64_t& field, std::uint64_t least = 0);
Slot duration(Duration& field);
Slot durations(std::vector<Duration>& field);
/// With `may_be_activated` also `systemd:NAME`.
Slot listen(std::vector<Listen>& field, bool may_be_activated = false);
Slot address(std::optional<Listen>& field);
/// Of servers to connect to.
Slot addresses(std::vector<db::Address>& field);
/// Printed masked, and taken only from where it does not stand in a file that people read, copy and commit.
Slot secret(std::string& field);

/// The values a choice knows, and those of later versions.
struct Choices {
    std::vector<std::string> now;
    std::vector<std::string> later;
};
/// `set` is called with the index in `choices.now`; `get` answers with one.
Slot choice(Choices choices, std::function<void(std::size_t)> set, std::function<std::size_t()> get);
Slot choice(std::string& field, Choices choices);
/// A list of choices kept as texts.
Slot choices(std::vector<std::string>& field, Choices choices);

template <class E>
Slot choice(E& field, std::vector<std::pair<std::string, E>> values, std::vector<std::string> later = {}) {
    Choices choices{{}, std::move(later)};
    for (const auto& [name, value] : values) choices.now.push_back(name);
    auto index = [values, &field] {
        for (std::size_t i = 0; i < values.size(); ++i)
            if (values[i].second == field) return i;
        return std::size_t{0};
    };
    return choice(std::move(choices), [values = std::move(values), &field](std::size_t i) { field = values[i].second; }, index);
}

/// `host:port`, `[::1]:port`, `:port` (every address).
std::optional<Listen> parse_listen(std::string_view text);
std::string address_text(const Listen& listen);
/// `64KiB`; the largest unit that is exact.
std::string size_text(std::uint64_t bytes);
/// A text as TOML and JSON both read it.
std::string in_quotes(std::string_view text);

}  // namespace forebay::cli
