// The words of the control socket and its blocking client.
#include "supervisor/control.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

#include "base/spawn.h"
#include "supervisor/control_server.h"
#include "supervisor/unix_address.h"

namespace forebay::supervisor {
namespace {

constexpr std::pair<std::string_view, Verb> verbs[] = {
    {"status", Verb::status}, {"start", Verb::start},   {"stop", Verb::stop},       {"restart", Verb::restart},  {"signal", Verb::signal},
    {"scale", Verb::scale},   {"reload", Verb::reload}, {"upgrade", Verb::upgrade}, {"shutdown", Verb::shutdown}};
/// Those that ask a process for something; what ends it is start and stop's business.
constexpr std::pair<std::string_view, int> signals[] = {{"TSTP", SIGTSTP}, {"CONT", SIGCONT}, {"USR1", SIGUSR1},
                                                        {"USR2", SIGUSR2}, {"HUP", SIGHUP},   {"QUIT", SIGQUIT}};
constexpr State states[] = {State::stopped, State::starting, State::running, State::backoff, State::stopping, State::exited, State::fatal};

template <class Table>
auto find_in(const Table& table, std::string_view word) -> std::optional<decltype(std::begin(table)->second)> {
    for (auto& [name, value] : table)
        if (name == word) return value;
    return std::nullopt;
}

template <class Table, class Value>
std::string_view word_of(const Table& table, Value value) {
    for (auto& [name, known] : table)
        if (known == value) return name;
    return "?";
}

State state_named(std::string_view name) {
    for (auto state : states)
        if (name_of(state) == name) return state;
    return State::stopped;
}

constexpr std::int64_t count_most = 1000;

Result<ControlRequest, std::string> with_count(ControlRequest request, const json::Value& value) {
    if (value["auto"].boolean()) return request;
    auto count = value["count"].integer();
    if (!count || *count < 0 || *count > count_most) return Failure{std::string("\"count\" must be 0 to 1000, or \"auto\" true")};
    request.count = static_cast<unsigned>(*count);
    return request;
}

Result<ControlRequest, std::string> with_names(ControlRequest request, const json::Value& value) {
    for (auto& name : value["names"].elements()) request.names.push_back(name.text());
    constexpr Verb of_all[] = {Verb::status, Verb::reload, Verb::upgrade, Verb::shutdown};
    bool needed = std::find(std::begin(of_all), std::end(of_all), request.verb) == std::end(of_all);
    if (needed && request.names.empty()) return Failure{std::string("\"names\" is missing: which processes?")};
    return request;
}

json::Value to_json(const PoolStatus& pool) {
    json::Value value;
    value.set("worker", pool.worker);
    value.set("group", pool.group);
    value.set("count", pool.count);
    value.set("count_min", pool.count_min);
    value.set("count_max", pool.count_max);
    value.set("by_hand", pool.is_by_hand);
    return value;
}

PoolStatus pool_of(const json::Value& v) {
    auto number = [&](const char* key) { return static_cast<unsigned>(v[key].integer().value_or(0)); };
    return {v["worker"].text(), v["group"].text(), number("count"), number("count_min"), number("count_max"), v["by_hand"].boolean()};
}

Result<Descriptor, ControlError> connected(const std::string& path, Duration timeout) {
    auto fail = [&](const char* why) { return Failure{ControlError{true, why}}; };
    auto address = unix_address(path);
    if (!address) return fail(address.error().c_str());
    Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket) return fail(std::strerror(errno));
    // A supervisor that hangs takes up nobody, and then a connect would wait too.
    timeval most{timeout / 1s, static_cast<suseconds_t>(timeout.count() % 1000 * 1000)};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) == 0) return socket;
    return fail(errno == EAGAIN ? "the supervisor takes up no request: it hangs or is stopped" : std::strerror(errno));
}

Result<std::string, ControlError> answer_line(int socket, Duration timeout) {
    std::string line;
    SystemClock clock;
    auto until = clock.now() + timeout;
    while (line.empty() || line.back() != '\n') {
        auto left = until - clock.now();
        pollfd ready{socket, POLLIN, 0};
        if (left <= Duration::zero() || ::poll(&ready, 1, static_cast<int>(left.count())) == 0)
            return Failure{ControlError{false, "no answer within " + to_text(timeout)}};
        char buffer[16 * 1024];
        auto n = ::read(socket, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return Failure{ControlError{true, "the supervisor went away before it answered"}};
        line.append(buffer, static_cast<std::size_t>(n));
    }
    return line;
}

}  // namespace

std::string_view name_of(Verb verb) { return word_of(verbs, verb); }

