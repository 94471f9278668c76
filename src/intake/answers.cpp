#include "intake/answers.h"

#include <algorithm>
#include <charconv>

#include "intake/pages.h"
#include "record/text.h"

namespace forebay::intake {
namespace {

constexpr std::string_view json_type = "application/json";
constexpr std::string_view problem_type = "application/problem+json";
constexpr std::string_view html_type = "text/html; charset=utf-8";

void member(std::string& out, std::string_view name, std::string_view text) {
    out += out.back() == '{' ? "\"" : ",\"";
    out.append(name).append("\":");
    record::append_json_string(out, text);
}

std::string id_path(const Uuid& id) { return "/v1/records/" + to_text(id); }

std::string accepted_text(const Acceptance& what) {
    std::string out;
    out.reserve(400);
    out += R"({"outcome":"accepted","id":")";
    append_text(out, what.id);
    if (!what.replayed) {
        out += R"(","received_at":")";
        record::append_timestamp(out, what.received_at);
    }
    out += R"(","durable":["journal"],"flags":[)";
    for (std::size_t i = 0; i < what.flags.size(); ++i) {
        if (i > 0) out += ',';
        record::append_json_string(out, what.flags[i]);
    }
    out += ']';
    member(out, "receipt", what.receipt);
    return out += '}';
}

std::string leadconduit_success(const Acceptance& what) {
    std::string out = R"({"outcome":"success","lead":{"id":")";
    append_text(out, what.id);
    return out += R"("},"price":0})";
}

http::Response redirect(std::string location) {
    http::Response response;
    response.status = 303;
    response.headers.emplace_back("Location", std::move(location));
    return response;
}

http::Response page(unsigned status, std::string html) {
    http::Response response;
    response.status = status;
    response.content_type = html_type;
    response.body = std::move(html);
    response.headers.emplace_back("Cache-Control", "no-store");
    response.headers.emplace_back("Content-Security-Policy", std::string(page_policy));
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    return response;
}

/// RFC 6901: in a pointer, ~ and / of a name are written ~0 and ~1.
std::string pointer_of(std::string_view field) {
    std::string out = "/";
    for (char c : field) {
        if (c == '~')
            out += "~0";
        else if (c == '/')
            out += "~1";
        else
            out += c;
    }
    return out;
}

std::string problem_text(const Refused& what) {
    std::string out = "{";
    member(out, "type", "https://forebay.example/problems/" + std::string(what.code));
    member(out, "title", what.title);
    out.append(",\"status\":").append(std::to_string(what.status));
    member(out, "detail", what.detail.empty() ? validation_detail(what.errors) : what.detail);
    if (!what.id.is_nil() && what.kept.value_or(false)) member(out, "instance", id_path(what.id));
    member(out, "code", what.code);
    if (what.kept) out += *what.kept ? ",\"kept\":true" : ",\"kept\":false";
    if (!what.errors.empty()) {
        out += ",\"errors\":[";
        for (auto& error : what.errors) {
            out += out.back() == '[' ? "{" : ",{";
            member(out, "pointer", pointer_of(error.field));
            member(out, "field", error.field);
            member(out, "code", error.code);
            member(out, "detail", error.detail);
            out += '}';
        }
        out += ']';
    }
    return out += '}';
}

std::string leadconduit_failure(const Refused& what) {
    std::string out = R"({"outcome":"failure")";
    member(out, "reason", what.detail.empty() ? validation_detail(what.errors) : what.detail);
    if (!what.id.is_nil() && what.kept.value_or(false)) out.append(R"(,"lead":{"id":")").append(to_text(what.id)).append("\"}");
    return out += '}';
}

void add_headers(http::Response& response, const Refused& what) {
    if (what.retry_after_s > 0) response.headers.emplace_back("Retry-After", std::to_string(what.retry_after_s));
    if (!what.rate_policy.empty()) response.headers.emplace_back("RateLimit-Policy", what.rate_policy);
    if (!what.rate_state.empty()) response.headers.emplace_back("RateLimit", what.rate_state);
    if (what.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"intake\"");
}

/// Quality of a media range in Accept, in thousandths; -1 if it is not there.
int quality_of(std::string_view accept, std::string_view wanted) {
    while (!accept.empty()) {
        auto part = accept.substr(0, accept.find(','));
        accept.remove_prefix(std::min(part.size() + 1, accept.size()));
        auto type = part.substr(0, part.find(';'));
        type.remove_prefix(std::min(type.find_first_not_of(' '), type.size()));
        while (!type.empty() && type.back() == ' ') type.remove_suffix(1);
        if (type != wanted) continue;
        auto q = part.find("q=");
        double value = 1;
        if (q != std::string_view::npos) std::from_chars(part.data() + q + 2, part.data() + part.size(), value);
        return static_cast<int>(value * 1000);
    }
    return -1;
}

}  // namespace

