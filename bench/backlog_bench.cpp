// Memory and time to serve with many messages waiting. Loads N messages of 1 KiB in one of four shapes in a process of
// its own, prints its memory, kills it with -9, opens the store again and prints how long it took to serve.
//   backlog_bench DIRECTORY MESSAGES untouched|half_deleted|received|delayed

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "bench/bench_broker.h"

namespace forebay::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr std::size_t body_bytes = 1024;
constexpr std::size_t batch = 1024;
constexpr const char* queue_name = "backlog";
constexpr Duration visibility = 12h;

double seconds_since(SteadyClock::time_point begun) { return std::chrono::duration<double>(SteadyClock::now() - begun).count(); }

broker::BrokerOptions options() {
    broker::BrokerOptions options;
    options.in_flight_max = UINT32_MAX;  // one of the shapes has all of them in flight at one moment
    return options;
}
bool all_received(const std::string& shape) { return shape == "received"; }

void send_all(broker::Broker& broker, std::uint64_t count, std::optional<Duration> delay) {
    for (std::uint64_t sent = 0; sent < count; sent += batch)
        must(ask<Sents>(broker,
                        broker::SendBatch{queue_name, messages(std::min<std::uint64_t>(batch, count - sent), body_bytes, delay), {}}),
             "sending");
}

/// Of every two messages in order, one at random.
void delete_half(broker::Broker& broker, std::uint64_t count) {
    auto first =
        must(ask<Result<std::vector<broker::Peek::Item>, broker::Refusal>>(broker, broker::Peek{queue_name, 1, {}, {}}), "peeking");
    std::uint64_t random = 88172645463325252ull;
    std::vector<queue::Receipt> receipts;
    for (std::uint64_t n = 0; n + 1 < count; n += 2) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        receipts.push_back({first.front().message.receipt.queue, queue::Sequence(n + (random >> 40) % 2), 0, 0});
        if (receipts.size() == batch || n + 3 >= count)
            must(ask<Outcomes>(broker, broker::Delete{queue_name, std::exchange(receipts, {}), {}}), "deleting");
    }
}

void receive_all(broker::Broker& broker, std::uint64_t count) {
    for (std::uint64_t got = 0; got < count;)
        got += must(ask<Received>(broker, broker::Receive{queue_name, batch, visibility, {}, {}, {}}), "receiving").size();
}

broker::QueueStatus status(broker::Broker& broker) {
    return must(ask<Result<broker::QueueStatus, broker::Refusal>>(broker, broker::GetQueue{queue_name, {}}), "asking");
}

void report(const char* event, broker::Broker& broker, double seconds) {
    auto now = status(broker);
    std::printf(
        "{\"event\":\"%s\",\"seconds\":%.2f,\"ready\":%lu,\"in_flight\":%lu,\"delayed\":%lu,\"rss_mib\":%.1f,\"peak_mib\":%.1f,"
        "\"page_reads\":%lu,\"page_writes\":%lu,\"checkpoints\":%lu,\"journal_mib\":%.0f}\n",
        event, seconds, now.ready, now.in_flight, now.delayed, memory_mib("VmRSS"), memory_mib("VmHWM"), broker.status().turn.page_reads,
        broker.status().turn.page_writes, broker.status().turn.checkpoints, static_cast<double>(broker.status().journal_bytes) / 1048576);
    std::fflush(stdout);
}

[[noreturn]] void load(const std::string& directory, std::uint64_t count, const std::string& shape) {
    auto begun = SteadyClock::now();
    auto opened = open(directory, options());
    broker::QueueSettings settings;
    settings.retention = 14 * 24h;
    must(ask<Result<broker::QueueStatus, broker::Refusal>>(*opened->broker, broker::CreateQueue{queue_name, settings, false, {}}),
         "creating");
    send_all(*opened->broker, count, shape == "delayed" ? std::optional<Duration>(900s) : std::nullopt);
    if (shape == "half_deleted") delete_half(*opened->broker, count);
    if (all_received(shape)) {
        receive_all(*opened->broker, count);
        opened->clock.move_on(visibility + 1h);
        // Each question looks through some of what has become visible.
        for (std::uint64_t n = 0; status(*opened->broker).in_flight > 0 && n < count; ++n) continue;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2500));
    report("loaded", *opened->broker, seconds_since(begun));
    ::kill(::getpid(), SIGKILL);
    std::abort();
}

[[noreturn]] void serve(const std::string& directory, const std::string& shape) {
    auto begun = SteadyClock::now();
    auto opened = open(directory, options(), all_received(shape) ? Duration(visibility + 1h) : Duration(0));
    must(ask<Sents>(*opened->broker, broker::SendBatch{queue_name, messages(1, body_bytes), {}}), "sending");
    auto got = must(ask<Received>(*opened->broker, broker::Receive{queue_name, 1, {}, {}, {}, {}}), "receiving");
    auto took = seconds_since(begun);
    if (got.empty()) std::fprintf(stderr, "nothing was received\n");
    report("serves", *opened->broker, took);
    opened->broker->stop();
    std::_Exit(0);
}

template <class Child>
void in_a_child(Child child) {
    auto pid = ::fork();
    if (pid == 0) child();
    ::waitpid(pid, nullptr, 0);
}

}  // namespace
}  // namespace forebay::bench

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fprintf(stderr, "usage: backlog_bench DIRECTORY MESSAGES untouched|half_deleted|received|delayed\n");
        return 64;
    }
    std::string directory = argv[1], shape = argv[3];
    auto count = std::strtoull(argv[2], nullptr, 10);
    forebay::bench::in_a_child([&] { forebay::bench::load(directory, count, shape); });
    forebay::bench::in_a_child([&] { forebay::bench::serve(directory, shape); });
    return 0;
}
