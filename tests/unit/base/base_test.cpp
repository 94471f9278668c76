#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <climits>
#include <set>

#include "base/ascending_ids.h"
#include "base/crc32c.h"
#include "base/digest.h"
#include "base/log_line.h"
#include "base/time.h"
#include "base/uuid.h"

namespace forebay {
namespace {

TEST(Crc32c, matches_the_published_check_value) {
    EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
    EXPECT_EQ(crc32c("6789", crc32c("12345")), 0xe3069283u);
}

TEST(Digest, matches_published_values) {
    EXPECT_EQ(to_hex(md5("abc")), "900150983cd24fb0d6963f7d28e17f72");
    EXPECT_EQ(to_hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(to_base64("forebay"), "Zm9yZWJheQ==");
    EXPECT_EQ(from_base64("Zm9yZWJheQ"), "forebay");
    EXPECT_FALSE(from_base64("Zm9y*"));
}

TEST(Time, durations_and_sizes_name_their_unit) {
    EXPECT_EQ(parse_duration("30s"), Duration(30000));
    EXPECT_EQ(parse_duration("14d"), Duration(14LL * 86400000));
    EXPECT_FALSE(parse_duration("30"));
    EXPECT_FALSE(parse_duration("-1s"));
    EXPECT_GT(parse_duration("100000000000d"), Duration::zero());
    EXPECT_FALSE(parse_duration("1000000000000d")) << "more milliseconds than there are";
    EXPECT_EQ(to_text(Duration(90000)), "90s");
    EXPECT_EQ(parse_bytes("64KiB"), 65536u);
    EXPECT_FALSE(parse_bytes("64kb"));
}

TEST(Time, timestamps_are_read_back) {
    auto at = parse_timestamp("2026-09-20T14:03:11.482Z");
    ASSERT_TRUE(at);
    EXPECT_EQ(to_rfc3339(*at), "2026-09-20T14:03:11.482Z");
    EXPECT_EQ(to_rfc3339(*parse_timestamp("2026-09-20 14:03")), "2026-09-20T14:03:00.000Z");
    EXPECT_EQ(to_rfc3339(*parse_timestamp("2026-09-20T14:03:00+02:00")), "2026-09-20T12:03:00.000Z");
    EXPECT_FALSE(parse_timestamp("2026-02-30"));
}

TEST(Uuid, version_7_carries_its_time) {
    SystemEntropy entropy;
    auto id = make_uuid_v7(Timestamp{1789999391482}, entropy);
    EXPECT_EQ(id.time(), Timestamp{1789999391482});
    EXPECT_EQ(id.version(), 7);
    EXPECT_EQ(parse_uuid(to_text(id)), id);
    EXPECT_FALSE(parse_uuid("01926f3a-7c1e-7d20-9f51-2f0f6a3c9b1"));
}

TEST(AscendingIds, ascend_within_a_millisecond_and_from_one_to_the_next) {
    SystemEntropy entropy;
    AscendingIds ids;
    auto before = ids.next(Timestamp{1789999391482}, entropy);
    for (int i = 1; i < 6000; ++i) {
        Timestamp at{1789999391482 + i / 3000};
        auto id = ids.next(at, entropy);
        ASSERT_LT(before, id) << i;
        EXPECT_EQ(id.version(), 7);
        EXPECT_EQ(id.time(), at);
        before = id;
    }
}

TEST(AscendingIds, do_not_repeat_when_a_millisecond_has_more_than_can_be_counted_or_the_clock_is_set_back) {
    SystemEntropy entropy;
    AscendingIds ids;
    std::set<Uuid> all;
    for (int i = 0; i < 10000; ++i) all.insert(ids.next(Timestamp{1789999391482}, entropy));
    for (int i = 0; i < 100; ++i) all.insert(ids.next(Timestamp{1789999391481}, entropy));
    EXPECT_EQ(all.size(), 10100u);
}

TEST(GatheredLogLines, come_in_order_and_in_few_writes_that_a_pipe_takes_whole) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_DIRECT), 0);  // each write is read by itself
    set_log_descriptor(ends[1]);
    {
        GatherLogLines together;
        for (int i = 0; i < 100; ++i) log_error("line").with("i", i).with("text", std::string(60, 'x'));
    }
    log_error("after");
    set_log_descriptor(2);
    ::close(ends[1]);
    std::vector<std::string> writes;
    std::string all;
    for (char bytes[65536];;) {
        auto n = ::read(ends[0], bytes, sizeof bytes);
        if (n <= 0) break;
        all += writes.emplace_back(bytes, static_cast<std::size_t>(n));
    }
    ::close(ends[0]);
    EXPECT_LE(writes.size(), 6u);
    for (auto& written : writes) EXPECT_TRUE(written.ends_with("\n") && written.size() <= PIPE_BUF);
    std::size_t at = 0;
    for (int i = 0; i < 100; ++i) {
        at = all.find(" i=" + std::to_string(i) + " ", at);
        ASSERT_NE(at, std::string::npos) << i;
    }
    EXPECT_NE(all.find("event=after", at), std::string::npos);
}

}  // namespace

}  // namespace forebay
