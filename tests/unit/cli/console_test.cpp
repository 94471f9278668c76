// How the command line is read: verbs, abbreviations, options, help, exit codes.
#include <gtest/gtest.h>

#include "console_world.h"

using namespace forebay;
using namespace forebay::cli;

namespace {

std::string found(const std::vector<std::string>& words) {
    auto verb = find_verb(words);
    return verb ? std::string(verb->verb->name) : verb.error().what;
}

TEST(FindVerb, a_verb_is_found_by_its_name_or_an_unambiguous_beginning) {
    EXPECT_EQ(found({"status"}), "status");
    EXPECT_EQ(found({"stat"}), "status");
    EXPECT_EQ(found({"queue", "ls"}), "queue ls");
    EXPECT_EQ(found({"q", "l"}), "queue ls");
    EXPECT_EQ(found({"queue:peek"}), "queue peek");
    EXPECT_EQ(found({"start"}), "start");
}

TEST(FindVerb, what_is_ambiguous_unknown_or_half_is_told) {
    EXPECT_EQ(found({"st"}), "\"st\" is ambiguous: status, start, stop");
    EXPECT_EQ(found({"statsu"}), "there is no command \"statsu\"; did you mean \"status\"?");
    EXPECT_EQ(found({"queue", "pek"}), "there is no command \"queue pek\"; did you mean \"queue peek\"?");
    EXPECT_EQ(found({"queue", "p"}), "\"queue p\" is ambiguous: peek, purge");
    EXPECT_EQ(found({"queue"}), "\"queue\" needs one more word: ls, show, peek, send, purge, redrive");
    EXPECT_EQ(found({"xyzzyx"}), "there is no command \"xyzzyx\"");
    EXPECT_EQ(found({""}), "there is no command \"\"");
}

std::string refused(const std::vector<std::string>& arguments) {
    auto line = parse(arguments);
    return line ? "accepted" : line.error().what;
}

TEST(Parse, options_stand_anywhere_and_values_in_either_form) {
    auto line = parse({"--json", "queue", "-c", "x.toml", "peek", "leads", "--max=5", "-eprod", "--node", "http://h", "-vv"});
    ASSERT_TRUE(line.ok()) << line.error().what;
    EXPECT_EQ(line->verb->name, "queue peek");
    EXPECT_EQ(line->words, std::vector<std::string>{"leads"});
    EXPECT_EQ(line->options.find("max")->second, "5");
    EXPECT_EQ(line->globals.file, "x.toml");
    EXPECT_EQ(line->globals.environment, "prod");
    EXPECT_EQ(line->globals.node, "http://h");
    EXPECT_EQ(line->globals.verbosity, 2);
    EXPECT_TRUE(line->globals.json);
}

TEST(Parse, letters_may_be_joined) {
    auto line = parse({"tail", "store", "-nqf"});
    ASSERT_TRUE(line.ok()) << line.error().what;
    EXPECT_TRUE(line->globals.no_interaction);
    EXPECT_TRUE(line->globals.quiet);
    EXPECT_EQ(line->options.count("follow"), 1U);
}

TEST(Parse, after_two_dashes_everything_is_a_word) {
    auto line = parse({"queue", "send", "q", "--", "--max"});
    ASSERT_TRUE(line.ok()) << line.error().what;
    EXPECT_EQ(line->words, (std::vector<std::string>{"q", "--max"}));
}

TEST(Parse, a_single_dash_is_a_word) { EXPECT_EQ(parse({"queue", "send", "q", "-"})->words.back(), "-"); }

TEST(Parse, what_it_cannot_take_is_told) {
    EXPECT_EQ(refused({"status", "--jsn"}), "there is no option --jsn for status; did you mean --json?");
    EXPECT_EQ(refused({"queue", "peek", "q", "--mx", "5"}), "there is no option --mx for queue peek; did you mean --max?");
    EXPECT_EQ(refused({"status", "-z"}), "there is no option -z for status");
    EXPECT_EQ(refused({"queue", "peek", "q", "--max"}), "--max needs N");
    EXPECT_EQ(refused({"dead", "discard", "x", "--reason", std::string(1025, 'x')}), "--reason has at most 1024 bytes");
    EXPECT_EQ(refused({"status", "--json=yes"}), "--json takes no value");
    EXPECT_EQ(refused({"queue", "peek"}), "queue peek needs QUEUE");
    EXPECT_EQ(refused({"queue", "send", "q"}), "queue send needs BODY");
    EXPECT_EQ(refused({"version", "x"}), "version: unexpected \"x\"");
}

TEST(Parse, help_asks_for_no_arguments) { EXPECT_EQ(refused({"queue", "peek", "--help"}), "accepted"); }

TEST(Console, without_a_verb_it_prints_the_grouped_list) {
    Console console;
    EXPECT_EQ(console({}), exit_code::done);
    auto text = console.out.str();
    EXPECT_TRUE(text.starts_with("forebay 0.1.0\n\nUsage:\n  forebay COMMAND [options] [arguments]\n\nrun it\n  dev  ")) << text;
    EXPECT_NE(text.find("\nqueues\n  queue ls"), std::string::npos);
    EXPECT_EQ(text.find("_complete"), std::string::npos);
    console({"list"});
    EXPECT_EQ(console.out.str(), text);
}

TEST(Console, help_shows_usage_arguments_and_options) {
    Console console;
    EXPECT_EQ(console({"help", "queue", "peek"}), exit_code::done);
    auto text = console.out.str();
    EXPECT_NE(text.find("Usage:\n  forebay queue peek [options] QUEUE\n"), std::string::npos) << text;
    EXPECT_NE(text.find("      --max N      how many; 10 if it is not given\n"), std::string::npos) << text;
    console({"queue", "peek", "-h"});
    EXPECT_EQ(console.out.str(), text);
}

TEST(Console, results_are_on_standard_output_and_talk_on_standard_error) {
    Console console;
    EXPECT_EQ(console({"statsu"}), exit_code::usage);
    EXPECT_EQ(console.out.str(), "");
    EXPECT_EQ(console.err.str(), "forebay: there is no command \"statsu\"; did you mean \"status\"?\nSee: forebay list\n");
    console({"show"});
    EXPECT_EQ(console.err.str(), "forebay: show needs ID\nSee: forebay help show\n");
    console({"queue", "peek", "leads", "--mx", "3"});
    EXPECT_EQ(console.err.str(), "forebay: there is no option --mx for queue peek; did you mean --max?\nSee: forebay help queue peek\n");
}

TEST(Console, version_is_told_in_three_ways) {
    Console console;
    for (const auto& arguments : std::vector<std::vector<std::string>>{{"version"}, {"-V"}, {"--version"}}) {
        EXPECT_EQ(console(arguments), exit_code::done);
        EXPECT_EQ(console.out.str(), "forebay 0.1.0\n");
    }
    console({"version", "--json"});
    EXPECT_EQ(console.out.str(), "{\n  \"name\": \"forebay\",\n  \"version\": \"0.1.0\"\n}\n");
}

TEST(Console, quiet_leaves_errors_only) {
    Console console;
    EXPECT_EQ(console({"version", "-q"}), exit_code::done);
    EXPECT_EQ(console.out.str() + console.err.str(), "");
    EXPECT_EQ(console({"check", "-q", "/no/such.toml"}), exit_code::configuration);
    EXPECT_EQ(console.err.str(), "/no/such.toml: error: cannot be read: there is no such file\n");
}

TEST(Console, colours_come_with_ansi_and_go_with_no_color) {
    Console console;
    console({"list", "--ansi"});
    EXPECT_NE(console.out.str().find('\033'), std::string::npos);
    console.variables = {{"NO_COLOR", "1"}};
    console({"list"});
    EXPECT_EQ(console.out.str().find('\033'), std::string::npos);
}

TEST(Console, the_list_is_there_for_machines_too) {
    Console console;
    console({"list", "--json"});
    auto list = json::parse(console.out.str());
    ASSERT_TRUE(list.ok());
    EXPECT_EQ((*list)["commands"].elements()[0]["name"].text(), "dev");
}

TEST(VerbTable, every_row_has_a_summary_and_unique_options) {
    for (const auto& verb : verbs()) {
        EXPECT_FALSE(verb.summary.empty()) << verb.name;
        EXPECT_NE(verb.run, nullptr) << verb.name;
        for (const auto& option : verb.options) {
            EXPECT_FALSE(option.help.empty()) << verb.name << " --" << option.name;
            for (const auto& global : global_options()) {
                EXPECT_NE(option.name, global.name) << verb.name;
                EXPECT_TRUE(option.letter == 0 || option.letter != global.letter) << verb.name;
            }
        }
    }
}

TEST(Completion, offers_verbs_members_options_and_names) {
    Console console;
    auto file = testing::TempDir() + "forebay_completion.toml";
    {
        FILE* out = std::fopen(file.c_str(), "w");
        std::fputs("[queue.leads]\n[queue.stats]\n[worker.store]\nhandler = \"program\"\ncommand = [\"x\"]\ncount = { min = 2 }\n", out);
        std::fclose(out);
    }
    console.variables = {{"FOREBAY_CONFIG", file}};
    auto offered = [&](std::vector<std::string> words) {
        words.insert(words.begin(), {"_complete", "--"});
        console(words);
        return console.out.str();
    };
    EXPECT_EQ(offered({"st"}), "start\nstatus\nstop\n");
    EXPECT_EQ(offered({"queue", "p"}), "peek\npurge\n");
    EXPECT_EQ(offered({"queue", "peek", ""}), "leads\nstats\n");
    EXPECT_EQ(offered({"queue", "peek", "--m"}), "--max\n");
    EXPECT_EQ(offered({"restart", ""}), "core:*\nstore\nstore:1\nstore:2\n");
    EXPECT_EQ(offered({"completion", "z"}), "zsh\n");
    EXPECT_EQ(offered({"help", "qu"}), "queue\n");
}

TEST(Completion, there_is_a_script_for_each_shell) {
    Console console;
    for (const char* shell : {"bash", "zsh", "fish"}) {
        EXPECT_EQ(console({"completion", shell}), exit_code::done);
        EXPECT_NE(console.out.str().find("_complete -- "), std::string::npos);
    }
    EXPECT_EQ(console({"completion", "tcsh"}), exit_code::usage);
}

}  // namespace
