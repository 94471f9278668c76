#include "db/dialect.h"

namespace forebay::db {

bool is_mysql(Driver driver) { return driver == Driver::mariadb || driver == Driver::mysql; }

std::string quoted(Driver driver, std::string_view name) {
    char quote = is_mysql(driver) ? '`' : '"';
    std::string out(1, quote);
    for (char c : name) {
        if (c == '.' && driver != Driver::sqlite)
            out.append({quote, '.', quote});
        else
            out.append(c == quote ? 2 : 1, c);
    }
    return out + quote;
}

std::string insert_or_keep(Driver driver, std::string_view table, const std::vector<std::string>& columns,
                           const std::vector<std::string>& keys) {
    auto list = [&](const std::vector<std::string>& names) {
        std::string out;
        for (auto& name : names) out.append(out.empty() ? "" : ", ").append(quoted(driver, name));
        return out;
    };
    std::string places;
    for (std::size_t i = 0; i < columns.size(); ++i) places += i == 0 ? "?" : ", ?";
    auto insert = "INSERT INTO " + quoted(driver, table) + " (" + list(columns) + ") VALUES (" + places + ") ";
    auto first = quoted(driver, keys.front());
    return insert + (is_mysql(driver) ? "ON DUPLICATE KEY UPDATE " + first + " = " + first : "ON CONFLICT (" + list(keys) + ") DO NOTHING");
}

std::string_view table_query(Driver driver) {
    if (driver == Driver::sqlite) return "SELECT 1 FROM sqlite_schema WHERE name = ?";
    if (driver == Driver::postgresql) return "SELECT 1 WHERE to_regclass(?) IS NOT NULL";
    return "SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?";
}

std::string_view columns_query(Driver driver) {
    if (driver == Driver::sqlite) return "SELECT name, type, CASE WHEN \"notnull\" THEN 'NO' ELSE 'YES' END FROM pragma_table_info(?)";
    if (driver == Driver::postgresql)
        return "SELECT column_name::text, data_type::text, is_nullable::text FROM information_schema.columns "
               "WHERE table_schema = ANY (current_schemas(false)) AND table_name = ? ORDER BY ordinal_position";
    return "SELECT column_name, column_type, is_nullable FROM information_schema.columns "
           "WHERE table_schema = DATABASE() AND table_name = ? ORDER BY ordinal_position";
}

}  // namespace forebay::db
