#pragma once
// Lists that come in pages: MaxResults and NextToken, which names the last queue of the page before.

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "sqs/arguments.h"
#include "sqs/names.h"

namespace forebay::sqs {

struct PageWanted {
    std::size_t max = 1000;
    bool with_token = false;  ///< a NextToken comes only when MaxResults was given
    std::string after;        ///< queues of this name and before have been seen
};
Result<PageWanted, Error> read_page(Arguments& of);

/// `{member: [URL, …], "NextToken": …}`, the list left out when empty. Sorts the names.
json::Value page_of_urls(std::string_view member, std::vector<std::string> names, const PageWanted& page, const Names& outside);

}  // namespace forebay::sqs
