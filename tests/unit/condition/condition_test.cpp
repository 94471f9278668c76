#include "condition/condition.h"

#include <gtest/gtest.h>

#include "base/decimal.h"
#include "condition/record_scope.h"

namespace forebay::condition {
namespace {

json::Value fields() {
    return *json::parse(R"({
        "campaign": "auto", "state": "CA", "zip": "02134", "amount": 1000.50, "typed": "1000.50", "count": 7, "big": 12345678901234567890.1,
        "consent": true, "agreed": "true", "empty": null, "tags": ["vip", "new", 3], "items": [{"price": 5}, {"price": 12}],
        "utm-source": "google", "first name": "Jane", "name": "Jörg O'Neil", "in": "x", "date": "2026-09-19", "exp": 1e3, "minus": -0.5
    })");
}

bool ask(std::string_view text, const json::Value& object = fields()) {
    auto condition = Condition::parse(text);
    if (!condition) {
        ADD_FAILURE() << error_text("condition", text, condition.error());
        return false;
    }
    return condition->holds(ObjectScope(object));
}

TEST(Condition, holds) {
    for (auto text : {
             R"(campaign == "auto")",
             R"(campaign == 'auto' and state in ["CA", "TX", "FL"])",
             R"(campaign != "home" or state == "NY")",
             R"(not campaign == "home")",
             R"(not (campaign == "home" or state == "NY"))",
             R"(state not in ["NY", "TX"])",
             "amount == 1000.5",
             "amount == 1000.500 and amount > 1000.49 and amount < 1000.51",
             "amount in 1000..1001",
             "amount in [1..5, 1000.5, 7]",
             "amount <= 1000.50 and amount >= 1000.50",
             "typed == 1000.5",
             "typed > 999",
             R"(amount == "1000.5")",
             "big == 12345678901234567890.10",
             "big > 12345678901234567890",
             "exp == 1000",
             "minus < 0 and minus > -1",
             "minus in -0.5..0",
             R"(zip == "02134")",
             R"(zip in "02000".."02999")",
             R"(date >= "2026-09-01" and date < "2026-10-01")",
             "consent == true",
             "agreed == true",
             R"(consent == "true")",
             "consent != false",
             "phone == null",
             "empty == null",
             "campaign != null",
             "campaign exists and not phone exists",
             "phone not exists",
             "empty not exists",
             R"(phone != "1")",
             R"(phone not in ["1"])",
             R"("vip" in tags)",
             "3 in tags",
             R"("old" not in tags)",
             "items.1.price == 12",
             "items.0.price < items.1.price",
             R"(tags.0 == "vip")",
             R"(utm-source == "google")",
             R"(`first name` == "Jane")",
             R"(`in` == "x")",
             R"(name matches "^J.rg")",
             R"(name matches '(?i)o\'neil$')",
             R"(zip matches "^\d{5}$")",
             R"(zip matches "^\\d{5}$")",
             "count matches '^7$'",
             R"(name not matches "^K")",
             R"(state == "NY" and campaign == "x" or campaign == "auto")",
             "count==7 and state=='CA'",
             "(((count == 7)))",
             "not not count == 7",
             R"(campaign
                 == "auto")",
         })
        EXPECT_TRUE(ask(text)) << text;
}

TEST(Condition, does_not_hold) {
    for (auto text : {
             R"(campaign == "Auto")",
             R"(state in ["NY", "TX"])",
             "phone < 5",
             "phone >= 0",
             R"(phone matches ".*")",
             R"(phone in ["1"])",
             R"(phone == "")",
             "campaign > 5",
             "campaign == 5",
             R"(amount == "1,000.50")",
             "zip == 2134",
             "amount in 1001..2000",
             "consent == 1",
             R"(consent == "yes")",
             R"(tags == "vip")",
             R"(campaign in tags)",
             R"("x" in campaign)",
             "items.2.price == 12",
             "items.x == 1",
             "campaign.length == 4",
             R"("a" in phone)",
             "tags exists and not count == 7",
             R"(tags matches "vip")",
             "amount > typed",
             R"(state == "NY" and (campaign == "x" or campaign == "auto"))",
         })
        EXPECT_FALSE(ask(text)) << text;
}