bool prefers_html(std::string_view accept) {
    if (accept.find("html") == std::string_view::npos) return false;
    int html = std::max(quality_of(accept, "text/html"), quality_of(accept, "application/xhtml+xml"));
    int json = std::max(quality_of(accept, "application/json"), quality_of(accept, "application/problem+json"));
    return html > 0 && html > json;
}

std::string fill_template(std::string_view text, std::string_view id, std::string_view endpoint, std::string_view code,
                          std::string_view field) {
    std::string out;
    while (!text.empty()) {
        auto brace = text.find('{');
        out += text.substr(0, brace);
        if (brace == std::string_view::npos) break;
        text.remove_prefix(brace);
        bool replaced = false;
        for (auto [name, value] :
             {std::pair{std::string_view("{id}"), id}, {"{endpoint}", endpoint}, {"{code}", code}, {"{field}", field}}) {
            if (replaced || !text.starts_with(name)) continue;
            out += http::percent_encode(value);
            text.remove_prefix(name.size());
            replaced = true;
        }
        if (!replaced) {
            out += '{';
            text.remove_prefix(1);
        }
    }
    return out;
}

std::string_view allowed_next(std::string_view next, const std::vector<std::string>& hosts) {
    constexpr std::size_t next_bytes_max = 2048;
    auto host = next.size() > next_bytes_max ? std::nullopt : host_of_url(next);
    return host && host_is_in(*host, hosts) ? next : std::string_view();
}

std::string validation_title(std::size_t errors) {
    return errors == 1 ? "1 field needs attention" : std::to_string(errors) + " fields need attention";
}

std::string validation_detail(std::span<const FieldError> errors) {
    std::string out;
    for (auto& error : errors) {
        if (!out.empty()) out += "; ";
        if (!error.field.empty()) out.append(error.field).append(": ");
        out += error.detail;
    }
    return out;
}

http::Response accepted(const PreparedEndpoint& endpoint, const Acceptance& what, bool as_html) {
    auto& form = endpoint.spec.form;
    http::Response response;
    if (!as_html) {
        response.status = endpoint.spec.ok_status;
        response.content_type = json_type;
        response.body = endpoint.spec.dialect == Dialect::leadconduit ? leadconduit_success(what) : accepted_text(what);
        response.headers.reserve(4);
        response.headers.emplace_back("Location", id_path(what.id) + "/receipt");
    } else if (!what.next.empty()) {
        response = redirect(std::string(what.next));
    } else if (!form.thanks.empty()) {
        response = redirect(fill_template(form.thanks, to_text(what.id), endpoint.spec.name, {}, {}));
    } else {
        response = redirect("/v1/thanks?ref=" + to_text(what.id) + "&endpoint=" + http::percent_encode(endpoint.spec.name));
    }
    response.headers.emplace_back("Record-Id", to_text(what.id));
    if (what.replayed) response.headers.emplace_back("Idempotent-Replayed", "true");
    return response;
}

http::Response problem(const PreparedEndpoint* endpoint, const Refused& what) {
    http::Response response;
    response.status = what.status;
    bool leadconduit = endpoint != nullptr && endpoint->spec.dialect == Dialect::leadconduit;
    response.content_type = leadconduit ? json_type : problem_type;
    response.body = leadconduit ? leadconduit_failure(what) : problem_text(what);
    if (!what.id.is_nil() && what.kept.value_or(false)) response.headers.emplace_back("Record-Id", to_text(what.id));
    add_headers(response, what);
    return response;
}

http::Response problem_page(const PreparedEndpoint& endpoint, const Refused& what, std::span<const Input> values, std::string_view fresh_id,
                            std::string_view fresh_token) {
    auto& form = endpoint.spec.form;
    auto field = what.errors.empty() ? std::string() : what.errors.front().field;
    auto code = what.errors.empty() ? what.code : what.errors.front().code;
    auto id = what.kept.value_or(false) ? to_text(what.id) : std::string();
    bool can_be_told = what.status == 422 || what.status == 400;
    auto response = can_be_told && !form.error.empty() ? redirect(fill_template(form.error, id, endpoint.spec.name, code, field))
                                                       : page(what.status, error_page(endpoint, what, values, fresh_id, fresh_token));
    if (!id.empty()) response.headers.emplace_back("Record-Id", id);
    add_headers(response, what);
    return response;
}

http::Response notice_page(const PreparedEndpoint& endpoint, const Refused& what) {
    auto response = page(what.status, try_again_page(endpoint.spec.title, what));
    add_headers(response, what);
    return response;
}

}  // namespace forebay::intake
