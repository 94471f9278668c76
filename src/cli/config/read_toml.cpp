// The one file that knows toml++ (it takes seconds to compile).
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>

#include "cli/config/given.h"

namespace forebay::cli {
namespace {

Place place_of(const std::string& file, const toml::source_region& region) {
    Place place{file, region.begin.line, region.begin.column};
    bool one_line = region.end.line == region.begin.line && region.end.column > region.begin.column;
    place.length = one_line ? region.end.column - region.begin.column : 1;
    return place;
}

/// Whether the place is behind the last character of its line.
bool is_line_end(std::string_view text, const Place& place) {
    for (std::size_t line = 1; line < place.line; ++line) text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
    auto width = std::min(text.find('\n'), text.size());
    return place.column > width;
}

std::string text_of(double number) {
    char digits[64];
    auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    return std::string(digits, end);
}

class Translation {
  public:
    explicit Translation(const std::string& file) : file_(file) {}

    Given table(const toml::table& from) const {
        Given given;
        given.place = place_of(file_, from.source());
        for (auto&& [key, node] : from) {
            auto place = place_of(file_, key.source());
            given.members.push_back({std::string(key.str()), place, value(node)});
        }
        // toml++ sorts by name; what follows goes by the order of the file.
        std::stable_sort(given.members.begin(), given.members.end(), [](const GivenMember& a, const GivenMember& b) {
            return std::pair(a.place.line, a.place.column) < std::pair(b.place.line, b.place.column);
        });
        return given;
    }

  private:
    Given value(const toml::node& node) const {
        if (const auto* inner = node.as_table()) return table(*inner);
        Given given;
        given.place = place_of(file_, node.source());
        if (const auto* array = node.as_array()) {
            given.kind = Given::Kind::array;
            for (const auto& element : *array) given.elements.push_back(value(element));
        } else if (const auto* text = node.as_string()) {
            given.kind = Given::Kind::text;
            given.text = text->get();
        } else if (const auto* whole = node.as_integer()) {
            given.kind = Given::Kind::integer;
            given.text = std::to_string(whole->get());
        } else if (const auto* real = node.as_floating_point()) {
            given.kind = Given::Kind::real;
            given.text = text_of(real->get());
        } else if (const auto* flag = node.as_boolean()) {
            given.kind = Given::Kind::boolean;
            given.text = flag->get() ? "true" : "false";
        } else {
            given.kind = Given::Kind::other;
        }
        return given;
    }

    const std::string& file_;
};

}  // namespace

Given read_toml(const std::string& file, std::string_view text, Diagnostics& diagnostics) {
    diagnostics.add_source(file, text);
    auto parsed = toml::parse(text, file);
    if (!parsed) {
        auto place = place_of(file, parsed.error().source());
        auto why = std::string(parsed.error().description());
        if (why.find("control characters") != std::string::npos && is_line_end(text, place))
            why = "a text in quotes must end on its line, with the quote it began with";
        diagnostics.error(place, why);
        return {};
    }
    return Translation(file).table(parsed.table());
}

}  // namespace forebay::cli
