#include "handlers/table.h"

#include <algorithm>
#include <set>

#include "db/dialect.h"

namespace forebay::handlers {
namespace {

struct TypeNames {
    std::string_view column;  ///< Column::type
    std::string_view sqlite, mysql, postgresql;
};
constexpr TypeNames types[] = {
    {"TEXT", "TEXT", "TEXT", "TEXT"},
    {"INTEGER", "INTEGER", "BIGINT", "BIGINT"},
    {"REAL", "REAL", "DOUBLE", "DOUBLE PRECISION"},
    {"NUMERIC", "NUMERIC", "DECIMAL(38, 9)", "NUMERIC"},
    {"BLOB", "BLOB", "MEDIUMBLOB", "BYTEA"},
    {"TIME", "TEXT", "DATETIME(3)", "TIMESTAMP(3) WITH TIME ZONE"},
};

std::string_view type_of(db::Driver driver, const Column& column) {
    auto known = std::find_if(std::begin(types), std::end(types), [&](auto& type) { return type.column == column.type; });
    auto& type = known == std::end(types) ? types[0] : *known;
    if (driver == db::Driver::postgresql) return type.postgresql;
    return db::is_mysql(driver) ? type.mysql : type.sqlite;
}

std::string definition_of(db::Driver driver, const Column& column) {
    auto name = db::quoted(driver, column.name) + " ";
    if (column.name != "id") return name.append(type_of(driver, column));
    return name + (db::is_mysql(driver) ? "CHAR(36) CHARACTER SET ascii COLLATE ascii_bin" : "TEXT") + " PRIMARY KEY NOT NULL";
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

}  // namespace

std::string insert_statement(db::Driver driver, const std::string& table, const std::vector<Column>& columns) {
    std::vector<std::string> names;
    for (auto& column : columns) names.push_back(column.name);
    return db::insert_or_keep(driver, table, names, {"id"});
}

Result<void, db::Error> ensure_table(db::WriteTransaction& transaction, const std::string& table, const std::vector<Column>& columns) {
    auto driver = transaction.driver();
    TRY_ASSIGN(auto rows, transaction.query(db::columns_query(driver), {table}));
    std::set<std::string> there;  // column names know no case
    for (auto& row : rows) there.insert(lower(db::text_of(row[0])));
    if (there.empty()) {
        std::string all;
        for (auto& column : columns) all.append(all.empty() ? "" : ", ").append(definition_of(driver, column));
        TRY(transaction.execute("CREATE TABLE IF NOT EXISTS " + db::quoted(driver, table) + " (" + all + ")" +
                                (db::is_mysql(driver) ? " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4" : "")));
        return {};
    }
    for (auto& column : columns)
        if (!there.contains(lower(column.name)))
            TRY(transaction.execute("ALTER TABLE " + db::quoted(driver, table) + " ADD COLUMN " + definition_of(driver, column)));
    return {};
}

std::vector<Column> columns_for(const std::vector<std::pair<std::string, std::string>>& fields_and_types) {
    std::vector<Column> columns{{"id", "id", "TEXT"}, {"received_at", "received_at", "TIME"}};
    for (auto& [name, type] : fields_and_types) {
        bool taken = std::any_of(columns.begin(), columns.end(), [&](auto& c) { return lower(c.name) == lower(name); });
        if (!taken) columns.push_back({name, name, type});
    }
    return columns;
}

}  // namespace forebay::handlers
