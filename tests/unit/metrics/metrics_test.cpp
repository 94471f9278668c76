#include "metrics/metrics.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "metrics/statsd.h"

namespace forebay::metrics {
namespace {

TEST(Registry, the_same_name_and_labels_are_the_same_counter) {
    Registry registry;
    auto& first = registry.counter("forebay_queue_sends_total", {{"queue", "lead"}});
    auto& again = registry.counter("forebay_queue_sends_total", {{"queue", "lead"}});
    auto& other = registry.counter("forebay_queue_sends_total", {{"queue", "dead"}});
    EXPECT_EQ(&first, &again);
    EXPECT_NE(&first, &other);
}

TEST(Registry, prints_counters_and_gauges_in_order_with_help_and_type) {
    Registry registry;
    registry.describe("forebay_records_lost_total", "Must be 0.\nAlways.");
    registry.describe("never_used", "Not printed.");
    registry.gauge("forebay_spool_messages", {{"queue", "b"}}).set(1.5);
    registry.gauge("forebay_spool_messages", {{"queue", "a"}}).add(-2);
    registry.counter("forebay_records_lost_total").add();
    EXPECT_EQ(registry.prometheus_text(),
              "# HELP forebay_records_lost_total Must be 0.\\nAlways.\n"
              "# TYPE forebay_records_lost_total counter\n"
              "forebay_records_lost_total 1\n"
              "# TYPE forebay_spool_messages gauge\n"
              "forebay_spool_messages{queue=\"a\"} -2\n"
              "forebay_spool_messages{queue=\"b\"} 1.5\n");
}

TEST(Registry, a_label_value_cannot_leave_its_quotes) {
    Registry registry;
    registry.counter("c", {{"path", "a\"b\\c\nd"}}).add(3);
    EXPECT_EQ(registry.prometheus_text(), "# TYPE c counter\nc{path=\"a\\\"b\\\\c\\nd\"} 3\n");
}

TEST(Registry, prints_a_histogram_with_buckets_that_sum_up) {
    Registry registry;
    const double bounds[] = {0.1, 1};
    auto& histogram = registry.histogram("h_seconds", {{"endpoint", "lead"}}, bounds);
    histogram.observe(0.1);
    histogram.observe(0.5);
    histogram.observe(3000ms);
    EXPECT_EQ(registry.prometheus_text(),
              "# TYPE h_seconds histogram\n"
              "h_seconds_bucket{endpoint=\"lead\",le=\"0.1\"} 1\n"
              "h_seconds_bucket{endpoint=\"lead\",le=\"1\"} 2\n"
              "h_seconds_bucket{endpoint=\"lead\",le=\"+Inf\"} 3\n"
              "h_seconds_sum{endpoint=\"lead\"} 3.6\n"
              "h_seconds_count{endpoint=\"lead\"} 3\n");
}

TEST(Registry, a_histogram_without_labels_has_only_its_bounds) {
    Registry registry;
    const double bounds[] = {1};
    registry.histogram("h", {}, bounds).observe(2.0);
    EXPECT_EQ(registry.prometheus_text(), "# TYPE h histogram\nh_bucket{le=\"1\"} 0\nh_bucket{le=\"+Inf\"} 1\nh_sum 2\nh_count 1\n");
}

TEST(Registry, counts_of_two_threads_add_up) {
    Registry registry;
    auto count = [&registry] {
        auto& counter = registry.counter("c");
        auto& histogram = registry.histogram("h");
        for (int i = 0; i < 10000; ++i) counter.add(), histogram.observe(1.0);
    };
    std::thread one(count), two(count);
    one.join();
    two.join();
    EXPECT_EQ(registry.counter("c").value(), 20000u);
    EXPECT_EQ(registry.histogram("h").sum(), 20000.0);
}

TEST(RegistryDeathTest, one_name_has_one_kind) {
    Registry registry;
    registry.counter("c");
    EXPECT_DEATH(registry.gauge("c"), "one kind");
    EXPECT_DEATH(registry.counter("not a name"), "letters");
}

TEST(Statsd, derives_paths_with_the_subject_first) {
    struct Row {
        const char* name;
        Labels labels;
        const char* path;
    };
    const Row rows[] = {
        {"forebay_records_accepted_total", {{"endpoint", "lead"}}, "forebay.endpoint.lead.accepted"},
        {"forebay_records_accepted_total", {{"endpoint", "lead"}, {"durable", "journal"}}, "forebay.endpoint.lead.accepted.journal"},
        {"forebay_queue_messages", {{"queue", "lead"}, {"state", "ready"}}, "forebay.queue.lead.messages.ready"},
        {"forebay_effects_total", {{"worker", "store"}, {"outcome", "done"}}, "forebay.worker.store.effects.done"},
        {"forebay_request_duration_seconds", {{"endpoint", "lead"}}, "forebay.endpoint.lead.request_duration"},
        {"forebay_requests_total", {{"endpoint", "lead"}, {"code", "202"}}, "forebay.endpoint.lead.requests.202"},
        {"forebay_journal_bytes", {}, "forebay.journal_bytes"},
        {"forebay_db_up", {{"db", "main"}, {"role", "reader"}}, "forebay.db.main.up.reader"},
        {"other_total", {{"queue", "a.b:c|d\n"}}, "queue.a_b_c_d_.other"},
        {"other_total", {{"queue", ""}}, "queue._.other"},
    };
    for (const auto& row : rows) EXPECT_EQ(graphite_name(row.name, row.labels), row.path);
}

/// A statsd server that keeps what it is sent.
class Listener {
  public:
    Listener() : socket_(socket(AF_INET, SOCK_DGRAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), length), 0);
        getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length);
        port = ntohs(address.sin_port);
    }
    ~Listener() { close(socket_); }
    std::string datagram() {
        char bytes[2048];
        const auto n = recv(socket_, bytes, sizeof bytes, 0);
        return {bytes, static_cast<std::size_t>(std::max<ssize_t>(n, 0))};
    }
    bool is_empty() {
        char byte;
        return recv(socket_, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0;
    }
    std::uint16_t port = 0;

  private:
    int socket_;
};

