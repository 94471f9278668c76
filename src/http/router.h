#pragma once
// Method and path to handler. A pattern is an exact path whose segments may be `{}`, which takes one
// segment, or end in `/*`, which takes the rest: "/api/queues/{}/peek", "/static/*".

#include <string>
#include <string_view>
#include <vector>

#include "base/unique_function.h"
#include "http/message.h"

namespace forebay::http {

/// What `{}` and `*` stood for, percent-decoded, in order.
using Captures = std::vector<std::string>;

class Router {
  public:
    using Route = UniqueFunction<void(const Request&, const Captures&, Responder)>;
    /// The first pattern added that fits wins. GET answers HEAD too.
    Router& add(std::string_view method, std::string_view pattern, Route route);

    /// 404 for a path nobody has, 405 with Allow for a method it does not have; 400 for a path with `..`,
    /// `.`, an empty segment in the middle, an encoded slash or a control character.
    void operator()(const Request& request, Responder responder);

  private:
    struct Entry {
        std::string method;
        std::vector<std::string> segments;
        bool takes_rest = false;
        Route route;
    };
    std::vector<Entry> entries_;
};

}  // namespace forebay::http
