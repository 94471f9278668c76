#include "intake/intake.h"

#include <algorithm>

#include "base/digest.h"
#include "intake/demo_page.h"
#include "intake/pages.h"
#include "intake/state.h"
#include "record/text.h"

namespace forebay::intake {
namespace {

constexpr std::string_view records_prefix = "/v1/records/", receipt_suffix = "/receipt";

bool is_get(const http::Request& request) { return request.method == "GET" || request.method == "HEAD"; }

http::Response plain_problem(unsigned status, std::string_view code, std::string title, std::string detail) {
    Refused what;
    what.status = status;
    what.code = code;
    what.title = std::move(title);
    what.detail = std::move(detail);
    return problem(nullptr, what);
}
http::Response not_found() { return plain_problem(404, "not_found", "There is nothing here", "no endpoint has this path"); }
http::Response method_not_allowed(std::string allow) {
    auto response = plain_problem(405, "method", "Not with this method", "this address takes " + allow);
    response.headers.emplace_back("Allow", std::move(allow));
    return response;
}
http::Response html_page(std::string html) {
    http::Response response;
    response.content_type = "text/html; charset=utf-8";
    response.body = std::move(html);
    response.headers.emplace_back("Cache-Control", "no-store");
    response.headers.emplace_back("Content-Security-Policy", std::string(page_policy));
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    return response;
}
http::Response json_answer(std::string text) {
    http::Response response;
    response.content_type = "application/json";
    response.body = std::move(text);
    return response;
}

std::string query_value(std::string_view query, std::string_view name) {
    std::vector<std::pair<std::string, std::string>> pairs;
    if (!http::parse_query(query, 20, pairs)) return {};
    for (auto& [key, value] : pairs)
        if (key == name) return value;
    return {};
}

}  // namespace

Intake::State::State(IntakeOptions o, transport::Sender& s, Clock& c, Entropy& entropy, metrics::Registry* r, std::uint64_t seed)
    : options(std::move(o)),
      sender(s),
      clock(c),
      own_registry(r == nullptr ? std::make_unique<metrics::Registry>() : nullptr),
      registry(r == nullptr ? *own_registry : *r),
      signer(options.secret),
      limiter(options.rate_buckets_max, seed),
      log_limiter(1, seed),
      gate(options.quarantine_bytes_max, options.quarantine_unauthorized, seed),
      not_kept(registry.counter("forebay_quarantine_refused_total")),
      entropy_(entropy) {}

RulesInForce Intake::State::rules() const {
    std::lock_guard guard(rules_lock_);
    return rules_;
}
void Intake::State::set_rules(RulesInForce rules) {
    std::lock_guard guard(rules_lock_);
    rules_ = std::move(rules);
}

Uuid Intake::State::fresh_id() {
    std::lock_guard guard(entropy_lock_);
    return ids_.next(clock.wall(), entropy_);
}

void Intake::State::serve(const http::Request& request, http::Responder responder) {
    auto in_force = rules();
    if (auto* endpoint = in_force->at_path(request.path)) {
        if (request.method == "OPTIONS") return preflight(*endpoint, request, std::move(responder));
        if (request.method != "POST") return responder(method_not_allowed("POST, OPTIONS"));
        Call call{request, {std::move(responder)},       in_force, *endpoint, wall(), prefers_html(request.find("accept")),
                  {},      request.find("content-type"), {},       {},        {}};
        auto origin = request.find("origin");
        if (!origin.empty() && endpoint->site_of(origin) != nullptr) call.cors_origin = origin;
        return take_post(std::move(call));
    }
    if (!is_get(request)) return responder(not_found());
    auto path = request.path;
    if (path == "/demo") return serve_demo(std::move(responder));
    if (path == "/v1/token") return serve_token(request, std::move(responder));
    if (path == "/v1/thanks") {
        auto* endpoint = in_force->named(query_value(request.query, "endpoint"));
        auto id = parse_uuid(query_value(request.query, "ref"));
        return responder(html_page(thank_you_page(endpoint != nullptr ? endpoint->spec.title : "Forebay", id ? to_text(*id) : "")));
    }
    if (path.starts_with(records_prefix) && path.ends_with(receipt_suffix) && path.size() > records_prefix.size() + receipt_suffix.size())
        return serve_receipt(path.substr(records_prefix.size(), path.size() - records_prefix.size() - receipt_suffix.size()),
                             std::move(responder));
    responder(not_found());
}

/// CORS preflight (Fetch Standard, section 3.2): only listed origins hear that they may post.
void Intake::State::preflight(const PreparedEndpoint& endpoint, const http::Request& request, http::Responder responder) {
    auto origin = request.find("origin");
    http::Response response;
    if (origin.empty() || endpoint.site_of(origin) == nullptr) {
        response = plain_problem(403, "wrong_origin", "This page may not post here",
                                 "the page's origin is not one of those listed for this endpoint");
        response.headers.emplace_back("Vary", "Origin");
        return responder(std::move(response));
    }
    response.status = 204;
    response.headers.emplace_back("Access-Control-Allow-Origin", std::string(origin));
    response.headers.emplace_back("Access-Control-Allow-Methods", "POST");
    response.headers.emplace_back(
        "Access-Control-Allow-Headers",
        "Content-Type, " + (endpoint.spec.idempotency.header.empty() ? "Accept" : endpoint.spec.idempotency.header));
    response.headers.emplace_back("Access-Control-Max-Age", "7200");
    response.headers.emplace_back("Vary", "Origin");
    responder(std::move(response));
}

void Intake::State::serve_receipt(std::string_view id_text, http::Responder responder) {
    auto id = parse_uuid(id_text);
    auto missing = [](http::Responder& to) {
        to(plain_problem(404, "record_not_found", "No such record", "there is no accepted record of this id here"));
    };
    if (!id || !find_record) return missing(responder);
    find_record(*id, [this, id = *id, missing, responder = std::move(responder)](std::optional<std::string> envelope) mutable {
        if (!envelope) return missing(responder);
        auto record = record::decode(*envelope, id, Timestamp{});
        if (!record.ok() || record->id != id) return missing(responder);
        std::string out = "{\"id\":\"" + to_text(id) + "\",\"endpoint\":";
        record::append_json_string(out, record->endpoint);
        out += ",\"received_at\":\"" + to_rfc3339(record->received_at) + "\",\"durable\":[\"journal\"],\"receipt\":\"";
        signer.append_receipt(out, record->received_at, id, record->endpoint, sha256(record->raw));
        responder(json_answer(out + "\"}"));
    });
}

/// A form token for an endpoint, or for the first endpoint that a site may post to.
void Intake::State::serve_token(const http::Request& request, http::Responder responder) {
    auto in_force = rules();
    auto* endpoint = in_force->named(query_value(request.query, "endpoint"));
    if (endpoint == nullptr) endpoint = in_force->of_site(query_value(request.query, "site"));
    if (endpoint == nullptr)
        return responder(plain_problem(404, "not_found", "No such form", "name an endpoint or a site: /v1/token?site=quotes"));
    auto response = json_answer("{\"token\":\"" + signer.token(wall(), endpoint->spec.name) + "\"}");
    response.headers.emplace_back("Cache-Control", "no-store");
    auto origin = request.find("origin");
    if (!origin.empty() && endpoint->site_of(origin) != nullptr)
        response.headers.emplace_back("Access-Control-Allow-Origin", std::string(origin));
    response.headers.emplace_back("Vary", "Origin");
    responder(std::move(response));
}

void Intake::State::serve_demo(http::Responder responder) {
    auto in_force = rules();
    auto* endpoint = in_force->named(options.demo_endpoint);
    if (options.demo_endpoint.empty() || endpoint == nullptr) return responder(not_found());
    responder(html_page(demo_page(*endpoint, to_text(fresh_id()), signer.token(wall(), endpoint->spec.name))));
}

Intake::Intake(std::unique_ptr<State> state) : state_(std::move(state)) {}
Intake::~Intake() = default;

Result<std::unique_ptr<Intake>, std::string> Intake::open(IntakeOptions options, transport::Sender& sender, Clock& clock, Entropy& entropy,
                                                          metrics::Registry* registry) {
    if (options.secret.empty()) return Failure{std::string("intake needs a secret to sign receipts with")};
    auto state = std::make_unique<State>(std::move(options), sender, clock, entropy, registry, entropy.u64());
    TRY_ASSIGN(auto rules, Rules::prepare(state->options.endpoints, state->options.keys, state->options.sites, state->registry));
    state->set_rules(std::move(rules));
    return std::unique_ptr<Intake>(new Intake(std::move(state)));
}

Result<void, std::string> Intake::reload(const IntakeOptions& options) {
    TRY_ASSIGN(auto rules, Rules::prepare(options.endpoints, options.keys, options.sites, state_->registry));
    state_->set_rules(std::move(rules));
    return {};
}

bool Intake::serves(std::string_view path) const {
    if (path == "/v1/token" || path == "/v1/thanks" || path.starts_with(records_prefix)) return true;
    if (path == "/demo") return !state_->options.demo_endpoint.empty();
    return state_->rules()->at_path(path) != nullptr;
}

void Intake::handle(const http::Request& request, http::Responder responder) { state_->serve(request, std::move(responder)); }
void Intake::tick() { state_->tick(); }
void Intake::set_quarantine_bytes(std::uint64_t bytes) { state_->gate.set_bytes(bytes); }
void Intake::set_find_record(FindRecord find) { state_->find_record = std::move(find); }

}  // namespace forebay::intake
