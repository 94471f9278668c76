// The SQLite driver's database: one file, one writing process, gone or replaced files noticed.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "db/sqlite_connection.h"

namespace forebay::db {
namespace {

/// The right to be the one process that writes a file: an flock beside it, which the kernel gives back
/// when the process ends, however it ends.
class WriterLock {
  public:
    static Result<WriterLock, Error> take(const Options& options) {
        auto path = options.path + ".writer";
        WriterLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
        if (lock.descriptor_ < 0) return refusal(options, "cannot open " + path + ": " + std::strerror(errno));
        if (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) != 0) return refusal(options, "another process writes " + options.path);
        lock.file_ = file_at(path);
        return lock;
    }
    /// Whether the lock is still the one that others would meet.
    bool is_at(const Options& options) const { return file_ != 0 && file_ == file_at(options.path + ".writer"); }
    WriterLock(WriterLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)), file_(other.file_) {}
    WriterLock& operator=(WriterLock&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        std::swap(file_, other.file_);
        return *this;
    }
    ~WriterLock() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }

  private:
    explicit WriterLock(int descriptor) : descriptor_(descriptor) {}
    static Failure<Error> refusal(const Options& options, const std::string& what) {
        return {Error{ErrorKind::dependency, errno, options.name + ": " + what}};
    }
    int descriptor_;
    std::uint64_t file_ = 0;
};

std::string absolute(const std::string& path) {
    std::error_code ignored;
    return std::filesystem::absolute(path, ignored).lexically_normal().string();
}

std::string gone_text(const std::string& path) {
    return path + " is gone: it was moved or deleted, or its disk is not mounted. Put it back; or begin with an empty one: touch " + path;
}

Result<void, Error> has_folder(const Options& options) {
    auto folder = std::filesystem::path(options.path).parent_path();
    std::error_code error;
    if (folder.empty() || std::filesystem::is_directory(folder, error)) return {};
    auto what =
        why_gone(options).value_or("the folder " + folder.string() + " does not exist; make it, or mend the path in the configuration");
    return Failure{Error{ErrorKind::dependency, ENOENT, options.name + ": " + what}};
}

}  // namespace

std::uint64_t file_at(const std::string& path) {
    struct stat found{};
    if (::stat(path.c_str(), &found) != 0) return 0;
    return (static_cast<std::uint64_t>(found.st_dev) << 40) ^ found.st_ino;
}

bool is_there(const Options& options) { return options.driver != Driver::sqlite || file_at(options.path) != 0; }

std::optional<Timestamp> made_at(const Options& options) {
    std::ifstream note(options.made_note);
    std::string when, path;
    if (options.made_note.empty() || !std::getline(note, when) || !std::getline(note, path)) return std::nullopt;
    return path == absolute(options.path) ? parse_timestamp(when) : std::nullopt;
}

std::optional<std::string> why_gone(const Options& options) {
    if (!made_at(options) || file_at(options.path) != 0) return std::nullopt;
    return gone_text(options.path);
}

namespace {

Result<void, Error> look_at(SqliteFile& file, Reader::Look& look) {
    TRY(file.command("BEGIN"));
    ReadTransaction transaction(file);
    auto done = look(transaction);
    file.roll_back();
    return done;
}

class SqliteDatabase final : public Database {
  public:
    SqliteDatabase(Options options, WriterLock lock) : options_(std::move(options)), lock_(std::move(lock)) {}

    Driver driver() const override { return Driver::sqlite; }
    std::optional<Timestamp> began_anew() const override { return began_anew_; }

    Result<std::uint64_t, Error> opened() override {
        TRY(connected());
        return opened_so_often_;
    }

    Result<void, Error> read(Look look) override {
        TRY_ASSIGN(auto* file, connected());
        return look_at(*file, look);
    }

    Result<void, Error> probe() override {
        TRY_ASSIGN(auto* file, connected());
        TRY(file->begin());
        auto seen = file->run("SELECT count(*) FROM sqlite_schema", {});
        file->roll_back();
        if (!seen) return Failure{seen.error()};
        return {};
    }

