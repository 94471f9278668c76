// `backup DIR`: a copy to begin from elsewhere, made while everything runs. First the log, up to a moment at which it is durable,
// then the databases: so what the log calls done is in the databases, and what the databases know beyond it is found
// done when it comes again. The node holds the log's segments where they are meanwhile.
#include <filesystem>

#include "cli/admin_client.h"
#include "cli/backup/copy.h"
#include "cli/backup/manifest.h"
#include "cli/console.h"
#include "cli/interrupt.h"
#include "cli/process/paths.h"
#include "cli/verb.h"
#include "cli/verbs/verbs.h"
#include "cli/words.h"
#include "db/sqlite_copy.h"
#include "disk/posix_disk.h"
#include "journal/history.h"
#include "journal/segment.h"
#include "ledger/ledger.h"

namespace forebay::cli {
namespace {

namespace files = std::filesystem;

constexpr int held_seconds = 120;
constexpr Duration asked_again_every = 20s;

/// What a copy must have: the segments from the first to the last, and of the last so many bytes.
struct Reach {
    Timestamp at;
    std::uint64_t position = 0, first = 0, last = 0, last_bytes = UINT64_MAX;
};

class Backup {
  public:
    Backup(Invocation& invocation, const Configuration& configuration)
        : invocation_(invocation), configuration_(configuration), admin_(invocation), to_(invocation.word(0)) {
        while (to_.size() > 1 && to_.ends_with('/')) to_.pop_back();
    }

    int run() {
        if (!node_named_by(invocation_).empty()) return invocation_.misused("a backup is made on the machine that has the data");
        std::error_code problem;
        auto found = files::status(to_, problem);
        if (found.type() == files::file_type::none) return complaint(to_ + ": " + problem.message(), exit_code::usage);
        if (files::exists(found) && (!files::is_directory(found) || !files::is_empty(to_, problem)))
            return complaint(to_ + " is there already and is not an empty folder", exit_code::usage);
        if (invocation_.has("dry-run")) return tell_what_it_would();
        CatchInterrupt catching;
        auto made = make();
        let_go();
        terminal().progress("");
        if (made) return report();
        terminal().complain(made.error() + "; what is in " + to_ + " is no backup");
        return CatchInterrupt::came() || try_again_ ? exit_code::try_again : exit_code::io;
    }

  private:
    Terminal& terminal() { return invocation_.terminal(); }
    int complaint(const std::string& what, int code) {
        terminal().complain(what);
        return code;
    }
    std::string data(const std::string& path) const { return configuration_.node.data_dir + "/" + path; }

    int tell_what_it_would() {
        std::uint64_t bytes = 0;
        std::error_code ignored;
        for (const auto& file : files::recursive_directory_iterator(store_path(configuration_.node.data_dir), ignored))
            if (file.is_regular_file(ignored)) bytes += file.file_size(ignored);
        terminal().result("Would copy the log (at most " + about_size(bytes) + ")");
        for (const auto& database : sqlite_databases()) terminal().result(", database " + database.first);
        terminal().result(" to " + to_ + ".\n");
        return exit_code::done;
    }

    Result<void, std::string> make() {
        for (auto folder : {"/store/history", "/secrets", "/effects", "/db"}) TRY(make_directories(to_ + folder));
        TRY_ASSIGN(reach_, hold());
        manifest_.version = version();
        manifest_.at = reach_.at;
        manifest_.position = reach_.position;
        TRY(copy_log());
        TRY(copy_history());
        TRY(still_held());
        TRY(copy_databases());
        TRY(copy_secrets());
        for (auto folder : {"/store/history", "/store", "/secrets", "/effects", "/db"}) TRY(sync_directory(to_ + folder));
        TRY(write_new_file(to_ + "/" + std::string(manifest_name), to_text(manifest_)));
        return sync_directory(to_);
    }

