#include "db/connection.h"

namespace forebay::db {

Result<std::int64_t, Error> Connection::run_many(std::string_view sql, const Rows& rows) {
    std::int64_t changed = 0;
    for (auto& row : rows) {
        TRY(run(sql, row));
        changed += changes();
    }
    return changed;
}

}  // namespace forebay::db
