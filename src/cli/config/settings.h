#pragma once
// A configuration turned back into text: every setting with its value, its default and where it was given;
// the schema of the file; and what a running node was started with.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "cli/config/load.h"

namespace forebay::cli {

struct Setting {
    std::vector<std::string> table;  ///< queue, leads
    std::string key;
    std::string value;  ///< as it would stand in the file; empty = not set; secrets are masked
    std::string_view help;
    bool is_default = false;
    bool in_one_line = false;  ///< printed inside `name = { … }`
    bool is_secret = false;

    /// `queue.leads.delay`
    std::string path() const;
};

/// Every setting in the order of the language.
std::vector<Setting> settings_of(const Configuration& configuration);

struct ShowOptions {
    bool only_given = false;  ///< leaves out what no file and no variable sets
    bool with_help = false;   ///< a comment above each
};
/// As a forebay.toml; a comment behind each value that was given says where.
std::string to_toml(const std::vector<Setting>& settings, const Places& places, ShowOptions options);
/// Nested objects; what is not set is null.
json::Value to_json(const std::vector<Setting>& settings);

/// JSON schema (draft 2020-12) of the file.
json::Value schema();

/// One setting that two configurations have differently; a side without it is empty.
struct Difference {
    std::string path, here, there;
};
std::vector<Difference> differences(const json::Value& here, const json::Value& there);

/// What changed, for people: `endpoint.lead.fields.zip added`, `queue.leads.delay = "5s" (was "0s")`; of a secret
/// only that it did: `key.website.hash changed`.
std::vector<std::string> changes(const Configuration& now, const Configuration& before);

/// Changes when the value of a setting that `concerns` takes changes, secrets included; tells nothing of it.
std::string digest_of(const Configuration& configuration, const std::function<bool(std::string_view path)>& concerns);

/// Notes what the node was started with, for `config diff`: <data_dir>/running.json, masked. False = not written.
bool note_running(const Configuration& configuration);
std::optional<json::Value> noted_running(const std::string& data_dir);

}  // namespace forebay::cli
