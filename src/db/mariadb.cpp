// MariaDB and MySQL through libmariadb: prepared statements, MariaDB's array parameters for many rows.
#include <errmsg.h>
#include <mysql.h>
#include <mysqld_error.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "db/connection.h"
#include "db/errors.h"

namespace forebay::db {
namespace {

constexpr std::size_t statements_kept_max = 64;
constexpr unsigned longer_than_the_server = 5;  // seconds that the client waits on for the server's own limit

struct CloseHandle {
    void operator()(MYSQL* handle) const { mysql_close(handle); }
};
using Handle = std::unique_ptr<MYSQL, CloseHandle>;
struct CloseStatement {
    void operator()(MYSQL_STMT* statement) const { mysql_stmt_close(statement); }
};
using Prepared = std::unique_ptr<MYSQL_STMT, CloseStatement>;

/// `2026-09-20 14:03:11.482`; sessions are set to UTC.
std::string as_datetime(Timestamp at) {
    auto text = to_rfc3339(at);
    if (auto t = text.find('T'); t != std::string::npos) text[t] = ' ';
    if (!text.empty() && text.back() == 'Z') text.pop_back();
    return text;
}

/// The parameters of one execution, or one column of many: what MYSQL_BIND points to lives here.
struct Parameter {
    std::string text;
    std::int64_t integer = 0;
    double real = 0;
    unsigned long length = 0;
    my_bool is_null = 0;
};

void bind(MYSQL_BIND& to, Parameter& parameter, const Value& value) {
    auto as_text = [&](std::string text, enum_field_types type) {
        parameter.text = std::move(text);
        parameter.length = parameter.text.size();
        to.buffer_type = type;
        to.buffer = parameter.text.data();
        to.buffer_length = parameter.length;
        to.length = &parameter.length;
    };
    if (auto* integer = std::get_if<std::int64_t>(&value)) {
        parameter.integer = *integer;
        to.buffer_type = MYSQL_TYPE_LONGLONG;
        to.buffer = &parameter.integer;
    } else if (auto* real = std::get_if<double>(&value)) {
        parameter.real = *real;
        to.buffer_type = MYSQL_TYPE_DOUBLE;
        to.buffer = &parameter.real;
    } else if (auto* blob = std::get_if<Blob>(&value)) {
        as_text(blob->bytes, MYSQL_TYPE_BLOB);
    } else if (auto* at = std::get_if<Timestamp>(&value)) {
        as_text(as_datetime(*at), MYSQL_TYPE_STRING);
    } else if (auto* text = std::get_if<std::string>(&value)) {
        as_text(*text, MYSQL_TYPE_STRING);
    } else {
        to.buffer_type = MYSQL_TYPE_NULL;
    }
}

/// One column of all rows as MariaDB's array parameters want it.
struct ColumnOfMany {
    std::vector<std::string> texts;
    std::vector<char*> pointers;
    std::vector<unsigned long> lengths;
    std::vector<char> indicators;

