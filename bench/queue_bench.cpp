// Send + receive + delete through the broker without HTTP, on the real disk: one client with batches of 1, 16 and
// 64, with groups too (MessageGroupId, a hundred in turn), and 64 clients with one message each. Prints one JSON line for each.
//   queue_bench DIRECTORY [SECONDS_EACH]

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "bench/bench_broker.h"

namespace forebay::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr std::size_t body_bytes = 1024;
constexpr const char* queue_name = "bench";

double microseconds(SteadyClock::duration d) { return std::chrono::duration<double, std::micro>(d).count(); }

struct Figures {
    std::vector<double> send_us, receive_us, delete_us;
    std::uint64_t messages = 0;
};

double quantile(std::vector<double>& values, double q) {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

void one_client(broker::Broker& broker, std::size_t batch, std::size_t groups, SteadyClock::time_point until, Figures& figures) {
    std::size_t sends = 0;
    while (SteadyClock::now() < until) {
        auto outgoing = messages(batch, body_bytes);
        for (auto& message : outgoing)
            if (groups > 0) message.group = "group-" + std::to_string(sends++ % groups);
        auto begun = SteadyClock::now();
        must(ask<Sents>(broker, broker::SendBatch{queue_name, std::move(outgoing), {}}), "sending");
        auto sent = SteadyClock::now();
        auto got = must(ask<Received>(broker, broker::Receive{queue_name, static_cast<unsigned>(batch), {}, {}, {}, {}}), "receiving");
        auto received = SteadyClock::now();
        std::vector<queue::Receipt> receipts;
        for (auto& message : got) receipts.push_back(message.receipt);
        must(ask<Outcomes>(broker, broker::Delete{queue_name, std::move(receipts), {}}), "deleting");
        figures.delete_us.push_back(microseconds(SteadyClock::now() - received));
        figures.receive_us.push_back(microseconds(received - sent));
        figures.send_us.push_back(microseconds(sent - begun));
        figures.messages += got.size();
    }
}

void without_groups(broker::Broker& broker, std::size_t batch, SteadyClock::time_point until, Figures& figures) {
    one_client(broker, batch, 0, until, figures);
}

void with_groups(broker::Broker& broker, std::size_t batch, SteadyClock::time_point until, Figures& figures) {
    one_client(broker, batch, 100, until, figures);
}

/// A client that never blocks: each answer submits the next command, on the broker's thread.
class Client {
  public:
    Client(broker::Broker& broker, SteadyClock::time_point until, Figures& figures) : broker_(broker), until_(until), figures_(figures) {}
    void send() {
        begun_ = SteadyClock::now();
        if (begun_ > until_) return done_.set_value();
        auto message = std::move(messages(1, body_bytes).front());
        broker_.submit(broker::Send{queue_name, std::move(message), {}, [this](Result<broker::Sent, broker::Refusal> sent) {
                                        must(std::move(sent), "sending");
                                        figures_.send_us.push_back(microseconds(SteadyClock::now() - begun_));
                                        receive();
                                    }});
    }
    void wait() { done_.get_future().get(); }

  private:
    void receive() {
        begun_ = SteadyClock::now();
        broker_.submit(broker::Receive{queue_name, 1, {}, 1s, {}, [this](Received got) {
                                           auto messages = must(std::move(got), "receiving");
                                           if (messages.empty()) return receive();
                                           figures_.receive_us.push_back(microseconds(SteadyClock::now() - begun_));
                                           remove(messages.front().receipt);
                                       }});
    }
    void remove(const queue::Receipt& receipt) {
        begun_ = SteadyClock::now();
        broker_.submit(broker::Delete{queue_name, {receipt}, [this](Outcomes done) {
                                          must(std::move(done), "deleting");
                                          figures_.delete_us.push_back(microseconds(SteadyClock::now() - begun_));
                                          figures_.messages += 1;
                                          send();
                                      }});
    }
    broker::Broker& broker_;
    SteadyClock::time_point until_, begun_;
    Figures& figures_;
    std::promise<void> done_;
};

void many_clients(broker::Broker& broker, std::size_t count, SteadyClock::time_point until, Figures& figures) {
    std::vector<std::unique_ptr<Client>> clients;
    for (std::size_t i = 0; i < count; ++i) clients.push_back(std::make_unique<Client>(broker, until, figures));
    for (auto& client : clients) client->send();
    for (auto& client : clients) client->wait();
}

template <class Run>
void measure(const std::string& directory, OpenBroker& opened, const char* name, std::size_t size, double seconds, Run run) {
    auto until_of = [&](double s) {
        return SteadyClock::now() + std::chrono::duration_cast<SteadyClock::duration>(std::chrono::duration<double>(s));
    };
    Figures warm, figures;
    run(*opened.broker, size, until_of(seconds / 4), warm);
    std::this_thread::sleep_for(std::chrono::milliseconds(1200));  // the status is as of the last second
    auto before = opened.broker->status();
    auto device = device_bytes(directory);
    auto cpu = cpu_seconds();
    auto begun = SteadyClock::now();
    run(*opened.broker, size, until_of(seconds), figures);
    auto took = microseconds(SteadyClock::now() - begun) / 1e6;
    cpu = cpu_seconds() - cpu;
    std::this_thread::sleep_for(std::chrono::milliseconds(1200));
    auto after = opened.broker->status();
    device = device_bytes(directory) - device;
    auto n = static_cast<double>(figures.messages);
    std::printf(
        "{\"bench\":\"queue\",\"%s\":%zu,\"messages\":%.0f,\"per_s\":%.0f,\"cpu_us\":%.2f,"
        "\"send_us\":{\"p50\":%.0f,\"p99\":%.0f},\"receive_us\":{\"p50\":%.0f,\"p99\":%.0f},\"delete_us\":{\"p50\":%.0f,\"p99\":%.0f},"
        "\"fsyncs_per_message\":%.4f,\"journal_bytes_per_message\":%.0f,\"device_bytes_per_message\":%.0f}\n",
        name, size, n, n / took, cpu * 1e6 / n, quantile(figures.send_us, 0.5), quantile(figures.send_us, 0.99),
        quantile(figures.receive_us, 0.5), quantile(figures.receive_us, 0.99), quantile(figures.delete_us, 0.5),
        quantile(figures.delete_us, 0.99), static_cast<double>(after.syncs - before.syncs) / n,
        static_cast<double>(after.journal_bytes_written - before.journal_bytes_written) / n, static_cast<double>(device) / n);
    std::fflush(stdout);
}

int run(const std::string& directory, double seconds) {
    auto opened = open(directory, {});
    must(ask<Result<broker::QueueStatus, broker::Refusal>>(*opened->broker, broker::CreateQueue{queue_name, {}, false, {}}), "creating");
    // Several segments go by first, so that what is measured writes into recycled ones.
    Figures warm;
    without_groups(*opened->broker, 64, SteadyClock::now() + std::chrono::seconds(4), warm);
    for (std::size_t batch : {1, 16, 64}) measure(directory, *opened, "batch", batch, seconds, without_groups);
    measure(directory, *opened, "clients", 64, seconds, many_clients);
    measure(directory, *opened, "batch_in_groups", 64, seconds, with_groups);
    return 0;
}

}  // namespace
}  // namespace forebay::bench

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: queue_bench DIRECTORY [SECONDS_EACH]\n");
        return 64;
    }
    return forebay::bench::run(argv[1], argc > 2 ? std::atof(argv[2]) : 5);
}