    /// Of a node that runs by asking it, else by taking its place.
    Result<Reach, std::string> hold() {
        auto answer = admin_.post("/api/hold", json::Value().set("seconds", held_seconds));
        if (answer) {
            asked_at_ = invocation_.world().clock.now();
            is_asked_ = true;
            auto number = [&](std::string_view name) { return static_cast<std::uint64_t>((*answer)[name].integer().value_or(0)); };
            return Reach{parse_timestamp((*answer)["at"].text()).value_or(Timestamp{}), number("position"), number("first_segment"),
                         number("last_segment"), number("last_bytes")};
        }
        auto disk = disk::PosixDisk::open_existing(store_path(configuration_.node.data_dir));
        if (!disk.ok()) return Failure{"there is no log: " + disk.error().text()};
        disk_ = std::move(*disk);
        if (!disk_->lock().ok()) {
            try_again_ = true;
            return Failure{"the node has the log and does not answer: " + answer.error().what};
        }
        return reach_of_a_log_at_rest();
    }

    Result<Reach, std::string> reach_of_a_log_at_rest() {
        auto names = disk_->list("");
        if (!names.ok()) return Failure{names.error().text()};
        Reach reach;
        reach.at = invocation_.world().clock.wall();
        for (const auto& name : *names)
            if (auto number = journal::segment_number(name)) {
                if (reach.last == 0) reach.first = *number;
                reach.last = *number;
            }
        if (reach.last == 0) return Failure{"the log in " + store_path(configuration_.node.data_dir) + " is empty"};
        return reach;
    }

    /// Asks again before the node lets go. A log that has moved on cannot be copied whole any more.
    Result<void, std::string> still_held() {
        if (!is_asked_) return {};
        if (CatchInterrupt::came()) return Failure{std::string("stopped")};
        auto answer = admin_.post("/api/hold", json::Value().set("seconds", held_seconds));
        if (!answer) {
            try_again_ = true;
            return Failure{"the node has gone: " + answer.error().what};
        }
        asked_at_ = invocation_.world().clock.now();
        if (static_cast<std::uint64_t>((*answer)["first_segment"].integer().value_or(0)) <= reach_.first) return {};
        try_again_ = true;
        return Failure{std::string("the node was started again meanwhile, and its log has moved on; make the backup again")};
    }

    void let_go() {
        if (is_asked_) (void)admin_.post("/api/hold", json::Value().set("seconds", 0)).ok();
    }

    OnBytes progress() {
        return [this](std::uint64_t bytes) {
            copied_ += bytes;
            terminal().progress("backup  " + about_size(copied_));
            return !CatchInterrupt::came();
        };
    }

    Result<void, std::string> add(const std::string& from, const std::string& path, std::uint64_t bytes_max = UINT64_MAX,
                                  const std::string& database = {}, bool* missing = nullptr) {
        TRY_ASSIGN(auto copied, copy_file(from, to_ + "/" + path, bytes_max, progress(), missing));
        manifest_.files.push_back({path, database, copied.bytes, copied.sha256});
        if (is_asked_ && invocation_.world().clock.now() - asked_at_ > asked_again_every) return still_held();
        return {};
    }

    Result<void, std::string> copy_log() {
        for (auto number = reach_.first; number <= reach_.last; ++number) {
            auto name = "store/" + journal::segment_name(number);
            TRY(add(data(name), name, number == reach_.last ? reach_.last_bytes : UINT64_MAX));
        }
        // Of a log at rest it says what was durable; of one that goes on it may say too much.
        return disk_ && disk_->exists("commit.mark") ? add(data("store/commit.mark"), "store/commit.mark") : Result<void, std::string>();
    }

