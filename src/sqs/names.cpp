#include "sqs/names.h"

#include <algorithm>

namespace forebay::sqs {
namespace {

constexpr std::string_view fifo_suffix = ".fifo";
constexpr std::size_t name_bytes_max = 80;

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }
bool is_name_character(char c) { return is_alphanumeric(c) || c == '-' || c == '_'; }
bool is_host_character(char c) { return is_name_character(c) || c == '.' || c == ':' || c == '[' || c == ']'; }

bool is_host(std::string_view text) {
    return !text.empty() && text.size() <= 255 && std::all_of(text.begin(), text.end(), is_host_character);
}

/// REGION of `…Credential=KEY/20260920/REGION/sqs/aws4_request…`, empty if it is not there.
std::string_view region_in(std::string_view text, std::string_view slash) {
    auto at = text.find("Credential=");
    if (at == std::string_view::npos) return {};
    for (int part = 0; part < 2; ++part) {
        at = text.find(slash, at);
        if (at == std::string_view::npos) return {};
        at += slash.size();
    }
    auto region = text.substr(at, text.find(slash, at) - at);
    bool sound = region.size() <= 32 && std::all_of(region.begin(), region.end(), is_name_character);
    return sound ? region : std::string_view();
}

std::string_view scope_region(const http::Request& request) {
    auto region = region_in(request.find("authorization"), "/");
    if (region.empty()) region = region_in(request.query, "%2F");
    return region.empty() ? "us-east-1" : region;
}

std::string base_of(const http::Request& request) {
    auto host = request.find("x-forwarded-host");
    host = host.substr(0, host.find(','));
    if (!is_host(host)) host = request.find("host");
    if (!is_host(host)) host = "localhost";
    bool secure = request.secure || request.find("x-forwarded-proto") == "https";
    return (secure ? "https://" : "http://") + std::string(host);
}

}  // namespace

std::string_view name_of_url(std::string_view url) {
    if (auto scheme = url.find("://"); scheme != std::string_view::npos) {
        auto path = url.find('/', scheme + 3);
        if (path == std::string_view::npos) return {};
        url.remove_prefix(path);
    }
    url = url.substr(0, url.find_first_of("?#"));
    while (url.ends_with('/')) url.remove_suffix(1);
    return url.substr(url.rfind('/') + 1);
}

std::optional<std::string_view> name_of_arn(std::string_view arn) {
    constexpr std::string_view prefix = "arn:aws:sqs:";
    if (!arn.starts_with(prefix) || std::count(arn.begin(), arn.end(), ':') != 5) return std::nullopt;
    auto name = arn.substr(arn.rfind(':') + 1);
    if (!is_queue_name(name)) return std::nullopt;
    return name;
}

bool is_fifo_name(std::string_view name) { return name.ends_with(fifo_suffix); }

bool is_queue_name(std::string_view name) {
    if (name.empty() || name.size() > name_bytes_max) return false;
    if (is_fifo_name(name)) name.remove_suffix(fifo_suffix.size());
    return !name.empty() && std::all_of(name.begin(), name.end(), is_name_character);
}

Names::Names(const ApiOptions& options, const http::Request& request)
    : account_(options.account),
      region_(options.region.empty() ? std::string(scope_region(request)) : options.region),
      base_(options.base_url.empty() ? base_of(request) : options.base_url) {
    while (base_.ends_with('/')) base_.pop_back();
}

std::string Names::url_of(std::string_view queue) const { return base_ + "/" + account_ + "/" + std::string(queue); }
std::string Names::arn_of(std::string_view queue) const { return "arn:aws:sqs:" + region_ + ":" + account_ + ":" + std::string(queue); }

}  // namespace forebay::sqs
