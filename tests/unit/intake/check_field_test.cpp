// Every field type with values it takes and values it refuses.

#include "intake/check_field.h"

#include <gtest/gtest.h>

namespace forebay::intake {
namespace {

Field of(FieldType type) {
    Field field;
    field.name = "f";
    field.type = type;
    return field;
}

/// "text", "json:42", "-" for empty, "!code" for a complaint.
std::string check(const Field& field, std::string_view text, Input::Kind kind = Input::Kind::text) {
    Rule rule(field);
    std::string scratch;
    auto verdict = check_field(rule, {"f", text, kind}, scratch);
    if (!verdict.ok()) return "!" + std::string(verdict.error().code);
    if (!*verdict) return "-";
    return ((*verdict)->is_json ? "json:" : "") + std::string((*verdict)->text);
}
std::string detail(const Field& field, std::string_view text) {
    Rule rule(field);
    std::string scratch;
    auto verdict = check_field(rule, {"f", text}, scratch);
    return verdict.ok() ? "" : verdict.error().detail;
}

TEST(CheckEmail, takes_addresses_people_have) {
    for (auto good : {"jane@example.com", "j@e.co", "jane.doe+tag@mail.example.co.uk", "o'hara@example.com", "x_y-z@sub-domain.example",
                      "jane@xn--mller-kva.de", "j\xc3\xbcrgen@m\xc3\xbcller.de",
                      "1234567890123456789012345678901234567890123456789012345678901234@example.com"})
        EXPECT_EQ(check(of(FieldType::email), good), good);
    EXPECT_EQ(check(of(FieldType::email), "  jane@example.com\t"), "jane@example.com");
}

TEST(CheckEmail, refuses_what_is_none) {
    for (auto bad : {"jane",
                     "jane@",
                     "@example.com",
                     "jane@@example.com",
                     "jane@example",
                     "jane@localhost",
                     "jane doe@example.com",
                     ".jane@example.com",
                     "jane.@example.com",
                     "ja..ne@example.com",
                     "jane@.example.com",
                     "jane@example..com",
                     "jane@example.com.",
                     "jane@-example.com",
                     "jane@example-.com",
                     "jane@192.168.1.1",
                     "jane@[192.168.1.1]",
                     "jane@example.c",
                     "jane@exa_mple.com",
                     "<jane@example.com>",
                     "jane@example.com,joe@example.com",
                     "\"jane\"@example.com",
                     "jane@example.com\n.evil",
                     "12345678901234567890123456789012345678901234567890123456789012345@example.com"})
        EXPECT_EQ(check(of(FieldType::email), bad), "!email_invalid") << bad;
    EXPECT_EQ(detail(of(FieldType::email), "jane@@example.com"), "not an e-mail address: it has more than one @");
}

TEST(CheckPhone, us_numbers_become_e164_however_they_are_written) {
    for (auto good : {"2125550123", "212-555-0123", "(212) 555-0123", "212.555.0123", "1 212 555 0123", "+1 (212) 555-0123", "+12125550123",
                      "1-212-555-0123", " 212 555 0123 "})
        EXPECT_EQ(check(of(FieldType::phone), good), "+12125550123") << good;
}

TEST(CheckPhone, refuses_numbers_that_cannot_be_us_ones) {
    for (auto bad :
         {"555-0123", "0125550123", "1125550123", "2121550123", "2120550123", "911", "9115550123", "2129110123", "2195550123 4",
          "+442079460000", "212555012", "21255501234", "phone", "212-555-O123", "+", "++12125550123", "212 555 0123 call me", "2925550123"})
        EXPECT_EQ(check(of(FieldType::phone), bad), "!phone_invalid") << bad;
    EXPECT_NE(detail(of(FieldType::phone), "911").find("area code"), std::string::npos);
}

TEST(CheckPhone, an_extension_is_left_off_and_noted) {
    for (auto text : {"212-555-0123 x45", "(212) 555-0123 ext. 45", "212 555 0123 #45", "2125550123x45"}) {
        std::string out;
        std::string_view flag;
        EXPECT_FALSE(check_phone(text, "US", out, flag)) << text;
        EXPECT_EQ(out, "+12125550123");
        EXPECT_EQ(flag, "extension_dropped");
    }
}

TEST(CheckPhone, other_regions_have_their_own_rules) {
    auto in = [](std::string region, std::string_view text) {
        auto field = of(FieldType::phone);
        field.region = std::move(region);
        return check(field, text);
    };
    EXPECT_EQ(in("GB", "020 7946 0000"), "+442079460000");
    EXPECT_EQ(in("GB", "+44 20 7946 0000"), "+442079460000");
    EXPECT_EQ(in("GB", "0044 20 7946 0000"), "+442079460000");
    EXPECT_EQ(in("GB", "212-555-01234567"), "!phone_invalid");
    EXPECT_EQ(in("DE", "030 123456"), "+4930123456");
    EXPECT_EQ(in("CA", "416 555 0123"), "+14165550123");
    EXPECT_EQ(in("IT", "06 1234 5678"), "+390612345678");
    EXPECT_EQ(in("any", "+49 30 123456"), "+4930123456");
    EXPECT_EQ(in("any", "212 555 0123"), "!phone_invalid");
    EXPECT_EQ(in("any", "+123456789012345678"), "!phone_invalid");
}

TEST(CheckString, lengths_count_characters_and_not_bytes) {
    auto field = of(FieldType::string);
    field.min = "2";
    field.max = "4";
    EXPECT_EQ(check(field, "ab"), "ab");
    EXPECT_EQ(check(field, "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"), "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9");
    EXPECT_EQ(check(field, "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9x"), "!too_long");
    EXPECT_EQ(check(field, "\xc3\xa9"), "!too_short");
    EXPECT_EQ(check(field, ""), "-");
}

TEST(CheckString, a_pattern_is_looked_for_and_its_anchors_count) {
    auto field = of(FieldType::string);
    field.pattern = R"(^\d{5}(-\d{4})?$)";
    EXPECT_EQ(check(field, "94105"), "94105");
    EXPECT_EQ(check(field, "94105-1234"), "94105-1234");
    EXPECT_EQ(check(field, "941055"), "!pattern");
    EXPECT_EQ(check(field, "94105\n"), "!pattern");
    field.pattern = "b+";
    EXPECT_EQ(check(field, "abba"), "abba");
}

TEST(CheckString, cleaning_happens_in_the_order_written) {
    auto clean = [](std::vector<Clean> steps, std::string_view text) {
        auto field = of(FieldType::string);
        field.clean = std::move(steps);
        return check(field, text);
    };
    EXPECT_EQ(clean({}, "  a "), "  a ");
    EXPECT_EQ(clean({Clean::trim}, "\xc2\xa0 a b\t\r\n"), "a b");
    EXPECT_EQ(clean({Clean::lower}, "JANE \xc3\x89"), "jane \xc3\x89");
    EXPECT_EQ(clean({Clean::upper}, "ca"), "CA");
    EXPECT_EQ(clean({Clean::title}, "mary-jane o'HARA"), "Mary-Jane O'Hara");
    EXPECT_EQ(clean({Clean::digits}, "(212) 555-0123"), "2125550123");
    EXPECT_EQ(clean({Clean::collapse}, "  a \t\n b  "), "a b");
    EXPECT_EQ(clean({Clean::collapse, Clean::upper}, " a  b "), "A B");
    EXPECT_EQ(clean({Clean::trim}, "   "), "-");
    EXPECT_EQ(clean({Clean::digits}, "none"), "-");
}

TEST(CheckString, other_json_scalars_are_taken_as_they_are_written_and_nested_ones_not) {
    EXPECT_EQ(check(of(FieldType::string), "94105", Input::Kind::number), "94105");
    EXPECT_EQ(check(of(FieldType::string), "true", Input::Kind::boolean), "true");
    EXPECT_EQ(check(of(FieldType::string), "[1]", Input::Kind::nested), "!type");
    EXPECT_EQ(check(of(FieldType::email), "true", Input::Kind::boolean), "!type");
    EXPECT_EQ(check(of(FieldType::string), "", Input::Kind::null), "-");
}

TEST(CheckEnum, takes_only_what_is_listed) {
    auto field = of(FieldType::enumeration);
    field.values = {"auto", "home", "life"};
    EXPECT_EQ(check(field, "home"), "home");
    EXPECT_EQ(check(field, "Home"), "!enum");
    EXPECT_EQ(detail(field, "Home"), "\"Home\" is not allowed; did you mean \"home\"?");
    EXPECT_EQ(detail(field, "hoem"), "\"hoem\" is not allowed; did you mean \"home\"?");
    EXPECT_EQ(detail(field, "boat"), "\"boat\" is not allowed");
}

TEST(CheckEnum, knows_the_51_states_by_abbreviation_and_suggests_them_by_name) {
    auto field = of(FieldType::enumeration);
    field.values = {"@us_states"};
    EXPECT_EQ(Rule(field).choices.size(), 51u);
    for (auto& choice : us_states()) EXPECT_EQ(check(field, choice.value), choice.value);
    EXPECT_EQ(detail(field, "Calif"), "\"Calif\" is not allowed; did you mean \"CA\"?");
    EXPECT_EQ(detail(field, "new york"), "\"new york\" is not allowed; did you mean \"NY\"?");
    EXPECT_EQ(detail(field, "Masachusetts"), "\"Masachusetts\" is not allowed; did you mean \"MA\"?");
    EXPECT_EQ(detail(field, "ca"), "\"ca\" is not allowed; did you mean \"CA\"?");
    EXPECT_EQ(detail(field, "Ontario"), "\"Ontario\" is not allowed; not one of the 51 allowed values");
    EXPECT_EQ(check(field, "PR"), "!enum");
}

TEST(CheckInteger, takes_whole_numbers_within_bounds) {
    auto field = of(FieldType::integer);
    field.min = "-5";
    field.max = "1000000";
    for (auto& [text, out] : std::vector<std::pair<std::string, std::string>>{{"25000", "json:25000"},
                                                                              {"+7", "json:7"},
                                                                              {"007", "json:7"},
                                                                              {"-5", "json:-5"},
                                                                              {"0", "json:0"},
                                                                              {"-0", "json:0"},
                                                                              {"1000000", "json:1000000"},
                                                                              {"-6", "!too_small"},
                                                                              {"1000001", "!too_large"}})
        EXPECT_EQ(check(field, text), out) << text;
    for (auto bad : {"1.5", "1,000", "$5", "1e3", "+-5", "0x10", "five", "9223372036854775808", "- 5", "+"})
        EXPECT_EQ(check(of(FieldType::integer), bad), "!integer_invalid") << bad;
    EXPECT_EQ(check(of(FieldType::integer), "9223372036854775807"), "json:9223372036854775807");
}

TEST(CheckDecimal, keeps_the_digits_as_they_came) {
    auto field = of(FieldType::decimal);
    for (auto& [text, out] : std::vector<std::pair<std::string, std::string>>{{"42.00", "json:42.00"},
                                                                              {"5", "json:5"},
                                                                              {"+5", "json:5"},
                                                                              {".5", "json:0.5"},
                                                                              {"-.5", "json:-0.5"},
                                                                              {"007.10", "json:7.10"},
                                                                              {"0", "json:0"}})
        EXPECT_EQ(check(field, text), out) << text;
    for (auto bad : {"5.", ".", "1e5", "1,000.00", "$5", "NaN", "--5", "5-", "12345678901234567890123456789012345678901"})
        EXPECT_EQ(check(field, bad), "!decimal_invalid") << bad;
    EXPECT_EQ(check(field, "1e999999", Input::Kind::number), "!decimal_invalid");
    field.min = "0.10";
    field.max = "99.99";
    EXPECT_EQ(check(field, "0.1"), "json:0.1");
    EXPECT_EQ(check(field, "0.09"), "!too_small");
    EXPECT_EQ(check(field, "99.990"), "json:99.990");
    EXPECT_EQ(check(field, "99.9901"), "!too_large");
    EXPECT_EQ(check(field, "100"), "!too_large");
}

TEST(CheckDecimal, compares_numbers_of_any_length) {
    for (auto& [a, b, order] :
         std::vector<std::tuple<std::string, std::string, int>>{{"1", "2", -1},
                                                                {"10", "9", 1},
                                                                {"-1", "1", -1},
                                                                {"-10", "-9", -1},
                                                                {"1.0", "1", 0},
                                                                {"0", "-0", 0},
                                                                {"-0.00", "0", 0},
                                                                {"0.5", "0.45", 1},
                                                                {"-0.5", "-0.45", -1},
                                                                {"123456789012345678901234567890", "123456789012345678901234567891", -1}})
        EXPECT_EQ(compare_decimals(a, b) < 0 ? -1 : compare_decimals(a, b) > 0, order) << a << " " << b;
}

TEST(CheckBoolean, understands_what_forms_and_people_send) {
    for (auto yes : {"true", "TRUE", "1", "yes", "on", "Y"}) EXPECT_EQ(check(of(FieldType::boolean), yes), "json:true") << yes;
    for (auto no : {"false", "0", "no", "Off", "n"}) EXPECT_EQ(check(of(FieldType::boolean), no), "json:false") << no;
    for (auto bad : {"maybe", "2", "truee", "ja"}) EXPECT_EQ(check(of(FieldType::boolean), bad), "!bool_invalid") << bad;
    EXPECT_EQ(check(of(FieldType::boolean), "true", Input::Kind::boolean), "json:true");
    EXPECT_EQ(check(of(FieldType::boolean), "1", Input::Kind::number), "json:true");
}

TEST(CheckBoolean, consent_must_be_given) {
    auto field = of(FieldType::boolean);
    field.must_be = "true";
    EXPECT_EQ(check(field, "yes"), "json:true");
    EXPECT_EQ(check(field, "no"), "!must_be");
    EXPECT_EQ(detail(field, "no"), "must be ticked");
    EXPECT_EQ(required_complaint(Rule(field)).detail, "must be ticked");
    auto text = of(FieldType::string);
    text.must_be = "US";
    EXPECT_EQ(check(text, "CA"), "!must_be");
    EXPECT_EQ(check(text, "US"), "US");
}

TEST(CheckUrl, takes_web_addresses_and_only_at_listed_hosts) {
    auto field = of(FieldType::url);
    for (auto good : {"https://example.com", "http://example.com/a?b=c#d", "HTTPS://Example.COM:8443/x", "https://192.0.2.1/",
                      "https://[2001:db8::1]/x", "https://localhost/x"})
        EXPECT_EQ(check(field, good), good) << good;
    for (auto bad : {"example.com", "ftp://example.com", "https://", "https:///x", "https://exa mple.com", "https://user@example.com/",
                     "javascript:alert(1)", "https://example.com:port/", "https://example.com/\\evil", "//example.com",
                     "https://-bad.example/", "https://example.com/\"><script>"})
        EXPECT_EQ(check(field, bad), "!url_invalid") << bad;
    field.hosts = {"cert.trustedform.com", "*.example.org"};
    EXPECT_EQ(check(field, "https://cert.trustedform.com/abc"), "https://cert.trustedform.com/abc");
    EXPECT_EQ(check(field, "https://CERT.trustedform.com/abc"), "https://CERT.trustedform.com/abc");
    EXPECT_EQ(check(field, "https://a.b.example.org/"), "https://a.b.example.org/");
    for (auto bad : {"https://cert.trustedform.com.evil.example/", "https://evil.example/cert.trustedform.com", "https://example.org/",
                     "https://xcert.trustedform.com/", "https://badexample.org/"})
        EXPECT_EQ(check(field, bad), "!url_host") << bad;
    EXPECT_EQ(check(field, "https://cert.trustedform.com@evil.example/"), "!url_invalid");
}

TEST(CheckDate, takes_days_that_exist) {
    auto field = of(FieldType::date);
    field.min = "1900-01-01";
    field.max = "2026-12-31";
    EXPECT_EQ(check(field, "2024-02-29"), "2024-02-29");
    for (auto bad : {"2023-02-29", "2024-13-01", "2024-00-10", "2024-01-32", "24-01-01", "2024/01/01", "01/02/2024", "2024-1-1",
                     "2024-01-01T00:00:00Z", "0000-01-01", "today"})
        EXPECT_EQ(check(field, bad), "!date_invalid") << bad;
    EXPECT_EQ(check(field, "1899-12-31"), "!too_early");
    EXPECT_EQ(check(field, "2027-01-01"), "!too_late");
}

TEST(Rates, are_read_as_people_write_them) {
    auto a = *parse_rate("50/s burst 200");
    EXPECT_EQ(a.per_second, 50);
    EXPECT_EQ(a.burst, 200);
    EXPECT_FALSE(a.per_ip);
    auto b = *parse_rate("6/m per ip burst 10");
    EXPECT_DOUBLE_EQ(b.per_second, 0.1);
    EXPECT_TRUE(b.per_ip);
    EXPECT_EQ(parse_rate("10/h")->burst, 10);
    for (auto bad : {"", "5", "5/", "5/x", "x/s", "0/s", "-1/s", "5/s burst", "5/s burst 0", "5/s per user", "5/s often"})
        EXPECT_FALSE(parse_rate(bad).ok()) << bad;
}

TEST(Problems, are_found_with_their_key) {
    Endpoint endpoint;
    endpoint.name = "lead";
    Field zip;
    zip.name = "zip";
    zip.pattern = "^(";
    Field state;
    state.name = "state";
    state.type = FieldType::enumeration;
    state.values = {"@states"};
    Field phone;
    phone.name = "phone";
    phone.type = FieldType::phone;
    phone.region = "XX";
    phone.min = "3";
    phone.aliases = {"zip"};
    endpoint.fields = {zip, state, phone};
    endpoint.ok_status = 204;
    endpoint.auth = {"website"};
    std::string found;
    for (auto& problem : problems_of(endpoint)) found += problem.where + "\n";
    EXPECT_EQ(found,
              "endpoint.lead.queue\nendpoint.lead.ok_status\nendpoint.lead.auth\nendpoint.lead.fields.zip.pattern\nendpoint.lead.fields."
              "state.values\n"
              "endpoint.lead.fields.phone.min\nendpoint.lead.fields.phone.region\nendpoint.lead.fields\n");
    EXPECT_EQ(problems_of(Key{"k", "", "sha256:12", {}, {}}).size(), 1u);
    EXPECT_EQ(problems_of(Site{"s", {"https://a.example", "a.example", "https://a.*.example", "https://a.example/"}, {}, 2h, {}}).size(),
              3u);
}

}  // namespace
}  // namespace forebay::intake
