#pragma once
// What the broker's benchmarks share: a broker on the real disk, spoken to by blocking calls, and what the kernel
// counts about this process and the device below a directory.

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <future>
#include <memory>
#include <string>

#include "broker/broker_thread.h"
#include "disk/posix_disk.h"

namespace forebay::bench {

/// The system's clocks, both moved on by the same time.
class LaterClock final : public Clock {
  public:
    Timestamp wall() override { return system_.wall() + later_; }
    Instant now() override { return system_.now() + later_; }
    void move_on(Duration by) { later_ += by; }

  private:
    SystemClock system_;
    Duration later_{0};
};

struct OpenBroker {
    std::unique_ptr<disk::PosixDisk> disk;
    LaterClock clock;
    SystemEntropy entropy;
    std::unique_ptr<broker::Broker> broker;
};

template <class T, class E>
T must(Result<T, E> result, const char* what) {
    if (!result.ok()) {
        std::fprintf(stderr, "%s failed\n", what);
        std::exit(1);
    }
    return std::move(result).value();
}

inline std::unique_ptr<OpenBroker> open(const std::string& directory, broker::BrokerOptions options, Duration later = Duration(0)) {
    auto opened = std::make_unique<OpenBroker>();
    opened->clock.move_on(later);
    opened->disk = must(disk::PosixDisk::open(directory), "opening the directory");
    opened->broker = must(broker::Broker::open(*opened->disk, opened->clock, opened->entropy, options), "opening the broker");
    return opened;
}

template <class Outcome, class C>
Outcome ask(broker::Commands& broker, C command) {
    std::promise<Outcome*> promise;
    auto answered = promise.get_future();
    command.answer = [&promise](Outcome outcome) { promise.set_value(new Outcome(std::move(outcome))); };
    broker.submit(std::move(command));
    std::unique_ptr<Outcome> outcome(answered.get());
    return std::move(*outcome);
}

using Sents = Result<std::vector<Result<broker::Sent, broker::Refusal>>, broker::Refusal>;
using Received = Result<std::vector<queue::Delivery>, broker::Refusal>;
using Outcomes = Result<std::vector<Result<void, broker::Refusal>>, broker::Refusal>;

inline std::vector<queue::OutgoingMessage> messages(std::size_t count, std::size_t bytes, std::optional<Duration> delay = {}) {
    std::vector<queue::OutgoingMessage> out(count);
    for (auto& message : out) {
        message.body.assign(bytes, 'x');
        message.delay = delay;
    }
    return out;
}

/// Bytes the device below `directory` was told to write since it started; by everybody.
inline std::uint64_t device_bytes(const std::string& directory) {
    struct stat status{};
    if (::stat(directory.c_str(), &status) != 0) return 0;
    auto path = "/sys/dev/block/" + std::to_string(major(status.st_dev)) + ":" + std::to_string(minor(status.st_dev)) + "/stat";
    std::ifstream in(path);
    std::uint64_t field = 0;
    for (int i = 0; i < 7; ++i) in >> field;
    return field * 512;
}

inline double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// A line of /proc/self/status in MiB: VmRSS, VmHWM.
inline double memory_mib(const std::string& name) {
    std::ifstream in("/proc/self/status");
    for (std::string line; std::getline(in, line);)
        if (line.starts_with(name + ":")) return std::atof(line.c_str() + name.size() + 1) / 1024;
    return 0;
}

}  // namespace forebay::bench
