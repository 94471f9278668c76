#include "handlers/table.h"

#include <algorithm>
#include <set>

namespace forebay::handlers {
namespace {

constexpr std::string_view known_types[] = {"TEXT", "INTEGER", "REAL", "NUMERIC", "BLOB"};

std::string type_of(const Column& column) {
    bool known = std::find(std::begin(known_types), std::end(known_types), column.type) != std::end(known_types);
    return known ? column.type : "TEXT";
}

std::string definition_of(const Column& column) {
    return quoted(column.name) + " " + type_of(column) + (column.name == "id" ? " PRIMARY KEY NOT NULL" : "");
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

std::string joined(const std::vector<Column>& columns, const auto& part) {
    std::string out;
    for (auto& column : columns) out.append(out.empty() ? "" : ", ").append(part(column));
    return out;
}

}  // namespace

std::string quoted(std::string_view name) {
    std::string out = "\"";
    for (char c : name) out.append(c == '"' ? 2 : 1, c);
    return out + "\"";
}

std::string insert_statement(const std::string& table, const std::vector<Column>& columns) {
    return "INSERT INTO " + quoted(table) + " (" + joined(columns, [](auto& c) { return quoted(c.name); }) + ") VALUES (" +
           joined(columns, [](auto&) { return "?"; }) + ") ON CONFLICT (id) DO NOTHING";
}

Result<void, db::Error> ensure_table(db::WriteTransaction& transaction, const std::string& table, const std::vector<Column>& columns) {
    TRY(transaction.execute("CREATE TABLE IF NOT EXISTS " + quoted(table) + " (" + joined(columns, definition_of) + ")"));
    TRY_ASSIGN(auto rows, transaction.query("SELECT name FROM pragma_table_info(?)", {table}));
    std::set<std::string> there;  // column names know no case
    for (auto& row : rows) there.insert(lower(db::text_of(row[0])));
    for (auto& column : columns)
        if (!there.contains(lower(column.name)))
            TRY(transaction.execute("ALTER TABLE " + quoted(table) + " ADD COLUMN " + definition_of(column)));
    return {};
}

std::vector<Column> columns_for(const std::vector<std::pair<std::string, std::string>>& fields_and_types) {
    std::vector<Column> columns{{"id", "id", "TEXT"}, {"received_at", "received_at", "TEXT"}};
    for (auto& [name, type] : fields_and_types) {
        bool taken = std::any_of(columns.begin(), columns.end(), [&](auto& c) { return lower(c.name) == lower(name); });
        if (!taken) columns.push_back({name, name, type});
    }
    return columns;
}

}  // namespace forebay::handlers
