#include "cli/process/dev_watch.h"

#include <fmt/format.h>
#include <csignal>
#include <cstdio>
#include <filesystem>

#include "cli/console.h"
#include "cli/process/paths.h"
#include "cli/process/work.h"
#include "http/client.h"
#include "supervisor/control.h"

namespace forebay::cli {
namespace {
constexpr Duration look_every = 500ms;
constexpr Duration ready_poll = 20ms;
constexpr std::size_t changes_shown = 6;

std::string url_of(const std::vector<Listen>& listen) {
    if (listen.empty()) return "-";
    auto host = listen.front().address == "0.0.0.0" ? std::string("127.0.0.1") : listen.front().address;
    return fmt::format("http://{}:{}", host, listen.front().port);
}

/// `endpoint.lead.fields.zip added, queue.leads.delay = "5s" (was "0s")`, of the lines of a reload.
std::string in_one_line(std::string_view lines) {
    std::string out;
    std::size_t shown = 0, all = 0;
    while (!lines.empty()) {
        auto end = std::min(lines.find('\n'), lines.size());
        if (end > 0 && ++all <= changes_shown && ++shown > 0) out += (out.empty() ? "" : ", ") + std::string(lines.substr(0, end));
        lines.remove_prefix(std::min(end + 1, lines.size()));
    }
    if (all > shown) out += ", and " + std::to_string(all - shown) + " more";
    return out.empty() ? "nothing has changed" : out;
}

std::filesystem::file_time_type time_of(const std::string& file) {
    std::error_code ignored;
    return std::filesystem::last_write_time(file, ignored);
}
}  // namespace

DevWatch::DevWatch(const Configuration& configuration, LoadOptions options)
    : configuration_(configuration), options_(std::move(options)), started_(SystemClock().now()), thread_([this] { run(); }) {}

DevWatch::~DevWatch() {
    {
        std::lock_guard guard(lock_);
        ending_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

bool DevWatch::sleep(Duration time) {
    std::unique_lock guard(lock_);
    return !wake_.wait_for(guard, time, [this] { return ending_; });
}

bool DevWatch::wait_until_ready() {
    http::Client client;
    http::ClientRequest request;
    request.url = url_of(configuration_.intake.listen) + "/readyz";
    request.total_deadline = 1s;
    for (;;) {
        auto answer = client.send(request);
        if (answer.ok() && answer->status == 200) return true;
        if (!sleep(ready_poll)) return false;
    }
}

void DevWatch::print_banner(Duration took) {
    auto intake = url_of(configuration_.intake.listen);
    auto out = fmt::format("forebay {}  dev mode: data in {}, nothing leaves this machine\n", version(), configuration_.node.data_dir);
    if (!configuration_.endpoints.empty()) {
        const auto& endpoint = configuration_.endpoints.front();
        out += fmt::format("  post to     {}{}        try the form: {}/demo\n", intake,
                           endpoint.path.empty() ? "/v1/" + endpoint.name : endpoint.path, intake);
    }
    out += fmt::format("  look at     {}                 (no password in dev)\n", url_of(configuration_.admin.listen));
    out += fmt::format("  SQS API     {}                 aws --endpoint-url {} sqs receive-message works\n",
                       url_of(configuration_.sqs.listen), url_of(configuration_.sqs.listen));
    for (const auto& database : configuration_.databases)
        out += fmt::format("  database    {} (SQLite)    config in {}; edit it, I reload\n", database.options.path, options_.file);
    out += fmt::format("ready in {:.2f}s\n", static_cast<double>(took.count()) / 1000.0);
    std::fputs(out.c_str(), stdout);
    std::fflush(stdout);
}

void DevWatch::reload() {
    supervisor::ControlRequest request;
    request.verb = supervisor::Verb::reload;
    auto told = supervisor::ask(control_path(configuration_.node.data_dir), request, 1min);
    if (told.ok() && told->ok)
        std::fputs(("reloaded: " + in_one_line(told->text) + "\n").c_str(), stdout);
    else
        std::fprintf(stderr, "%s\n", told.ok() ? told->error.c_str() : told.error().what.c_str());
    std::fflush(stdout);
}

void DevWatch::run() {
    // Signals are the supervisor's business; one that this thread took would end the process.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    auto seen = time_of(options_.file);
    if (!wait_until_ready()) return;
    print_banner(SystemClock().now() - started_);
    while (sleep(look_every)) {
        auto now = time_of(options_.file);
        if (now == seen) continue;
        seen = now;
        reload();
    }
}

}  // namespace forebay::cli
