#include "cli/config/settings.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "base/digest.h"
#include "cli/config/declare.h"

namespace forebay::cli {
namespace {

constexpr std::string_view mask = "\"***\"";
constexpr std::size_t comment_column = 52;

std::string joined(const std::vector<std::string>& parts) {
    std::string out;
    for (const auto& part : parts) out += (out.empty() ? "" : ".") + part;
    return out;
}

/// Writes each setting down, secrets too.
class Showing final : public Scope {
  public:
    Showing(std::vector<Setting>& out, std::vector<std::string> table, bool in_one_line)
        : out_(out), table_(std::move(table)), in_one_line_(in_one_line) {}

    void setting(std::string_view key, Slot slot, std::string_view help) override {
        out_.push_back({table_, std::string(key), slot.toml(), help, false, in_one_line_, slot.is_secret});
    }
    void table(std::string_view key, const Declaration& declare) override {
        Showing inner(out_, deeper(key), in_one_line_);
        declare(inner);
    }
    void texts_by_name(std::string_view key, std::vector<NamedText>& texts, std::string_view help) override {
        for (const auto& one : texts)
            out_.push_back({deeper(key), one.name, in_quotes(one.text), help, false, in_one_line_, one.is_secret});
    }
    void tables(std::string_view key, const NamedTables& named, bool in_one_line) override {
        for (std::size_t i = 0; i < named.size(); ++i) {
            auto path = deeper(key);
            path.push_back(named.name_at(i));
            auto begin = out_.size();
            Showing inner(out_, path, in_one_line || in_one_line_);
            named.declare(i, inner);
            mark_defaults(begin, path, named);
        }
    }
    void later(std::initializer_list<std::string_view>) override {}

  private:
    std::vector<std::string> deeper(std::string_view key) const {
        auto path = table_;
        path.emplace_back(key);
        return path;
    }
    void mark_defaults(std::size_t begin, const std::vector<std::string>& path, const NamedTables& named) {
        std::vector<Setting> fresh;
        Showing defaults(fresh, path, false);
        named.declare_default(defaults);
        std::map<std::string, std::string> values;
        for (const auto& setting : fresh) values[setting.path()] = setting.value;
        for (auto i = begin; i < out_.size(); ++i)
            if (auto at = values.find(out_[i].path()); at != values.end()) out_[i].is_default = at->second == out_[i].value;
    }

    std::vector<Setting>& out_;
    std::vector<std::string> table_;
    bool in_one_line_;
};

/// With secrets as they are: only for comparing.
std::vector<Setting> all_settings(Configuration configuration) {
    std::vector<Setting> settings;
    Showing showing(settings, {}, false);
    declare(showing, configuration);
    return settings;
}

std::string key_text(const std::string& key) {
    bool is_bare = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
    return is_bare ? key : in_quotes(key);
}

std::string header_of(const std::vector<std::string>& table) {
    std::string out;
    for (const auto& part : table) out += (out.empty() ? "[" : ".") + key_text(part);
    return out + "]";
}

std::string with_comment(std::string line, const std::string& comment) {
    if (comment.empty()) return line + "\n";
    line.resize(std::max(line.size() + 1, comment_column), ' ');
    return line + "# " + comment + "\n";
}

/// Collects lines by table, because a table may not be opened twice in TOML.
class TomlText {
  public:
    TomlText(const Places& places, ShowOptions options) : places_(places), options_(options) {}

    void add(const Setting& setting) {
        if (setting.in_one_line) {
            add_to_line(setting);
            return;
        }
        end_line();
        bool is_given = places_.contains(setting.path());
        if (options_.only_given && !is_given) return;
        auto& lines = lines_of(setting.table);
        if (options_.with_help) lines += "# " + std::string(setting.help) + "\n";
        if (setting.value.empty())
            lines += "# " + key_text(setting.key) + " is not set\n";
        else
            lines += with_comment(key_text(setting.key) + " = " + setting.value, origin(setting.path()));
    }
    std::string text() && {
        end_line();
        std::string out;
        for (const auto& [table, lines] : tables_) out += (out.empty() ? "" : "\n") + header_of(table) + "\n" + lines;
        return out;
    }

  private:
    void add_to_line(const Setting& setting) {
        if (setting.table != line_table_) {
            end_line();
            line_table_ = setting.table;
        }
        if (!setting.is_default && !setting.value.empty())
            line_ += (line_.empty() ? "" : ", ") + key_text(setting.key) + " = " + setting.value;
    }
    void end_line() {
        if (line_table_.empty()) return;
        auto name = line_table_.back();
        auto path = joined(line_table_);
        line_table_.pop_back();
        lines_of(line_table_) += with_comment(key_text(name) + " = { " + line_ + " }", origin(path));
        line_.clear();
        line_table_.clear();
    }
    std::string& lines_of(const std::vector<std::string>& table) {
        for (auto& [known, lines] : tables_)
            if (known == table) return lines;
        return tables_.emplace_back(table, "").second;
    }
    std::string origin(const std::string& path) const {
        auto at = places_.find(path);
        if (at == places_.end()) return {};
        const auto& place = at->second;
        return place.line == 0 ? place.file : place.file + ":" + std::to_string(place.line);
    }

