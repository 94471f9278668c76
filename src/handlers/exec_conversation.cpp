// The conversations themselves: when a command is started, spoken to, and given up.
#include <algorithm>

#include "base/json.h"
#include "base/log_line.h"
#include "handlers/child.h"
#include "handlers/exec_protocol.h"

namespace forebay::handlers {
namespace {

using worker::Outcome;

SpawnOptions command_of(const ExecOptions& options) {
    std::vector<std::pair<std::string, std::string>> names{{"n", std::to_string(options.n)}, {"worker", options.worker}};
    SpawnOptions out;
    for (auto& word : options.command) out.command.push_back(replace_names(word, names));
    out.environment = options.environment;
    return out;
}

bool ends_batch(const Outcome& outcome) { return outcome.kind == Outcome::Kind::hold || outcome.kind == Outcome::Kind::untouched; }

/// Those that work on one record after the other.
class OneByOne : public Conversation {
  public:
    explicit OneByOne(const ExecOptions& options) : options_(options) {}

    std::vector<Answered> run(std::span<const worker::Job* const> jobs, const worker::Limits& limits) override {
        std::vector<Answered> answers;
        bool ended = false;
        for (auto* job : jobs) {
            ended = ended || limits.stopping();
            answers.push_back(ended ? Answered{} : run_one(*job, limits.timeout));
            ended = ended || ends_batch(answers.back().outcome);
        }
        return answers;
    }

  protected:
    virtual Answered run_one(const worker::Job& job, Duration timeout) = 0;
    const ExecOptions& options_;
};

class PerRecord final : public OneByOne {
  public:
    using OneByOne::OneByOne;

  private:
    Answered run_one(const worker::Job& job, Duration timeout) override {
        auto child = Child::start(command_of(options_));
        if (!child) return {Outcome::hold(child.error()), {}};
        auto output = (*child)->finish(record_line(job), timeout, options_.answer_bytes_max);
        if (!output) return {Outcome::retry(output.error().why), {}};
        return {outcome_of_status(*(*child)->wait_status()), json::is_utf8(*output) ? std::move(*output) : std::string()};
    }
};

class JsonLines final : public OneByOne {
  public:
    using OneByOne::OneByOne;

  private:
    Answered run_one(const worker::Job& job, Duration timeout) override {
        if (child_ && child_->has_ended()) child_.reset();  // between two records it may
        if (!child_) {
            auto started = Child::start(command_of(options_));
            if (!started) return {Outcome::hold(started.error()), {}};
            child_ = std::move(*started);
        }
        auto line = child_->ask(record_line(job), timeout, options_.answer_bytes_max);
        if (!line) return {give_up(line.error()), {}};
        return understand(std::move(*line), to_text(job.envelope.id));
    }

    Answered understand(std::string line, const std::string& id) {
        auto value = json::parse(line);
        auto outcome = value ? jsonl_outcome(*value, id) : Result<Outcome, std::string>(Failure{std::string("its answer is not JSON")});
        if (!outcome) {
            log_error("exec.garbage")
                .with("worker", options_.worker)
                .with("n", options_.n)
                .with("why", outcome.error())
                .with("bytes", line.size());
            end();
            return {Outcome::retry(outcome.error()), {}};
        }
        count((*value)["count"]);
        return {std::move(*outcome), std::move(line)};
    }

    /// A command that ended in the middle of a record says why with the exit codes of per-record; ending well is no answer.
    Outcome give_up(const Child::Problem& problem) {
        auto status = child_->wait_status();
        log_error("exec.died").with("worker", options_.worker).with("n", options_.n).with("why", problem.why);
        end();
        if (problem.kind != Child::Problem::Kind::ended) return Outcome::retry(problem.why);
        auto outcome = outcome_of_status(*status);
        return outcome.kind == Outcome::Kind::done ? Outcome::retry("it ended without an answer") : outcome;
    }

    void end() {
        child_->kill();
        child_.reset();
    }

    void count(const json::Value& counts) {
        if (!options_.count) return;
        for (auto& [name, amount] : counts.members())
            if (amount.integer()) options_.count(name, *amount.integer());
    }

    std::unique_ptr<Child> child_;
};

class LambdaBatch final : public Conversation {
  public:
    explicit LambdaBatch(const ExecOptions& options) : options_(options) {}

    std::vector<Answered> run(std::span<const worker::Job* const> jobs, const worker::Limits& limits) override {
        std::vector<Answered> answers;
        auto outcomes = limits.stopping() ? std::vector<Outcome>(jobs.size()) : run_batch(jobs, limits.timeout);
        for (auto& outcome : outcomes) answers.push_back({std::move(outcome), {}});
        return answers;
    }

  private:
    std::vector<Outcome> run_batch(std::span<const worker::Job* const> jobs, Duration timeout) {
        auto all = [&](const Outcome& outcome) { return std::vector<Outcome>(jobs.size(), outcome); };
        auto child = Child::start(command_of(options_));
        if (!child) return all(Outcome::hold(child.error()));
        auto output = (*child)->finish(lambda_event(options_, jobs), timeout, options_.answer_bytes_max);
        if (!output) return all(Outcome::retry(output.error().why));
        auto ended = outcome_of_status(*(*child)->wait_status());
        if (ended.kind == Outcome::Kind::done) return lambda_outcomes(*output, jobs);
        // A whole batch is never dead at once: as in Lambda, an error of the handler retries it.
        return all(ended.kind == Outcome::Kind::dead ? Outcome::retry(ended.why) : ended);
    }

    const ExecOptions& options_;
};

}  // namespace

std::unique_ptr<Conversation> make_conversation(const ExecOptions& options) {
    switch (options.protocol) {
        case Protocol::per_record:
            return std::make_unique<PerRecord>(options);
        case Protocol::jsonl:
            return std::make_unique<JsonLines>(options);
        case Protocol::lambda_batch:
            return std::make_unique<LambdaBatch>(options);
    }
    return nullptr;
}

}  // namespace forebay::handlers