TEST(Statsd, sends_differences_of_counters_and_levels_of_gauges) {
    Listener listener;
    Registry registry;
    auto& counter = registry.counter("forebay_queue_sends_total", {{"queue", "lead"}});
    registry.gauge("forebay_queue_messages", {{"queue", "lead"}}).set(7);
    auto statsd = Statsd::open(registry, {.port = listener.port, .every = 0ms, .prefix = "web1"});
    ASSERT_TRUE(statsd);
    counter.add(5);
    (*statsd)->send_now();
    EXPECT_EQ(listener.datagram(), "web1.forebay.queue.lead.messages:7|g\nweb1.forebay.queue.lead.sends:5|c");
    counter.add(2);
    (*statsd)->send_now();
    EXPECT_EQ(listener.datagram(), "web1.forebay.queue.lead.messages:7|g\nweb1.forebay.queue.lead.sends:2|c");
    (*statsd)->send_now();
    EXPECT_EQ(listener.datagram(), "web1.forebay.queue.lead.messages:7|g");
}

TEST(Statsd, sends_number_and_sum_of_a_histogram) {
    Listener listener;
    Registry registry;
    registry.histogram("forebay_journal_fsync_duration_seconds").observe(250ms);
    auto statsd = Statsd::open(registry, {.port = listener.port, .every = 0ms, .prefix = {}});
    ASSERT_TRUE(statsd);
    (*statsd)->send_now();
    EXPECT_EQ(listener.datagram(), "forebay.journal_fsync_duration.count:1|c\nforebay.journal_fsync_duration.sum_ms:250|c");
}

TEST(Statsd, splits_what_does_not_fit_into_one_datagram) {
    Listener listener;
    Registry registry;
    for (int i = 0; i < 100; ++i) registry.counter("c_total", {{"queue", "queue_number_" + std::to_string(1000 + i)}}).add();
    auto statsd = Statsd::open(registry, {.port = listener.port, .every = 0ms, .prefix = {}});
    ASSERT_TRUE(statsd);
    (*statsd)->send_now();
    std::size_t lines = 0;
    while (!listener.is_empty()) {
        const auto datagram = listener.datagram();
        EXPECT_LE(datagram.size(), 1400u);
        lines += static_cast<std::size_t>(std::count(datagram.begin(), datagram.end(), '\n')) + 1;
    }
    EXPECT_EQ(lines, 100u);
}

TEST(Statsd, sends_by_itself_and_a_last_time_when_it_goes) {
    Listener listener;
    Registry registry;
    auto& counter = registry.counter("c_total");
    counter.add();
    auto statsd = Statsd::open(registry, {.port = listener.port, .every = 1ms, .prefix = {}});
    ASSERT_TRUE(statsd);
    EXPECT_EQ(listener.datagram(), "c:1|c");
    counter.add(3);
    *statsd = nullptr;
    EXPECT_EQ(listener.datagram(), "c:3|c");
}

TEST(Statsd, a_counter_that_was_removed_begins_anew) {
    Listener listener;
    Registry registry;
    registry.counter("c_total").add(5);
    registry.counter("d_total").add(5);
    auto statsd = Statsd::open(registry, {.port = listener.port, .every = 0ms, .prefix = {}});
    ASSERT_TRUE(statsd);
    (*statsd)->send_now();
    EXPECT_EQ(listener.datagram(), "c:5|c\nd:5|c");
    registry.remove("c_total", {});
    registry.remove("d_total", {});
    registry.counter("d_total").add(3);
    (*statsd)->send_now();
    EXPECT_EQ(listener.datagram(), "d:3|c");
    registry.counter("c_total").add(7);
    (*statsd)->send_now();
    EXPECT_EQ(listener.datagram(), "c:7|c");
}

TEST(Registry, a_series_that_is_removed_is_not_shown) {
    Registry registry;
    registry.counter("a_total", {{"queue", "x"}}).add();
    registry.counter("a_total", {{"queue", "y"}}).add();
    registry.remove("a_total", {{"queue", "x"}});
    registry.remove("a_total", {{"queue", "never"}});
    registry.remove("b_total", {});
    EXPECT_EQ(registry.prometheus_text(), "# TYPE a_total counter\na_total{queue=\"y\"} 1\n");
    EXPECT_EQ(registry.counter("a_total", {{"queue", "x"}}).value(), 0u);
}

TEST(Statsd, nobody_listening_costs_nothing) {
    std::uint16_t port = 0;
    {
        port = Listener().port;
    }
    Registry registry;
    registry.gauge("g").set(1);
    auto statsd = Statsd::open(registry, {.port = port, .every = 0ms, .prefix = {}});
    ASSERT_TRUE(statsd);
    for (int i = 0; i < 3; ++i) (*statsd)->send_now();
}

TEST(Statsd, a_host_that_does_not_resolve_is_named) {
    Registry registry;
    const auto statsd = Statsd::open(registry, {.host = "not a host", .every = 0ms, .prefix = {}});
    ASSERT_FALSE(statsd);
    EXPECT_NE(statsd.error().find("not a host:8125"), std::string::npos);
}

}  // namespace
}  // namespace forebay::metrics
