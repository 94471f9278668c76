#pragma once
// The three ways of talking to an exec command; handlers/EXEC.md describes them. What they have in common
// is that each job gets an outcome and, when done, the answer that is kept with its effect.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "handlers/exec.h"
#include "worker/handler.h"

namespace forebay::handlers {

struct Answered {
    worker::Outcome outcome;
    std::string answer;  ///< of a done one
};

class Conversation {
  public:
    virtual ~Conversation() = default;
    /// One per job, in their order; after a hold, and once the worker is stopping, the rest is untouched.
    virtual std::vector<Answered> run(std::span<const worker::Job* const> jobs, const worker::Limits& limits) = 0;
};

/// `options` outlive it.
std::unique_ptr<Conversation> make_conversation(const ExecOptions& options);

/// The envelope with `attempt`, on one line.
std::string record_line(const worker::Job& job);
/// What an exit code or signal (of waitpid's status) means.
worker::Outcome outcome_of_status(int wait_status);
/// The SQS event for these jobs.
std::string lambda_event(const ExecOptions& options, std::span<const worker::Job* const> jobs);
/// One outcome per job from what the handler printed.
std::vector<worker::Outcome> lambda_outcomes(std::string_view output, std::span<const worker::Job* const> jobs);
/// From a jsonl answer; an error says why it is garbage.
Result<worker::Outcome, std::string> jsonl_outcome(const json::Value& answer, std::string_view id);

}  // namespace forebay::handlers
