#pragma once
// The `exec` handler: a command in any language does the work. Three protocols (product.md §5); what the
// command is told and may answer is in handlers/EXEC.md. Effects and their follow-ups are noted before the message is
// deleted, in the ledger's database or in a SQLite file of this process's own, and looked up there (in all files of the
// worker) before running, so a redelivered record is not run again.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "ledger/ledger.h"
#include "worker/handler.h"

namespace forebay::handlers {

enum class Protocol {
    per_record,    ///< one process a record: JSON on stdin, the exit code decides (0, 65, 69, 75 of sysexits)
    jsonl,         ///< one long-lived process: a line in, a line out
    lambda_batch,  ///< one process a batch: the SQS event in, batchItemFailures out
};

struct ExecOptions {
    std::string worker;  ///< the effect's name
    unsigned n = 1;
    std::vector<std::string> command;  ///< `{n}` and `{worker}` are replaced
    Protocol protocol = Protocol::per_record;
    std::vector<std::pair<std::string, std::string>> environment;  ///< added to the worker's own
    std::string data_dir;                                          ///< effects/ is made in it
    std::optional<db::Options> ledger;                             ///< where effects are noted instead
    std::vector<std::string> then;                                 ///< queues that get the record once the effect is done
    std::string queue;                                             ///< for the event's ARN
    std::string region = "us-east-1";
    std::string account = "123456789012";
    std::size_t answer_bytes_max = 1 << 20;  ///< of one answer line or output; longer is garbage
    std::vector<ledger::SearchField> search = ledger::usual_search_fields();
    /// `count` of jsonl answers, and nothing else.
    std::function<void(std::string_view name, std::int64_t amount)> count;
};

class ExecHandler final : public worker::Handler {
  public:
    ExecHandler(ExecOptions options, Clock& clock);
    ~ExecHandler() override;
    std::vector<worker::Outcome> run(std::span<const worker::Job> jobs, const worker::Limits& limits) override;
    void note(std::span<const worker::Job> jobs, std::span<const worker::Settlement> settlements) override;
    Result<void, std::string> note_sent(std::span<const worker::Sent> sent) override;
    std::vector<std::optional<worker::Wait>> waits(std::span<const worker::Job> jobs) override;
    /// Where the effects are noted in a database: what the command depends on only an attempt can tell.
    bool has_probe() const override;
    Result<void, std::string> probe() override;
    Duration time_limit(std::size_t jobs, Duration timeout) const override;

  private:
    struct Inside;
    std::unique_ptr<Inside> inside_;
};

}  // namespace forebay::handlers
