// What the HTTP server alone costs: answers 202 to every POST, either at once or, as a commit would, from
// another thread in bursts. Run it and point wrk at the port it prints:
//   http_bench [--port N] [--loops N] [--burst MICROSECONDS]

#include <unistd.h>

#include <charconv>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "http/server.h"

namespace {

using namespace forebay;

http::Response accepted() {
    http::Response response;
    response.status = 202;
    response.content_type = "application/json";
    response.headers.emplace_back("Record-Id", "01926f3a-7c1e-7d20-9f51-2f0f6a3c9b11");
    response.body = R"({"outcome":"accepted","id":"01926f3a-7c1e-7d20-9f51-2f0f6a3c9b11","durable":["journal"],"flags":[]})";
    return response;
}

/// Takes everything that has come, waits as long as a sync lasts, answers all of it.
class Committer {
  public:
    explicit Committer(std::chrono::microseconds sync) : sync_(sync), thread_([this] { run(); }) {}
    void submit(http::Responder responder) {
        std::lock_guard guard(lock_);
        waiting_.push_back(std::move(responder));
        if (waiting_.size() == 1) come_.notify_one();
    }

  private:
    void run() {
        std::vector<http::Responder> batch;
        while (true) {
            {
                std::unique_lock guard(lock_);
                come_.wait(guard, [this] { return !waiting_.empty(); });
                batch.swap(waiting_);
            }
            std::this_thread::sleep_for(sync_);
            for (auto& responder : batch) responder(accepted());
            batch.clear();
        }
    }
    std::chrono::microseconds sync_;
    std::mutex lock_;  // guards waiting_
    std::condition_variable come_;
    std::vector<http::Responder> waiting_;
    std::thread thread_;
};

unsigned number_after(int argc, char** argv, const char* flag, unsigned otherwise) {
    for (int i = 1; i + 1 < argc; ++i)
        if (std::strcmp(argv[i], flag) == 0) std::from_chars(argv[i + 1], argv[i + 1] + std::strlen(argv[i + 1]), otherwise);
    return otherwise;
}

}  // namespace

int main(int argc, char** argv) {
    sigset_t stops;
    sigemptyset(&stops);
    sigaddset(&stops, SIGINT);
    sigaddset(&stops, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stops, nullptr);

    http::ServerOptions options;
    options.port = static_cast<std::uint16_t>(number_after(argc, argv, "--port", 0));
    options.loops = number_after(argc, argv, "--loops", 1);
    const auto burst = number_after(argc, argv, "--burst", 0);
    Committer* committer = burst > 0 ? new Committer(std::chrono::microseconds(burst)) : nullptr;
    auto server = http::Server::open(std::move(options), [committer](const http::Request&, http::Responder responder) {
        if (committer != nullptr)
            committer->submit(std::move(responder));
        else
            responder(accepted());
    });
    if (!server) {
        std::fprintf(stderr, "%s\n", server.error().c_str());
        return 1;
    }
    std::printf("listening on 127.0.0.1:%u\n", (*server)->port());
    std::fflush(stdout);
    int signal = 0;
    sigwait(&stops, &signal);
    _exit(0);
}
