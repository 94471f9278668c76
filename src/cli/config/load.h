#pragma once
// From files and environment to a checked configuration. Layers, each over the one before: forebay.toml,
// conf.d/*.toml beside it by name, forebay.ENV.toml (-e ENV), FOREBAY__SECTION__KEY variables.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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
    bool is_usable() const { return diagnostics.errors() == 0; }
};

struct LoadOptions {
    std::string file;         ///< -c; empty = $FOREBAY_CONFIG, ./forebay.toml, /etc/forebay/forebay.toml
    std::string environment;  ///< -e
    Variables variables;      ///< of the process: FOREBAY__… and what ${env:…} reads
};

/// Reads and checks. A file that is missing or cannot be read is an error like any other.
Loaded load(const LoadOptions& options);
/// The same from texts.
Loaded load_layers(const std::vector<Layer>& layers, const Variables& variables);
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
