#pragma once
// One request of the admin port while it is worked on: its captures, query and JSON body, and the answers
// and refusals in the words of the API.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "broker/broker.h"
#include "http/message.h"
#include "http/problem.h"
#include "http/router.h"

namespace forebay::admin {

inline constexpr std::size_t page_default = 50;
inline constexpr std::size_t page_max = 1000;

struct Call {
    http::Captures captures;
    std::vector<std::pair<std::string, std::string>> query;
    json::Value body;

    /// The query parameter, empty if it is not there.
    std::string_view parameter(std::string_view name) const;
    std::optional<std::int64_t> number(std::string_view name) const;
    std::size_t page_size() const;
    /// Whether the parameter is not there or a whole number. What is misread would ask for everything.
    bool is_number_or_missing(std::string_view name) const;
};

http::Response json_response(const json::Value& value);
http::Response bad_request(std::string_view detail);
/// What the broker refused, as a problem.
http::Response refused(broker::Refusal refusal, std::string_view queue);
/// What refused() says.
struct RefusalWords {
    unsigned status;
    std::string_view code;
    std::string detail;
};
RefusalWords words_of(broker::Refusal refusal, std::string_view queue);

}  // namespace forebay::admin
