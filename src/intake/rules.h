#pragma once
// The configuration made ready for work: endpoints by path, rules with their patterns, keys as bytes.
// Never changed after it was made; a reload makes a new one, and posts under way keep theirs.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "intake/check_field.h"
#include "intake/endpoint.h"
#include "intake/name_table.h"
#include "metrics/metrics.h"

namespace forebay::intake {

/// Numbers of an endpoint. The ones that few posts need are looked up when they are needed.
class Counters {
  public:
    Counters(metrics::Registry& registry, std::string endpoint);
    metrics::Counter& accepted;
    metrics::Counter& duplicate;
    metrics::Counter& key_reused;
    metrics::Counter& same_content;
    metrics::Histogram& took;
    void count_refused(std::string_view code);
    void count_request(unsigned status);

  private:
    metrics::Registry& registry_;
    std::string endpoint_;
    metrics::Counter& requests_accepted_;
    metrics::Counter& requests_redirected_;
};

struct PreparedKey {
    std::string name;  ///< "key:website"
    std::string id;
    std::string hash;  ///< 32 bytes
    std::optional<Rate> rate;
};
struct PreparedSite {
    std::string name;  ///< "site:quotes"
    std::vector<std::string> origins;
    Duration token_ttl;
    std::optional<Rate> rate;
};

/// What a field of a post is, by name: a rule's index, or one of these.
enum class Special : int { id = 100'000, token, next, honeypot, key_id, key_secret };

struct PreparedEndpoint {
    PreparedEndpoint(Endpoint endpoint, metrics::Registry& registry);

    Endpoint spec;
    std::vector<Rule> rules;
    std::vector<bool> is_content;  ///< by rule: listed in idempotency.content
    NameTable names;
    std::vector<PreparedKey> keys;
    std::vector<PreparedSite> sites;
    mutable Counters counters;

    bool accepts(MediaKind kind) const;
    bool needs_auth() const { return !spec.auth.empty(); }
    /// The site that lists this origin, or null.
    const PreparedSite* site_of(std::string_view origin) const;
};

bool origin_matches(std::string_view origin, std::string_view pattern);

class Rules {
  public:
    static Result<std::shared_ptr<const Rules>, std::string> prepare(const std::vector<Endpoint>& endpoints, const std::vector<Key>& keys,
                                                                     const std::vector<Site>& sites, metrics::Registry& registry);
    const PreparedEndpoint* at_path(std::string_view path) const;
    const PreparedEndpoint* named(std::string_view name) const;
    const std::vector<std::unique_ptr<PreparedEndpoint>>& all() const { return endpoints_; }
    /// The first endpoint that takes posts from the site of that name.
    const PreparedEndpoint* of_site(std::string_view name) const;

  private:
    std::vector<std::unique_ptr<PreparedEndpoint>> endpoints_;
    NameTable by_path_;
};

}  // namespace forebay::intake
