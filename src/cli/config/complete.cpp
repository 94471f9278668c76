// Fills what follows from other settings: names, log paths, columns.
#include <unistd.h>

#include <algorithm>

#include "cli/config/load.h"
#include "intake/intake.h"

namespace forebay::cli {
namespace {

std::string host_name() {
    char name[256] = {};
    return gethostname(name, sizeof name - 1) == 0 && name[0] != '\0' ? name : "forebay";
}

std::string column_type(intake::FieldType type) {
    if (type == intake::FieldType::integer) return "INTEGER";
    return type == intake::FieldType::decimal ? "NUMERIC" : "TEXT";
}

/// The fields of every endpoint whose records come to this queue, each once, with the types of their columns.
std::vector<std::pair<std::string, std::string>> fields_of(const Configuration& c, const std::string& queue) {
    std::vector<std::pair<std::string, std::string>> fields;
    for (const auto& endpoint : c.endpoints) {
        if (endpoint.queue != queue) continue;
        for (const auto& field : endpoint.fields) {
            bool is_known = std::any_of(fields.begin(), fields.end(), [&](const auto& known) { return known.first == field.name; });
            if (!is_known) fields.emplace_back(field.name, column_type(field.type));
        }
    }
    return fields;
}

std::vector<handlers::Column> columns_of(const Configuration& c, const WorkerConfiguration& worker) {
    auto fields = fields_of(c, worker.queue);
    if (worker.columns.empty()) return handlers::columns_for(fields);
    std::vector<handlers::Column> columns;
    for (const auto& name : worker.columns) {
        auto known = std::find_if(fields.begin(), fields.end(), [&](const auto& field) { return field.first == name; });
        columns.push_back({name, name, known == fields.end() ? "TEXT" : known->second});
    }
    return columns;
}

void complete_worker(Configuration& c, WorkerConfiguration& worker) {
    worker.process.name = worker.name;
    worker.process.count = worker.count_min;
    worker.scale.min = worker.count_min;
    worker.scale.max = std::max(worker.count_min, worker.count_max);
    if (worker.process.log_path.empty()) worker.process.log_path = c.node.data_dir + "/log/{worker}-{n}.log";
    if (!worker.redirect_stderr && worker.process.error_log_path.empty())
        worker.process.error_log_path = c.node.data_dir + "/log/{worker}-{n}.err.log";
    if (c.log.guide) worker.process.log_style = supervisor::LogStyle::guide;
    if (!worker.sql.table.empty()) worker.sql.columns = columns_of(c, worker);
}

/// Longer than a pool keeps a connection that nobody uses, and than a statement may take.
void complete_cluster(DatabaseConfiguration& database) {
    constexpr std::uint16_t mariadb_port = 3306, postgresql_port = 5432;
    auto& cluster = database.cluster;
    cluster.name = database.name;
    cluster.idle_timeout = std::max({cluster.idle_timeout, 2 * database.options.timeout, 2 * database.options.pool.idle});
    for (auto& node : cluster.nodes)
        if (node.port == 0) node.port = database.options.driver == db::Driver::postgresql ? postgresql_port : mariadb_port;
}

}  // namespace

void complete(Configuration& c) {
    if (c.node.name.empty()) c.node.name = host_name();
    for (auto& queue : c.queues) queue.settings.carries_records = true;
    for (auto& database : c.databases) {
        database.options.name = database.name;
        database.options.made_note = c.node.data_dir + "/databases/" + database.name;
        complete_cluster(database);
    }
    for (auto& endpoint : c.endpoints)
        if (const auto* queue = c.find_queue(endpoint.queue)) endpoint.body = queue->body;
    for (auto& key : c.access)
        if (key.id.empty()) key.id = key.name;
    for (auto& worker : c.workers) complete_worker(c, worker);
}

template <class T>
static const T* find_in(const std::vector<T>& elements, std::string_view name) {
    auto at = std::find_if(elements.begin(), elements.end(), [&](const T& element) { return element.name == name; });
    return at == elements.end() ? nullptr : &*at;
}

bool ScheduleConfiguration::is_about_processes() const {
    constexpr std::string_view verbs[] = {"start", "stop", "restart", "scale"};
    return !words.empty() && std::find(std::begin(verbs), std::end(verbs), words[0]) != std::end(verbs);
}

bool Configuration::has_audit() const {
    return std::any_of(schedules.begin(), schedules.end(),
                       [](const auto& schedule) { return !schedule.words.empty() && schedule.words[0] == "audit"; });
}

bool Configuration::has_node() const {
    return std::any_of(node.roles.begin(), node.roles.end(), [](const auto& role) { return role == "intake" || role == "queue"; });
}

bool Configuration::has_queue(std::string_view name) const {
    if (name == intake::quarantine_queue || find_queue(name) != nullptr) return true;
    return std::any_of(queues.begin(), queues.end(),
                       [&](const auto& other) { return other.settings.redrive && other.settings.redrive->dead_letter == name; });
}
const QueueConfiguration* Configuration::find_queue(std::string_view name) const { return find_in(queues, name); }
const WorkerConfiguration* Configuration::find_worker(std::string_view name) const { return find_in(workers, name); }
const DatabaseConfiguration* Configuration::find_database(std::string_view name) const { return find_in(databases, name); }
const DatabaseConfiguration* Configuration::effects_database(const WorkerConfiguration& worker) const {
    if (worker.handler == HandlerKind::sql) return find_database(worker.database);
    return worker.handler == HandlerKind::exec ? find_database(ledger.database) : nullptr;
}

}  // namespace forebay::cli
