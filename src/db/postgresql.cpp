// PostgreSQL through libpq: prepared statements with text parameters, pipelined for many rows, a deadline for each answer.
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <unordered_map>

#include "db/connection.h"
#include "db/errors.h"
#include "db/statement.h"

namespace forebay::db {
namespace {

constexpr std::size_t statements_kept_max = 64;
constexpr Duration longer_than_the_server = 5s;
constexpr const char* systems_ca = "/etc/ssl/certs/ca-certificates.crt";

using Steady = std::chrono::steady_clock;

struct CloseHandle {
    void operator()(PGconn* handle) const { PQfinish(handle); }
};
using Handle = std::unique_ptr<PGconn, CloseHandle>;
struct ClearAnswer {
    void operator()(PGresult* answer) const { PQclear(answer); }
};
using Answer = std::unique_ptr<PGresult, ClearAnswer>;

/// The parameters of one execution as libpq takes them. Bytes go in binary form, all else as text of a type the server infers.
struct Parameters {
    std::vector<std::string> texts;
    std::vector<const char*> values;
    std::vector<int> lengths, formats;

    Parameters(const std::vector<Value>& given, std::size_t count) {
        texts.reserve(count);
        for (std::size_t i = 0; i < count; ++i) {
            static const Value null;
            const auto& value = i < given.size() ? given[i] : null;
            texts.push_back(text_of(value));
            values.push_back(is_null(value) ? nullptr : texts.back().c_str());
            lengths.push_back(static_cast<int>(texts.back().size()));
            formats.push_back(std::holds_alternative<Blob>(value) ? 1 : 0);
        }
    }
    int count() const { return static_cast<int>(values.size()); }
};

constexpr Oid oid_bool = 16, oid_bytea = 17, oid_int8 = 20, oid_int2 = 21, oid_int4 = 23, oid_oid = 26, oid_float4 = 700, oid_float8 = 701;

std::string bytes_of(const char* escaped) {
    std::size_t length = 0;
    auto* raw = PQunescapeBytea(reinterpret_cast<const unsigned char*>(escaped), &length);
    std::string out(reinterpret_cast<char*>(raw), length);
    PQfreemem(raw);
    return out;
}

Value value_of(const PGresult* answer, int row, int column) {
    if (PQgetisnull(answer, row, column) != 0) return std::monostate{};
    const char* text = PQgetvalue(answer, row, column);
    switch (PQftype(answer, column)) {
        case oid_bool:
            return std::int64_t{text[0] == 't'};
        case oid_int8:
        case oid_int2:
        case oid_int4:
        case oid_oid:
            return static_cast<std::int64_t>(std::strtoll(text, nullptr, 10));
        case oid_float4:
        case oid_float8:
            return std::strtod(text, nullptr);
        case oid_bytea:
            return Blob{bytes_of(text)};
        default:
            return std::string(text, static_cast<std::size_t>(PQgetlength(answer, row, column)));
    }
}

Rows rows_of(const PGresult* answer) {
    Rows rows;
    for (int i = 0; i < PQntuples(answer); ++i) {
        Row row;
        for (int j = 0; j < PQnfields(answer); ++j) row.push_back(value_of(answer, i, j));
        rows.push_back(std::move(row));
    }
    return rows;
}

bool is_failure(const PGresult* answer) {
    auto status = PQresultStatus(answer);
    return status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_PIPELINE_SYNC;
}

class PostgresqlConnection final : public Connection {
  public:
    PostgresqlConnection(const Options& options, Access access, Handle handle)
        : name_(options.name), timeout_(options.timeout + longer_than_the_server), access_(access), handle_(std::move(handle)) {}

    Driver driver() const override { return Driver::postgresql; }
    Result<void, Error> begin() override { return command(access_ == Access::read_write ? "BEGIN" : "BEGIN READ ONLY"); }

    /// A transaction that the server has given up answers COMMIT with ROLLBACK and no error.
    Result<void, Error> commit() override {
        is_committing_ = true;
        auto answer = ask("COMMIT");
        is_committing_ = false;
        if (!answer) return Failure{answer.error()};
        if (std::string_view(PQcmdStatus(answer->get())) == "COMMIT") return {};
        return Failure{Error{ErrorKind::dependency, 0, name_ + ": the transaction was rolled back", Error::Fate::drop, false}};
    }
    bool roll_back() override {
        if (PQtransactionStatus(handle_.get()) == PQTRANS_IDLE) return true;
        return PQstatus(handle_.get()) == CONNECTION_OK && command("ROLLBACK").ok();
    }
    std::int64_t changes() override { return changes_; }

    Result<void, Error> command(const std::string& sql) {
        TRY(ask(sql));
        return {};
    }