    ColumnOfMany(const Rows& rows, std::size_t column, MYSQL_BIND& to) {
        static const Value null;
        texts.reserve(rows.size());
        to.buffer_type = MYSQL_TYPE_STRING;
        for (auto& row : rows) {
            const auto& value = column < row.size() ? row[column] : null;
            if (std::holds_alternative<Blob>(value)) to.buffer_type = MYSQL_TYPE_BLOB;
            auto* at = std::get_if<Timestamp>(&value);
            texts.push_back(at != nullptr ? as_datetime(*at) : text_of(value));
            pointers.push_back(texts.back().data());
            lengths.push_back(texts.back().size());
            indicators.push_back(is_null(value) ? STMT_INDICATOR_NULL : STMT_INDICATOR_NONE);
        }
        to.buffer = pointers.data();
        to.length = lengths.data();
        to.u.indicator = indicators.data();
    }
};

enum class Reads { text, integer, real, blob };

Reads reads_of(const MYSQL_FIELD& field) {
    switch (field.type) {
        case MYSQL_TYPE_TINY:
        case MYSQL_TYPE_SHORT:
        case MYSQL_TYPE_INT24:
        case MYSQL_TYPE_LONG:
        case MYSQL_TYPE_LONGLONG:
        case MYSQL_TYPE_YEAR:
            return Reads::integer;
        case MYSQL_TYPE_FLOAT:
        case MYSQL_TYPE_DOUBLE:
            return Reads::real;
        case MYSQL_TYPE_TINY_BLOB:
        case MYSQL_TYPE_MEDIUM_BLOB:
        case MYSQL_TYPE_LONG_BLOB:
        case MYSQL_TYPE_BLOB:
        case MYSQL_TYPE_STRING:
        case MYSQL_TYPE_VAR_STRING:
        case MYSQL_TYPE_BIT:
            return field.charsetnr == 63 ? Reads::blob : Reads::text;  // 63: binary
        default:
            return Reads::text;  // decimals and times, exactly as the server writes them
    }
}

/// Buffers for the columns of a stored result.
class Fetch {
  public:
    explicit Fetch(MYSQL_RES& described) {
        auto columns = mysql_num_fields(&described);
        binds_.resize(columns);
        cells_.resize(columns);
        for (unsigned i = 0; i < columns; ++i) describe(*mysql_fetch_field_direct(&described, i), i);
    }
    MYSQL_BIND* binds() { return binds_.data(); }
    Row row() {
        Row out;
        for (auto& cell : cells_) out.push_back(value_of(cell));
        return out;
    }

  private:
    struct Cell {
        Reads reads = Reads::text;
        std::string room;
        std::int64_t integer = 0;
        double real = 0;
        unsigned long length = 0;
        my_bool is_null = 0;
    };
    void describe(const MYSQL_FIELD& field, unsigned i) {
        auto& cell = cells_[i];
        auto& bind = binds_[i];
        cell.reads = reads_of(field);
        bind.is_null = &cell.is_null;
        bind.length = &cell.length;
        if (cell.reads == Reads::integer) {
            bind.buffer_type = MYSQL_TYPE_LONGLONG;
            bind.buffer = &cell.integer;
        } else if (cell.reads == Reads::real) {
            bind.buffer_type = MYSQL_TYPE_DOUBLE;
            bind.buffer = &cell.real;
        } else {
            cell.room.resize(field.max_length);
            bind.buffer_type = cell.reads == Reads::blob ? MYSQL_TYPE_BLOB : MYSQL_TYPE_STRING;
            bind.buffer = cell.room.data();
            bind.buffer_length = cell.room.size();
        }
    }
    static Value value_of(const Cell& cell) {
        if (cell.is_null) return std::monostate{};
        if (cell.reads == Reads::integer) return cell.integer;
        if (cell.reads == Reads::real) return cell.real;
        auto text = cell.room.substr(0, cell.length);
        if (cell.reads == Reads::blob) return Blob{std::move(text)};
        return text;
    }
    std::vector<MYSQL_BIND> binds_;
    std::vector<Cell> cells_;
};

class MariadbConnection final : public Connection {
  public:
    MariadbConnection(const Options& options, Access access, Handle handle)
        : name_(options.name), driver_(options.driver), access_(access), handle_(std::move(handle)) {}

    Driver driver() const override { return driver_; }
    Result<void, Error> begin() override {
        return command(access_ == Access::read_write ? "START TRANSACTION" : "START TRANSACTION READ ONLY");
    }
    Result<void, Error> commit() override {
        if (mysql_commit(handle_.get()) != 0) return Failure{error(true)};
        return {};
    }
    bool roll_back() override { return mysql_rollback(handle_.get()) == 0; }
    std::int64_t changes() override { return changes_; }

    Result<void, Error> command(const std::string& sql) {
        if (mysql_real_query(handle_.get(), sql.data(), sql.size()) != 0) return Failure{error()};
        return {};
    }

    Result<Rows, Error> run(std::string_view sql, const std::vector<Value>& values) override {
        TRY_ASSIGN(auto* statement, prepared(sql));
        auto count = mysql_stmt_param_count(statement);
        std::vector<MYSQL_BIND> binds(count);
        std::vector<Parameter> parameters(count);
        for (std::size_t i = 0; i < count; ++i) {
            if (i < values.size())
                bind(binds[i], parameters[i], values[i]);
            else
                binds[i].buffer_type = MYSQL_TYPE_NULL;
        }
        TRY(execute(*statement, binds, 0));
        return fetch(*statement);
    }

