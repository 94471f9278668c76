#include "db/errors.h"

#include <algorithm>
#include <cctype>
#include <iterator>

namespace forebay::db {
namespace {

using Fate = Error::Fate;

template <std::size_t N>
bool is_any(int code, const int (&codes)[N]) {
    return std::find(std::begin(codes), std::end(codes), code) != std::end(codes);
}

constexpr int client_codes_from = 2000, client_codes_to = 2999;

// Names as in mysqld_error.h and errmsg.h.
constexpr int conflicts[] = {
    1213,  // ER_LOCK_DEADLOCK: also what a failed certification of Galera says, at COMMIT too
    1205,  // ER_LOCK_WAIT_TIMEOUT: only the statement is rolled back, we roll back the rest
    1020,  // ER_CHECKREAD: the row has changed since it was read
};
constexpr int lost[] = {
    1047,  // ER_UNKNOWN_COM_ERROR: "WSREP has not yet prepared node for application use"
    1053,  // ER_SERVER_SHUTDOWN
    1927,  // ER_CONNECTION_KILLED
    1040,  // ER_CON_COUNT_ERROR
    1203,  // ER_TOO_MANY_USER_CONNECTIONS
    1146,  // ER_NO_SUCH_TABLE: whoever made the tables must do it again, which is asked at a new connection
    4031,  // ER_CLIENT_INTERACTION_TIMEOUT
};
constexpr int read_only[] = {1290, 1836, 1792};
constexpr int poisons[] = {
    1048,  // ER_BAD_NULL_ERROR
    1062,  // ER_DUP_ENTRY
    1138,  // ER_INVALID_USE_OF_NULL
    1153,  // ER_NET_PACKET_TOO_LARGE
    1264,  // ER_WARN_DATA_OUT_OF_RANGE
    1265,  // WARN_DATA_TRUNCATED
    1292,  // ER_TRUNCATED_WRONG_VALUE
    1300,  // ER_INVALID_CHARACTER_STRING
    1364,  // ER_NO_DEFAULT_FOR_FIELD
    1365,  // ER_DIVISION_BY_ZERO
    1366,  // ER_TRUNCATED_WRONG_VALUE_FOR_FIELD
    1406,  // ER_DATA_TOO_LONG
    1411,  // ER_WRONG_VALUE_FOR_TYPE
    1452,  // ER_NO_REFERENCED_ROW_2
    1644,  // ER_SIGNAL_EXCEPTION: a trigger of the user's
    1690,  // ER_DATA_OUT_OF_RANGE
    3819,  // ER_CHECK_CONSTRAINT_VIOLATED
    4025,  // ER_CONSTRAINT_FAILED
};

/// Values stand in quotes after these words; the names of keys, columns and tables, which stand elsewhere, are kept.
std::string without_values(std::string_view text) {
    std::string out(text);
    for (std::string_view before : {"entry '", "value: '", "value '", "string: '", "string '"}) {
        for (auto at = out.find(before); at != std::string::npos; at = out.find(before, at)) {
            at += before.size();
            auto end = out.find("' for ", at);
            if (end == std::string::npos) end = out.rfind('\'');
            if (end == std::string::npos || end < at) break;
            out.replace(at, end - at, "…");
            at += std::string_view("…").size();
        }
    }
    return out;
}

/// PostgreSQL shows values in quotes after a colon, or as `(column)=(value)` in details, which are not asked for.
std::string without_postgresql_values(std::string_view text) {
    auto at = text.find(": \"");
    return at == std::string_view::npos ? std::string(text) : std::string(text.substr(0, at));
}

Error made(ErrorKind kind, int code, std::string what, Fate fate = Fate::keep) {
    Error error;
    error.kind = kind;
    error.code = code;
    error.what = std::move(what);
    error.fate = fate;
    return error;
}

}  // namespace

Error sorted_mysql(int code, std::string_view sqlstate, std::string_view text, bool committing) {
    auto what = without_values(text) + " (" + std::to_string(code) + ")";
    bool is_clients = code >= client_codes_from && code <= client_codes_to;
    if (is_any(code, conflicts)) return made(ErrorKind::conflict, code, what);
    if (committing) return made(ErrorKind::unknown_outcome, code, what, is_any(code, read_only) ? Fate::drop_all : Fate::drop);
    if (is_any(code, read_only)) return made(ErrorKind::dependency, code, what, Fate::drop_all);
    if (is_clients || is_any(code, lost) || sqlstate.starts_with("08")) return made(ErrorKind::dependency, code, what, Fate::drop);
    if (!is_any(code, poisons) && !sqlstate.starts_with("22") && !sqlstate.starts_with("23"))
        return made(ErrorKind::dependency, code, what);
    auto error = made(ErrorKind::poison, code, what);
    error.is_duplicate = code == 1062;
    return error;
}

Error sorted_postgresql(std::string_view sqlstate, std::string_view text, bool committing) {
    auto is = [&](std::string_view prefix) { return sqlstate.starts_with(prefix); };
    auto what = without_postgresql_values(text) + (sqlstate.empty() ? "" : " (" + std::string(sqlstate) + ")");
    if (is("40003")) return made(ErrorKind::unknown_outcome, 0, what, Fate::drop);
    if (is("40") || is("55P03")) return made(ErrorKind::conflict, 0, what);
    bool is_poison = is("22") || is("23") || is("54") || is("P0");
    if (committing && !is_poison) return made(ErrorKind::unknown_outcome, 0, what, Fate::drop);
    if (is_poison) {
        auto error = made(ErrorKind::poison, 0, what);
        error.is_duplicate = is("23505");
        return error;
    }
    if (is("25006")) return made(ErrorKind::dependency, 0, what, Fate::drop_all);
    bool is_lost = sqlstate.empty() || is("08") || is("57P") || is("53300") || is("42P01") || is("0A000") || is("XX") || is("26000");
    return made(ErrorKind::dependency, 0, what, is_lost ? Fate::drop : Fate::keep);
}

}  // namespace forebay::db
