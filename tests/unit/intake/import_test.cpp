// Rows of a file: the same checks, the same quarantine, and the same row once.
#include "tests/unit/intake/desk.h"

namespace forebay::intake {
namespace {

using Outcome = RowResult::Outcome;

class Import : public Desk {
  protected:
    RowResult row(std::uint64_t line, std::string json, std::string source = "leads.csv") {
        std::optional<RowResult> result;
        intake->import_row("lead", {std::move(source), line}, json, [&](RowResult r) { result = std::move(r); });
        EXPECT_TRUE(result) << "no answer";
        return result ? std::move(*result) : RowResult{};
    }
    static std::string errors_of(const RowResult& result) {
        std::string out;
        for (auto& error : result.errors) out += (out.empty() ? "" : " ") + error.field + ":" + error.code;
        return out;
    }
};

TEST_F(Import, a_good_row_is_a_record_like_a_posted_one) {
    open(lead());
    auto result = row(2, good_json);
    EXPECT_EQ(result.outcome, Outcome::accepted);
    EXPECT_EQ(record()["id"].text(), to_text(result.id));
    EXPECT_EQ(json::to_text(record()["fields"]), R"({"email":"jane@example.com","first_name":"Jane","campaign":"auto"})");
    EXPECT_EQ(record()["raw"].text(), good_json);
    EXPECT_EQ(json::to_text(record()["flags"]), R"(["imported"])");
    EXPECT_EQ(sender.messages["leads"][0].is_record, true);
}

TEST_F(Import, is_accepted_only_when_it_is_durable) {
    open(lead());
    sender.hold = true;
    std::optional<RowResult> result;
    intake->import_row("lead", {"leads.csv", 2}, good_json, [&](RowResult r) { result = std::move(r); });
    EXPECT_FALSE(result);
    sender.release();
    ASSERT_TRUE(result);
    EXPECT_EQ(result->outcome, Outcome::accepted);
}

TEST_F(Import, the_same_row_of_the_same_file_is_taken_once) {
    open(lead());
    auto first = row(2, good_json);
    auto again = row(2, good_json);
    EXPECT_EQ(again.outcome, Outcome::already_in);
    EXPECT_EQ(again.id, first.id);
    EXPECT_EQ(row(3, good_json).outcome, Outcome::accepted) << "the same words on another line are another record";
    EXPECT_EQ(row(2, good_json, "tuesday.csv").outcome, Outcome::accepted);
    EXPECT_EQ(row(2, R"({"email":"joe@example.com","first_name":"Joe"})").outcome, Outcome::accepted);
    EXPECT_EQ(records(), 4u);
}

TEST_F(Import, a_refused_row_is_kept_with_its_line_and_readmitted_like_a_post) {
    open(lead());
    auto result = row(7, R"({"email":"jane@@example","first_name":"Jane"})");
    EXPECT_EQ(result.outcome, Outcome::refused);
    EXPECT_TRUE(result.kept);
    EXPECT_EQ(errors_of(result), "email:email_invalid");
    EXPECT_EQ(quarantined()["source"].text(), "leads.csv:7");
    EXPECT_EQ(quarantined()["errors"].elements()[0]["code"].text(), "email_invalid");
    EXPECT_EQ(quarantined()["id"].text(), to_text(result.id));
    row(7, R"({"email":"jane@@example","first_name":"Jane"})");
    EXPECT_EQ(kept(), 1u) << "refused again it is kept once";
    auto milder = lead();
    milder.fields[0].type = FieldType::string;
    open(milder);
    std::optional<ReadmitResult> in;
    intake->readmit(sender.queue("forebay-quarantine")[0], [&](ReadmitResult r) { in = std::move(r); });
    EXPECT_EQ(in->outcome, ReadmitResult::Outcome::readmitted);
    EXPECT_EQ(record()["id"].text(), to_text(result.id));
}

TEST_F(Import, what_is_no_row_is_kept_as_it_came) {
    open(lead());
    EXPECT_EQ(errors_of(row(2, "nonsense")), ":json_invalid");
    std::optional<RowResult> result;
    intake->quarantine_row("lead", {"leads.csv", 3}, {"a,\xe9", "text/csv", "utf8_invalid", "is not UTF-8"},
                           [&](RowResult r) { result = std::move(r); });
    EXPECT_EQ(errors_of(*result), ":utf8_invalid");
    EXPECT_TRUE(result->kept);
    EXPECT_EQ(quarantined(1)["raw_base64"].text(), to_base64("a,\xe9"));
    EXPECT_EQ(quarantined(1)["status"].text(), "400");
}

TEST_F(Import, a_queue_that_takes_nothing_leaves_the_row_to_be_sent_again) {
    open(lead());
    sender.refuse = broker::Refusal::no_room;
    auto result = row(2, good_json);
    EXPECT_EQ(result.outcome, Outcome::not_sent);
    EXPECT_EQ(result.what, "the disk is full");
    sender.refuse = broker::Refusal::message_too_long;
    EXPECT_EQ(errors_of(row(2, good_json)), ":too_large");
    sender.refuse.reset();
    EXPECT_EQ(row(2, good_json).outcome, Outcome::accepted);
}

TEST_F(Import, rows_that_say_the_same_are_what_the_endpoint_makes_of_them) {
    auto endpoint = lead();
    endpoint.idempotency.content.fields = {"email"};
    open(endpoint);
    EXPECT_EQ(row(2, good_json).outcome, Outcome::accepted);
    EXPECT_EQ(row(3, good_json).outcome, Outcome::accepted);
    EXPECT_EQ(json::to_text(record(1)["flags"]), R"(["imported","same_content"])");
    endpoint.idempotency.content.action = Another::merge;
    open(endpoint);
    EXPECT_EQ(row(4, good_json).outcome, Outcome::merged);
    endpoint.idempotency.content.action = Another::refuse;
    open(endpoint);
    auto refused = row(5, good_json);
    EXPECT_EQ(refused.outcome, Outcome::refused);
    EXPECT_EQ(errors_of(refused), ":same_content");
    EXPECT_EQ(quarantined()["source"].text(), "leads.csv:5");
    EXPECT_EQ(records(), 2u);
}

TEST_F(Import, a_dry_run_checks_and_keeps_nothing) {
    open(lead());
    auto good = intake->check_row("lead", {"leads.csv", 2}, good_json);
    EXPECT_EQ(good.outcome, Outcome::would_pass);
    EXPECT_EQ(good.filled, (std::vector<std::string>{"email", "first_name", "campaign"}));
    EXPECT_EQ(errors_of(intake->check_row("lead", {"leads.csv", 2}, R"({"first_name":"J"})")), "email:required");
    EXPECT_EQ(records(), 0u);
    EXPECT_EQ(kept(), 0u);
}

TEST_F(Import, an_endpoint_that_is_not_there_takes_nothing) {
    open(lead());
    auto result = intake->check_row("lad", {"leads.csv", 2}, good_json);
    EXPECT_EQ(result.outcome, Outcome::not_sent);
    EXPECT_EQ(result.what, "there is no endpoint \"lad\"");
}

}  // namespace
}  // namespace forebay::intake
