#include "intake/post.h"

#include <algorithm>

#include "base/json.h"
#include "intake/utf8.h"
#include "record/text.h"

namespace forebay::intake {
namespace {

bool same_ignoring_case(std::string_view a, std::string_view b) {
    auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) { return lower(x) == lower(y); });
}
std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

std::optional<MediaKind> kind_of(std::string_view name) {
    if (same_ignoring_case(name, "application/json")) return MediaKind::json;
    if (same_ignoring_case(name, "application/x-www-form-urlencoded")) return MediaKind::form;
    if (same_ignoring_case(name, "multipart/form-data")) return MediaKind::multipart;
    // application/vnd.example+json
    if (name.size() > 17 && same_ignoring_case(name.substr(0, 12), "application/") &&
        same_ignoring_case(name.substr(name.size() - 5), "+json"))
        return MediaKind::json;
    return std::nullopt;
}

void take_parameter(MediaType& type, std::string_view name, std::string_view value) {
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    if (same_ignoring_case(name, "boundary")) type.boundary = value;
    if (same_ignoring_case(name, "charset"))
        type.charset_ok = same_ignoring_case(value, "utf-8") || same_ignoring_case(value, "utf8") || same_ignoring_case(value, "us-ascii");
}

}  // namespace

MediaType media_type_of(std::string_view content_type) {
    MediaType type;
    auto semicolon = content_type.find(';');
    type.kind = kind_of(trimmed(content_type.substr(0, semicolon)));
    while (semicolon != std::string_view::npos) {
        content_type.remove_prefix(semicolon + 1);
        semicolon = content_type.find(';');
        auto parameter = trimmed(content_type.substr(0, semicolon));
        if (auto equals = parameter.find('='); equals != std::string_view::npos)
            take_parameter(type, trimmed(parameter.substr(0, equals)), trimmed(parameter.substr(equals + 1)));
    }
    return type;
}

Result<void, ReadError> Post::read(const MediaType& type, std::string_view body, const PostLimits& limits) {
    inputs_.clear();
    owned_.clear();
    switch (type.kind.value_or(MediaKind::json)) {
        case MediaKind::json:
            TRY(read_json(body, limits));
            break;
        case MediaKind::form:
            TRY(read_form(body, limits));
            break;
        case MediaKind::multipart:
            TRY(read_multipart(type.boundary, body, limits));
            break;
    }
    for (auto& input : inputs_)
        if (input.name.size() > limits.name_bytes_max)
            return Failure{ReadError{"name_too_long", "a field name is longer than " + std::to_string(limits.name_bytes_max) + " bytes"}};
    if (auto error = find_duplicate()) return Failure{std::move(*error)};
    return {};
}

std::optional<ReadError> Post::find_duplicate() const {
    auto error = [](std::string_view name) {
        return ReadError{"duplicate_field", "the field \"" + std::string(name) + "\" was sent twice"};
    };
    constexpr std::size_t few = 32;
    if (inputs_.size() <= few) {
        for (std::size_t i = 1; i < inputs_.size(); ++i)
            for (std::size_t j = 0; j < i; ++j)
                if (inputs_[i].name == inputs_[j].name) return error(inputs_[i].name);
        return std::nullopt;
    }
    // Sorting cannot be made slow by names that somebody chose to collide.
    std::vector<std::string_view> names;
    names.reserve(inputs_.size());
    for (auto& input : inputs_) names.push_back(input.name);
    std::sort(names.begin(), names.end());
    auto twice = std::adjacent_find(names.begin(), names.end());
    return twice == names.end() ? std::nullopt : std::optional(error(*twice));
}

void Post::gather_lists() {
    auto is_list = [](const Input& input) { return input.name.size() > 2 && input.name.ends_with("[]"); };
    if (std::none_of(inputs_.begin(), inputs_.end(), is_list)) return;
    struct List {
        std::string_view name;  // with its brackets
        std::size_t place;      // in out
        std::string json;       // without the last ']'
    };
    std::vector<Input> out;
    std::vector<List> lists;
    for (auto& input : inputs_) {
        if (!is_list(input)) {
            out.push_back(input);
            continue;
        }
        auto list = std::find_if(lists.begin(), lists.end(), [&](auto& known) { return known.name == input.name; });
        if (list == lists.end()) {
            list = lists.insert(lists.end(), {input.name, out.size(), "["});
            out.push_back({input.name.substr(0, input.name.size() - 2), {}, Input::Kind::nested});
        } else {
            list->json += ',';
        }
        if (input.kind == Input::Kind::nested)
            list->json += input.text;
        else
            record::append_json_string(list->json, input.text);
    }
    for (auto& list : lists) out[list.place].text = owned_.emplace_back(std::move(list.json) + "]");
    inputs_ = std::move(out);
}

}  // namespace forebay::intake