TEST(Condition, says_what_is_wrong_and_where) {
    struct {
        std::string_view text;
        std::size_t offset;
        std::string_view what, hint;
    } cases[] = {
        {"", 0, "a condition is missing", ""},
        {"   ", 0, "a condition is missing", ""},
        {R"(state = "CA")", 6, R"(there is no operator "=")", "did you mean ==?"},
        {R"(state <> "CA")", 6, R"(there is no operator "<>")", "did you mean !=?"},
        {R"(a == 1 && b == 2)", 7, R"(there is no operator "&&")", "did you mean and?"},
        {R"(a == 1 AND b == 2)", 7, R"(not "AND")", "did you mean and?"},
        {R"(!a exists)", 0, R"(there is no operator "!")", "did you mean not?"},
        {R"(state == "CA)", 9, "a text has no closing \"", ""},
        {R"(state == )", 9, "expected a value, not the end", ""},
        {R"(state)", 0, "it is not said what state must be", "state exists"},
        {R"(consent and state == "CA")", 0, "it is not said what consent must be", "consent == true"},
        {R"(zip == 02134)", 7, "a number does not begin with 0", R"("02134")"},
        {R"(zip == 12ab)", 7, R"("12ab" is no number)", ""},
        {R"(1 < amount < 5)", 11, R"(not "<")", "joined with and"},
        {R"(amount == 1..5)", 11, R"(not "..")", "behind in"},
        {R"(state == ["CA"])", 9, "a list stands behind in", ""},
        {R"(state in [CA, TX])", 10, "expected a text", R"("CA")"},
        {R"(state in "CA")", 9, "in needs a list or a range", ""},
        {R"(state in ["CA" "TX"])", 15, R"(expected "," or "]")", ""},
        {R"(state in ["CA")", 9, "this [ is not closed", ""},
        {R"(state in [])", 9, "an empty list", ""},
        {R"(amount in 5..1)", 10, "ends before it begins", ""},
        {R"(amount in 5.."a")", 10, "from a number to a number", ""},
        {R"(amount in true..true)", 10, "from a number to a number", ""},
        {R"(amount < true)", 9, "nothing is less or greater than true", ""},
        {R"("CA" == "TX")", 0, "both sides are fixed values", ""},
        {R"(name matches name)", 13, "a regular expression in quotes", ""},
        {"name matches '('", 13, "missing )", ""},
        {R"(name matches "a{999}{999}{999}")", 13, "cannot be read", ""},
        {R"("x" exists)", 0, "exists is asked of a field", ""},
        {R"((state == "CA")", 0, "this ( is not closed", ""},
        {R"(state == "CA"))", 13, "or the end, not \")\"", ""},
        {R"(state not == "CA")", 10, R"(behind "not")", ""},
        {R"(state. == 1)", 6, "a name must follow the dot", ""},
        {R"(state + 1 == 2)", 6, R"(a condition has no "+")", ""},
        {R"(état == "x" ß)", 13, R"(not "ß")", ""},
        {"a == 1 ;", 7, "a condition has no \";\"", ""},
    };
    for (auto& one : cases) {
        auto condition = Condition::parse(one.text);
        ASSERT_FALSE(condition) << one.text;
        EXPECT_EQ(condition.error().offset, one.offset) << one.text;
        EXPECT_NE(condition.error().what.find(one.what), std::string::npos) << one.text << ": " << condition.error().what;
        EXPECT_NE(condition.error().hint.find(one.hint), std::string::npos) << one.text << ": " << condition.error().hint;
    }
}

