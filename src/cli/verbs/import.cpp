// `import FILE`: rows of a file through the checks and into the queue that posts go to, a batch at a time. What the node took
// is durable; what it refused is in quarantine with the number of its line.
#include <filesystem>
#include <thread>

#include "base/digest.h"
#include "cli/admin_client.h"
#include "cli/import/progress.h"
#include "cli/import/report.h"
#include "cli/import/rows.h"
#include "cli/interrupt.h"
#include "cli/similar.h"
#include "cli/verb.h"
#include "cli/verbs/verbs.h"
#include "cli/words.h"

namespace forebay::cli {
namespace {

constexpr std::size_t rows_a_batch = 500;
constexpr std::size_t bytes_a_batch = 2_MiB;
constexpr std::size_t beginning_bytes = 64_KiB;
/// How long a node that is away or has no room is waited for: longer than a restart, shorter than a night.
constexpr Duration patience = 2min;
constexpr Duration pause_first = 200ms, pause_longest = 5s;

json::Value to_json(const SourceRow& row) {
    json::Value out;
    out.set("line", row.line);
    if (!row.json.empty()) return out.set("row", row.json);
    if (json::is_utf8(row.raw))
        out.set("raw", row.raw);
    else
        out.set("raw_base64", to_base64(row.raw));
    return out.set("raw_type", row.raw_type).set("code", row.code).set("detail", row.detail);
}

class Import {
  public:
    explicit Import(Invocation& invocation) : invocation_(invocation), admin_(invocation), path_(invocation.word(0)) {}

    int run() {
        if (int code = open(); code != exit_code::done) return code;
        CatchInterrupt catching;
        report_.emplace(name_, endpoint_["name"].text(), is_dry_run(), invocation_.world().clock.now());
        int code = send_all();
        if (code == exit_code::done && !input_->failure().empty()) code = complaint(input_->failure(), exit_code::io);
        report_->print(terminal(), invocation_.world().clock.now());
        if (code == exit_code::done) {
            if (note_ && !is_dry_run()) note_->remove();
            return report_->has_refused() ? exit_code::check_failed : exit_code::done;
        }
        if (!is_dry_run()) terminal().talk("Go on with: " + command_to_go_on());
        return code;
    }

  private:
    Terminal& terminal() { return invocation_.terminal(); }
    bool is_dry_run() const { return invocation_.has("dry-run"); }
    int complaint(const std::string& what, int code) {
        terminal().complain(what);
        return code;
    }

    std::string command_to_go_on() const {
        auto out = "forebay import " + (path_.find(' ') == std::string::npos ? path_ : "\"" + path_ + "\"") + " --endpoint " +
                   endpoint_["name"].text();
        for (auto option : {"name", "format", "delimiter"})
            if (auto value = invocation_.value(option)) out += std::string(" --") + option + " \"" + *value + "\"";
        for (const auto& map : invocation_.values("map")) out += " --map \"" + map + "\"";
        return out + (input_->is_seekable() ? " --resume" : "");
    }

    int open() {
        if (int code = find_endpoint(); code != exit_code::done) return code;
        auto input = Input::open(path_);
        if (!input) return complaint(input.error(), exit_code::io);
        input_ = std::move(*input);
        name_ = invocation_.value("name").value_or(path_ == "-" ? "stdin" : std::filesystem::path(path_).filename().string());
        if (name_.empty() || name_.find_first_of("\r\n:") != std::string::npos || name_.size() > 200)
            return invocation_.misused("--name must be 1 to 200 characters without a colon");
        beginning_ = input_->look(beginning_bytes).substr(0, beginning_bytes);
        if (beginning_.empty()) return complaint(path_ + " is empty", exit_code::data);
        if (auto why = why_no_text(beginning_, path_); !why.empty()) return complaint(why, exit_code::data);
        if (beginning_.starts_with("\xef\xbb\xbf")) input_->use(3);
        if (int code = open_rows(); code != exit_code::done) return code;
        return go_on();
    }

    int find_endpoint() {
        auto wanted = invocation_.value("endpoint");
        if (!wanted) return invocation_.misused("import needs --endpoint");
        auto answer = admin_.get("/api/endpoints");
        if (!answer) return failed(invocation_, answer.error());
        std::vector<std::string> names;
        for (const auto& endpoint : (*answer)["endpoints"].elements()) {
            if (endpoint["name"].text() == *wanted) endpoint_ = endpoint;
            names.push_back(endpoint["name"].text());
        }
        if (!endpoint_.is_null()) return exit_code::done;
        auto meant = nearest(*wanted, names);
        return invocation_.misused("there is no endpoint \"" + *wanted + "\"" + (meant.empty() ? "" : "; did you mean \"" + meant + "\"?"));
    }

    int open_rows() {
        auto format = format_of(path_, beginning_);
        if (auto given = invocation_.value("format")) {
            if (*given != "csv" && *given != "jsonl") return invocation_.misused("--format must be csv or jsonl");
            format = *given == "csv" ? FileFormat::csv : FileFormat::jsonl;
        }
        if (format == FileFormat::csv) return open_csv();
        for (auto option : {"map", "delimiter"})
            if (invocation_.has(option)) return invocation_.misused(std::string("--") + option + " is for CSV");
        terminal().detail(1, path_ + ": JSON lines");
        rows_ = json_rows(*input_, 1);
        return exit_code::done;
    }

