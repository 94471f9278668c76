#pragma once
// The operator's interface of a node (admin/), as the verbs ask it.

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "cli/verb.h"

namespace forebay::cli {

struct AdminError {
    int exit_code = exit_code::unreachable;
    std::string what;  ///< a sentence for the person at the terminal
};

/// What --node or $FOREBAY_NODE says; empty: the node is that of the configuration here.
std::string node_named_by(Invocation& invocation);

class AdminClient {
  public:
    /// --node, $FOREBAY_NODE, or the first admin.listen of the configuration.
    explicit AdminClient(Invocation& invocation);

    Result<json::Value, AdminError> get(const std::string& path);
    Result<json::Value, AdminError> post(const std::string& path, const json::Value& body, Duration deadline = answer_deadline);
    const std::string& url() const { return url_; }

  private:
    /// Reading back through a long history may take the node a while.
    static constexpr Duration answer_deadline = 2min;
    Result<json::Value, AdminError> send(http::ClientRequest request);
    World& world_;
    std::string url_;
};

/// Complains and returns the exit code: `if (!answer) return failed(invocation, answer.error());`
int failed(Invocation& invocation, const AdminError& error);

/// `?a=1&b=x` from what is not empty.
std::string query_of(std::initializer_list<std::pair<std::string_view, std::string>> parameters);

}  // namespace forebay::cli
