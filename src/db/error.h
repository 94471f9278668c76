#pragma once
// What a failure leaves known, which is all that a caller may decide on. db/errors_*.cpp sort each driver's codes.

#include <string>
#include <string_view>

namespace forebay::db {

enum class ErrorKind {
    dependency,       ///< the database is away, locked, full or not set up: rolled back; hold and try later
    conflict,         ///< deadlock, lock wait, certification failure: rolled back; Database::write has tried it again itself
    poison,           ///< this statement with these values will never work: rolled back
    unknown_outcome,  ///< the commit failed half way: it may be there or not; replay by id
};
std::string_view name_of(ErrorKind kind);

struct Error {
    ErrorKind kind = ErrorKind::dependency;
    int code = 0;      ///< the driver's own (extended) code; PostgreSQL: 0, its SQLSTATE is in `what`
    std::string what;  ///< "main: UNIQUE constraint failed: leads.email"; never a value of a record
    /// What becomes of the connection it happened on.
    enum class Fate {
        keep,
        drop,      ///< it is of no use any more
        drop_all,  ///< none of this database's is: the writer has moved (a read-only answer), names must be resolved again
    } fate = Fate::keep;
    bool is_duplicate = false;  ///< a key is there already
};

}  // namespace forebay::db
