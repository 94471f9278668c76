#include "cli/config/load.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/config/declare.h"

extern char** environ;

namespace forebay::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view override_prefix = "FOREBAY__";

std::optional<std::string> value_of(const Variables& variables, std::string_view name) {
    for (const auto& [key, value] : variables)
        if (key == name) return value;
    return std::nullopt;
}

std::optional<std::string> text_of(const fs::path& path) {
    std::error_code error;
    if (fs::is_directory(path, error)) return std::nullopt;
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) return std::nullopt;
    return std::move(text).str();
}

std::string why_unreadable(const fs::path& path) {
    std::error_code error;
    if (fs::is_directory(path, error)) return "it is a directory";
    if (!fs::exists(path, error)) return "there is no such file";
    return "the system does not let this user read it";
}

/// conf.d/*.toml beside the file, by name.
std::vector<fs::path> parts_beside(const fs::path& file) {
    std::vector<fs::path> parts;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(file.parent_path().empty() ? "conf.d" : file.parent_path() / "conf.d", error))
        if (entry.path().extension() == ".toml") parts.push_back(entry.path());
    std::sort(parts.begin(), parts.end());
    return parts;
}

/// forebay.toml -> forebay.prod.toml
fs::path overlay_of(const fs::path& file, const std::string& environment) {
    auto overlay = file;
    return overlay.replace_filename(file.stem().string() + "." + environment + file.extension().string());
}

Loaded failed(const std::string& file, std::string message) {
    Loaded loaded;
    loaded.diagnostics.error(Place{file}, std::move(message));
    return loaded;
}

Given tree_of(const std::vector<Layer>& layers, const Variables& variables, Diagnostics& diagnostics) {
    Given root;
    for (const auto& layer : layers) overlay(root, read_toml(layer.name, layer.text, diagnostics));
    for (const auto& [name, value] : variables)
        if (name.starts_with(override_prefix)) set_from_environment(root, name, value);
    return root;
}

}  // namespace

Variables process_variables() {
    Variables variables;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        std::string_view text = *entry;
        auto equals = text.find('=');
        if (equals != std::string_view::npos) variables.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    return variables;
}

std::optional<std::string> configuration_file(const LoadOptions& options) {
    if (!options.file.empty()) return options.file;
    if (auto file = value_of(options.variables, "FOREBAY_CONFIG"); file && !file->empty()) return file;
    std::error_code error;
    for (const char* usual : {"forebay.toml", "/etc/forebay/forebay.toml"})
        if (fs::exists(usual, error)) return usual;
    return std::nullopt;
}

Loaded load_layers(const std::vector<Layer>& layers, const Variables& variables) {
    Loaded loaded;
    for (const auto& layer : layers) loaded.files.push_back(layer.name);
    auto root = tree_of(layers, variables, loaded.diagnostics);
    if (!loaded.is_usable()) return loaded;
    Lookup lookup = [&](const std::string& name) { return value_of(variables, name); };
    Reading reading({loaded.diagnostics, loaded.places, lookup}, &root, "");
    declare(reading, loaded.configuration);
    reading.report_unknown();
    complete(loaded.configuration);
    check(loaded);
    return loaded;
}

Loaded load(const LoadOptions& options) {
    auto file = configuration_file(options);
    if (!file)
        return failed(
            "", "there is no forebay.toml here and no /etc/forebay/forebay.toml; name one with -c FILE, or let `forebay dev` write one");
    std::vector<fs::path> paths = {*file};
    for (auto& part : parts_beside(*file)) paths.push_back(std::move(part));
    if (!options.environment.empty()) paths.push_back(overlay_of(*file, options.environment));
    std::vector<Layer> layers;
    for (const auto& path : paths) {
        auto text = text_of(path);
        if (!text) return failed(path.string(), "cannot be read: " + why_unreadable(path));
        layers.push_back({path.string(), std::move(*text)});
    }
    return load_layers(layers, options.variables);
}

}  // namespace forebay::cli