  private:
    /// A commit into a file that is gone is an unknown outcome. After one the file has been closed; the next call opens it.
    Result<void, Error> write_once(Change& change) override {
        TRY_ASSIGN(auto* file, connected());
        TRY(file->begin());
        WriteTransaction transaction(*file);
        if (auto done = change(transaction); !done) {
            file->roll_back();
            return done;
        }
        auto committed = file->commit();
        if (committed && is_there()) return note_made(), Result<void, Error>();
        if (committed) committed = Failure{Error{ErrorKind::unknown_outcome, 0, options_.name + ": " + gone_text(options_.path)}};
        file->roll_back();
        if (committed.error().kind == ErrorKind::unknown_outcome) file_.reset();
        return committed;
    }

    bool is_there() const { return number_ != 0 && number_ == file_at(options_.path); }

    Result<SqliteFile*, Error> connected() {
        if (file_ && is_there()) return file_.get();
        file_.reset();
        TRY(find());
        if (!lock_.is_at(options_)) {
            TRY_ASSIGN(lock_, WriterLock::take(options_));
        }
        auto earlier = is_empty() ? made_at(options_) : std::nullopt;
        TRY_ASSIGN(file_, SqliteFile::open(options_, Access::read_write));
        number_ = file_at(options_.path);
        ++opened_so_often_;
        was_made_ = true;
        began_anew_ = earlier;
        is_noted_ = made_at(options_) && !earlier;
        return file_.get();
    }

    /// A file that was there is not made again: who moved it, or whose disk is not mounted, wants it back.
    Result<void, Error> find() const {
        auto why = was_made_ && file_at(options_.path) == 0 ? gone_text(options_.path) : why_gone(options_).value_or("");
        if (!why.empty()) return Failure{Error{ErrorKind::dependency, ENOENT, options_.name + ": " + why}};
        return {};
    }

    bool is_empty() const {
        std::error_code error;
        auto bytes = std::filesystem::file_size(options_.path, error);
        return !error && bytes == 0;
    }

    /// Once something is in it, not before: an empty file is no loss.
    void note_made() {
        if (std::exchange(is_noted_, true) || options_.made_note.empty()) return;
        std::error_code ignored;
        std::filesystem::create_directories(std::filesystem::path(options_.made_note).parent_path(), ignored);
        std::ofstream(options_.made_note, std::ios::trunc) << to_rfc3339(SystemClock().wall()) << "\n" << absolute(options_.path) << "\n";
    }

    Options options_;
    WriterLock lock_;
    std::unique_ptr<SqliteFile> file_;  ///< nothing after a failed commit or when the file is gone, until the next use
    std::uint64_t number_ = 0;          ///< of the file that is open
    std::uint64_t opened_so_often_ = 0;
    bool was_made_ = false;  ///< this process has had it
    bool is_noted_ = false;
    std::optional<Timestamp> began_anew_;
};

class SqliteReader final : public Reader {
  public:
    SqliteReader(Options options, std::unique_ptr<SqliteFile> file)
        : options_(std::move(options)), file_(std::move(file)), number_(file_at(options_.path)) {}

    Driver driver() const override { return Driver::sqlite; }

    Result<void, Error> read(Look look) override {
        TRY(follow_path());
        return look_at(*file_, look);
    }

  private:
    Result<void, Error> follow_path() {
        auto number = file_at(options_.path);
        if (number == number_ && file_) return {};
        file_.reset();
        TRY_ASSIGN(file_, SqliteFile::open(options_, Access::read_only));
        number_ = number;
        return {};
    }

    Options options_;
    std::unique_ptr<SqliteFile> file_;
    std::uint64_t number_;
};

}  // namespace

Result<std::unique_ptr<Database>, Error> open_sqlite(Options options) {
    TRY(has_folder(options));
    TRY_ASSIGN(auto lock, WriterLock::take(options));
    auto database = std::make_unique<SqliteDatabase>(std::move(options), std::move(lock));
    TRY(database->opened());
    return std::unique_ptr<Database>(std::move(database));
}

Result<std::unique_ptr<Reader>, Error> open_sqlite_reader(const Options& options) {
    TRY_ASSIGN(auto file, SqliteFile::open(options, Access::read_only));
    return std::unique_ptr<Reader>(std::make_unique<SqliteReader>(options, std::move(file)));
}

}  // namespace forebay::db
