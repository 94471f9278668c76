// The text of the files for those who run processes; whether they take them, the black-box tests ask them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "generate/supervisord.h"
#include "generate/systemd.h"

using namespace forebay;
using namespace forebay::generate;
using testing::HasSubstr;
using testing::Not;

namespace {

Processes two_workers() {
    Processes all;
    all.binary = "/usr/bin/forebay";
    all.file = "/etc/forebay/forebay.toml";
    all.directory = "/";
    all.data_dir = "/var/lib/forebay";
    all.node_name = "web-1";
    all.drain = 50s;
    all.listens = {"0.0.0.0:8080"};
    WorkerProcesses store;
    store.name = "store";
    store.group = "core";
    store.count = 2;
    store.count_max = 2;
    store.startsecs = 1500ms;
    store.startretries = 3;
    store.stopwaitsecs = 10s;
    store.stopsignal = "TERM";
    store.log = "/var/lib/forebay/log/store-{n}.log";
    all.workers = {store, store};
    auto& api = all.workers[1];
    api.name = "api";
    api.group = "apiworkers";
    api.stopsignal = "QUIT";
    api.priority = 10;
    api.autostart = false;
    api.stopwaitsecs = 20s;
    api.log = "/var/log/api.log";
    api.is_program = true;
    return all;
}

ScheduledRun scheduled(std::string name, std::string crontab, std::string verb, std::vector<std::string> processes = {}) {
    return {std::move(name), std::move(crontab), "every 7m", "UTC", std::move(verb), std::move(processes)};
}

TEST(Crontab, a_line_says_what_divides_an_hour_or_a_day) {
    const std::pair<Duration, const char*> rows[] = {
        {1min, "* * * * *"},
        {5min, "*/5 * * * *"},
        {7min, ""},
        {90min, ""},
        {1h, "0 * * * *"},
        {4h, "0 */4 * * *"},
        {5h, ""},
        {24h, "0 0 * * *"},
        {48h, ""},
        {30s, ""},
        {90s, ""},
        {168h, "0 0 * * 4"},
    };
    for (const auto& [every, line] : rows) EXPECT_EQ(crontab_of(every), line) << to_text(every);
}

TEST(Supervisord, a_worker_is_a_program_with_its_processes_and_care) {
    auto file = supervisord_file(two_workers());
    EXPECT_THAT(file, HasSubstr("\n[program:store]\ncommand=/usr/bin/forebay work store %(process_num)d -c /etc/forebay/forebay.toml\n"
                                "directory=/\nprocess_name=store_%(process_num)d\nnumprocs=2\nnumprocs_start=1\npriority=999\n"
                                "autostart=true\nautorestart=true\nstartsecs=2\nstartretries=3\nstopsignal=TERM\nstopwaitsecs=10\n"
                                "killasgroup=true\nredirect_stderr=true\n"
                                "stdout_logfile=/var/lib/forebay/log/store-%(process_num)d.log\n"));
    EXPECT_THAT(file, HasSubstr("priority=10\nautostart=false\n"));
    EXPECT_THAT(file, HasSubstr("stdout_logfile=/var/log/api.log\nstdout_logfile_maxbytes=0\n"));
    EXPECT_THAT(file, HasSubstr("\n[group:apiworkers]\nprograms=api\n\n[group:core]\nprograms=store\n"));
    EXPECT_THAT(file, HasSubstr("[program:forebay-node]\ncommand=/usr/bin/forebay node -c /etc/forebay/forebay.toml\n"));
    EXPECT_THAT(file, HasSubstr("stopwaitsecs=50\n"));
    EXPECT_THAT(file, HasSubstr("mkdir -p /var/lib/forebay/log /var/log\n"));
}

TEST(Supervisord, processes_that_come_with_the_backlog_are_told_as_missing) {
    auto all = two_workers();
    all.workers[0].count_max = 24;
    EXPECT_THAT(supervisord_file(all), HasSubstr("of store there are 2, not up to 24\n"));
    EXPECT_THAT(systemd_units(all, {true, false})[0].text,
                HasSubstr("# Of store there are 2, however much there is to do, not up to 24.\n"));
}

TEST(Supervisord, words_come_through_its_quotes_comments_and_percents) {
    EXPECT_EQ(supervisord_word("/usr/bin/forebay"), "/usr/bin/forebay");
    EXPECT_EQ(supervisord_word("/my %d dir/it's"), R"('/my %%d dir/it'"'"'s')");
    EXPECT_EQ(supervisord_word("a ;b #c;d"), "'a '';b ''#c;d'");
    EXPECT_EQ(supervisord_word(""), "''");
}

TEST(Supervisord, schedules_are_told_as_lines_for_cron) {
    auto all = two_workers();
    all.schedules = {scheduled("audit", "0 * * * *", "audit"), scheduled("odd", "", "audit"),
                     scheduled("fresh", "0 */4 * * *", "restart", {"apiworkers:*"}), scheduled("one", "@daily", "restart", {"store:2"}),
                     scheduled("more", "0 7 * * *", "scale", {"store=8"})};
    all.schedules[3].timezone = "America/Chicago";
    all.environment = "prod";
    auto file = supervisord_file(all);
    EXPECT_THAT(file, HasSubstr(";     CRON_TZ=UTC\n"
                                ";     0 * * * * cd / && /usr/bin/forebay schedule run audit -c /etc/forebay/forebay.toml -e prod\n"
                                ";     # odd (every 7m): no line of a crontab says that; the command is\n"));
    EXPECT_THAT(file, HasSubstr(";     0 */4 * * * for p in apiworkers:api_1 apiworkers:api_2; do supervisorctl restart $p; done\n"
                                ";     CRON_TZ=America/Chicago\n"
                                ";     @daily supervisorctl restart core:store_2\n"
                                ";     # more: how many processes there are only"));
    EXPECT_THAT(file, HasSubstr("-c /etc/forebay/forebay.toml -e prod\ndirectory"));
}

TEST(Systemd, the_service_waits_for_the_slowest_of_each_priority_when_it_stops) {
    auto units = systemd_units(two_workers(), {});
    ASSERT_EQ(units.size(), 1U);
    EXPECT_EQ(units[0].name, "forebay.service");
    EXPECT_THAT(units[0].text, HasSubstr("TimeoutStopSec=85s\n"));  // 5 + 50 + 20 + 10
    EXPECT_THAT(units[0].text, HasSubstr("ExecStart=/usr/bin/forebay serve -c /etc/forebay/forebay.toml\n"));
    EXPECT_THAT(units[0].text, HasSubstr("StateDirectory=forebay\nStateDirectoryMode=0700\n"));
    EXPECT_THAT(units[0].text, HasSubstr("PrivateTmp=yes\nCapabilityBoundingSet=\n"));
    EXPECT_THAT(units[0].text, Not(HasSubstr("\nReadWritePaths=")));
}

TEST(Systemd, what_lies_elsewhere_is_seen_and_written) {
    auto all = two_workers();
    all.data_dir = "/srv/my 50% data";
    all.written = {"/tmp"};
    all.read = {"/home/rest/console"};
    all.has_low_port = true;
    auto text = systemd_units(all, {})[0].text;
    EXPECT_THAT(text, HasSubstr("ReadWritePaths=\"/srv/my 50%% data\" /tmp\n"));
    EXPECT_THAT(text, HasSubstr("PrivateTmp=no\n"));
    EXPECT_THAT(text, HasSubstr("ProtectHome=read-only\n"));
    EXPECT_THAT(text, HasSubstr("AmbientCapabilities=CAP_NET_BIND_SERVICE\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE\n"));
    EXPECT_THAT(text, HasSubstr("#   install -d -o forebay -m 700 '/srv/my 50% data'\n"));
}

TEST(Systemd, words_come_through_its_quotes_specifiers_and_variables) {
    EXPECT_EQ(exec_word("/etc/forebay.toml"), "/etc/forebay.toml");
    EXPECT_EQ(exec_word("/a b/50%$x\"\\"), "\"/a b/50%%$$x\\\"\\\\\"");
    EXPECT_EQ(unit_word("/a b/50%$x"), "\"/a b/50%%$x\"");
}

TEST(Systemd, a_socket_of_systemd_takes_the_posts) {
    auto units = systemd_units(two_workers(), {false, true});
    ASSERT_EQ(units.size(), 2U);
    EXPECT_EQ(units[1].name, "forebay.socket");
    EXPECT_THAT(units[1].text, HasSubstr("ListenStream=0.0.0.0:8080\nFileDescriptorName=http\n"));
    EXPECT_THAT(units[0].text, HasSubstr("Requires=forebay.socket\n"));
}

TEST(Systemd, split_there_is_a_unit_for_each_and_a_target_that_wants_those_that_start) {
    auto units = systemd_units(two_workers(), {true, false});
    ASSERT_EQ(units.size(), 4U);
    EXPECT_EQ(units[0].name, "forebay.target");
    EXPECT_THAT(units[0].text, HasSubstr("Wants=forebay-node.service forebay-store@1.service forebay-store@2.service\n"));
    EXPECT_EQ(units[1].name, "forebay-node.service");
    EXPECT_EQ(units[3].name, "forebay-api@.service");
    EXPECT_THAT(units[3].text, HasSubstr("ExecStart=/usr/bin/forebay work api %i -c /etc/forebay/forebay.toml\nKillSignal=SIGQUIT\n"
                                         "TimeoutStopSec=20s\nStandardOutput=append:/var/log/api.log\n"));
}

}  // namespace
