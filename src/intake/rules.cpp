#include "intake/rules.h"

#include <algorithm>

namespace forebay::intake {
namespace {

metrics::Labels labels(const std::string& endpoint, std::string_view name, std::string_view value) {
    return {{"endpoint", endpoint}, {std::string(name), std::string(value)}};
}

std::string sentence(const Problem& problem) { return problem.where + ": " + problem.what; }

bool may_use(const std::vector<std::string>& endpoints, const std::string& endpoint) {
    return endpoints.empty() || std::find(endpoints.begin(), endpoints.end(), endpoint) != endpoints.end();
}

/// Adds the keys and sites that the endpoint's `auth` names.
Result<void, std::string> add_auth(PreparedEndpoint& endpoint, const std::vector<Key>& keys, const std::vector<Site>& sites) {
    for (auto& who : endpoint.spec.auth) {
        bool known = false;
        for (auto& key : keys) {
            if (who != "key:" + key.name) continue;
            if (!may_use(key.endpoints, endpoint.spec.name))
                return Failure{"endpoint." + endpoint.spec.name + ".auth: key." + key.name + ".endpoints does not list this endpoint"};
            endpoint.keys.push_back(
                {who, key.id.empty() ? key.name : key.id, from_hex(std::string_view(key.hash).substr(7)).value(), key.rate});
            known = true;
        }
        for (auto& site : sites) {
            if (who != "site:" + site.name) continue;
            if (!may_use(site.endpoints, endpoint.spec.name))
                return Failure{"endpoint." + endpoint.spec.name + ".auth: site." + site.name + ".endpoints does not list this endpoint"};
            endpoint.sites.push_back({who, site.origins, site.token_ttl, site.rate});
            known = true;
        }
        if (!known) return Failure{"endpoint." + endpoint.spec.name + ".auth: there is no \"" + who + "\""};
    }
    return {};
}

Result<void, std::string> first_problem(const std::vector<Problem>& problems) {
    if (problems.empty()) return {};
    return Failure{sentence(problems.front())};
}

}  // namespace

Counters::Counters(metrics::Registry& registry, std::string endpoint)
    : accepted(registry.counter("forebay_records_accepted_total", labels(endpoint, "durable", "journal"))),
      duplicate(registry.counter("forebay_records_duplicate_total", labels(endpoint, "kind", "key"))),
      key_reused(registry.counter("forebay_records_duplicate_total", labels(endpoint, "kind", "key_reused"))),
      same_content(registry.counter("forebay_records_duplicate_total", labels(endpoint, "kind", "content"))),
      took(registry.histogram("forebay_request_duration_seconds", {{"endpoint", endpoint}})),
      registry_(registry),
      endpoint_(endpoint),
      requests_accepted_(registry.counter("forebay_requests_total", labels(endpoint, "code", "202"))),
      requests_redirected_(registry.counter("forebay_requests_total", labels(endpoint, "code", "303"))) {}

void Counters::count_refused(std::string_view code) {
    registry_.counter("forebay_records_refused_total", labels(endpoint_, "code", code)).add();
}

void Counters::count_request(unsigned status) {
    if (status == 202) return requests_accepted_.add();
    if (status == 303) return requests_redirected_.add();
    registry_.counter("forebay_requests_total", labels(endpoint_, "code", std::to_string(status))).add();
}

PreparedEndpoint::PreparedEndpoint(Endpoint endpoint, metrics::Registry& registry)
    : spec(std::move(endpoint)), counters(registry, spec.name) {
    if (spec.path.empty()) spec.path = "/v1/" + spec.name;
    if (spec.title.empty()) spec.title = spec.name;
    for (auto [name, special] : {std::pair{&spec.key_secret_field, Special::key_secret},
                                 {&spec.key_id_field, Special::key_id},
                                 {&spec.idempotency.field, Special::id},
                                 {&spec.form.token_field, Special::token},
                                 {&spec.form.next_field, Special::next},
                                 {&spec.form.honeypot, Special::honeypot}})
        if (!name->empty()) names.add(*name, static_cast<int>(special));
    for (auto& field : spec.fields) {
        auto index = static_cast<int>(rules.size());
        rules.emplace_back(field);
        const auto& counted = spec.idempotency.content.fields;
        is_content.push_back(std::find(counted.begin(), counted.end(), field.name) != counted.end());
        names.add(field.name, index);
        for (auto& alias : field.aliases) names.add(alias, index);
    }
}

bool PreparedEndpoint::accepts(MediaKind kind) const {
    return std::find(spec.accepts.begin(), spec.accepts.end(), kind) != spec.accepts.end();
}

bool origin_matches(std::string_view origin, std::string_view pattern) {
    auto star = pattern.find("//*.");
    if (star == std::string_view::npos) return origin == pattern;
    auto scheme = pattern.substr(0, star + 2), suffix = pattern.substr(star + 3);  // "https://" and ".example.com"
    if (!origin.starts_with(scheme) || !origin.ends_with(suffix) || origin.size() <= scheme.size() + suffix.size()) return false;
    auto labels = origin.substr(scheme.size(), origin.size() - scheme.size() - suffix.size());
    return labels.front() != '.' && std::all_of(labels.begin(), labels.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
           });
}

const PreparedSite* PreparedEndpoint::site_of(std::string_view origin) const {
    for (auto& site : sites)
        for (auto& pattern : site.origins)
            if (origin_matches(origin, pattern)) return &site;
    return nullptr;
}

Result<std::shared_ptr<const Rules>, std::string> Rules::prepare(const std::vector<Endpoint>& endpoints, const std::vector<Key>& keys,
                                                                 const std::vector<Site>& sites, metrics::Registry& registry) {
    for (auto& key : keys) TRY(first_problem(problems_of(key)));
    for (auto& site : sites) TRY(first_problem(problems_of(site)));
    auto rules = std::make_shared<Rules>();
    for (auto& spec : endpoints) {
        TRY(first_problem(problems_of(spec)));
        auto endpoint = std::make_unique<PreparedEndpoint>(spec, registry);
        TRY(add_auth(*endpoint, keys, sites));
        if (rules->at_path(endpoint->spec.path) != nullptr)
            return Failure{"endpoint." + spec.name + ".path: " + endpoint->spec.path + " is taken by another endpoint"};
        if (rules->named(spec.name) != nullptr) return Failure{"endpoint." + spec.name + ": there are two of that name"};
        rules->by_path_.add(endpoint->spec.path, static_cast<int>(rules->endpoints_.size()));
        rules->endpoints_.push_back(std::move(endpoint));
    }
    return std::shared_ptr<const Rules>(std::move(rules));
}

const PreparedEndpoint* Rules::at_path(std::string_view path) const {
    auto found = by_path_.find(path);
    return found == NameTable::none ? nullptr : endpoints_[static_cast<std::size_t>(found)].get();
}

const PreparedEndpoint* Rules::named(std::string_view name) const {
    for (auto& endpoint : endpoints_)
        if (endpoint->spec.name == name) return endpoint.get();
    return nullptr;
}

const PreparedEndpoint* Rules::of_site(std::string_view name) const {
    auto wanted = "site:" + std::string(name);
    for (auto& endpoint : endpoints_)
        for (auto& site : endpoint->sites)
            if (site.name == wanted) return endpoint.get();
    return nullptr;
}

}  // namespace forebay::intake