    Result<Rows, Error> run(std::string_view sql, const std::vector<Value>& values) override {
        TRY_ASSIGN(auto* statement, prepared(sql));
        TRY(send(*statement, values));
        TRY_ASSIGN(auto answer, take_answer());
        changes_ = std::strtoll(PQcmdTuples(answer.get()), nullptr, 10);
        return rows_of(answer.get());
    }

    Result<std::int64_t, Error> run_many(std::string_view sql, const Rows& rows) override {
        if (rows.size() == 1) return Connection::run_many(sql, rows);
        TRY_ASSIGN(auto* statement, prepared(sql));
        if (PQenterPipelineMode(handle_.get()) != 1) return Failure{lost()};
        auto changed = run_piped(*statement, rows);
        if (PQexitPipelineMode(handle_.get()) != 1 && changed) return Failure{lost()};
        return changed;
    }

  private:
    struct Prepared {
        std::string name;
        std::size_t parameters;
    };

    /// libpq must read answers while it still sends, or both sides wait for each other with full buffers: it sends in parts.
    Result<std::int64_t, Error> run_piped(const Prepared& statement, const Rows& rows) {
        constexpr std::size_t at_once = 64;
        std::int64_t changed = 0;
        for (std::size_t at = 0; at < rows.size(); at += at_once) {
            auto end = std::min(rows.size(), at + at_once);
            for (auto i = at; i < end; ++i) TRY(send(statement, rows[i]));
            if (PQpipelineSync(handle_.get()) != 1) return Failure{lost()};
            TRY_ASSIGN(auto some, take_piped(end - at));
            changed += some;
        }
        return changed;
    }

    /// The answers of one part and its sync mark. The first error stands for those that it made the server skip.
    Result<std::int64_t, Error> take_piped(std::size_t count) {
        std::int64_t changed = 0;
        std::optional<Error> first;
        for (std::size_t i = 0; i <= count; ++i) {
            auto answer = next();
            if (!answer) return Failure{answer.error()};
            if (*answer == nullptr) return Failure{lost()};
            if (PQresultStatus(answer->get()) == PGRES_PIPELINE_SYNC) break;
            if (is_failure(answer->get())) {
                if (!first) first = error(answer->get());
            } else {
                changed += std::strtoll(PQcmdTuples(answer->get()), nullptr, 10);
            }
            TRY(next());  // the null that ends each statement's answers
        }
        if (first) return Failure{*first};
        return changed;
    }

    Result<void, Error> send(const Prepared& statement, const std::vector<Value>& values) {
        Parameters p(values, statement.parameters);
        bool is_sent = PQsendQueryPrepared(handle_.get(), statement.name.c_str(), p.count(), p.values.data(), p.lengths.data(),
                                           p.formats.data(), 0) == 1;
        if (!is_sent) return Failure{lost()};
        return {};
    }

    Result<Answer, Error> ask(const std::string& sql) {
        if (PQsendQuery(handle_.get(), sql.c_str()) != 1) return Failure{lost()};
        return take_answer();
    }

    /// The one answer of a command, and the null behind it.
    Result<Answer, Error> take_answer() {
        TRY_ASSIGN(auto answer, next());
        if (!answer) return Failure{lost()};
        for (;;) {
            TRY_ASSIGN(auto more, next());
            if (!more) break;
        }
        if (is_failure(answer.get())) return Failure{error(answer.get())};
        return answer;
    }

    /// The next answer; null where a statement's answers end.
    Result<Answer, Error> next() {
        auto until = Steady::now() + timeout_;
        while (PQflush(handle_.get()) == 1 || PQisBusy(handle_.get()) == 1) {
            if (!wait(until)) return Failure{late()};
            if (PQconsumeInput(handle_.get()) != 1) return Failure{lost()};
        }
        return Answer(PQgetResult(handle_.get()));
    }

    bool wait(Steady::time_point until) const {
        auto left = std::chrono::duration_cast<Duration>(until - Steady::now());
        short events = PQflush(handle_.get()) == 1 ? POLLIN | POLLOUT : POLLIN;
        pollfd fd{PQsocket(handle_.get()), events, 0};
        return left > Duration::zero() && ::poll(&fd, 1, static_cast<int>(left.count())) > 0;
    }

    Result<const Prepared*, Error> prepared(std::string_view sql) {
        auto kept = statements_.find(std::string(sql));
        if (kept != statements_.end()) return &kept->second;
        if (statements_.size() >= statements_kept_max) {
            TRY(command("DEALLOCATE ALL"));
            statements_.clear();
        }
        auto name = "f" + std::to_string(++statement_number_);
        if (PQsendPrepare(handle_.get(), name.c_str(), numbered(sql).c_str(), 0, nullptr) != 1) return Failure{lost()};
        TRY(take_answer());
        if (PQsendDescribePrepared(handle_.get(), name.c_str()) != 1) return Failure{lost()};
        TRY_ASSIGN(auto described, take_answer());
        auto parameters = static_cast<std::size_t>(PQnparams(described.get()));
        return &statements_.emplace(sql, Prepared{name, parameters}).first->second;
    }

