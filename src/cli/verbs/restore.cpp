// `restore DIR`: makes a data directory and database files of a backup. Everything is checked before anything is written, and the
// data directory gets its name last, so that a node never starts on half of one.
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <unordered_set>

#include "broker/history.h"
#include "cli/backup/copy.h"
#include "cli/backup/manifest.h"
#include "cli/process/paths.h"
#include "cli/verb.h"
#include "cli/verbs/verbs.h"
#include "cli/words.h"
#include "disk/posix_disk.h"
#include "record/envelope.h"

namespace forebay::cli {
namespace {

namespace files = std::filesystem;

class Restore {
  public:
    Restore(Invocation& invocation, const Configuration& configuration)
        : invocation_(invocation), configuration_(configuration), from_(invocation.word(0)) {
        while (from_.size() > 1 && from_.ends_with('/')) from_.pop_back();
        data_dir_ = configuration.node.data_dir;
        while (data_dir_.size() > 1 && data_dir_.ends_with('/')) data_dir_.pop_back();
        unfinished_ = data_dir_ + ".restoring";
    }

    int run() {
        auto manifest = read_manifest(from_);
        if (!manifest) return complaint(manifest.error(), exit_code::data);
        manifest_ = std::move(*manifest);
        if (auto there = what_is_in_the_way(); !there.empty() && !invocation_.has("dry-run")) return complaint(there, exit_code::usage);
        if (auto checked = check(); !checked) return complaint(checked.error(), exit_code::data);
        if (auto counted = count(); !counted) return complaint(counted.error(), exit_code::data);
        if (!invocation_.has("dry-run")) {
            auto written = write();
            terminal().progress("");
            if (!written) return complaint(written.error() + "; nothing was restored", exit_code::io);
        }
        return report();
    }

  private:
    Terminal& terminal() { return invocation_.terminal(); }
    int complaint(const std::string& what, int code) {
        terminal().progress("");
        terminal().complain(what);
        return code;
    }

    /// Where a database of the backup goes; empty: the configuration does not have it.
    std::string path_of(const std::string& database) const {
        const auto* found = configuration_.find_database(database);
        return found == nullptr || found->options.driver != db::Driver::sqlite ? "" : found->options.path;
    }

    std::string what_is_in_the_way() const {
        std::error_code ignored;
        if (files::exists(data_dir_, ignored) && !(files::is_directory(data_dir_, ignored) && files::is_empty(data_dir_, ignored)))
            return data_dir_ +
                   " is there and not empty: restore makes a new data directory; move the old one away, or give another "
                   "node.data_dir";
        if (files::exists(unfinished_, ignored)) return unfinished_ + " is there, of a restore that did not end: remove it";
        for (const auto& file : manifest_.files) {
            if (file.database.empty()) continue;
            auto path = path_of(file.database);
            if (path.empty()) return "the backup has a database " + file.database + ", which the configuration does not have as SQLite";
            // Those in the data directory come into the new one.
            if (!is_in_data_dir(path) && files::exists(path, ignored))
                return path + " is there: restore makes the file of database " + file.database + " anew; move the old one away";
        }
        return {};
    }

    bool is_in_data_dir(const std::string& path) const {
        auto absolute = files::absolute(path).lexically_normal().string();
        return absolute.starts_with(files::absolute(data_dir_).lexically_normal().string() + "/");
    }

    /// Where a file of the backup is written first.
    std::string first_place_of(const BackupFile& file) const {
        if (file.database.empty()) return unfinished_ + "/" + file.path;
        auto path = path_of(file.database);
        if (!is_in_data_dir(path)) return path + ".restoring";
        auto inside =
            files::absolute(path).lexically_normal().string().substr(files::absolute(data_dir_).lexically_normal().string().size());
        return unfinished_ + inside;
    }

    Result<void, std::string> check() {
        std::uint64_t done = 0;
        for (const auto& file : manifest_.files) {
            auto read = read_file(from_ + "/" + file.path, [&](std::uint64_t bytes) {
                done += bytes;
                terminal().progress("checking  " + about_size(done) + " of " + about_size(manifest_.bytes()));
                return true;
            });
            if (!read.ok()) return Failure{"the backup is damaged: " + read.error()};
            if (read->bytes != file.bytes || read->sha256 != file.sha256)
                return Failure{"the backup is damaged: " + from_ + "/" + file.path + " is not what was written"};
        }
        return {};
    }

