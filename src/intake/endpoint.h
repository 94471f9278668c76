#pragma once
// What may be posted, where and by whom: plain structs that cli/ fills from TOML. Each member says the key
// it comes from. Nothing here is checked; problems_of() says what is wrong with it, so that `forebay check`
// and Intake::open() agree.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "record/envelope.h"

namespace forebay::intake {

/// "50/s burst 200", "5/m per ip burst 10". Counted per key or site, or with `per_ip` per client address too.
struct Rate {
    double per_second = 0;
    double burst = 1;
    bool per_ip = false;
    std::string text;  ///< as written, for the RateLimit-Policy header
    bool operator==(const Rate&) const = default;
};
/// Reads `N/UNIT [per ip] [burst N]`, UNIT s, m, h or d; without burst it is N. The error is a sentence.
Result<Rate, std::string> parse_rate(std::string_view text);

/// [key.NAME]: a server that posts for a site.
struct Key {
    std::string name;                    ///< key.NAME
    std::string id;                      ///< key.NAME.id: what comes as X-Api-Id; empty = the name
    std::string hash;                    ///< key.NAME.hash: "sha256:" and 64 hex digits of the secret's SHA-256
    std::vector<std::string> endpoints;  ///< key.NAME.endpoints; empty = every endpoint that names it in `auth`
    std::optional<Rate> rate;            ///< key.NAME.rate
};

/// [site.NAME]: web pages that post from the browser.
struct Site {
    std::string name;                    ///< site.NAME
    std::vector<std::string> origins;    ///< site.NAME.origins: exact, or "https://*.example.com" (one or more labels)
    std::vector<std::string> endpoints;  ///< site.NAME.endpoints; empty = every endpoint that names it in `auth`
    Duration token_ttl = 2h;             ///< site.NAME.token_ttl
    std::optional<Rate> rate;            ///< site.NAME.rate
};

enum class MediaKind { json, form, multipart };
enum class FieldType { string, email, phone, enumeration, integer, decimal, boolean, url, date };
/// In the order written. `digits` keeps 0-9 only; `collapse` makes one space of any white space and trims.
enum class Clean { trim, lower, upper, title, digits, collapse };
enum class Unknown { keep, drop, refuse };
enum class OnReject { quarantine, discard };
enum class Dialect { problem, leadconduit };
enum class Reuse { accept, refuse };
/// What happens to another post of the same content.
enum class Another { flag, merge, refuse };

/// The spelling in TOML: "string", "email", "phone", "enum", "integer", "decimal", "bool", "url", "date"; the names above for Clean.
std::optional<FieldType> field_type_of(std::string_view text);
std::optional<Clean> clean_of(std::string_view text);

/// [endpoint.X.fields] NAME = { … }
struct Field {
    std::string name;
    FieldType type = FieldType::string;  ///< type
    bool required = false;               ///< required
    std::string min;                     ///< min as written: a number for integer and decimal, characters for
    std::string max;                     ///< max   string, email and url, YYYY-MM-DD for date; empty = none
    std::string pattern;                 ///< pattern (RE2; looked for anywhere, so write ^ and $)
    std::vector<Clean> clean;            ///< clean
    std::vector<std::string> aliases;    ///< aliases: other names clients use
    std::string must_be;                 ///< must_be as the cleaned text: "true", "US"; empty = anything
    std::string as;                      ///< as: only "value" (money at stake, decimal or integer) exists
    std::vector<std::string> values;     ///< values = [ … ] or ["@us_states"]
    std::string region = "US";           ///< region of phone: "US", "GB", … or "any" (then only +…)
    std::vector<std::string> hosts;      ///< hosts of url: exact or "*.example.com"
    std::string label;                   ///< label on the demo and error page; empty = made from the name
};

/// [endpoint.X.idempotency] content = { … }: posts that say the same, whatever their keys and whoever sends them.
struct Content {
    std::vector<std::string> fields;  ///< fields: the rules whose cleaned values count; empty = not recognised
    Duration window = 24h;            ///< window
    Another action = Another::flag;   ///< action = "flag" | "merge" | "refuse"
};

/// [endpoint.X.idempotency]
struct Idempotency {
    std::string header = "Idempotency-Key";  ///< header; empty = none
    std::string field = "_id";               ///< field; empty = none
    Duration window = 7 * 24h;               ///< window
    Reuse reuse = Reuse::accept;             ///< reuse = "accept" | "refuse"
    Content content;                         ///< content
};

/// [endpoint.X.form]
struct Form {
    std::string thanks;                   ///< thanks: template, {id} and {endpoint}; empty = our own page
    std::string error;                    ///< error: template, {code}, {field} and {id}; empty = our own page
    std::string next_field = "_next";     ///< next.field
    std::vector<std::string> next_hosts;  ///< next.hosts; empty = _next is not obeyed
    std::string honeypot;                 ///< honeypot; empty = none
    Duration min_time{0};                 ///< min_time since the form's token was made; 0 = not asked
    std::string token_field = "_token";   ///< token_field
};

/// Bounds of one post. Defaults from hostile.md.
struct PostLimits {
    std::size_t fields_max = 1000;
    std::size_t parts_max = 100;
    std::size_t name_bytes_max = 256;
};

/// [endpoint.NAME]
struct Endpoint {
    std::string name;
    std::string path;                                                                           ///< path; empty = "/v1/NAME"
    std::vector<MediaKind> accepts = {MediaKind::json, MediaKind::form, MediaKind::multipart};  ///< accepts
    std::vector<std::string> auth;                   ///< auth = ["key:website", "site:quotes"]; empty = anyone
    std::string key_id_field;                        ///< key_fields.id: form field with the key's id (D15); empty = not read
    std::string key_secret_field;                    ///< key_fields.key: form field with the secret; empty = not read
    std::string queue;                               ///< queue
    record::BodyForm body = record::BodyForm::json;  ///< queue.QUEUE.body
    unsigned ok_status = 202;                        ///< ok_status: 200, 201 or 202
    Dialect dialect = Dialect::problem;              ///< dialect = "problem+json" | "leadconduit"
    OnReject on_reject = OnReject::quarantine;       ///< on_reject
    Unknown unknown = Unknown::keep;                 ///< unknown
    std::string value;                               ///< value as written: "42.00"; empty = none
    std::string currency;                            ///< currency
    std::string title;                               ///< title of the demo, thank-you and error page; empty = from the name
    Idempotency idempotency;
    Form form;
    PostLimits limits;
    std::vector<Field> fields;  ///< in the order of the file
};

/// Something wrong in the configuration: `where` is the TOML key, e.g. "endpoint.lead.fields.zip.pattern".
struct Problem {
    std::string where;
    std::string what;
};
std::vector<Problem> problems_of(const Endpoint& endpoint);
std::vector<Problem> problems_of(const Key& key);
std::vector<Problem> problems_of(const Site& site);

}  // namespace forebay::intake
