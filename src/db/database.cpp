#include "db/database.h"

#include <algorithm>
#include <bit>
#include <random>
#include <thread>

#include "db/connection.h"
#include "db/server.h"
#include "db/sqlite_connection.h"

namespace forebay::db {
namespace {

constexpr std::size_t keys_max = 256;

/// So that two that met do not meet again.
void wait_a_little() {
    thread_local std::minstd_rand random(std::random_device{}());
    std::uniform_int_distribution<std::int64_t> wait(Database::wait_min.count(), Database::wait_max.count());
    std::this_thread::sleep_for(Duration(wait(random)));
}

std::string with_places(std::string_view sql, std::size_t places) {
    std::string list = "(?";
    for (std::size_t i = 1; i < places; ++i) list += ", ?";
    std::string out(sql);
    if (auto at = out.rfind("(?)"); at != std::string::npos) out.replace(at, 3, list + ")");
    return out;
}

}  // namespace

std::string_view name_of(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::dependency:
            return "dependency";
        case ErrorKind::conflict:
            return "conflict";
        case ErrorKind::poison:
            return "poison";
        case ErrorKind::unknown_outcome:
            return "unknown outcome";
    }
    return "?";
}

Driver ReadTransaction::driver() const { return connection_.driver(); }

Result<Rows, Error> ReadTransaction::query(std::string_view sql, const std::vector<Value>& values) { return connection_.run(sql, values); }

Result<Rows, Error> ReadTransaction::query_keys(std::string_view sql, const std::vector<Value>& before,
                                                const std::vector<std::string>& keys) {
    Rows all;
    for (std::size_t at = 0; at < keys.size(); at += keys_max) {
        auto count = std::min(keys_max, keys.size() - at);
        auto values = before;
        for (std::size_t i = 0; i < std::bit_ceil(count); ++i) values.emplace_back(keys[at + std::min(i, count - 1)]);
        TRY_ASSIGN(auto rows, connection_.run(with_places(sql, std::bit_ceil(count)), values));
        all.insert(all.end(), std::make_move_iterator(rows.begin()), std::make_move_iterator(rows.end()));
    }
    return all;
}

Result<std::int64_t, Error> WriteTransaction::execute(std::string_view sql, const std::vector<Value>& values) {
    TRY(connection_.run(sql, values));
    return connection_.changes();
}

Result<std::int64_t, Error> WriteTransaction::execute_many(std::string_view sql, const Rows& rows) {
    if (rows.empty()) return std::int64_t{0};
    return connection_.run_many(sql, rows);
}

Result<void, Error> Database::write(Change change) {
    auto is_again = [](const Error& error) { return error.kind == ErrorKind::conflict; };
    auto done = write_once(change);
    for (int tries = 1; !done && is_again(done.error()) && tries < tries_max; ++tries) {
        wait_a_little();
        done = write_once(change);
    }
    if (done || !is_again(done.error())) return done;
    auto error = done.error();
    error.kind = ErrorKind::dependency;
    error.what += " (tried " + std::to_string(tries_max) + " times)";
    return Failure{error};
}

Result<std::unique_ptr<Database>, Error> open(Options options) {
    return options.driver == Driver::sqlite ? open_sqlite(std::move(options)) : open_server(std::move(options));
}

Result<std::unique_ptr<Reader>, Error> open_reader(const Options& options) {
    if (options.driver == Driver::sqlite) return open_sqlite_reader(options);
    return server_reader(options);
}

}  // namespace forebay::db
