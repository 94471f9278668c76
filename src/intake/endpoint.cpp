#include "intake/endpoint.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>

#include "base/digest.h"
#include "intake/check_field.h"

namespace forebay::intake {
namespace {

template <class E>
struct Word {
    std::string_view text;
    E value;
};
template <class E, std::size_t N>
std::optional<E> look_up(std::string_view text, const Word<E> (&words)[N]) {
    for (auto& word : words)
        if (word.text == text) return word.value;
    return std::nullopt;
}

std::string_view next_word(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    auto word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    return word;
}

std::optional<double> seconds_of(std::string_view unit) {
    if (unit == "s") return 1;
    if (unit == "m" || unit == "min") return 60;
    if (unit == "h") return 3600;
    if (unit == "d") return 86400;
    return std::nullopt;
}

std::optional<double> positive(std::string_view text) {
    double n = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc() || end != text.data() + text.size() || !(n > 0) || n > 1e9) return std::nullopt;
    return n;
}

bool has_length(FieldType type) { return type == FieldType::string || type == FieldType::email || type == FieldType::url; }
bool is_number(FieldType type) { return type == FieldType::integer || type == FieldType::decimal; }
bool is_count(std::string_view text) {
    return !text.empty() && text.size() < 10 && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Collects problems under one TOML table.
class Findings {
  public:
    explicit Findings(std::string table) : table_(std::move(table)) {}
    void add(std::string_view key, std::string what) {
        found_.push_back({table_ + (key.empty() ? "" : ".") + std::string(key), std::move(what)});
    }
    void need(bool good, std::string_view key, std::string what) {
        if (!good) add(key, std::move(what));
    }
    void take(std::vector<Problem> more) { found_.insert(found_.end(), more.begin(), more.end()); }
    std::vector<Problem> found() { return std::move(found_); }

  private:
    std::string table_;
    std::vector<Problem> found_;
};

void check_bound(Findings& findings, const Field& field, std::string_view key, const std::string& bound) {
    if (bound.empty()) return;
    if (has_length(field.type))
        findings.need(is_count(bound), key, "must be a number of characters");
    else if (is_number(field.type))
        findings.need(normal_decimal(bound) == bound, key, "must be a number, like 1000 or 0.5");
    else if (field.type == FieldType::date)
        findings.need(is_date(bound), key, "must be a date, like 2026-01-31");
    else
        findings.add(key, "means nothing for a field of this type");
}

std::vector<Problem> problems_of(const Field& field, const std::string& table) {
    Findings findings(table + "." + field.name);
    findings.need(!field.name.empty(), "", "a field needs a name");
    check_bound(findings, field, "min", field.min);
    check_bound(findings, field, "max", field.max);
    if (!field.pattern.empty()) {
        RE2::Options options;
        options.set_log_errors(false);
        RE2 pattern(field.pattern, options);
        findings.need(pattern.ok(), "pattern", "is not a regular expression of RE2: " + pattern.error());
    }
    bool is_enum = field.type == FieldType::enumeration;
    findings.need(is_enum || field.values.empty(), "values", "belongs to type = \"enum\"");
    findings.need(!is_enum || !field.values.empty(), "values", "is missing: an enum lists what is allowed, or names \"@us_states\"");
    for (auto& value : field.values)
        findings.need(!value.starts_with('@') || value == "@us_states", "values",
                      "\"" + value + "\" is no built-in list; there is \"@us_states\"");
    findings.need(field.type != FieldType::phone || is_phone_region(field.region), "region",
                  "\"" + field.region + "\" is not known; write a country such as \"US\", or \"any\"");
    findings.need(field.hosts.empty() || field.type == FieldType::url, "hosts", "belongs to type = \"url\"");
    findings.need(field.as.empty() || field.as == "value", "as", "can only be \"value\"");
    findings.need(field.as.empty() || is_number(field.type), "as", "\"value\" needs a decimal or an integer");
    return findings.found();
}

bool is_origin(std::string_view text) {
    auto host = text.substr(text.starts_with("https://") ? 8 : text.starts_with("http://") ? 7 : text.size());
    if (host.starts_with("*.")) host.remove_prefix(2);
    return !host.empty() && host.find_first_of("/*@?# ") == std::string_view::npos;
}

}  // namespace

std::optional<FieldType> field_type_of(std::string_view text) {
    static constexpr Word<FieldType> words[] = {
        {"string", FieldType::string},    {"email", FieldType::email},     {"phone", FieldType::phone},
        {"enum", FieldType::enumeration}, {"integer", FieldType::integer}, {"decimal", FieldType::decimal},
        {"bool", FieldType::boolean},     {"url", FieldType::url},         {"date", FieldType::date}};
    return look_up(text, words);
}

std::optional<Clean> clean_of(std::string_view text) {
    static constexpr Word<Clean> words[] = {{"trim", Clean::trim},   {"lower", Clean::lower},   {"upper", Clean::upper},
                                            {"title", Clean::title}, {"digits", Clean::digits}, {"collapse", Clean::collapse}};
    return look_up(text, words);
}

Result<Rate, std::string> parse_rate(std::string_view text) {
    Rate rate;
    rate.text = text;
    auto per = next_word(text);
    auto slash = per.find('/');
    auto count = positive(per.substr(0, slash));
    auto unit = slash == std::string_view::npos ? std::nullopt : seconds_of(per.substr(slash + 1));
    if (!count || !unit) return Failure{"a rate is written like \"50/s burst 200\" or \"5/m per ip burst 10\""};
    rate.per_second = *count / *unit;
    rate.burst = std::max(1.0, *count);
    for (auto word = next_word(text); !word.empty(); word = next_word(text)) {
        if (word == "per") {
            if (next_word(text) != "ip") return Failure{"a rate is counted \"per ip\" or not at all"};
            rate.per_ip = true;
        } else if (word == "burst") {
            auto burst = positive(next_word(text));
            if (!burst || *burst < 1) return Failure{"burst needs a number of 1 or more"};
            rate.burst = *burst;
        } else {
            return Failure{"\"" + std::string(word) + "\" is no part of a rate; write \"5/m per ip burst 10\""};
        }
    }
    return rate;
}

std::vector<Problem> problems_of(const Endpoint& endpoint) {
    Findings findings("endpoint." + endpoint.name);
    findings.need(!endpoint.name.empty(), "", "an endpoint needs a name");
    findings.need(endpoint.path.empty() || endpoint.path.starts_with('/'), "path", "must begin with /");
    findings.need(!endpoint.queue.empty(), "queue", "is missing: accepted records need a queue to go to");
    findings.need(!endpoint.accepts.empty(), "accepts", "must name json, form or multipart");
    findings.need(endpoint.ok_status >= 200 && endpoint.ok_status <= 202, "ok_status", "must be 200, 201 or 202");
    findings.need(endpoint.value.empty() || normal_decimal(endpoint.value) == endpoint.value, "value", "must be an amount, like 42.00");
    findings.need(endpoint.key_id_field.empty() || !endpoint.key_secret_field.empty(), "key_fields.key", "is missing beside key_fields.id");
    for (auto& name : endpoint.auth)
        findings.need(name.starts_with("key:") || name.starts_with("site:"), "auth",
                      "\"" + name + "\" is neither \"key:NAME\" nor \"site:NAME\"");
    std::vector<std::string_view> names;
    for (auto& field : endpoint.fields) {
        findings.take(problems_of(field, "endpoint." + endpoint.name + ".fields"));
        names.push_back(field.name);
        names.insert(names.end(), field.aliases.begin(), field.aliases.end());
    }
    for (auto& counted : endpoint.idempotency.content.fields) {
        bool is_there = std::any_of(endpoint.fields.begin(), endpoint.fields.end(), [&](auto& field) { return field.name == counted; });
        findings.need(is_there, "idempotency.content.fields", "there is no field \"" + counted + "\" in this endpoint");
    }
    std::sort(names.begin(), names.end());
    if (auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end())
        findings.add("fields", "the name \"" + std::string(*twice) + "\" is used twice");
    return findings.found();
}

std::vector<Problem> problems_of(const Key& key) {
    Findings findings("key." + key.name);
    std::string_view hash = key.hash;
    bool good = hash.starts_with("sha256:") && hash.size() == 71 && from_hex(hash.substr(7));
    findings.need(good, "hash", "must be \"sha256:\" and 64 hex digits");
    return findings.found();
}

std::vector<Problem> problems_of(const Site& site) {
    Findings findings("site." + site.name);
    findings.need(!site.origins.empty(), "origins", "is missing: list the addresses of the pages that may post");
    for (auto& origin : site.origins)
        findings.need(is_origin(origin), "origins",
                      "\"" + origin + "\" is no origin; write it like \"https://quotes.example.com\" or \"https://*.example.com\"");
    return findings.found();
}

}  // namespace forebay::intake