    Error named(Error error) const {
        error.what = name_ + ": " + error.what;
        return error;
    }
    Error error(const PGresult* answer) const {
        const char* state = PQresultErrorField(answer, PG_DIAG_SQLSTATE);
        const char* text = PQresultErrorField(answer, PG_DIAG_MESSAGE_PRIMARY);
        return named(
            sorted_postgresql(state == nullptr ? "" : state, text == nullptr ? PQerrorMessage(handle_.get()) : text, is_committing_));
    }
    Error lost() const {
        std::string text = PQerrorMessage(handle_.get());
        while (!text.empty() && text.back() == '\n') text.pop_back();
        return named(sorted_postgresql("", text.empty() ? "the connection is lost" : text, is_committing_));
    }
    Error late() const { return named(sorted_postgresql("", "no answer within " + forebay::to_text(timeout_), is_committing_)); }

    std::string name_;
    Duration timeout_;
    Access access_;
    Handle handle_;
    std::unordered_map<std::string, Prepared> statements_;
    std::uint64_t statement_number_ = 0;
    std::int64_t changes_ = 0;
    bool is_committing_ = false;
};

/// libpq's keyword parameters.
struct Keywords {
    std::vector<std::pair<std::string, std::string>> pairs;
    void add(std::string key, std::string value) {
        if (!value.empty()) pairs.emplace_back(std::move(key), std::move(value));
    }
    Handle connect() const {
        std::vector<const char*> keys, values;
        for (auto& [key, value] : pairs) {
            keys.push_back(key.c_str());
            values.push_back(value.c_str());
        }
        keys.push_back(nullptr);
        values.push_back(nullptr);
        return Handle(PQconnectdbParams(keys.data(), values.data(), 0));
    }
};

std::string ssl_mode(const Tls& tls) {
    if (tls.mode == Tls::Mode::off) return "prefer";
    return tls.mode == Tls::Mode::required ? "require" : "verify-full";
}

Keywords keywords_of(const Options& options, const Address& address) {
    Keywords k;
    k.add("host", address.host);
    k.add("port", std::to_string(address.port));
    k.add("dbname", options.database);
    k.add("user", options.user);
    k.add("password", options.password);
    k.add("application_name", "forebay");
    k.add("client_encoding", "UTF8");
    k.add("connect_timeout", std::to_string(std::max<std::int64_t>(2, (options.connect_timeout.count() + 999) / 1000)));
    k.add("sslmode", ssl_mode(options.tls));
    k.add("sslrootcert", options.tls.ca.empty() && options.tls.mode == Tls::Mode::verify ? systems_ca : options.tls.ca);
    k.add("sslcert", options.tls.certificate);
    k.add("sslkey", options.tls.key);
    k.add("gssencmode", "disable");
    return k;
}

Result<void, Error> set_up(PostgresqlConnection& connection, const Options& options, Access access, const Address& address) {
    TRY(connection.command("SET statement_timeout = " + std::to_string(options.timeout.count())));
    TRY(connection.command("SET timezone = 'UTC'"));
    if (access == Access::read_only) return {};
    TRY_ASSIGN(auto rows, connection.run("SELECT pg_is_in_recovery()", {}));
    if (rows.empty() || integer_of(rows[0][0]) == 0) return {};
    return Failure{Error{ErrorKind::dependency, 0, options.name + ": " + to_text(address) + " is a standby, it is not the writer",
                         Error::Fate::drop, false}};
}

}  // namespace

Result<std::unique_ptr<Connection>, Error> connect_postgresql(const Options& options, const Address& address, Access access) {
    auto handle = keywords_of(options, address).connect();
    if (PQstatus(handle.get()) != CONNECTION_OK) {
        std::string text = PQerrorMessage(handle.get());
        while (!text.empty() && text.back() == '\n') text.pop_back();
        return Failure{Error{ErrorKind::dependency, 0, options.name + ": " + text, Error::Fate::drop, false}};
    }
    PQsetNoticeProcessor(handle.get(), [](void*, const char*) {}, nullptr);
    auto connection = std::make_unique<PostgresqlConnection>(options, access, std::move(handle));
    TRY(set_up(*connection, options, access, address));
    return std::unique_ptr<Connection>(std::move(connection));
}

}  // namespace forebay::db
