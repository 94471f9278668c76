#include "db/database.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "db/connection.h"

namespace forebay::db {

std::string_view name_of(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::dependency:
            return "dependency";
        case ErrorKind::poison:
            return "poison";
        case ErrorKind::unknown_outcome:
            return "unknown outcome";
    }
    return "?";
}

std::string text_of(const Value& value) {
    if (auto* text = std::get_if<std::string>(&value)) return *text;
    if (auto* blob = std::get_if<Blob>(&value)) return blob->bytes;
    if (auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
    if (auto* real = std::get_if<double>(&value)) return std::to_string(*real);
    return {};
}

std::int64_t integer_of(const Value& value) {
    if (auto* integer = std::get_if<std::int64_t>(&value)) return *integer;
    if (auto* real = std::get_if<double>(&value)) return static_cast<std::int64_t>(*real);
    return 0;
}

Result<Rows, Error> ReadTransaction::query(std::string_view sql, const std::vector<Value>& values) {
    return connection_.run(sql, values, nullptr);
}

Result<std::int64_t, Error> WriteTransaction::execute(std::string_view sql, const std::vector<Value>& values) {
    TRY(connection_.run(sql, values, nullptr));
    return connection_.changes();
}

Result<std::int64_t, Error> WriteTransaction::execute_named(std::string_view sql, const Named& values) {
    TRY(connection_.run(sql, {}, &values));
    return connection_.changes();
}

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

void roll_back(Connection& connection) {
    if (connection.in_transaction()) (void)connection.command("ROLLBACK");
}

}  // namespace

std::uint64_t file_at(const std::string& path) {
    struct stat found{};
    if (::stat(path.c_str(), &found) != 0) return 0;
    return (static_cast<std::uint64_t>(found.st_dev) << 40) ^ found.st_ino;
}

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

struct Database::Inside {
    Options options;
    WriterLock lock;
    std::unique_ptr<Connection> connection;  ///< nothing after a failed commit or when the file is gone, until the next use
    std::uint64_t file = 0;                  ///< that the connection has open
    std::uint64_t opened_so_often = 0;
    bool was_made = false;  ///< this process has had it
    bool is_noted = false;
    std::optional<Timestamp> began_anew;

    bool is_there() const { return file != 0 && file == file_at(options.path); }

    Result<Connection*, Error> connected() {
        if (connection && is_there()) return connection.get();
        connection.reset();
        TRY(find());
        if (!lock.is_at(options)) {
            TRY_ASSIGN(lock, WriterLock::take(options));
        }
        auto earlier = is_empty() ? made_at(options) : std::nullopt;
        TRY_ASSIGN(auto opened, Connection::open(options, Access::read_write));
        connection = std::move(opened);
        file = file_at(options.path);
        ++opened_so_often;
        was_made = true;
        began_anew = earlier;
        is_noted = made_at(options) && !earlier;
        return connection.get();
    }

    /// A file that was there is not made again: who moved it, or whose disk is not mounted, wants it back.
    Result<void, Error> find() const {
        auto why = was_made && file_at(options.path) == 0 ? gone_text(options.path) : why_gone(options).value_or("");
        if (!why.empty()) return Failure{Error{ErrorKind::dependency, ENOENT, options.name + ": " + why}};
        return {};
    }

    bool is_empty() const {
        std::error_code error;
        auto bytes = std::filesystem::file_size(options.path, error);
        return !error && bytes == 0;
    }

    /// Once something is in it, not before: an empty file is no loss.
    void note_made() {
        if (std::exchange(is_noted, true) || options.made_note.empty()) return;
        std::error_code ignored;
        std::filesystem::create_directories(std::filesystem::path(options.made_note).parent_path(), ignored);
        std::ofstream(options.made_note, std::ios::trunc) << to_rfc3339(SystemClock().wall()) << "\n" << absolute(options.path) << "\n";
    }
};

Database::Database(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}
Database::~Database() = default;

Result<std::unique_ptr<Database>, Error> Database::open(Options options) {
    TRY(has_folder(options));
    TRY_ASSIGN(auto lock, WriterLock::take(options));
    auto inside = std::make_unique<Inside>(Inside{std::move(options), std::move(lock), nullptr, 0, 0, false, false, {}});
    TRY(inside->connected());
    return std::unique_ptr<Database>(new Database(std::move(inside)));
}

Result<std::uint64_t, Error> Database::opened() {
    TRY(inside_->connected());
    return inside_->opened_so_often;
}

std::optional<Timestamp> Database::began_anew() const { return inside_->began_anew; }

Result<void, Error> Database::write(UniqueFunction<Result<void, Error>(WriteTransaction&)> body) {
    TRY_ASSIGN(auto* connection, inside_->connected());
    TRY(connection->command("BEGIN IMMEDIATE"));
    WriteTransaction transaction(*connection);
    if (auto done = body(transaction); !done) {
        roll_back(*connection);
        return done;
    }
    auto committed = connection->command("COMMIT");
    if (committed && inside_->is_there()) return inside_->note_made(), Result<void, Error>();
    if (committed)
        committed = Failure{Error{ErrorKind::unknown_outcome, 0, inside_->options.name + ": " + gone_text(inside_->options.path)}};
    roll_back(*connection);
    if (committed.error().kind == ErrorKind::unknown_outcome) inside_->connection.reset();
    return committed;
}

Result<void, Error> Database::read(UniqueFunction<Result<void, Error>(ReadTransaction&)> body) {
    TRY_ASSIGN(auto* connection, inside_->connected());
    TRY(connection->command("BEGIN"));
    ReadTransaction transaction(*connection);
    auto done = body(transaction);
    roll_back(*connection);
    return done;
}

Result<void, Error> Database::probe() {
    TRY_ASSIGN(auto* connection, inside_->connected());
    TRY(connection->command("BEGIN IMMEDIATE"));
    auto seen = connection->run("SELECT count(*) FROM sqlite_schema", {}, nullptr);
    roll_back(*connection);
    if (!seen) return Failure{seen.error()};
    return {};
}

ReadOnly::ReadOnly(Options options, std::unique_ptr<Connection> connection)
    : options_(std::move(options)), connection_(std::move(connection)), file_(file_at(options_.path)) {}
ReadOnly::~ReadOnly() = default;

Result<std::unique_ptr<ReadOnly>, Error> ReadOnly::open(const std::string& path, Duration busy_timeout) {
    Options options;
    options.name = path;
    options.path = path;
    options.busy_timeout = busy_timeout;
    TRY_ASSIGN(auto connection, Connection::open(options, Access::read_only));
    return std::unique_ptr<ReadOnly>(new ReadOnly(std::move(options), std::move(connection)));
}

Result<void, Error> ReadOnly::follow_path() {
    auto file = file_at(options_.path);
    if (file == file_ && connection_) return {};
    connection_.reset();
    TRY_ASSIGN(auto opened, Connection::open(options_, Access::read_only));
    connection_ = std::move(opened);
    file_ = file;
    return {};
}

Result<void, Error> ReadOnly::read(UniqueFunction<Result<void, Error>(ReadTransaction&)> body) {
    TRY(follow_path());
    TRY(connection_->command("BEGIN"));
    ReadTransaction transaction(*connection_);
    auto done = body(transaction);
    roll_back(*connection_);
    return done;
}

}  // namespace forebay::db