    /// What is compressed or forgotten meanwhile is no loss.
    Result<void, std::string> copy_history() {
        auto looking = disk::PosixDisk::open_existing(store_path(configuration_.node.data_dir));
        if (!looking.ok()) return Failure{looking.error().text()};
        auto history = journal::list_history(**looking);
        if (!history.ok()) return Failure{history.error().text()};
        for (const auto& segment : *history) {
            if (segment.number >= reach_.first) continue;
            auto done = copy_history_segment(segment.compressed ? journal::compressed_history_path(segment.number)
                                                                : journal::raw_history_path(segment.number));
            if (!done.ok()) return Failure{done.error()};
            if (*done || segment.compressed) continue;
            if (auto packed = copy_history_segment(journal::compressed_history_path(segment.number)); !packed.ok())
                return Failure{packed.error()};
        }
        return {};
    }

    /// False when it is not there any more.
    Result<bool, std::string> copy_history_segment(const std::string& name) {
        bool missing = false;
        auto added = add(data("store/" + name), "store/" + name, UINT64_MAX, {}, &missing);
        if (missing) return false;
        if (!added.ok()) return Failure{added.error()};
        return true;
    }

    /// Name and path of those whose file is there.
    std::vector<std::pair<std::string, std::string>> sqlite_databases() const {
        std::vector<std::pair<std::string, std::string>> out;
        for (const auto& database : configuration_.databases)
            if (database.options.driver == db::Driver::sqlite && db::is_there(database.options))
                out.emplace_back(database.name, database.options.path);
        return out;
    }

    Result<void, std::string> copy_database(const std::string& from, const std::string& path, const std::string& database) {
        if (auto copied = db::copy_sqlite(from, to_ + "/" + path); !copied.ok()) return Failure{copied.error().what};
        TRY_ASSIGN(auto read, read_file(to_ + "/" + path, progress()));
        manifest_.files.push_back({path, database, read.bytes, read.sha256});
        return {};
    }

    Result<void, std::string> copy_databases() {
        for (const auto& [name, path] : sqlite_databases()) TRY(copy_database(path, "db/" + name + ".db", name));
        for (const auto& effects : ledger::effects_files(configuration_.node.data_dir))
            TRY(copy_database(effects.path, "effects/" + files::path(effects.path).filename().string(), ""));
        return {};
    }

    Result<void, std::string> copy_secrets() {
        std::error_code ignored;
        for (const auto& file : files::directory_iterator(data("secrets"), ignored))
            if (file.is_regular_file()) TRY(add(file.path().string(), "secrets/" + file.path().filename().string()));
        return {};
    }

    int report() {
        std::vector<std::string> elsewhere;
        for (const auto& database : configuration_.databases)
            if (database.options.driver != db::Driver::sqlite) elsewhere.push_back(database.name);
        if (terminal().wants_json()) {
            terminal().result_json(json::Value()
                                       .set("folder", to_)
                                       .set("at", to_rfc3339(manifest_.at))
                                       .set("position", manifest_.position)
                                       .set("files", manifest_.files.size())
                                       .set("bytes", manifest_.bytes()));
            return exit_code::done;
        }
        terminal().result("Backup of " + to_rfc3339(manifest_.at) + " in " + to_ + ": " + counted(manifest_.files.size(), "file") + ", " +
                          about_size(manifest_.bytes()) + ". What was accepted by then is in it.\n");
        for (const auto& name : elsewhere)
            terminal().talk("The rows of database " + name + " are not in it: its own backup must be as new as this one, or newer.");
        return exit_code::done;
    }

    Invocation& invocation_;
    const Configuration& configuration_;
    AdminClient admin_;
    std::string to_;
    Reach reach_;
    Manifest manifest_;
    std::unique_ptr<disk::PosixDisk> disk_;  ///< of a log at rest, locked
    Instant asked_at_;
    bool is_asked_ = false, try_again_ = false;
    std::uint64_t copied_ = 0;
};

}  // namespace

int run_backup(Invocation& invocation) {
    auto configuration = invocation.configuration();
    if (!configuration) return exit_code::configuration;
    return Backup(invocation, *configuration).run();
}

}  // namespace forebay::cli
