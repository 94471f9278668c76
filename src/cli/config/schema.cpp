#include <algorithm>

#include "cli/config/declare.h"
#include "cli/config/settings.h"

namespace forebay::cli {
namespace {

json::Value text_list(std::string_view kind) {
    auto values = json::Value::array();
    while (!kind.empty()) {
        auto end = kind.find(" | ");
        values.push(kind.substr(0, end));
        kind.remove_prefix(end == std::string_view::npos ? kind.size() : end + 3);
    }
    return values;
}

/// The schema of one kind of value, as Slot::kind names it.
json::Value of_kind(std::string_view kind) {
    json::Value out;
    if (kind == "true | false") return out.set("type", "boolean");
    if (kind == "true | false | unexpected") {
        auto values = json::Value::array();
        values.push(true);
        values.push(false);
        values.push("unexpected");
        return out.set("enum", std::move(values));
    }
    if (kind == "list of numbers") return out.set("type", "array").set("items", json::Value().set("type", "number"));
    if (kind == "number") return out.set("type", "number");
    if (kind.starts_with("list of ")) {
        auto inner = kind.substr(8);
        auto element = inner.find(" | ") != std::string_view::npos ? of_kind(inner) : json::Value().set("type", "string");
        return out.set("type", "array").set("items", std::move(element));
    }
    if (kind.find(" | ") != std::string_view::npos) return out.set("enum", text_list(kind));
    return out.set("type", "string");
}

std::string upper(std::string_view text) {
    std::string out;
    for (char c : text) out += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return out;
}

class Describing final : public Scope {
  public:
    explicit Describing(std::string variable) : variable_(std::move(variable)) {}

    void setting(std::string_view key, Slot slot, std::string_view help) override {
        auto described = of_kind(slot.kind);
        described.set("description",
                      std::string(help) + (slot.kind == "text" || slot.kind.find('|') != std::string::npos ? "" : " (" + slot.kind + ")"));
        auto value = slot.toml();
        auto parsed = json::parse(value.empty() ? "null" : value);
        if (!value.empty() && parsed) described.set("default", std::move(*parsed));
        described.set("x-environment", variable_ + "__" + upper(key));
        // A number, a size or a named list may be written in either of two ways.
        if (slot.kind == "size" || key == "min" || key == "max" || key == "value" || key == "must_be")
            described.set("type", two("string", "number", key == "must_be" ? "boolean" : ""));
        if (key == "values") described.set("type", two("string", "array", ""));
        properties_.set(key, std::move(described));
    }
    void table(std::string_view key, const Declaration& declare) override {
        Describing inner(variable_ + "__" + upper(key));
        declare(inner);
        properties_.set(key, std::move(inner).schema());
    }
    void texts_by_name(std::string_view key, std::vector<NamedText>&, std::string_view help) override {
        auto any = json::Value().set("type", "object").set("additionalProperties", of_kind("text"));
        properties_.set(key, std::move(any.set("description", help)));
    }
    void tables(std::string_view key, const NamedTables& named, bool) override {
        Describing inner(variable_ + "__" + upper(key) + "__NAME");
        named.declare_default(inner);
        properties_.set(key, json::Value().set("type", "object").set("additionalProperties", std::move(inner).schema()));
    }
    void later(std::initializer_list<std::string_view>) override {}

    json::Value schema() && {
        return json::Value().set("type", "object").set("properties", std::move(properties_)).set("additionalProperties", false);
    }

  private:
    static json::Value two(std::string_view a, std::string_view b, std::string_view c) {
        auto types = json::Value::array();
        for (auto type : {a, b, c})
            if (!type.empty()) types.push(type);
        return types;
    }

    std::string variable_;
    json::Value properties_ = json::Value::object();
};

}  // namespace

json::Value schema() {
    Configuration defaults;
    Describing describing("FOREBAY");
    declare(describing, defaults);
    auto out = json::Value().set("$schema", "https://json-schema.org/draft/2020-12/schema").set("title", "forebay.toml");
    auto inner = std::move(describing).schema();
    for (auto& [key, value] : inner.members()) out.set(key, std::move(value));
    return out;
}

}  // namespace forebay::cli