Result<ControlRequest, std::string> parse_request(std::string_view line) {
    auto parsed = json::parse(line);
    if (!parsed) return Failure{"not JSON: " + parsed.error().what};
    auto& value = *parsed;
    auto verb = find_in(verbs, value["do"].text());
    if (!verb)
        return Failure{"unknown \"do\": \"" + value["do"].text() +
                       "\"; known are status, start, stop, restart, signal, scale, reload, upgrade, shutdown"};
    ControlRequest request;
    request.verb = *verb;
    request.all_at_once = value["all_at_once"].boolean();
    request.reason = value["reason"].text();
    request.wait = value["wait"].is_null() || value["wait"].boolean();
    if (request.verb == Verb::signal) {
        auto signal = find_in(signals, value["signal"].text());
        if (!signal) return Failure{"unknown signal \"" + value["signal"].text() + "\"; known are TSTP, CONT, USR1, USR2, HUP, QUIT"};
        request.signal = *signal;
    }
    request.dry_run = value["dry_run"].boolean();
    if (request.verb == Verb::scale) {
        TRY_ASSIGN(request, with_count(std::move(request), value));
    }
    return with_names(std::move(request), value);
}

std::string to_line(const ControlRequest& request) {
    json::Value value;
    value.set("do", word_of(verbs, request.verb));
    if (!request.names.empty()) {
        auto names = json::Value::array();
        for (auto& name : request.names) names.push(name);
        value.set("names", std::move(names));
    }
    if (request.all_at_once) value.set("all_at_once", true);
    if (!request.wait) value.set("wait", false);
    if (!request.reason.empty()) value.set("reason", request.reason);
    if (request.verb == Verb::signal) value.set("signal", word_of(signals, request.signal));
    if (request.verb == Verb::scale && request.count) value.set("count", *request.count);
    if (request.verb == Verb::scale && !request.count) value.set("auto", true);
    if (request.dry_run) value.set("dry_run", true);
    return json::to_text(value) + "\n";
}

ProcessStatus process_status_of(const json::Value& v) {
    ProcessStatus s;
    s.name = v["name"].text();
    s.group = v["group"].text();
    s.worker = v["worker"].text();
    s.n = static_cast<unsigned>(v["n"].integer().value_or(0));
    s.pid = static_cast<int>(v["pid"].integer().value_or(0));
    s.state = state_named(v["state"].text());
    s.since = {v["since_ms"].integer().value_or(0)};
    s.restarts = static_cast<std::uint64_t>(v["restarts"].integer().value_or(0));
    s.next = {v["next_ms"].integer().value_or(0)};
    s.log = v["log"].text();
    s.why = v["why"].text();
    auto count = [&](const char* why) { return static_cast<std::uint64_t>(v["restarts_by"][why].integer().value_or(0)); };
    s.restarts_by = {count("recycle"), count("crash"), count("deploy")};
    return s;
}

json::Value to_json(const ProcessStatus& process) {
    json::Value value;
    value.set("name", process.name);
    value.set("group", process.group);
    value.set("worker", process.worker);
    value.set("n", process.n);
    value.set("pid", process.pid);
    value.set("state", name_of(process.state));
    value.set("since_ms", process.since.ms);
    value.set("restarts", process.restarts);
    if (process.next != Timestamp{}) value.set("next_ms", process.next.ms);
    value.set("log", process.log);
    value.set("why", process.why);
    json::Value by;
    by.set("recycle", process.restarts_by.recycle).set("crash", process.restarts_by.crash).set("deploy", process.restarts_by.deploy);
    value.set("restarts_by", std::move(by));
    return value;
}

std::string to_line(const ControlAnswer& answer) {
    json::Value value;
    value.set("ok", answer.ok);
    if (!answer.error.empty()) value.set("error", answer.error);
    auto processes = json::Value::array();
    for (auto& process : answer.processes) processes.push(to_json(process));
    value.set("processes", std::move(processes));
    auto pools = json::Value::array();
    for (auto& pool : answer.pools) pools.push(to_json(pool));
    if (!answer.pools.empty()) value.set("pools", std::move(pools));
    if (!answer.text.empty()) value.set("text", answer.text);
    return json::to_text(value) + "\n";
}

Result<ControlAnswer, std::string> parse_answer(std::string_view line) {
    auto parsed = json::parse(line);
    if (!parsed || !parsed->is_object()) return Failure{std::string("not an answer of a supervisor")};
    ControlAnswer answer;
    answer.ok = (*parsed)["ok"].boolean();
    answer.error = (*parsed)["error"].text();
    for (auto& process : (*parsed)["processes"].elements()) answer.processes.push_back(process_status_of(process));
    for (auto& pool : (*parsed)["pools"].elements()) answer.pools.push_back(pool_of(pool));
    answer.text = (*parsed)["text"].text();
    return answer;
}

Result<ControlAnswer, ControlError> ask(const std::string& control_path, const ControlRequest& request, Duration timeout) {
    TRY_ASSIGN(auto socket, connected(control_path, timeout));
    auto line = to_line(request);
    if (::send(socket.get(), line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size()))
        return Failure{ControlError{true, "the supervisor went away before it was asked"}};
    TRY_ASSIGN(auto text, answer_line(socket.get(), timeout));
    auto answer = parse_answer(text);
    if (!answer) return Failure{ControlError{false, answer.error()}};
    return std::move(*answer);
}

}  // namespace forebay::supervisor
