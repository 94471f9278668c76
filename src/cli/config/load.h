#pragma once
// From files and environment to a checked configuration. Layers, each over the one before: forebay.toml,
// conf.d/*.toml beside it by name, forebay.ENV.toml (-e ENV), FOREBAY__SECTION__KEY variables.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "cli/config/configuration.h"
#include "cli/config/diagnostic.h"
#include "cli/config/reading.h"

namespace forebay::cli {

using Variables = std::vector<std::pair<std::string, std::string>>;

/// One text of the configuration under the name that messages call it.
struct Layer {
    std::string name;
    std::string text;
};

struct Loaded {
    Configuration configuration;  ///< usable only without errors
    Diagnostics diagnostics;
    Places places;
    std::vector<std::string> files;
    std::vector<Layer> layers;  ///< what was read
    bool is_usable() const { return diagnostics.errors() == 0; }
};

struct LoadOptions {
    std::string file;         ///< -c; empty = $FOREBAY_CONFIG, ./forebay.toml, /etc/forebay/forebay.toml
    std::string environment;  ///< -e
    Variables variables;      ///< of the process: FOREBAY__… and what ${env:…} reads
};

/// Reads and checks. A file that is missing or cannot be read is an error like any other. Where the variables name a
/// configuration that was taken up from the same files (keep_taken_up), that is what is read.
Loaded load(const LoadOptions& options);
/// The same from texts.
Loaded load_layers(const std::vector<Layer>& layers, const Variables& variables);
/// In its environment a child of the parent finds the file that keep_taken_up() wrote.
constexpr const char* taken_up_variable = "FOREBAY_TAKEN_UP";
/// Writes down what was read from the files, so that processes started later get the same, whatever the files say by then (what
/// ${file:…} names is read anew). Readable for the owner only; replaced as a whole. The error says why not.
Result<void, std::string> keep_taken_up(const std::string& path, const LoadOptions& options, const Loaded& loaded);
/// Which file load() would begin with; nothing if there is none.
std::optional<std::string> configuration_file(const LoadOptions& options);
/// This process's environment.
Variables process_variables();

/// What the settings do not say by themselves: names that must exist, limits that must fit, columns, log paths.
void check(Loaded& loaded);
void complete(Configuration& configuration);

/// The forebay.toml that `forebay dev` writes where there is none.
std::string default_dev_config();

}  // namespace forebay::cli
