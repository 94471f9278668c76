#include "sqs/arguments.h"

#include "sqs/text.h"

namespace forebay::sqs {
namespace {

std::string_view kind_name(const json::Value& value) {
    switch (value.kind()) {
        case json::Kind::null:
            return "NULL_VALUE";
        case json::Kind::boolean:
            return value.boolean() ? "TRUE_VALUE" : "FALSE_VALUE";
        case json::Kind::number:
            return "NUMBER_VALUE";
        case json::Kind::string:
            return "STRING_VALUE";
        case json::Kind::array:
            return "START_ARRAY";
        case json::Kind::object:
            return "START_OBJECT";
    }
    return "";
}

Error wrong_type(const json::Value& value, std::string_view wanted) {
    return {ErrorKind::serialization, std::string(kind_name(value)) + " can not be converted to " + std::string(wanted)};
}

}  // namespace

json::Value* Arguments::find(std::string_view name) const {
    for (auto& [key, value] : members_->members())
        if (key == name) return value.is_null() ? nullptr : &value;
    return nullptr;
}

bool Arguments::has(std::string_view name) const { return find(name) != nullptr; }

Result<std::string, Error> Arguments::text_of(json::Value& value) const {
    if (!value.is_string()) return Failure{wrong_type(value, "String")};
    return value.take_text();
}

Result<std::optional<std::string>, Error> Arguments::text(std::string_view name) {
    auto* value = find(name);
    if (value == nullptr) return std::optional<std::string>();
    TRY_ASSIGN(std::string text, text_of(*value));
    return std::optional(std::move(text));
}

Result<std::string, Error> Arguments::required_text(std::string_view name) {
    TRY_ASSIGN(auto found, text(name));
    if (!found || found->empty()) return Failure{missing_parameter(name)};
    return std::move(*found);
}

Result<std::optional<std::int64_t>, Error> Arguments::integer(std::string_view name) {
    auto* value = find(name);
    if (value == nullptr) return std::optional<std::int64_t>();
    bool readable = value->is_number() || (typing_ == Typing::text_only && value->is_string());
    if (!readable) return Failure{wrong_type(*value, "Integer")};
    auto number = integer_of(value->text());
    if (!number) return Failure{invalid_value(value->text(), name, "Must be an integer.")};
    return number;
}

Result<std::vector<std::string>, Error> Arguments::texts(std::string_view name) {
    std::vector<std::string> out;
    auto* value = find(name);
    if (value == nullptr) return out;
    if (!value->is_array()) return Failure{wrong_type(*value, "List")};
    for (auto& element : value->elements()) {
        TRY_ASSIGN(auto text, text_of(element));
        out.push_back(std::move(text));
    }
    return out;
}

Result<std::optional<json::Value*>, Error> Arguments::find_object(std::string_view name) const {
    auto* value = find(name);
    if (value == nullptr) return std::optional<json::Value*>();
    if (!value->is_object()) return Failure{wrong_type(*value, "Map")};
    return std::optional(value);
}

Result<std::vector<std::pair<std::string, std::string>>, Error> Arguments::text_map(std::string_view name) {
    std::vector<std::pair<std::string, std::string>> out;
    TRY_ASSIGN(auto map, find_object(name));
    if (!map) return out;
    for (auto& [key, value] : (*map)->members()) {
        TRY_ASSIGN(auto text, text_of(value));
        out.emplace_back(key, std::move(text));
    }
    return out;
}

Result<std::vector<Arguments>, Error> Arguments::structures(std::string_view name) {
    std::vector<Arguments> out;
    auto* value = find(name);
    if (value == nullptr) return out;
    if (!value->is_array()) return Failure{wrong_type(*value, "List")};
    for (auto& element : value->elements()) {
        if (!element.is_object()) return Failure{wrong_type(element, "Structure")};
        out.emplace_back(element, typing_);
    }
    return out;
}

Result<std::vector<std::pair<std::string, Arguments>>, Error> Arguments::structure_map(std::string_view name) {
    std::vector<std::pair<std::string, Arguments>> out;
    TRY_ASSIGN(auto map, find_object(name));
    if (!map) return out;
    for (auto& [key, value] : (*map)->members()) {
        if (!value.is_object()) return Failure{wrong_type(value, "Structure")};
        out.emplace_back(key, Arguments(value, typing_));
    }
    return out;
}

}  // namespace forebay::sqs
