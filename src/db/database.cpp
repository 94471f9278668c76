#include "db/database.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

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
        return lock;
    }
    WriterLock(WriterLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    WriterLock& operator=(WriterLock&&) = delete;
    ~WriterLock() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }

  private:
    explicit WriterLock(int descriptor) : descriptor_(descriptor) {}
    static Failure<Error> refusal(const Options& options, const std::string& what) {
        return {Error{ErrorKind::dependency, errno, options.name + ": " + what}};
    }
    int descriptor_;
};

void roll_back(Connection& connection) {
    if (connection.in_transaction()) (void)connection.command("ROLLBACK");
}

}  // namespace

struct Database::Inside {
    Options options;
    WriterLock lock;
    std::unique_ptr<Connection> connection;  ///< nothing after a failed commit, until the next use

    Result<Connection*, Error> connected() {
        if (!connection) {
            TRY_ASSIGN(connection, Connection::open(options, Access::read_write));
        }
        return connection.get();
    }
};

Database::Database(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}
Database::~Database() = default;

Result<std::unique_ptr<Database>, Error> Database::open(Options options) {
    TRY_ASSIGN(auto lock, WriterLock::take(options));
    auto inside = std::make_unique<Inside>(Inside{std::move(options), std::move(lock), nullptr});
    TRY(inside->connected());
    return std::unique_ptr<Database>(new Database(std::move(inside)));
}

Result<void, Error> Database::write(UniqueFunction<Result<void, Error>(WriteTransaction&)> body) {
    TRY_ASSIGN(auto* connection, inside_->connected());
    TRY(connection->command("BEGIN IMMEDIATE"));
    WriteTransaction transaction(*connection);
    if (auto done = body(transaction); !done) {
        roll_back(*connection);
        return done;
    }
    auto committed = connection->command("COMMIT");
    if (committed) return {};
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

ReadOnly::ReadOnly(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
ReadOnly::~ReadOnly() = default;

Result<std::unique_ptr<ReadOnly>, Error> ReadOnly::open(const std::string& path, Duration busy_timeout) {
    Options options;
    options.name = path;
    options.path = path;
    options.busy_timeout = busy_timeout;
    TRY_ASSIGN(auto connection, Connection::open(options, Access::read_only));
    return std::unique_ptr<ReadOnly>(new ReadOnly(std::move(connection)));
}

Result<void, Error> ReadOnly::read(UniqueFunction<Result<void, Error>(ReadTransaction&)> body) {
    TRY(connection_->command("BEGIN"));
    ReadTransaction transaction(*connection_);
    auto done = body(transaction);
    roll_back(*connection_);
    return done;
}

}  // namespace forebay::db