    Result<std::int64_t, Error> run_many(std::string_view sql, const Rows& rows) override {
        if (rows.size() == 1 || !takes_arrays()) return Connection::run_many(sql, rows);
        TRY_ASSIGN(auto* statement, prepared(sql));
        auto count = mysql_stmt_param_count(statement);
        std::vector<MYSQL_BIND> binds(count);
        std::vector<ColumnOfMany> columns;
        columns.reserve(count);
        for (std::size_t i = 0; i < count; ++i) columns.emplace_back(rows, i, binds[i]);
        TRY(execute(*statement, binds, static_cast<unsigned>(rows.size())));
        return changes_;
    }

  private:
    bool takes_arrays() const {
        unsigned long extended = 0;
        return mariadb_get_infov(handle_.get(), MARIADB_CONNECTION_EXTENDED_SERVER_CAPABILITIES, &extended) == 0 &&
               (extended & (MARIADB_CLIENT_STMT_BULK_OPERATIONS >> 32)) != 0;
    }

    Result<void, Error> execute(MYSQL_STMT& statement, std::vector<MYSQL_BIND>& binds, unsigned rows) {
        mysql_stmt_attr_set(&statement, STMT_ATTR_ARRAY_SIZE, &rows);
        if (!binds.empty() && mysql_stmt_bind_param(&statement, binds.data()) != 0) return Failure{error(statement)};
        if (mysql_stmt_execute(&statement) != 0) return Failure{error(statement)};
        changes_ = static_cast<std::int64_t>(mysql_stmt_affected_rows(&statement));
        return {};
    }

    Result<Rows, Error> fetch(MYSQL_STMT& statement) {
        std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> described(mysql_stmt_result_metadata(&statement), &mysql_free_result);
        Rows rows;
        if (!described) return rows;
        if (mysql_stmt_store_result(&statement) != 0) return Failure{error(statement)};
        described.reset(mysql_stmt_result_metadata(&statement));  // now with the longest of each column
        Fetch fetch(*described);
        mysql_stmt_bind_result(&statement, fetch.binds());
        int code = 0;
        while ((code = mysql_stmt_fetch(&statement)) == 0) rows.push_back(fetch.row());
        auto failed = code == MYSQL_NO_DATA ? std::optional<Error>() : error(statement);
        mysql_stmt_free_result(&statement);
        if (failed) return Failure{*failed};
        return rows;
    }

    Result<MYSQL_STMT*, Error> prepared(std::string_view sql) {
        auto kept = statements_.find(std::string(sql));
        if (kept != statements_.end()) return kept->second.get();
        Prepared statement(mysql_stmt_init(handle_.get()));
        my_bool is_wanted = 1;
        mysql_stmt_attr_set(statement.get(), STMT_ATTR_UPDATE_MAX_LENGTH, &is_wanted);
        if (mysql_stmt_prepare(statement.get(), sql.data(), sql.size()) != 0) return Failure{error(*statement)};
        if (statements_.size() >= statements_kept_max) statements_.clear();
        return statements_.emplace(sql, std::move(statement)).first->second.get();
    }

    Error named(Error error) const {
        error.what = name_ + ": " + error.what;
        return error;
    }
    Error error(bool committing = false) const {
        auto* handle = handle_.get();
        return named(sorted_mysql(static_cast<int>(mysql_errno(handle)), mysql_sqlstate(handle), mysql_error(handle), committing));
    }
    Error error(MYSQL_STMT& s) const {
        return named(sorted_mysql(static_cast<int>(mysql_stmt_errno(&s)), mysql_stmt_sqlstate(&s), mysql_stmt_error(&s), false));
    }

