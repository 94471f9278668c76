#include "cli/config/reading.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "cli/similar.h"

namespace forebay::cli {
namespace {

constexpr std::size_t reference_file_bytes_max = 65536;

std::optional<std::string> host_name() {
    char name[256] = {};
    if (gethostname(name, sizeof name - 1) != 0) return std::nullopt;
    return std::string(name);
}

/// A shell's HOSTNAME is often not exported, but everybody writes it.
std::optional<std::string> variable(const std::string& name, const Lookup& environment) {
    auto value = environment(name);
    return !value && name == "HOSTNAME" ? host_name() : value;
}

std::optional<std::string> file_text(const std::string& path) {
    std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "r"), std::fclose);
    if (!file) return std::nullopt;
    std::string text(reference_file_bytes_max + 1, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), file.get()));
    if (std::ferror(file.get()) != 0 || text.size() > reference_file_bytes_max) return std::nullopt;
    while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
    return text;
}

/// The value of `env:X` or `file:/path`; `problem` says why there is none.
std::optional<std::string> value_of(const std::string& reference, const Lookup& environment, std::string& problem) {
    bool is_file = reference.starts_with("file:");
    auto name = reference.substr(is_file ? 5 : 4);
    auto value = is_file ? file_text(name) : variable(name, environment);
    if (!value) problem = is_file ? "names a file that cannot be read: " + name : "names an environment variable that is not set: " + name;
    return value;
}

std::optional<std::string> resolve_text(Given& value, const Lookup& environment) {
    std::string out, problem;
    std::string_view left = value.text;
    while (!left.empty()) {
        auto begin = left.find("${");
        out += left.substr(0, begin);
        if (begin == std::string_view::npos) break;
        left.remove_prefix(begin);
        auto end = left.find('}');
        auto reference = std::string(left.substr(2, end == std::string_view::npos ? 0 : end - 2));
        if (!reference.starts_with("env:") && !reference.starts_with("file:")) {
            out += left.substr(0, 2);
            left.remove_prefix(2);
            continue;
        }
        auto found = value_of(reference, environment, problem);
        if (!found) return problem;
        out += *found;
        value.had_reference = true;
        left.remove_prefix(end + 1);
    }
    value.text = std::move(out);
    return std::nullopt;
}

bool has_mode(const std::string& path, mode_t mode) {
    struct stat found{};
    return ::stat(path.c_str(), &found) == 0 && (found.st_mode & mode) == mode;
}

/// The first file named in the text that every user of this machine can read; empty for none.
std::string file_open_to_all(std::string_view text) {
    constexpr std::string_view beginning = "${file:";
    for (auto at = text.find(beginning); at != std::string_view::npos; at = text.find(beginning, at + 1)) {
        auto rest = text.substr(at + beginning.size());
        std::string path(rest.substr(0, rest.find('}')));
        std::error_code ignored;
        auto folder = std::filesystem::absolute(path, ignored).parent_path().string();
        if (has_mode(path, S_IROTH) && has_mode(folder, S_IXOTH)) return path;
    }
    return {};
}

std::string last_part(std::string_view path) {
    auto dot = path.rfind('.');
    return std::string(dot == std::string_view::npos ? path : path.substr(dot + 1));
}

}  // namespace

std::optional<std::string> resolve(Given& value, const Lookup& environment) {
    if (value.kind == Given::Kind::text) return resolve_text(value, environment);
    for (auto& element : value.elements)
        if (auto problem = resolve(element, environment)) return problem;
    return std::nullopt;
}

std::string Reading::path_to(std::string_view key) const { return path_.empty() ? std::string(key) : path_ + "." + std::string(key); }

const GivenMember* Reading::take(std::string_view key) {
    declared_.emplace_back(key);
    const auto* member = table_ == nullptr ? nullptr : table_->find(key);
    if (member != nullptr) context_.places[path_to(key)] = member->place;
    return member;
}

void Reading::setting(std::string_view key, Slot slot, std::string_view) {
    const auto* member = take(key);
    if (member == nullptr) return;
    auto place = member->value.place.is_known() ? member->value.place : member->place;
    context_.places[path_to(key)] = place;
    Given value = member->value;
    auto problem = resolve(value, context_.environment);
    if (!problem) problem = slot.take(value);
    if (slot.is_secret) place.column = 0;  // the line is not shown
    if (auto file = slot.is_secret ? file_open_to_all(member->value.text) : ""; !problem && !file.empty())
        context_.diagnostics.warning(place,
                                     path_to(key) + " is in " + file + ", which every user of this machine can read: chmod 600 " + file);
    if (!problem) return;
    context_.diagnostics.error(place, path_to(key) + " " + *problem);
}

const Given* Reading::take_table(std::string_view key) {
    const auto* member = take(key);
    if (member == nullptr) return nullptr;
    if (member->value.kind == Given::Kind::table) return &member->value;
    context_.diagnostics.error(member->value.place, path_to(key) + " must be a table, not " + std::string(name_of(member->value.kind)));
    return nullptr;
}

void Reading::table(std::string_view key, const Declaration& declare) {
    Reading inner(context_, take_table(key), path_to(key));
    declare(inner);
    inner.report_unknown();
}

void Reading::texts_by_name(std::string_view key, std::vector<NamedText>& texts, std::string_view) {
    const auto* given = take_table(key);
    if (given == nullptr) return;
    for (const auto& member : given->members) {
        auto path = path_to(key) + "." + member.key;
        auto place = context_.places[path] = member.value.place.is_known() ? member.value.place : member.place;
        NamedText one{member.key, {}, false};
        Given value = member.value;
        auto problem = resolve(value, context_.environment);
        if (!problem) problem = text(one.text).take(value);
        if (problem) context_.diagnostics.error(place, path + " " + *problem);
        one.is_secret = value.had_reference || value.from_environment;
        texts.push_back(std::move(one));
    }
}

void Reading::tables(std::string_view key, const NamedTables& named, bool) {
    const auto* given = take_table(key);
    if (given == nullptr) return;
    for (const auto& member : given->members) {
        auto path = path_to(key) + "." + member.key;
        context_.places[path] = member.place;
        if (member.value.kind != Given::Kind::table) {
            context_.diagnostics.error(member.value.place, path + " must be a table, not " + std::string(name_of(member.value.kind)));
            continue;
        }
        Reading inner(context_, &member.value, path);
        named.declare(named.add(member.key), inner);
        inner.report_unknown();
    }
}

void Reading::later(std::initializer_list<std::string_view> keys) {
    for (auto key : keys)
        if (const auto* member = take(key)) context_.diagnostics.error(member->place, path_to(key) + " is not in this version");
}

void Reading::report_unknown() {
    if (table_ == nullptr) return;
    for (const auto& member : table_->members) {
        if (std::find(declared_.begin(), declared_.end(), member.key) != declared_.end()) continue;
        auto meant = nearest(member.key, declared_);
        auto hint = meant.empty() ? std::string() : "did you mean \"" + meant + "\"?";
        context_.diagnostics.error(member.place, "unknown key \"" + last_part(member.key) + "\"", hint);
    }
}

}  // namespace forebay::cli
