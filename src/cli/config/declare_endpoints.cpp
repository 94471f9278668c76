// [endpoint.NAME], [key.NAME], [site.NAME]: what may be posted, and by whom.
#include <memory>

#include "cli/config/declare.h"

namespace forebay::cli {
namespace {

using namespace intake;

Slot rate(std::optional<Rate>& field) {
    return {"rate",
            [&field](const Given& given) -> std::optional<std::string> {
                auto rate = parse_rate(given.kind == Given::Kind::text ? given.text : std::string());
                if (!rate) return "must be a rate such as \"50/s burst 200\" or \"5/m per ip burst 10\": " + rate.error();
                field = *rate;
                return std::nullopt;
            },
            [&field] { return field ? in_quotes(field->text) : std::string(); }};
}

/// A number, a date or a text kept as it was written.
Slot as_written(std::string& field, std::string kind) {
    return {std::move(kind),
            [&field](const Given& given) -> std::optional<std::string> {
                if (given.kind == Given::Kind::array || given.kind == Given::Kind::table || given.kind == Given::Kind::other)
                    return "must be a number or a text in quotes, not " + std::string(name_of(given.kind));
                field = given.text;
                return std::nullopt;
            },
            [&field] {
                bool is_bare =
                    !field.empty() && field.find_first_not_of("0123456789") == std::string::npos && (field[0] != '0' || field.size() == 1);
                if (field == "true" || field == "false" || is_bare) return field;
                return field.empty() ? std::string() : in_quotes(field);
            }};
}

/// `values = ["a", "b"]` or `values = "@us_states"`.
Slot values_slot(std::vector<std::string>& field) {
    auto slot = texts(field);
    slot.take = [&field, list = slot.take](const Given& given) -> std::optional<std::string> {
        if (given.kind != Given::Kind::text || given.from_environment) return list(given);
        if (!given.text.starts_with('@'))
            return "must be a list of texts or a named list such as \"@us_states\", not " + in_quotes(given.text);
        field = {given.text};
        return std::nullopt;
    };
    slot.toml = [&field, list = slot.toml] {
        if (field.size() == 1 && field[0].starts_with('@')) return in_quotes(field[0]);
        return field.empty() ? std::string() : list();
    };
    return slot;
}

template <class E>
using Names = std::vector<std::pair<std::string, E>>;

/// A list of enumerators by their names.
template <class E>
Slot enums(std::vector<E>& field, const Names<E>& names) {
    Choices known;
    for (const auto& [name, value] : names) known.now.push_back(name);
    auto words = std::make_shared<std::vector<std::string>>();
    auto slot = choices(*words, known);
    slot.take = [&field, names, words, take = slot.take](const Given& given) -> std::optional<std::string> {
        auto problem = take(given);
        if (problem) return problem;
        field.clear();
        for (const auto& word : *words)
            for (const auto& [name, value] : names)
                if (name == word) field.push_back(value);
        return std::nullopt;
    };
    slot.toml = [&field, names, words, toml = slot.toml] {
        words->clear();
        for (auto value : field)
            for (const auto& [name, known] : names)
                if (known == value) words->push_back(name);
        return words->empty() ? std::string() : toml();
    };
    return slot;
}

const Names<FieldType> field_types = {{"string", FieldType::string},    {"email", FieldType::email},     {"phone", FieldType::phone},
                                      {"enum", FieldType::enumeration}, {"integer", FieldType::integer}, {"decimal", FieldType::decimal},
                                      {"bool", FieldType::boolean},     {"url", FieldType::url},         {"date", FieldType::date}};
const Names<Clean> cleanings = {{"trim", Clean::trim},   {"lower", Clean::lower},   {"upper", Clean::upper},
                                {"title", Clean::title}, {"digits", Clean::digits}, {"collapse", Clean::collapse}};
const Names<MediaKind> media = {{"json", MediaKind::json}, {"form", MediaKind::form}, {"multipart", MediaKind::multipart}};

void declare_field(Scope& s, Field& field) {
    s.setting("type", choice<FieldType>(field.type, field_types), "what the value must be");
    s.setting("required", flag(field.required), "a post without it is refused");
    s.setting("min", as_written(field.min, "number"), "least value of a number or date, least characters of a text");
    s.setting("max", as_written(field.max, "number"), "greatest value of a number or date, most characters of a text");
    s.setting("pattern", text(field.pattern), "regular expression (RE2) found in the value");
    s.setting("clean", enums<Clean>(field.clean, cleanings), "what is done to the value before it is checked");
    s.setting("aliases", texts(field.aliases), "other names that clients use");
    s.setting("must_be", as_written(field.must_be, "text"), "the only value that is accepted");
    s.setting("as", choice(field.as, {{"value"}, {}}), "\"value\": the money at stake in this record");
    s.setting("values", values_slot(field.values), "of an enum: what is allowed");
    s.setting("region", text(field.region), "of a phone number without a country code");
    s.setting("hosts", texts(field.hosts), "of a url: the hosts that are allowed");
    s.setting("label", text(field.label), "on the form and the error page");
}

void declare_idempotency(Scope& s, Idempotency& idempotency) {
    s.setting("header", text(idempotency.header), "request header with the client's key");
    s.setting("field", text(idempotency.field), "form field with the client's key");
    s.setting("window", duration(idempotency.window), "how long the same key is the same record");
    s.setting("reuse", choice<Reuse>(idempotency.reuse, {{"accept", Reuse::accept}, {"refuse", Reuse::refuse}}),
              "the same key with another body");
    s.table("content", [&](Scope& inner) {
        auto& content = idempotency.content;
        inner.setting("fields", texts(content.fields), "posts in which these are the same are the same submission");
        inner.setting("window", duration(content.window), "how long they are");
        inner.setting("action",
                      choice<Another>(content.action, {{"flag", Another::flag}, {"merge", Another::merge}, {"refuse", Another::refuse}}),
                      "what another one gets: a flag, the first one's answer, or 422");
    });
}

void declare_form(Scope& s, Form& form) {
    s.setting("thanks", text(form.thanks), "page after an accepted post, with {id} and {endpoint}; empty = our own");
    s.setting("error", text(form.error), "page after a refused post, with {code}, {field} and {id}; empty = our own");
    s.table("next", [&](Scope& inner) {
        inner.setting("field", text(form.next_field), "form field that names the next page");
        inner.setting("hosts", texts(form.next_hosts), "hosts it may name; without any it is not obeyed");
    });
    s.setting("honeypot", text(form.honeypot), "field that people do not see: filled in means a robot");
    s.setting("min_time", duration(form.min_time), "faster posts come from robots");
    s.setting("token_field", text(form.token_field), "form field with the form's token");
}

void declare_limits(Scope& s, PostLimits& limits) {
    s.setting("fields_max", long_count(limits.fields_max), "fields of one post");
    s.setting("parts_max", long_count(limits.parts_max), "parts of one multipart post");
    s.setting("name_bytes_max", long_count(limits.name_bytes_max), "bytes of one field's name");
}

void declare_endpoint(Scope& s, Endpoint& endpoint) {
    s.setting("path", text(endpoint.path), "of the URL; /v1/NAME if it is not set");
    s.setting("accepts", enums<MediaKind>(endpoint.accepts, media), "forms a post may have");
    s.setting("auth", texts(endpoint.auth), "who may post: key:NAME, site:NAME; without any, everybody");
    s.table("key_fields", [&](Scope& inner) {
        inner.setting("id", text(endpoint.key_id_field), "form field with the key's id");
        inner.setting("key", text(endpoint.key_secret_field), "form field with the key's secret");
    });
    s.setting("queue", text(endpoint.queue), "where accepted records go");
    s.setting("ok_status", count(endpoint.ok_status, 200, 202), "status of an accepted post");
    s.setting("dialect", choice<Dialect>(endpoint.dialect, {{"problem+json", Dialect::problem}, {"leadconduit", Dialect::leadconduit}}),
              "of answers");
    s.setting("on_reject", choice<OnReject>(endpoint.on_reject, {{"quarantine", OnReject::quarantine}, {"discard", OnReject::discard}}),
              "whether refused posts are kept");
    s.setting("unknown", choice<Unknown>(endpoint.unknown, {{"keep", Unknown::keep}, {"drop", Unknown::drop}, {"refuse", Unknown::refuse}}),
              "what is done with fields that are not listed");
    s.setting("value", as_written(endpoint.value, "number"), "money at stake in each record");
    s.setting("currency", text(endpoint.currency), "of it");
    s.setting("title", text(endpoint.title), "of the form, thank-you and error page");
    s.table("idempotency", [&](Scope& inner) { declare_idempotency(inner, endpoint.idempotency); });
    s.table("form", [&](Scope& inner) { declare_form(inner, endpoint.form); });
    s.table("limits", [&](Scope& inner) { declare_limits(inner, endpoint.limits); });
    each(s, "fields", endpoint.fields, declare_field, true);
}

/// A text that is printed masked. It is no secret itself, but a secret written there by mistake must not show.
Slot hash(std::string& field) {
    auto slot = text(field);
    slot.take = [take = slot.take](const Given& given) -> std::optional<std::string> {
        if (given.kind == Given::Kind::text && !given.text.starts_with("sha256:"))
            return "is a secret in clear text; write the hash that `forebay key new` prints";
        return take(given);
    };
    slot.is_secret = true;
    return slot;
}

/// What keys and sites have in common.
template <class Poster>
void declare_poster(Scope& s, Poster& poster) {
    s.setting("endpoints", texts(poster.endpoints), "where it may post; every endpoint that names it if it is not set");
    s.setting("rate", rate(poster.rate), "faster posts get 429");
}

void declare_key(Scope& s, Key& key) {
    s.setting("id", text(key.id), "what comes as X-Api-Id; the name if it is not set");
    s.setting("hash", hash(key.hash), "sha256: and the hash that `forebay key new` prints");
    declare_poster(s, key);
}

void declare_site(Scope& s, Site& site) {
    s.setting("origins", texts(site.origins), "web pages that may post from a browser");
    declare_poster(s, site);
    s.setting("token_ttl", duration(site.token_ttl), "how long a form's token is good");
}

}  // namespace

void declare_endpoints(Scope& root, Configuration& c) {
    each(root, "key", c.keys, declare_key);
    each(root, "site", c.sites, declare_site);
    each(root, "endpoint", c.endpoints, declare_endpoint);
}

}  // namespace forebay::cli
