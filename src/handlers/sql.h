#pragma once
// The `sql` handler: each record becomes the user's row, its effect's row beside it in the same
// transaction, a batch in few round trips. Idempotent by id; one poisonous record does not hold up its batch (bisecting).

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "db/database.h"
#include "ledger/ledger.h"
#include "worker/handler.h"

namespace forebay::handlers {

/// A column of a table and where its value comes from: a field's name, or one of id, received_at, endpoint,
/// _ip, _raw.
struct Column {
    std::string name;
    std::string source;
    std::string type = "TEXT";  ///< for creating it: TEXT, INTEGER, REAL, NUMERIC, BLOB, TIME
};

struct SqlOptions {
    std::string worker;  ///< the effect's name
    unsigned n = 1;
    /// With `:name` for fields and :id, :received_at, :endpoint, :_ip, :_raw. Either this …
    std::string statement;
    /// … or a table whose columns take their values from sources. `id`, its key, is added if it is not among them.
    std::string table;
    std::vector<Column> columns;
    bool create_table = false;      ///< make the table, and columns it lacks, if it does not exist (dev)
    std::vector<std::string> then;  ///< queues that get the record once the effect is done
    std::vector<ledger::SearchField> search = ledger::usual_search_fields();
};

class SqlHandler final : public worker::Handler {
  public:
    using Open = std::function<Result<std::unique_ptr<db::Database>, db::Error>(db::Options)>;
    /// `database` is opened on first use, so that a database that is down at the start is a hold like later.
    SqlHandler(SqlOptions options, db::Options database, Clock& clock, Open open = db::open);
    ~SqlHandler() override;
    std::vector<worker::Outcome> run(std::span<const worker::Job> jobs, const worker::Limits& limits) override;
    void note(std::span<const worker::Job> jobs, std::span<const worker::Settlement> settlements) override;
    Result<void, std::string> note_sent(std::span<const worker::Sent> sent) override;
    std::vector<std::optional<worker::Wait>> waits(std::span<const worker::Job> jobs) override;
    bool has_probe() const override { return true; }
    Result<void, std::string> probe() override;

  private:
    struct Inside;
    std::unique_ptr<Inside> inside_;
};

/// `id, received_at` and one column per field, in their order.
std::vector<Column> columns_for(const std::vector<std::pair<std::string, std::string>>& fields_and_types);

}  // namespace forebay::handlers