    std::string name_;
    Driver driver_;
    Access access_;
    Handle handle_;
    std::unordered_map<std::string, Prepared> statements_;  // closed before the handle
    std::int64_t changes_ = 0;
};

unsigned whole_seconds(Duration d) { return static_cast<unsigned>(std::max<std::int64_t>(1, (d.count() + 999) / 1000)); }

void set_options(MYSQL* handle, const Options& options) {
    unsigned connect = whole_seconds(options.connect_timeout), statement = whole_seconds(options.timeout) + longer_than_the_server;
    unsigned protocol = MYSQL_PROTOCOL_TCP;  // or "localhost" would mean a socket file
    my_bool no = 0;
    mysql_optionsv(handle, MYSQL_OPT_PROTOCOL, &protocol);
    mysql_optionsv(handle, MYSQL_OPT_CONNECT_TIMEOUT, &connect);
    mysql_optionsv(handle, MYSQL_OPT_READ_TIMEOUT, &statement);
    mysql_optionsv(handle, MYSQL_OPT_WRITE_TIMEOUT, &statement);
    mysql_optionsv(handle, MYSQL_OPT_RECONNECT, &no);
    mysql_optionsv(handle, MYSQL_OPT_LOCAL_INFILE, nullptr);
    mysql_optionsv(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_optionsv(handle, MYSQL_REPORT_DATA_TRUNCATION, &no);
    if (options.tls.mode == Tls::Mode::off) return;
    my_bool yes = 1, is_verified = options.tls.mode == Tls::Mode::verify ? 1 : 0;
    auto file = [](const std::string& path) { return path.empty() ? nullptr : path.c_str(); };
    mysql_optionsv(handle, MYSQL_OPT_SSL_ENFORCE, &yes);
    mysql_optionsv(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &is_verified);
    if (auto* ca = file(options.tls.ca)) mysql_optionsv(handle, MYSQL_OPT_SSL_CA, ca);
    if (auto* certificate = file(options.tls.certificate)) mysql_optionsv(handle, MYSQL_OPT_SSL_CERT, certificate);
    if (auto* key = file(options.tls.key)) mysql_optionsv(handle, MYSQL_OPT_SSL_KEY, key);
}

/// What every statement relies on: values that do not fit are errors, times are UTC, reads see what was committed before.
Result<void, Error> set_up(MariadbConnection& connection, const Options& options, Access access, const Address& address) {
    TRY(connection.command(
        "SET SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00'"));
    TRY(connection.command("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"));
    auto seconds = std::to_string(whole_seconds(options.timeout));
    (void)connection.command("SET SESSION max_statement_time = " + seconds);  // MariaDB only
    (void)connection.command("SET SESSION innodb_lock_wait_timeout = " + seconds);
    if (access == Access::read_only) {
        if (options.reads_see_all) (void)connection.command("SET SESSION wsrep_sync_wait = 1");  // Galera only
        return {};
    }
    TRY_ASSIGN(auto rows, connection.run("SELECT @@global.read_only", {}));
    if (rows.empty() || integer_of(rows[0][0]) == 0) return {};
    Error error;
    error.what = options.name + ": " + to_text(address) + " is read-only, it is not the writer";
    error.fate = Error::Fate::drop;
    return Failure{error};
}

}  // namespace

Result<std::unique_ptr<Connection>, Error> connect_mariadb(const Options& options, const Address& address, Access access) {
    Handle handle(mysql_init(nullptr));
    set_options(handle.get(), options);
    auto* connected = mysql_real_connect(handle.get(), address.host.c_str(), options.user.c_str(), options.password.c_str(),
                                         options.database.empty() ? nullptr : options.database.c_str(), address.port, nullptr, 0);
    if (connected == nullptr) {
        auto error =
            sorted_mysql(static_cast<int>(mysql_errno(handle.get())), mysql_sqlstate(handle.get()), mysql_error(handle.get()), false);
        error.kind = ErrorKind::dependency;  // nothing was sent
        error.what = options.name + ": " + to_text(address) + ": " + error.what;
        return Failure{error};
    }
    auto connection = std::make_unique<MariadbConnection>(options, access, std::move(handle));
    TRY(set_up(*connection, options, access, address));
    return std::unique_ptr<Connection>(std::move(connection));
}

}  // namespace forebay::db
