// [worker.NAME.process] in supervisord's words, and what the node tells of the processes in /metrics.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "cli/config/load.h"
#include "cli/config/settings.h"
#include "cli/process/process_metrics.h"
#include "cli/process/work.h"

using namespace forebay;
using namespace forebay::cli;

namespace {

using supervisor::Autorestart;

std::string program(const std::string& settings) {
    return "[worker.api]\nhandler = \"program\"\ncommand = [\"true\"]\n[worker.api.process]\n" + settings;
}

Loaded load_program(const std::string& settings, const Variables& variables = {}) {
    return load_layers({{"forebay.toml", program(settings)}}, variables);
}

const WorkerConfiguration& good(const Loaded& loaded) {
    EXPECT_EQ(loaded.diagnostics.text(false), "");
    return *loaded.configuration.find_worker("api");
}

std::string problem(const std::string& settings) { return load_program(settings).diagnostics.text(false); }

TEST(ProcessCare, supervisords_settings_have_their_names) {
    auto loaded = load_program(R"(
autorestart = "unexpected"
exitcodes = [0, 2]
stopasgroup = true
killasgroup = true
redirect_stderr = false
stderr_logfile = "/tmp/err"
stdout_logfile_maxbytes = "1MiB"
stdout_logfile_backups = 3
umask = "027"
)");
    const auto& process = good(loaded).process;
    EXPECT_EQ(process.autorestart, Autorestart::unexpected);
    EXPECT_EQ(process.exitcodes, (std::vector<int>{0, 2}));
    EXPECT_TRUE(process.stopasgroup);
    EXPECT_EQ(process.error_log_path, "/tmp/err");
    EXPECT_EQ(process.log_rotation, (supervisor::Rotation{1_MiB, 3}));
    EXPECT_EQ(process.umask, 027U);
}

TEST(ProcessCare, the_defaults_are_supervisords) {
    auto loaded = load_program("");
    const auto& process = good(loaded).process;
    EXPECT_EQ(process.log_rotation, (supervisor::Rotation{50_MiB, 10}));
    EXPECT_EQ(process.exitcodes, std::vector<int>{0});
    EXPECT_EQ(process.autorestart, Autorestart::always);
    EXPECT_FALSE(process.stopasgroup);
    EXPECT_EQ(process.umask, std::nullopt);
    EXPECT_EQ(process.error_log_path, "");
}

TEST(ProcessCare, standard_error_by_itself_has_a_default_log) {
    auto loaded = load_program("redirect_stderr = false");
    EXPECT_EQ(good(loaded).process.error_log_path, loaded.configuration.node.data_dir + "/log/{worker}-{n}.err.log");
}

TEST(ProcessCare, autorestart_is_one_of_three_also_from_the_environment) {
    EXPECT_EQ(good(load_program("autorestart = false")).process.autorestart, Autorestart::never);
    auto loaded = load_program("", {{"FOREBAY__WORKER__API__PROCESS__AUTORESTART", "unexpected"}});
    EXPECT_EQ(good(loaded).process.autorestart, Autorestart::unexpected);
    EXPECT_NE(problem("autorestart = \"sometimes\"").find("must be true, false or \"unexpected\""), std::string::npos);
}

TEST(ProcessCare, what_makes_no_sense_is_refused_with_what_next) {
    struct {
        const char *settings, *said;
    } rows[] = {
        {"user = \"www-data\"", "process.user is not possible: a process has the user of its parent. Run forebay as that user"},
        {"exitcodes = [256]", "exitcodes must be a list of whole numbers from 0 to 255"},
        {"exitcodes = [-1]", "exitcodes must be a list of whole numbers from 0 to 255"},
        {"umask = \"028\"", "umask must be octal digits in quotes, such as \"027\""},
        {"umask = 22", "umask must be octal digits in quotes"},
        {"umask = \"7777\"", "umask must be octal digits in quotes"},
        {"stdout_logfile_maxbytes = 4095", "stdout_logfile_maxbytes must be 0, for no rotation, or at least 4KiB"},
        {"stdout_logfile_backups = 1001", "stdout_logfile_backups must be a whole number from 0 to 1000"},
        {"stderr_logfile = \"/tmp/err\"", "set redirect_stderr = false, or leave stderr_logfile out"},
        {"startsecs = \"2h\"", "startsecs must be from 0s to 1h"},
        {"stopwaitsecs = \"25h\"", "stopwaitsecs must be from 0s to 1d"},
        {"numprocs = 3", "unknown key \"numprocs\""},
        {"environment = { FOREBAY_N = \"7\" }", "FOREBAY_N is one of those that forebay sets itself"},
        {"environment = { \"A B\" = \"7\" }", "the name of a variable has letters, digits and _"},
        {"environment = { \"1A\" = \"7\" }", "begins with no digit"},
        {"environment = { A = 7 }", "environment.A must be a text in quotes, not 7"},
        {"environment = \"A=7\"", "environment must be a table, not text"},
    };
    for (const auto& row : rows)
        EXPECT_NE(problem(row.settings).find(row.said), std::string::npos) << row.settings << "\n" << problem(row.settings);
}

TEST(ProcessCare, the_bounds_of_a_log_are_taken) {
    EXPECT_EQ(good(load_program("stdout_logfile_maxbytes = 0\nstdout_logfile_backups = 0")).process.log_rotation,
              (supervisor::Rotation{0, 0}));
    EXPECT_EQ(good(load_program("stdout_logfile_maxbytes = \"4KiB\"\nstdout_logfile_backups = 1000")).process.log_rotation,
              (supervisor::Rotation{4_KiB, 1000}));
}

TEST(ProcessCare, killasgroup_cannot_be_turned_off_and_says_so) {
    auto loaded = load_program("killasgroup = false");
    EXPECT_EQ(loaded.diagnostics.errors(), 0U);
    EXPECT_NE(loaded.diagnostics.text(false).find("KILL goes to the whole group all the same"), std::string::npos);
}

TEST(ProcessCare, secrets_of_the_environment_are_given_and_never_shown) {
    auto loaded =
        load_program("environment = { MODE = \"live\", TOKEN = \"${env:TOKEN}\", AWS_REGION = \"eu-1\" }", {{"TOKEN", "hunter2"}});
    const auto& worker = good(loaded);
    auto shown = to_toml(settings_of(loaded.configuration), loaded.places, {});
    EXPECT_NE(shown.find("[worker.api.process.environment]\nMODE = \"live\""), std::string::npos) << shown;
    EXPECT_NE(shown.find("TOKEN = \"***\""), std::string::npos);
    EXPECT_EQ(shown.find("hunter2"), std::string::npos);
    std::vector<std::pair<std::string, std::string>> given = child_environment(loaded.configuration, worker, {});
    auto value = [&](const std::string& name) {
        auto matches = [&](const auto& one) { return one.first == name; };
        EXPECT_EQ(std::count_if(given.begin(), given.end(), matches), 1) << name;
        auto at = std::find_if(given.begin(), given.end(), matches);
        return at == given.end() ? std::string() : at->second;
    };
    EXPECT_EQ(value("TOKEN"), "hunter2");
    EXPECT_EQ(value("MODE"), "live");
    EXPECT_EQ(value("AWS_REGION"), "eu-1") << "one's own word counts";
}

TEST(ProcessCare, a_changed_secret_is_told_without_its_value) {
    auto before = load_program("environment = { TOKEN = \"${env:TOKEN}\" }", {{"TOKEN", "hunter2"}}).configuration;
    auto now = load_program("environment = { TOKEN = \"${env:TOKEN}\" }", {{"TOKEN", "hunter3"}}).configuration;
    EXPECT_EQ(changes(now, before), std::vector<std::string>{"worker.api.process.environment.TOKEN changed"});
}

TEST(ProcessCare, what_config_show_prints_is_read_back) {
    auto loaded = load_program("autorestart = \"unexpected\"\nexitcodes = [0, 2]\numask = \"007\"\nenvironment = { MODE = \"live\" }");
    auto shown = to_toml(settings_of(loaded.configuration), loaded.places, {});
    auto again = load_layers({{"shown.toml", shown}}, {});
    EXPECT_EQ(again.diagnostics.text(false), "");
    EXPECT_EQ(to_toml(settings_of(again.configuration), {}, {}), to_toml(settings_of(loaded.configuration), {}, {}));
}

TEST(ProcessCare, an_sql_worker_has_no_environment_of_its_own) {
    auto text = std::string(
        "[queue.q]\n[db.main]\ndriver = \"sqlite\"\npath = \"x.db\"\n[worker.store]\nqueue = \"q\"\nhandler = \"sql\"\n"
        "[worker.store.sql]\ndb = \"main\"\ntable = \"t\"\n[worker.store.process]\nenvironment = { A = \"b\" }\n");
    EXPECT_NE(load_layers({{"forebay.toml", text}}, {}).diagnostics.text(false).find("an sql worker starts nothing that would read it"),
              std::string::npos);
}

supervisor::ProcessStatus seen(const std::string& worker, unsigned n, supervisor::State state, supervisor::Restarts restarts) {
    supervisor::ProcessStatus status;
    status.name = worker + ":" + std::to_string(n);
    status.worker = worker;
    status.state = state;
    status.restarts_by = restarts;
    return status;
}

bool has(const metrics::Registry& registry, const std::string& line) {
    auto text = registry.prometheus_text();
    return text.find("\n" + line + "\n") != std::string::npos;
}

TEST(ProcessMetrics, count_processes_by_state_and_restarts_by_reason) {
    metrics::Registry registry;
    ProcessMetrics processes("", registry);
    processes.take({seen("store", 1, supervisor::State::running, {2, 1, 0}), seen("store", 2, supervisor::State::fatal, {0, 3, 1})});
    EXPECT_TRUE(has(registry, R"(forebay_worker_processes{worker="store",state="running"} 1)")) << registry.prometheus_text();
    EXPECT_TRUE(has(registry, R"(forebay_worker_processes{worker="store",state="fatal"} 1)"));
    EXPECT_TRUE(has(registry, R"(forebay_worker_processes{worker="store",state="stopped"} 0)"));
    EXPECT_TRUE(has(registry, R"(forebay_worker_restarts_total{worker="store",reason="recycle"} 2)"));
    EXPECT_TRUE(has(registry, R"(forebay_worker_restarts_total{worker="store",reason="crash"} 4)"));
    EXPECT_TRUE(has(registry, R"(forebay_worker_restarts_total{worker="store",reason="deploy"} 1)"));
}

TEST(ProcessMetrics, never_count_back) {
    metrics::Registry registry;
    ProcessMetrics processes("", registry);
    processes.take({seen("store", 1, supervisor::State::running, {0, 5, 0}), seen("store", 2, supervisor::State::running, {0, 5, 0})});
    processes.take({seen("store", 1, supervisor::State::running, {0, 6, 0})});  // store:2 was scaled away
    EXPECT_TRUE(has(registry, R"(forebay_worker_restarts_total{worker="store",reason="crash"} 11)")) << registry.prometheus_text();
    processes.take({seen("store", 1, supervisor::State::running, {0, 6, 0}), seen("store", 2, supervisor::State::running, {0, 1, 0})});
    EXPECT_TRUE(has(registry, R"(forebay_worker_restarts_total{worker="store",reason="crash"} 12)"));
    processes.take({});
    EXPECT_TRUE(has(registry, R"(forebay_worker_processes{worker="store",state="running"} 0)"));
}

TEST(ProcessMetrics, a_parent_that_is_not_there_is_none) {
    metrics::Registry registry;
    ProcessMetrics processes("/no/such/socket", registry);
    processes.refresh();
    EXPECT_EQ(registry.prometheus_text().find("forebay_worker_processes{"), std::string::npos);
}

}  // namespace
