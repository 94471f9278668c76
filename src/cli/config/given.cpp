#include "cli/config/given.h"

#include <algorithm>
#include <cctype>

namespace forebay::cli {
namespace {

constexpr std::string_view prefix = "FOREBAY__";

std::string folded(std::string_view name) {
    std::string out;
    for (char c : name) out += c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

std::vector<std::string> path_of(std::string_view variable) {
    std::vector<std::string> path;
    variable.remove_prefix(std::min(prefix.size(), variable.size()));
    while (!variable.empty()) {
        auto end = variable.find("__");
        path.push_back(folded(variable.substr(0, end)));
        variable.remove_prefix(end == std::string_view::npos ? variable.size() : end + 2);
    }
    return path;
}

Given& child(Given& table, const std::string& key, const Place& place) {
    for (auto& member : table.members)
        if (folded(member.key) == key) return member.value;
    table.members.push_back({key, place, {}});
    table.members.back().value.place = place;
    return table.members.back().value;
}

}  // namespace

const GivenMember* Given::find(std::string_view key) const {
    auto at = std::find_if(members.begin(), members.end(), [&](const GivenMember& m) { return m.key == key; });
    return at == members.end() ? nullptr : &*at;
}

GivenMember* Given::find(std::string_view key) { return const_cast<GivenMember*>(static_cast<const Given*>(this)->find(key)); }

std::string_view name_of(Given::Kind kind) {
    switch (kind) {
        case Given::Kind::text:
            return "text";
        case Given::Kind::integer:
            return "a whole number";
        case Given::Kind::real:
            return "a number";
        case Given::Kind::boolean:
            return "true or false";
        case Given::Kind::array:
            return "a list";
        case Given::Kind::table:
            return "a table";
        case Given::Kind::other:
            return "a date";
    }
    return "";
}

void overlay(Given& base, Given over) {
    if (base.kind != Given::Kind::table || over.kind != Given::Kind::table) {
        base = std::move(over);
        return;
    }
    for (auto& member : over.members) {
        if (auto* known = base.find(member.key)) {
            known->place = member.place;
            overlay(known->value, std::move(member.value));
        } else {
            base.members.push_back(std::move(member));
        }
    }
}

void set_from_environment(Given& root, std::string_view variable, std::string_view value) {
    Place place{std::string(variable)};
    auto path = path_of(variable);
    if (path.empty()) return;
    Given* at = &root;
    for (const auto& key : path) {
        if (at->kind != Given::Kind::table) *at = Given();
        at = &child(*at, key, place);
    }
    Given given;
    bool is_structure = value.starts_with('[') || value.starts_with('{');
    if (is_structure) {
        Diagnostics ignored;
        auto parsed = read_toml(std::string(variable), "value = " + std::string(value), ignored);
        if (const auto* member = parsed.find("value")) given = member->value;
        is_structure = ignored.all().empty();
    }
    if (!is_structure) {
        given.kind = Given::Kind::text;
        given.text = std::string(value);
        given.from_environment = true;
    }
    given.place = place;
    *at = std::move(given);
}

}  // namespace forebay::cli
