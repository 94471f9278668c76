#include "cli/config/load.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/json.h"
#include "base/spawn.h"
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

/// What the parent took up from the same files; nothing if there is no such thing, or it cannot be read.
std::optional<std::vector<Layer>> taken_up_layers(const LoadOptions& options, const std::string& file) {
    auto path = value_of(options.variables, taken_up_variable);
    auto text = path ? text_of(*path) : std::nullopt;
    if (!text) return std::nullopt;
    auto kept = json::parse(*text);
    if (!kept.ok() || (*kept)["file"].text() != file || (*kept)["environment"].text() != options.environment) return std::nullopt;
    std::vector<Layer> layers;
    for (const auto& layer : (*kept)["layers"].elements()) layers.push_back({layer["name"].text(), layer["text"].text()});
    return layers;
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
    loaded.layers = layers;
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

Result<void, std::string> keep_taken_up(const std::string& path, const LoadOptions& options, const Loaded& loaded) {
    auto layers = json::Value::array();
    for (const auto& layer : loaded.layers) layers.push(json::Value().set("name", layer.name).set("text", layer.text));
    json::Value kept;
    kept.set("file", configuration_file(options).value_or("")).set("environment", options.environment).set("layers", std::move(layers));
    auto text = json::to_text(kept), fresh = path + ".new";
    auto fail = [&] { return Failure{path + " cannot be written: " + std::strerror(errno)}; };
    Descriptor file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) return fail();
    if (::rename(fresh.c_str(), path.c_str()) != 0) return fail();
    return {};
}

Loaded load(const LoadOptions& options) {
    auto file = configuration_file(options);
    if (!file)
        return failed(
            "", "there is no forebay.toml here and no /etc/forebay/forebay.toml; name one with -c FILE, or let `forebay dev` write one");
    if (auto layers = taken_up_layers(options, *file)) return load_layers(*layers, options.variables);
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
