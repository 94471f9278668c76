// What a wrong configuration is told, to the letter.
#include <gtest/gtest.h>

#include "cli/config/load.h"

using namespace forebay;
using namespace forebay::cli;

namespace {

Loaded loaded(const std::string& text, const Variables& variables = {}) { return load_layers({{"forebay.toml", text}}, variables); }
std::string problems(const std::string& text, const Variables& variables = {}) { return loaded(text, variables).diagnostics.text(false); }

TEST(Diagnostics, an_unknown_key_is_shown_with_its_line_a_caret_and_what_was_meant) {
    EXPECT_EQ(problems("[queue.leads]\nvisibilty_timeout = \"30s\"\n"),
              "forebay.toml:2:1: error: unknown key \"visibilty_timeout\"\n"
              "  2 | visibilty_timeout = \"30s\"\n"
              "    | ^^^^^^^^^^^^^^^^^ did you mean \"visibility_timeout\"?\n");
}

TEST(Diagnostics, the_configuration_that_dev_writes_has_no_problems) { EXPECT_EQ(problems(default_dev_config()), ""); }

}  // namespace
