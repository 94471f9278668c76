#pragma once
// A world for verbs: texts instead of a terminal, canned answers instead of a node and a supervisor.

#include <map>
#include <sstream>

#include "cli/console.h"

namespace forebay::cli {

class StillClock final : public Clock {
  public:
    Timestamp wall() override { return {1'789'999'391'000}; }  // 2026-09-21T14:03:11Z
    Instant now() override { return {0}; }
};

class CountingEntropy final : public Entropy {
  public:
    void fill(std::span<unsigned char> out) override {
        for (auto& byte : out) byte = next_++;
    }

  private:
    unsigned char next_ = 0;
};

struct Console {
    std::istringstream in;
    std::ostringstream out, err;
    bool can_ask = false;
    Variables variables;
    std::map<std::string, std::string> gets;   ///< path with query -> body
    std::map<std::string, std::string> posts;  ///< path -> answer
    std::vector<std::pair<std::string, std::string>> posted;
    std::vector<std::string> asked_for;
    std::optional<supervisor::ControlAnswer> processes;
    std::vector<supervisor::ControlRequest> orders;

    /// Runs one command line; `out` and `err` hold what was printed.
    int operator()(const std::vector<std::string>& arguments) {
        out.str("");
        err.str("");
        Terminal terminal(in, out, err, {false, false, can_ask});
        World world{terminal,
                    clock_,
                    entropy_,
                    variables,
                    [this](const auto& request) { return answer(request); },
                    [this](const auto&, const auto& request) { return order(request); }};
        return run(arguments, world);
    }

  private:
    Result<http::ClientResponse, http::ClientError> answer(const http::ClientRequest& request) {
        auto path = request.url.substr(request.url.find('/', 8));
        auto& known = request.method == "GET" ? gets : posts;
        asked_for.push_back(request.method + " " + path);
        if (request.method == "POST") posted.emplace_back(path, request.body);
        if (gets.empty() && posts.empty())
            return Failure{http::ClientError{http::ClientError::Kind::not_connected, "Couldn't connect to server"}};
        http::ClientResponse response;
        auto at = known.find(path);
        response.status = at == known.end() ? 404 : 200;
        response.body = at == known.end() ? R"({"status":404,"detail":"There is nothing here."})" : at->second;
        return response;
    }

    Result<supervisor::ControlAnswer, supervisor::ControlError> order(const supervisor::ControlRequest& request) {
        if (!processes) return Failure{supervisor::ControlError{true, "No such file or directory"}};
        orders.push_back(request);
        return *processes;
    }

    StillClock clock_;
    CountingEntropy entropy_;
};

inline supervisor::ProcessStatus process(std::string group, std::string worker, unsigned n, supervisor::State state) {
    supervisor::ProcessStatus out;
    out.name = n == 0 ? worker : worker + ":" + std::to_string(n);
    out.group = std::move(group);
    out.worker = std::move(worker);
    out.n = n;
    out.pid = state == supervisor::State::running ? 100 + static_cast<int>(n) : 0;
    out.state = state;
    out.since = Timestamp{1'789'999'391'000 - 65'000};
    return out;
}

}  // namespace forebay::cli