    /// The log must be readable as one, whatever its checksums say.
    Result<void, std::string> count() {
        auto disk = disk::PosixDisk::open_existing(from_ + "/store");
        if (!disk.ok()) return Failure{disk.error().text()};
        std::unordered_set<std::uint64_t> ids;
        auto visited = broker::visit_accepted(**disk, {}, [&](const broker::AcceptedRecord& accepted) {
            auto record = record::decode(accepted.body, accepted.message_id, accepted.sent_at);
            if (record.ok()) ids.insert(std::hash<Uuid>{}(record->id));
            return true;
        });
        if (!visited.ok()) return Failure{"the backup's log cannot be read: " + visited.error().text()};
        records_ = ids.size();
        damage_ = std::move(visited->damage);
        return {};
    }

    Result<void, std::string> write() {
        auto written = write_files();
        if (written) return written;
        std::error_code ignored;
        files::remove_all(unfinished_, ignored);
        for (const auto& file : manifest_.files)
            if (!file.database.empty()) files::remove(first_place_of(file), ignored);
        return written;
    }

    Result<void, std::string> write_files() {
        std::uint64_t done = 0;
        TRY(make_directories(unfinished_ + "/store/history"));
        for (const auto& file : manifest_.files) {
            auto to = first_place_of(file);
            TRY(make_directories(files::absolute(to).parent_path().string()));
            TRY_ASSIGN(auto copied, copy_file(from_ + "/" + file.path, to, UINT64_MAX, [&](std::uint64_t bytes) {
                           done += bytes;
                           terminal().progress("restoring  " + about_size(done) + " of " + about_size(manifest_.bytes()));
                           return true;
                       }));
            if (copied.sha256 != file.sha256) return Failure{file.path + " changed while it was copied"};
            TRY(sync_directory(files::absolute(to).parent_path().string()));
        }
        return give_names();
    }

    /// All of them, or none.
    Result<void, std::string> give_names() {
        std::vector<std::pair<std::string, std::string>> names;
        for (const auto& file : manifest_.files)
            if (!file.database.empty() && !is_in_data_dir(path_of(file.database)))
                names.emplace_back(first_place_of(file), path_of(file.database));
        names.emplace_back(unfinished_, data_dir_);
        std::size_t given = 0;
        auto give_all = [&]() -> Result<void, std::string> {
            for (const auto& [from, to] : names) {
                if (::rename(from.c_str(), to.c_str()) != 0) return Failure{to + ": " + std::strerror(errno)};
                given += 1;
                TRY(sync_directory(files::absolute(to).parent_path().string()));
            }
            return {};
        };
        auto done = give_all();
        if (done) return {};
        auto what = done.error();
        for (; given > 0; --given) {
            const auto& [from, to] = names[given - 1];
            if (::rename(to.c_str(), from.c_str()) != 0) what += "; " + to + " was in place already: remove it";
        }
        return Failure{what};
    }

    int report() {
        bool dry_run = invocation_.has("dry-run");
        if (terminal().wants_json()) {
            auto damage = json::Value::array();
            for (const auto& one : damage_) damage.push(one);
            terminal().result_json(json::Value()
                                       .set("at", to_rfc3339(manifest_.at))
                                       .set("position", manifest_.position)
                                       .set("records", records_)
                                       .set("files", manifest_.files.size())
                                       .set("bytes", manifest_.bytes())
                                       .set("damage", std::move(damage))
                                       .set("dry_run", dry_run));
        } else {
            terminal().progress("");
            for (const auto& one : damage_) terminal().complain("in the backup's log: " + one);
            terminal().result("Backup of " + to_rfc3339(manifest_.at) + ": " + counted(manifest_.files.size(), "file") + ", " +
                              about_size(manifest_.bytes()) + ", every one as it was written; " + counted(records_, "record") +
                              " accepted.\n");
            if (dry_run)
                terminal().result("Would restore it to " + data_dir_ + ".\n");
            else
                terminal().result("Restored to " + data_dir_ +
                                  ". Go on with: forebay serve. The node it is a copy of must not run any more.\n");
        }
        if (dry_run)
            if (auto there = what_is_in_the_way(); !there.empty()) terminal().talk("It would be refused now: " + there);
        return damage_.empty() ? exit_code::done : exit_code::check_failed;
    }

    Invocation& invocation_;
    const Configuration& configuration_;
    std::string from_, data_dir_, unfinished_;
    Manifest manifest_;
    std::uint64_t records_ = 0;
    std::vector<std::string> damage_;
};

}  // namespace

int run_restore(Invocation& invocation) {
    auto configuration = invocation.configuration();
    if (!configuration) return exit_code::configuration;
    return Restore(invocation, *configuration).run();
}

}  // namespace forebay::cli
