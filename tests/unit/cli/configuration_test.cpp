// What a good configuration becomes: files, overlays, environment, references.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/config/load.h"
#include "cli/config/settings.h"

using namespace forebay;
using namespace forebay::cli;

namespace {

std::string data(const std::string& name) {
    std::ifstream file(std::string(FOREBAY_TEST_DATA) + "/" + name);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

Configuration good(const std::vector<Layer>& layers, const Variables& variables = {}) {
    auto loaded = load_layers(layers, variables);
    EXPECT_EQ(loaded.diagnostics.text(false), "");
    return std::move(loaded.configuration);
}
Configuration good(const std::string& text, const Variables& variables = {}) {
    return good(std::vector<Layer>{{"forebay.toml", text}}, variables);
}

std::string problems(const std::string& text, const Variables& variables = {}) {
    return load_layers({{"forebay.toml", text}}, variables).diagnostics.text(false);
}

class FullFile : public testing::Test {
  protected:
    Configuration c = good(data("full.toml"));
};

TEST_F(FullFile, fills_the_node_and_the_intake) {
    EXPECT_EQ(c.node.name, "web-1");
    EXPECT_EQ(c.node.data_dir, "/tmp/forebay-test");
    EXPECT_EQ(c.node.min_free_disk, 2_GiB);
    EXPECT_EQ(c.node.reserve_disk, 256_MiB);
    EXPECT_EQ(c.intake.listen, (std::vector<Listen>{{"0.0.0.0", 8080}, {"::1", 8081}}));
    EXPECT_EQ(c.intake.trusted_proxies, std::vector<std::string>{"10.0.0.0/16"});
    EXPECT_EQ(c.intake.max_body, 64_KiB);
    EXPECT_EQ(c.intake.drain_delay, 10s);
    EXPECT_EQ(c.admin.mask, (std::vector<std::string>{"email", "phone"}));
    EXPECT_EQ(c.sqs.account, "123456789012");
    EXPECT_EQ(c.sqs.base_url, "https://queue.example.com");
    EXPECT_EQ(c.sqs.hosts, std::vector<std::string>{"queue.internal"});
    EXPECT_EQ(c.admin.hosts, std::vector<std::string>{"ops.internal"});
}

TEST_F(FullFile, fills_endpoints_keys_and_sites_as_intake_defines_them) {
    ASSERT_EQ(c.endpoints.size(), 1U);
    const auto& lead = c.endpoints[0];
    EXPECT_EQ(lead.name, "lead");
    EXPECT_EQ(lead.auth, (std::vector<std::string>{"key:website", "site:quotes"}));
    EXPECT_EQ(lead.ok_status, 200U);
    EXPECT_EQ(lead.dialect, intake::Dialect::leadconduit);
    EXPECT_EQ(lead.on_reject, intake::OnReject::discard);
    EXPECT_EQ(lead.unknown, intake::Unknown::drop);
    EXPECT_EQ(lead.currency, "USD");
    EXPECT_EQ(lead.body, record::BodyForm::php);
    EXPECT_EQ(lead.form.next_hosts, std::vector<std::string>{"quotes.example.com"});
    EXPECT_EQ(lead.form.min_time, 2s);
    ASSERT_EQ(c.keys.size(), 1U);
    EXPECT_EQ(c.keys[0].rate->burst, 200);
    ASSERT_EQ(c.sites.size(), 1U);
    EXPECT_TRUE(c.sites[0].rate->per_ip);
    EXPECT_EQ(c.sites[0].token_ttl, 2h);
}

TEST_F(FullFile, keeps_the_fields_in_the_order_of_the_file) {
    std::vector<std::string> names;
    for (const auto& field : c.endpoints[0].fields) names.push_back(field.name);
    EXPECT_EQ(names, (std::vector<std::string>{"email", "phone", "first_name", "state", "zip", "amount", "consent", "cert", "lead_value"}));
    const auto& fields = c.endpoints[0].fields;
    EXPECT_EQ(fields[0].type, intake::FieldType::email);
    EXPECT_EQ(fields[0].clean, (std::vector<intake::Clean>{intake::Clean::trim, intake::Clean::lower}));
    EXPECT_EQ(fields[2].max, "80");
    EXPECT_EQ(fields[3].values, std::vector<std::string>{"@us_states"});
    EXPECT_EQ(fields[4].pattern, R"(^\d{5}(-\d{4})?$)");
    EXPECT_EQ(fields[5].min, "1000");
    EXPECT_EQ(fields[6].must_be, "true");
    EXPECT_EQ(fields[8].as, "value");
}

TEST(Changes, are_told_by_what_was_added_removed_and_changed) {
    auto configuration = [](const std::string& text) { return load_layers({{"forebay.toml", text}}, {}).configuration; };
    auto before = configuration("[queue.leads]\n[endpoint.lead]\nqueue = \"leads\"\nfields.zip = { type = \"string\" }\n");
    auto now = configuration("[queue.leads]\ndelay = \"5s\"\n[endpoint.lead]\nqueue = \"leads\"\nfields.city = { type = \"string\" }\n");
    EXPECT_EQ(changes(now, before), (std::vector<std::string>{"endpoint.lead.fields.city added", "endpoint.lead.fields.zip removed",
                                                              "queue.leads.delay = \"5s\" (was \"0s\")"}));
    EXPECT_TRUE(changes(now, now).empty());
}

TEST(Changes, of_a_key_are_told_without_its_hash) {
    auto configuration = [](const std::string& text) { return load_layers({{"forebay.toml", text}}, {}).configuration; };
    auto with_hash = [&](char digit) { return configuration("[key.website]\nhash = \"sha256:" + std::string(64, digit) + "\"\n"); };
    EXPECT_EQ(changes(with_hash('a'), with_hash('b')), std::vector<std::string>{"key.website.hash changed"});
    EXPECT_TRUE(changes(with_hash('a'), with_hash('a')).empty());
    EXPECT_EQ(changes(configuration(""), with_hash('b')), std::vector<std::string>{"key.website removed"});
}

TEST_F(FullFile, declared_queues_carry_records_and_know_their_dead_letters) {
    const auto* leads = c.find_queue("leads");
    ASSERT_NE(leads, nullptr);
    EXPECT_TRUE(leads->settings.carries_records);
    EXPECT_EQ(leads->settings.visibility_timeout, 45s);
    EXPECT_EQ(leads->settings.redrive, (broker::Redrive{"leads-dead", 30}));
    EXPECT_EQ(leads->body, record::BodyForm::php);
    EXPECT_EQ(c.find_queue("score")->settings.redrive, (broker::Redrive{"score-dead", 20}));
}

TEST_F(FullFile, workers_know_their_handler_and_their_care) {
    const auto* store = c.find_worker("store");
    ASSERT_NE(store, nullptr);
    EXPECT_EQ(store->handler, HandlerKind::sql);
    EXPECT_EQ(store->database, "main");
    EXPECT_EQ(store->batch.size, 50U);
    EXPECT_EQ(store->retry.after, (std::vector<Duration>{1s, 5min}));
    EXPECT_EQ(store->recycle.rss_bytes, 256_MiB);
    EXPECT_EQ(store->then, std::vector<std::string>{"score"});
    EXPECT_EQ(store->process.log_path, "/var/log/forebay/{worker}-{n}.log");
    const auto* score = c.find_worker("score");
    EXPECT_EQ(score->process.count, 4U);
    EXPECT_EQ(score->protocol, handlers::Protocol::lambda_batch);
    EXPECT_EQ(score->process.log_path, "/tmp/forebay-test/log/{worker}-{n}.log");
    const auto* api = c.find_worker("api");
    EXPECT_EQ(api->handler, HandlerKind::program);
    EXPECT_EQ(api->process.group, "apiworkers");
    EXPECT_EQ(api->process.command.back(), "{n}");
    EXPECT_FALSE(api->process.autostart);
    EXPECT_EQ(api->process.stop_signal, SIGINT);
    EXPECT_EQ(api->process.priority, 500);
    EXPECT_EQ(api->process.fatal_retry, 0s);
}

TEST_F(FullFile, fills_database_journal_log_and_telemetry) {
    EXPECT_EQ(c.find_database("main")->options.path, "leads.db");
    EXPECT_EQ(c.find_database("main")->options.name, "main");
    EXPECT_EQ(c.find_database("main")->options.timeout, 5s);
    EXPECT_EQ(c.find_database("main")->probe, 3s);
    EXPECT_EQ(c.journal.keep, 30 * 24h);
    EXPECT_FALSE(c.journal.compress);
    EXPECT_EQ(c.quarantine.max, 2_GiB);
    EXPECT_EQ(c.log.format, LogFormat::logfmt);
    EXPECT_EQ(c.log.level, LogLevel::debug);
    EXPECT_EQ(c.telemetry.statsd.to, (Listen{"10.0.3.5", 8125}));
    EXPECT_EQ(c.telemetry.statsd.tags, "dogstatsd");
}

TEST_F(FullFile, what_config_show_prints_reads_back_as_the_same_configuration) {
    auto shown = to_toml(settings_of(c), {}, {});
    auto hash = shown.find("hash = \"***\"");
    ASSERT_NE(hash, std::string::npos);
    shown.replace(hash, 12, "hash = \"" + c.keys[0].hash + "\"");
    auto again = good(shown);
    EXPECT_TRUE(differences(to_json(settings_of(c)), to_json(settings_of(again))).empty()) << shown;
}

TEST(Configuration, an_access_key_has_a_secret_from_elsewhere_and_verbs_on_queues) {
    const std::string text = "[access.web]\nsecret = \"${env:WEB}\"\nallow = [\"send:leads\", \"*:orders-*\"]\n";
    auto c = good(text, {{"WEB", "0123456789abcdef"}});
    ASSERT_EQ(c.access.size(), 1U);
    EXPECT_EQ(c.access[0].id, "web");
    EXPECT_EQ(c.access[0].secret, "0123456789abcdef");
    EXPECT_EQ(c.access[0].allow, (std::vector<sqs::Grant>{{sqs::Verb::send, "leads"}, {std::nullopt, "orders-*"}}));
    EXPECT_EQ(to_toml(settings_of(c), {}, {}).find("0123456789abcdef"), std::string::npos);
}

TEST(Configuration, an_empty_file_has_working_defaults) {
    auto c = good("");
    EXPECT_FALSE(c.sqs.verify);
    EXPECT_FALSE(c.node.name.empty());
    EXPECT_EQ(c.intake.listen, (std::vector<Listen>{{"127.0.0.1", 8080}}));
    EXPECT_EQ(c.journal.keep, 14 * 24h);
}

TEST(Configuration, the_sample_of_dev_stores_every_field_in_a_table_of_its_own_making) {
    auto c = good(default_dev_config());
    const auto* store = c.find_worker("store");
    ASSERT_NE(store, nullptr);
    EXPECT_TRUE(store->sql.create_table);
    std::vector<std::string> columns;
    for (const auto& column : store->sql.columns) columns.push_back(column.name);
    EXPECT_EQ(columns,
              (std::vector<std::string>{"id", "received_at", "email", "first_name", "last_name", "phone", "state", "zip", "campaign"}));
    EXPECT_EQ(c.find_queue("leads")->settings.redrive->dead_letter, "leads-dead");
}

TEST(Configuration, a_later_layer_replaces_values_and_joins_tables) {
    auto c = good({{"forebay.toml", "[intake]\nmax_body = \"1KiB\"\ndrain_delay = \"1s\"\n"},
                   {"forebay.prod.toml", "[intake]\nmax_body = \"2KiB\"\n"}});
    EXPECT_EQ(c.intake.max_body, 2_KiB);
    EXPECT_EQ(c.intake.drain_delay, 1s);
}

TEST(Configuration, a_list_in_a_later_layer_replaces_the_list) {
    auto c = good({{"a.toml", "[admin]\nmask = [\"email\", \"phone\"]\n"}, {"b.toml", "[admin]\nmask = [\"ip\"]\n"}});
    EXPECT_EQ(c.admin.mask, std::vector<std::string>{"ip"});
}

TEST(Configuration, the_environment_overrides_every_kind_of_setting) {
    auto c = good("[queue.leads-dead]\n", {{"FOREBAY__INTAKE__MAX_BODY", "128KiB"},
                                           {"FOREBAY__INTAKE__CONNECTIONS_MAX", "500"},
                                           {"FOREBAY__INTAKE__LISTEN", "127.0.0.1:1, 127.0.0.1:2"},
                                           {"FOREBAY__ADMIN__MASK", "[\"a,b\", \"c\"]"},
                                           {"FOREBAY__QUEUE__LEADS_DEAD__RETENTION", "3d"},
                                           {"FOREBAY__LOG__LEVEL", "warn"},
                                           {"FOREBAY_CONFIG", "not an override"}});
    EXPECT_EQ(c.intake.max_body, 128_KiB);
    EXPECT_EQ(c.intake.connections_max, 500U);
    EXPECT_EQ(c.intake.listen, (std::vector<Listen>{{"127.0.0.1", 1}, {"127.0.0.1", 2}}));
    EXPECT_EQ(c.admin.mask, (std::vector<std::string>{"a,b", "c"}));
    EXPECT_EQ(c.find_queue("leads-dead")->settings.retention, 3 * 24h);
    EXPECT_EQ(c.log.level, LogLevel::warn);
}

TEST(Configuration, the_environment_can_make_a_table_that_no_file_has) {
    auto c = good("", {{"FOREBAY__DB__MAIN__PATH", "x.db"}});
    EXPECT_EQ(c.find_database("main")->options.path, "x.db");
}

TEST(Configuration, references_to_environment_and_files_are_replaced_in_values_only) {
    auto path = testing::TempDir() + "forebay_reference";
    std::ofstream(path) << "from-a-file\n";
    auto c = good("[node]\nname = \"${env:PLACE}-${file:" + path + "}\"\n[sqs]\nregion = \"${other}\"\n", {{"PLACE", "web"}});
    EXPECT_EQ(c.node.name, "web-from-a-file");
    EXPECT_EQ(c.sqs.region, "${other}");
}

TEST(Configuration, a_secret_in_a_file_that_everybody_can_read_is_warned_of) {
    auto path = testing::TempDir() + "forebay_secret";
    std::ofstream(path) << "0123456789abcdef\n";
    namespace files = std::filesystem;
    auto text = "[access.web]\nsecret = \"${file:" + path + "}\"\nallow = [\"send:leads\"]\n";
    files::permissions(path, files::perms(0644));
    EXPECT_NE(
        problems(text).find("warning: access.web.secret is in " + path + ", which every user of this machine can read: chmod 600 " + path),
        std::string::npos)
        << problems(text);
    files::permissions(path, files::perms(0600));
    EXPECT_EQ(problems(text), "");
    EXPECT_NE(problems("[access.web]\nsecret = \"${file:}\"\n").find("error: access.web.secret"), std::string::npos);
}

TEST(Configuration, hostname_is_known_even_where_the_shell_does_not_export_it) {
    EXPECT_FALSE(good("[node]\nname = \"${env:HOSTNAME}\"\n").node.name.empty());
}

TEST(Configuration, a_reference_to_nothing_is_an_error_at_its_place) {
    EXPECT_EQ(problems("[node]\nname = \"${env:NOWHERE}\"\n"),
              "forebay.toml:2:8: error: node.name names an environment variable that is not set: NOWHERE\n"
              "  2 | name = \"${env:NOWHERE}\"\n"
              "    |        ^^^^^^^^^^^^^^^^\n");
    EXPECT_EQ(problems("[node]\nname = \"${file:/no/such}\"\n"),
              "forebay.toml:2:8: error: node.name names a file that cannot be read: /no/such\n"
              "  2 | name = \"${file:/no/such}\"\n"
              "    |        ^^^^^^^^^^^^^^^^^^\n");
}

TEST(Configuration, files_are_read_with_conf_d_and_the_overlay_of_an_environment) {
    auto folder = testing::TempDir() + "forebay_files";
    ASSERT_EQ(std::system(("rm -rf " + folder + " && mkdir -p " + folder + "/conf.d").c_str()), 0);
    std::ofstream(folder + "/forebay.toml") << "[node]\nname = \"a\"\n[intake]\nmax_body = \"1KiB\"\n";
    std::ofstream(folder + "/conf.d/10-x.toml") << "[node]\nname = \"b\"\n[queue.x]\n";
    std::ofstream(folder + "/conf.d/notes.txt") << "no toml";
    std::ofstream(folder + "/forebay.prod.toml") << "[node]\nname = \"c\"\n";
    auto loaded = load({folder + "/forebay.toml", "prod", {}});
    EXPECT_EQ(loaded.diagnostics.text(false), "");
    EXPECT_EQ(loaded.configuration.node.name, "c");
    EXPECT_EQ(loaded.configuration.queues.size(), 1U);
    EXPECT_EQ(loaded.files.size(), 3U);
    EXPECT_EQ(load({folder + "/forebay.toml", "dev", {}}).diagnostics.text(false),
              folder + "/forebay.dev.toml: error: cannot be read: there is no such file\n");
    EXPECT_EQ(load({folder + "/other.toml", "", {}}).diagnostics.text(false),
              folder + "/other.toml: error: cannot be read: there is no such file\n");
    EXPECT_EQ(load({folder, "", {}}).diagnostics.text(false), folder + ": error: cannot be read: it is a directory\n");
}

TEST(Configuration, the_file_is_that_of_the_option_else_of_the_variable) {
    EXPECT_EQ(configuration_file({"a.toml", "", {{"FOREBAY_CONFIG", "b.toml"}}}), "a.toml");
    EXPECT_EQ(configuration_file({"", "", {{"FOREBAY_CONFIG", "b.toml"}}}), "b.toml");
}

TEST(Shown, secrets_are_masked_and_origins_named) {
    auto loaded =
        load_layers({{"forebay.toml", "[intake]\nmax_body = \"1KiB\"\n[key.w]\nhash = \"sha256:" + std::string(64, 'a') + "\"\n"}},
                    {{"FOREBAY__LOG__LEVEL", "warn"}});
    auto shown = to_toml(settings_of(loaded.configuration), loaded.places, {.only_given = true});
    EXPECT_EQ(shown,
              "[intake]\nmax_body = \"1KiB\"                                   # forebay.toml:2\n"
              "\n[key.w]\nhash = \"***\"                                        # forebay.toml:4\n"
              "\n[log]\nlevel = \"warn\"                                      # FOREBAY__LOG__LEVEL\n");
}

TEST(Shown, with_help_every_setting_is_explained) {
    auto c = good("");
    auto shown = to_toml(settings_of(c), {}, {.with_help = true});
    EXPECT_NE(shown.find("# larger posts get 413\nmax_body = \"64KiB\"\n"), std::string::npos);
}

TEST(Shown, differences_name_settings_that_one_side_lacks) {
    auto here = to_json(settings_of(good("[queue.a]\n[log]\nlevel = \"warn\"\n"))), there = to_json(settings_of(good("")));
    auto found = differences(here, there);
    ASSERT_FALSE(found.empty());
    EXPECT_EQ(found[0].path, "log.level");
    EXPECT_EQ(found[0].here, "\"warn\"");
    EXPECT_EQ(found[0].there, "\"info\"");
    EXPECT_EQ(found.back().there, "");
}

TEST(Shown, what_a_node_was_started_with_is_noted_and_read_back) {
    auto folder = testing::TempDir() + "forebay_noted";
    ASSERT_EQ(std::system(("rm -rf " + folder + " && mkdir -p " + folder).c_str()), 0);
    auto c = good("[node]\ndata_dir = \"" + folder + "\"\n");
    EXPECT_FALSE(noted_running(folder));
    EXPECT_TRUE(note_running(c));
    ASSERT_TRUE(noted_running(folder));
    EXPECT_TRUE(differences(to_json(settings_of(c)), *noted_running(folder)).empty());
}

TEST(Schema, knows_types_defaults_and_variables) {
    auto root = schema();
    const auto& max_body = root["properties"]["intake"]["properties"]["max_body"];
    EXPECT_EQ(max_body["default"].text(), "64KiB");
    EXPECT_EQ(max_body["x-environment"].text(), "FOREBAY__INTAKE__MAX_BODY");
    EXPECT_FALSE(root["properties"]["intake"]["additionalProperties"].boolean());
    const auto& handler = root["properties"]["worker"]["additionalProperties"]["properties"]["handler"];
    EXPECT_EQ(json::to_text(handler["enum"]), R"(["sql","exec","program"])");
}

}  // namespace