TEST(Condition, an_error_points_at_the_character) {
    std::string_view text = "état = \"CA\"";
    auto condition = Condition::parse(text);
    ASSERT_FALSE(condition);
    EXPECT_EQ(error_text("--where", text, condition.error()),
              "--where:6: error: there is no operator \"=\"\n"
              "  | état = \"CA\"\n"
              "  |      ^ did you mean ==?\n");
}

TEST(Condition, an_error_in_a_long_text_is_shown_with_what_stands_around_it) {
    std::string text;
    for (int i = 0; i < 20; ++i) text += "étage == 1 or ";
    auto bad = text + "x = 1 or " + text;
    auto condition = Condition::parse(bad);
    ASSERT_FALSE(condition);
    EXPECT_EQ(error_text("--where", bad, condition.error()),
              "--where:283: error: there is no operator \"=\"\n"
              "  | …tage == 1 or étage == 1 or étage == 1 or étage == 1 or x = 1 or étage == 1 or étage == 1 or ét…\n"
              "  |                                                           ^ did you mean ==?\n");
    EXPECT_LT(error_text("--where", std::string(5000, '('), Condition::parse(std::string(5000, '(')).error()).size(), 200u);
}

TEST(Condition, has_bounds) {
    EXPECT_TRUE(Condition::parse("a == 1" + std::string(text_bytes_max - 6, ' ')));
    EXPECT_FALSE(Condition::parse("a == 1" + std::string(text_bytes_max - 5, ' ')));
    auto nested = [](std::size_t depth) { return std::string(depth, '(') + "a == 1" + std::string(depth, ')'); };
    EXPECT_TRUE(Condition::parse(nested(depth_max)));
    EXPECT_FALSE(Condition::parse(nested(depth_max + 1)));
    auto negated = [](std::size_t depth) {
        std::string out;
        for (std::size_t i = 0; i < depth; ++i) out += "not ";
        return out + "a == 1";
    };
    EXPECT_TRUE(Condition::parse(negated(depth_max)));
    EXPECT_FALSE(Condition::parse(negated(depth_max + 1)));
    EXPECT_FALSE(Condition::parse("a matches '" + std::string(1001, 'x') + "'"));
    EXPECT_FALSE(Condition::parse("a == " + std::string(Decimal::digits_max + 1, '1')));
    EXPECT_FALSE(Condition::parse("a == '\xff'"));
}

TEST(Condition, tells_its_paths) {
    auto condition = Condition::parse(R"(a.b == 1 and (`c d` exists or "x" in e))");
    ASSERT_TRUE(condition);
    ASSERT_EQ(condition->paths().size(), 3u);
    EXPECT_EQ(condition->paths()[0].names, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(condition->paths()[0].length, 3u);
    EXPECT_EQ(condition->paths()[1].names, (std::vector<std::string>{"c d"}));
    EXPECT_EQ(condition->paths()[2].offset, 37u);
}

TEST(RecordScope, has_the_fields_and_what_a_record_has_besides) {
    record::Envelope record;
    record.id = *parse_uuid("01926f3a-7c1e-7d20-9f51-2f0f6a3c9b11");
    record.endpoint = "lead";
    record.received_at = *parse_timestamp("2026-09-20T14:03:11.482Z");
    record.fields.set("campaign", "auto").set("id", "mine").set("value", 3);
    record.value = "42.00";
    record.currency = "USD";
    record.flags = {"readmitted"};
    for (auto text : {R"(campaign == "auto" and endpoint == "lead")", R"(id matches "^01926f3a")", R"(fields.id == "mine")",
                      R"(received_at in "2026-09-20".."2026-09-21")", R"(_value > 41.99 and _currency == "USD")",
                      R"("readmitted" in _flags and not _ip exists)", "value == 3"}) {
        auto condition = Condition::parse(text);
        ASSERT_TRUE(condition) << text;
        EXPECT_TRUE(holds_for(*condition, record)) << text;
    }
}

}  // namespace
}  // namespace forebay::condition
