#include "sqs/page.h"

#include <algorithm>

#include "base/digest.h"

namespace forebay::sqs {

Result<PageWanted, Error> read_page(Arguments& of) {
    PageWanted out;
    TRY_ASSIGN(auto max, of.integer("MaxResults"));
    if (max && (*max < 1 || *max > 1000))
        return Failure{invalid_value(std::to_string(*max), "MaxResults", "Must be between 1 and 1000, if provided.")};
    out.max = static_cast<std::size_t>(max.value_or(1000));
    out.with_token = max.has_value();
    TRY_ASSIGN(auto token, of.text("NextToken"));
    if (!token || token->empty()) return out;
    auto after = from_base64(*token);
    if (!after || !is_queue_name(*after)) return Failure{invalid_value(*token, "NextToken", "Not a token of this service.")};
    out.after = std::move(*after);
    return out;
}

json::Value page_of_urls(std::string_view member, std::vector<std::string> names, const PageWanted& page, const Names& outside) {
    std::sort(names.begin(), names.end());
    names.erase(names.begin(), std::upper_bound(names.begin(), names.end(), page.after));
    bool more = names.size() > page.max;
    if (more) names.resize(page.max);
    auto urls = json::Value::array();
    for (auto& name : names) urls.push(outside.url_of(name));
    auto out = json::Value::object();
    if (!names.empty()) out.set(member, std::move(urls));
    if (more && page.with_token) out.set("NextToken", to_base64url(names.back()));
    return out;
}

}  // namespace forebay::sqs
