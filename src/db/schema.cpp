#include "db/schema.h"

#include <algorithm>
#include <cctype>

#include "db/dialect.h"

namespace forebay::db {
namespace {

/// (name, type, "YES" where null is allowed, "YES" where it fills itself, characters or null)
std::string_view schema_query(Driver driver) {
    if (driver == Driver::sqlite)
        return "SELECT name, type, CASE WHEN \"notnull\" THEN 'NO' ELSE 'YES' END, CASE WHEN dflt_value IS NOT NULL OR (pk = 1 AND "
               "upper(type) = "
               "'INTEGER') THEN 'YES' ELSE 'NO' END, NULL FROM pragma_table_info(?)";
    if (driver == Driver::postgresql)
        return "SELECT column_name::text, data_type::text, is_nullable::text, CASE WHEN column_default IS NOT NULL OR is_identity = 'YES' "
               "OR "
               "is_generated = 'ALWAYS' THEN 'YES' ELSE 'NO' END, character_maximum_length::bigint FROM information_schema.columns "
               "WHERE table_schema = ANY (current_schemas(false)) AND table_name = ? ORDER BY ordinal_position";
    return "SELECT column_name, column_type, is_nullable, CASE WHEN column_default IS NOT NULL OR extra <> '' THEN 'YES' ELSE 'NO' END, "
           "character_maximum_length FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ? ORDER BY "
           "ordinal_position";
}

/// A row if a unique key of the table is on `id` and nothing else.
std::string_view unique_id_query(Driver driver) {
    if (driver == Driver::sqlite)
        return "SELECT 1 WHERE (SELECT count(*) FROM pragma_table_info(?1) WHERE pk > 0) = 1 AND EXISTS (SELECT 1 FROM "
               "pragma_table_info(?1) "
               "WHERE pk = 1 AND name = 'id') OR EXISTS (SELECT 1 FROM pragma_index_list(?1) l WHERE l.\"unique\" AND (SELECT "
               "group_concat(name) "
               "FROM pragma_index_info(l.name)) = 'id')";
    if (driver == Driver::postgresql)
        return "SELECT 1 FROM pg_index x JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0] "
               "WHERE x.indrelid = to_regclass(?) AND x.indisunique AND x.indnkeyatts = 1 AND a.attname = 'id'";
    return "SELECT index_name FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = ? AND non_unique = 0 "
           "GROUP BY index_name HAVING group_concat(column_name) = 'id'";
}

bool is_same_name(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

template <class Column>
const Column* find(const std::vector<Column>& columns, std::string_view name) {
    auto at = std::find_if(columns.begin(), columns.end(), [&](const Column& column) { return is_same_name(column.name, name); });
    return at == columns.end() ? nullptr : &*at;
}

}  // namespace

std::vector<SchemaDifference> differences(const TableSchema& table, const std::vector<GivenColumn>& given) {
    std::vector<SchemaDifference> found;
    if (table.columns.empty()) return {{true, "", "there is no table " + table.name, "make it, or create = true at the worker"}};
    for (const auto& column : given) {
        const auto* there = find(table.columns, column.name);
        if (there == nullptr)
            found.push_back({true, column.name, "is missing", "ALTER TABLE " + table.name + " ADD COLUMN " + column.name + " …"});
        else if (there->characters && column.characters_max > *there->characters)
            found.push_back({false, column.name,
                             "takes " + std::to_string(*there->characters) + " characters, and a field may have " +
                                 std::to_string(column.characters_max),
                             "a longer column, or a smaller max at the field: a longer value makes a dead record"});
    }
    for (const auto& column : table.columns)
        if (!column.takes_null && !column.fills_itself && find(given, column.name) == nullptr)
            found.push_back({true, column.name, "must have a value, and the worker gives none", "a default, or allow null"});
    if (!table.is_id_unique)
        found.push_back(
            {true, "id", "is no key: a record that comes twice would be two rows", "ALTER TABLE " + table.name + " ADD PRIMARY KEY (id)"});
    return found;
}

Result<std::vector<std::string>, Error> other_unique_keys(ReadTransaction& transaction, const std::string& table) {
    TRY_ASSIGN(auto rows, transaction.query("SELECT group_concat(s.column_name ORDER BY s.seq_in_index SEPARATOR ', ') FROM "
                                            "information_schema.statistics s JOIN information_schema.columns c ON c.table_schema = "
                                            "s.table_schema AND c.table_name = s.table_name AND c.column_name = s.column_name WHERE "
                                            "s.table_schema = DATABASE() AND s.table_name = ? AND s.non_unique = 0 GROUP BY s.index_name "
                                            "HAVING sum(s.column_name = 'id') = 0 AND sum(c.extra LIKE '%auto_increment%') = 0",
                                            {table}));
    std::vector<std::string> keys;
    for (const auto& row : rows) keys.push_back(text_of(row[0]));
    return keys;
}

Result<TableSchema, Error> schema_of(ReadTransaction& transaction, const std::string& table) {
    TableSchema schema;
    schema.name = table;
    TRY_ASSIGN(auto rows, transaction.query(schema_query(transaction.driver()), {table}));
    for (const auto& row : rows) {
        ColumnSchema column{text_of(row[0]), text_of(row[1]), text_of(row[2]) == "YES", text_of(row[3]) == "YES", std::nullopt};
        if (!is_null(row[4])) column.characters = integer_of(row[4]);
        schema.columns.push_back(std::move(column));
    }
    TRY_ASSIGN(auto keys, transaction.query(unique_id_query(transaction.driver()), {table}));
    schema.is_id_unique = !keys.empty();
    return schema;
}

}  // namespace forebay::db