    int open_csv() {
        auto delimiter = delimiter_of(beginning_);
        if (auto given = invocation_.value("delimiter")) {
            if (*given == "tab" || *given == "\\t") given = "\t";
            if (given->size() != 1 || *given == "\"" || *given == "\n")
                return invocation_.misused("--delimiter must be one character or tab");
            delimiter = given->front();
        }
        std::map<std::string, std::string> renamed;
        for (const auto& map : invocation_.values("map")) {
            auto equals = map.find('=');
            if (equals == std::string::npos || equals == 0 || equals + 1 == map.size())
                return invocation_.misused("--map must be COLUMN=FIELD");
            renamed[map.substr(0, equals)] = map.substr(equals + 1);
        }
        CsvReader reader(*input_, delimiter);
        CsvRow first;
        if (!reader.next(first)) return complaint(path_ + " has no heading", exit_code::data);
        if (!first.problem.empty()) return complaint(path_ + ": the heading " + first.problem, exit_code::data);
        while (first.cells.size() > 1 && first.cells.back().empty()) first.cells.pop_back();
        auto heading = match_heading(first.cells, endpoint_, renamed);
        terminal().talk(path_ + ": CSV with " + std::string(name_of_delimiter(delimiter)) + ", " + counted(first.cells.size(), "column"));
        for (const auto& remark : heading.remarks) terminal().talk("  " + remark);
        if (!heading.problem.empty()) return complaint(path_ + ": " + heading.problem, exit_code::data);
        columns_ = std::move(heading.columns);
        delimiter_ = delimiter;
        rows_ = csv_rows(*input_, delimiter, reader.line(), columns_);
        return exit_code::done;
    }

    /// Where an earlier import of the file stopped.
    int go_on() {
        bool resume = invocation_.has("resume");
        if (!input_->is_seekable()) {
            if (resume)
                return invocation_.misused("--resume needs a file; from standard input repeat the whole: rows that are in are recognised");
            return exit_code::done;
        }
        if (is_dry_run()) return exit_code::done;
        note_.emplace(invocation_.whatever_is_configured().node.data_dir, path_, endpoint_["name"].text(), beginning_);
        auto stopped = note_->read();
        if (!stopped) {
            if (resume) terminal().talk("No import of this file was left unfinished here; it begins at its start.");
            return exit_code::done;
        }
        if (!resume) {
            terminal().talk("An earlier import of this file stopped at line " + grouped(stopped->line) +
                            "; --resume goes on there. Beginning at its start: rows that are in are recognised.");
            return exit_code::done;
        }
        if (stopped->offset > input_->size()) return complaint(path_ + " has become shorter since its import stopped", exit_code::data);
        if (auto sought = input_->seek(stopped->offset); !sought) return complaint(sought.error(), exit_code::io);
        rows_ = columns_.empty() ? json_rows(*input_, stopped->line) : csv_rows(*input_, delimiter_, stopped->line, columns_);
        terminal().talk("Going on at line " + grouped(stopped->line) + ".");
        return exit_code::done;
    }

    int send_all() {
        ProgressLine line(terminal(), invocation_.world().clock, name_, input_->size());
        progress_ = &line;
        auto batch = json::Value::array();
        std::size_t bytes = 0;
        SourceRow row;
        while (rows_->next(row)) {
            if (is_dry_run()) report_->note_content(row);
            bytes += row.json.size() + row.raw.size();
            batch.push(to_json(row));
            if (batch.elements().size() < rows_a_batch && bytes < bytes_a_batch) continue;
            if (int code = send(std::move(batch)); code != exit_code::done) return code;
            batch = json::Value::array();
            bytes = 0;
            if (CatchInterrupt::came()) return complaint("stopped behind line " + grouped(rows_->line() - 1), exit_code::try_again);
        }
        return batch.elements().empty() ? exit_code::done : send(std::move(batch));
    }

    /// Until every row of the batch was taken or refused. A node that restarts, or a disk that is full, is waited for.
    int send(json::Value batch) {
        auto pause = pause_first;
        auto waiting_since = invocation_.world().clock.now();
        for (;;) {
            json::Value request;
            request.set("endpoint", endpoint_["name"].text()).set("source", name_).set("dry_run", is_dry_run()).set("rows", batch);
            auto answer = admin_.post("/api/import", request);
            std::string why;
            if (answer) {
                auto left = report_->take(*answer, batch);
                if (left.rows.elements().empty()) break;
                if (left.rows.elements().size() < batch.elements().size()) waiting_since = invocation_.world().clock.now();
                batch = std::move(left.rows);
                why = left.why;
            } else {
                bool may_pass = answer.error().exit_code == exit_code::unreachable || answer.error().exit_code == exit_code::try_again;
                if (!may_pass) return failed(invocation_, answer.error());
                why = answer.error().what;
            }
            if (CatchInterrupt::came() || invocation_.world().clock.now() - waiting_since > patience)
                return complaint(why, exit_code::try_again);
            progress_->show(input_->offset(), report_->rows(), report_->refused(), "waiting: " + why);
            terminal().detail(1, "waiting: " + why);
            std::this_thread::sleep_for(pause);
            pause = std::min(pause * 2, pause_longest);
        }
        if (note_) note_->write({input_->offset(), rows_->line()});
        progress_->show(input_->offset(), report_->rows(), report_->refused());
        return exit_code::done;
    }

    Invocation& invocation_;
    AdminClient admin_;
    std::string path_, name_, beginning_;
    json::Value endpoint_;
    std::unique_ptr<Input> input_;
    std::vector<Column> columns_;
    char delimiter_ = ',';
    std::unique_ptr<Rows> rows_;
    std::optional<ProgressNote> note_;
    std::optional<ImportReport> report_;
    ProgressLine* progress_ = nullptr;
};

}  // namespace

int run_import(Invocation& invocation) { return Import(invocation).run(); }

}  // namespace forebay::cli