    const Places& places_;
    ShowOptions options_;
    std::vector<std::pair<std::vector<std::string>, std::string>> tables_;
    std::vector<std::string> line_table_;
    std::string line_;
};

json::Value& descend(json::Value& root, const std::vector<std::string>& table) {
    auto* at = &root;
    for (const auto& part : table) {
        if (at->find(part) == nullptr) at->set(part, json::Value::object());
        for (auto& [key, value] : at->members())
            if (key == part) at = &value;
    }
    return *at;
}

void flatten(const json::Value& value, const std::string& path, std::map<std::string, std::string>& out) {
    if (!value.is_object()) {
        if (!value.is_null()) out[path] = json::to_text(value);
        return;
    }
    for (const auto& [key, inner] : value.members()) flatten(inner, path.empty() ? key : path + "." + key, out);
}

std::filesystem::path running_path(const std::string& data_dir) { return std::filesystem::path(data_dir) / "running.json"; }

}  // namespace

std::string Setting::path() const { return table.empty() ? key : joined(table) + "." + key; }

std::vector<Setting> settings_of(const Configuration& configuration) {
    auto settings = all_settings(configuration);
    std::map<std::string, std::string> defaults;
    for (const auto& setting : all_settings(Configuration())) defaults[setting.path()] = setting.value;
    for (auto& setting : settings)
        if (auto at = defaults.find(setting.path()); at != defaults.end()) setting.is_default = at->second == setting.value;
    for (auto& setting : settings)
        if (setting.is_secret && !setting.value.empty()) setting.value = mask;
    return settings;
}

std::string to_toml(const std::vector<Setting>& settings, const Places& places, ShowOptions options) {
    TomlText text(places, options);
    for (const auto& setting : settings) text.add(setting);
    return std::move(text).text();
}

json::Value to_json(const std::vector<Setting>& settings) {
    auto root = json::Value::object();
    for (const auto& setting : settings) {
        auto value = json::parse(setting.value.empty() ? "null" : setting.value);
        descend(root, setting.table).set(setting.key, value ? std::move(*value) : json::Value(setting.value));
    }
    return root;
}

std::vector<Difference> differences(const json::Value& here, const json::Value& there) {
    std::map<std::string, std::string> left, right;
    flatten(here, "", left);
    flatten(there, "", right);
    std::map<std::string, Difference> all;
    for (const auto& [path, value] : left) all[path] = {path, value, ""};
    for (const auto& [path, value] : right) {
        all[path].path = path;
        all[path].there = value;
    }
    std::vector<Difference> out;
    for (auto& [path, difference] : all)
        if (difference.here != difference.there) out.push_back(std::move(difference));
    return out;
}

std::vector<std::string> changes(const Configuration& now, const Configuration& before) {
    auto settings_now = all_settings(now), settings_before = all_settings(before);
    auto json_now = to_json(settings_now), json_before = to_json(settings_before);
    std::map<std::string, std::string> left, right;
    flatten(json_now, "", left);
    flatten(json_before, "", right);
    std::set<std::string> secrets;
    for (const auto* settings : {&settings_now, &settings_before})
        for (const auto& setting : *settings)
            if (setting.is_secret) secrets.insert(setting.path());
    auto has_table = [](const std::map<std::string, std::string>& settings, const std::string& table) {
        auto first = settings.lower_bound(table);
        return first != settings.end() && first->first.starts_with(table);
    };
    std::vector<std::string> out;
    auto say = [&](std::string change) {
        if (std::find(out.begin(), out.end(), change) == out.end()) out.push_back(std::move(change));
    };
    for (const auto& [path, here, there] : differences(json_now, json_before)) {
        auto table = path.substr(0, path.rfind('.') + 1);
        auto name = table.substr(0, table.empty() ? 0 : table.size() - 1);
        if (!table.empty() && !has_table(right, table))
            say(name + " added");
        else if (!table.empty() && !has_table(left, table))
            say(name + " removed");
        else if (secrets.contains(path))
            say(path + " changed");
        else
            say(here.empty() ? path + " removed" : path + " = " + here + (there.empty() ? "" : " (was " + there + ")"));
    }
    return out;
}

std::string digest_of(const Configuration& configuration, const std::function<bool(std::string_view path)>& concerns) {
    std::string text;
    for (const auto& setting : all_settings(configuration))
        if (auto path = setting.path(); concerns(path)) text += path + "=" + setting.value + "\n";
    return to_hex(sha256(text));
}

bool note_running(const Configuration& configuration) {
    auto path = running_path(configuration.node.data_dir);
    auto fresh = path;
    fresh += ".new";
    std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
    file << json::to_pretty_text(to_json(settings_of(configuration))) << '\n';
    file.close();
    std::error_code error;
    if (file) std::filesystem::rename(fresh, path, error);
    return file && !error;
}

std::optional<json::Value> noted_running(const std::string& data_dir) {
    std::ifstream file(running_path(data_dir), std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) return std::nullopt;
    auto value = json::parse(text.str());
    return value ? std::optional(std::move(*value)) : std::nullopt;
}

}  // namespace forebay::cli
