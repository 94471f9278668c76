#include "cli/process/listeners.h"

#include <unistd.h>

#include <algorithm>

#include "base/log_line.h"
#include "cli/config/slot.h"
#include "cli/exit_code.h"
#include "cli/process/ports.h"
#include "http/hosts.h"
#include "http/problem.h"

namespace forebay::cli {
namespace {
/// The queue and admin ports take what SQS takes: ten messages with their JSON around them.
constexpr std::uint64_t queue_port_body_max = 8_MiB;

/// Counts and numbers of processes, which whoever starts them asks of the port that they can reach.
constexpr std::string_view scale_prefix = "/v1/scale/";

/// The names of the queue port: also that of the queue URLs it tells.
http::Hosts hosts_of(const Listen& on, const SqsConfiguration& sqs) {
    auto hosts = http::Hosts::of(on.address, sqs.hosts);
    std::string_view base = sqs.base_url;
    base.remove_prefix(base.find("://") == base.npos ? 0 : base.find("://") + 3);
    hosts.add(base.substr(0, base.find('/')));
    return hosts;
}
http::Hosts hosts_of(const Listen& on, const AdminConfiguration& admin) { return http::Hosts::of(on.address, admin.hosts); }

/// Hands requests that call `port` by one of its names to it.
template <class Port>
auto by_name(Port& port, http::Hosts hosts) {
    return [&port, hosts = std::move(hosts)](const http::Request& request, http::Responder responder) {
        if (!hosts.admit(request)) return Port::refuse_host(request, std::move(responder));
        port.handle(request, std::move(responder));
    };
}

/// A listener for whoever collects metrics; nobody acts there.
template <class Serve>
auto metrics_only(Serve serve) {
    return [serve = std::move(serve)](const http::Request& request, http::Responder responder) {
        if (request.path != "/metrics") return responder(http::problem(404, "not_found", "There is only /metrics at this address."));
        serve(request, std::move(responder));
    };
}

}  // namespace

Result<void, Listeners::Refused> Listeners::open_server(const Listen& on, http::ServerOptions options, http::Handler handler,
                                                        std::vector<std::unique_ptr<http::Server>>& among) {
    options.address = on.address;
    options.port = on.port;
    options.registry = &parts_.registry;
    auto listener = options.name;
    auto setting = Refused{on, listener, {}}.setting();
    options.listener = inherited_.take(setting, on).release();
    http::Handler with_health = [&readiness = parts_.readiness, handler = std::move(handler)](const http::Request& request,
                                                                                              http::Responder responder) mutable {
        if (!readiness.answer_health(request, responder)) handler(request, std::move(responder));
    };
    auto server = http::Server::open(std::move(options), std::move(with_health));
    if (!server.ok()) return Failure{Refused{on, std::move(listener), server.error()}};
    by_address_[setting + " " + address_text(on)] = server->get();
    among.push_back(std::move(*server));
    return {};
}

Result<void, Listeners::Refused> Listeners::listen_for_intake(const Configuration& configuration, const Listen& on) {
    http::ServerOptions options;
    options.name = "intake";
    options.body_bytes_max = configuration.intake.max_body;
    options.trusted_proxies = configuration.intake.trusted_proxies;
    options.connections_max = configuration.intake.connections_max;
    options.connections_per_address_max = configuration.intake.connections_per_client;
    // A full disk is said before the body is read.
    options.admit = [&readiness = parts_.readiness](const http::Request& head) { return readiness.refuse_early(head); };
    auto serve = [&parts = parts_](const http::Request& request, http::Responder responder) {
        if (request.path == "/metrics") return responder({200, {}, "text/plain; version=0.0.4", parts.registry.prometheus_text()});
        if (request.path.starts_with(scale_prefix)) return parts.admin.handle(request, std::move(responder));
        parts.intake.handle(request, std::move(responder));
    };
    return open_server(on, std::move(options), std::move(serve), intake_servers_);
}

Result<void, Listeners::Refused> Listeners::listen(const Listen& on, std::string name, http::Handler handler, std::uint64_t body_max) {
    http::ServerOptions options;
    options.name = std::move(name);
    options.body_bytes_max = body_max;
    bool is_queue = options.name == "sqs";
    options.admit = [&parts = parts_, is_queue](const http::Request& head) {
        if (auto refused = parts.readiness.refuse_without_store(head)) return refused;
        return is_queue ? parts.sqs.refuse_early(head) : std::nullopt;
    };
    return open_server(on, std::move(options), std::move(handler), other_servers_);
}

Result<void, Listeners::Refused> Listeners::open_all(const Configuration& configuration) {
    for (const auto& on : configuration.sqs.listen)
        TRY(listen(on, "sqs", by_name(parts_.sqs, hosts_of(on, configuration.sqs)), queue_port_body_max));
    for (const auto& on : configuration.admin.listen)
        TRY(listen(on, "admin", by_name(parts_.admin, hosts_of(on, configuration.admin)), queue_port_body_max));
    if (const auto& on = configuration.telemetry.prometheus)
        TRY(listen(*on, "prometheus", metrics_only(by_name(parts_.admin, hosts_of(*on, configuration.admin))), 1_KiB));
    for (const auto& on : configuration.intake.listen) TRY(listen_for_intake(configuration, on));
    return {};
}

int Listeners::open(const Configuration& configuration, InheritedSockets inherited) {
    inherited_ = std::move(inherited);
    auto opened = open_all(configuration);
    for (const auto& name : inherited_.left()) log_warn("listen.unused").with("socket", name).with("why", "no setting listens there");
    inherited_ = {};
    return opened.ok() ? 0 : refuse(opened.error());
}

/// What this process holds itself is let go first: otherwise it would be found to be the one in the way.
int Listeners::refuse(const Refused& refused) {
    intake_servers_.clear();
    other_servers_.clear();
    auto problem = port_problem(refused.setting(), refused.at);
    auto line = log_error("listen.failed");
    line.with("setting", refused.setting()).with("why", refused.why + (problem ? "; " + problem->why : ""));
    if (problem) line.with("next", problem->next);
    return exit_code::try_again;
}

void Listeners::adopt(std::vector<Bequeathed> connections) {
    for (auto& [listener, connection] : connections) {
        auto at = by_address_.find(listener);
        if (at == by_address_.end())
            ::close(connection.descriptor);
        else
            at->second->adopt(std::move(connection));
    }
}

void Listeners::hand_over(Bequest& bequest) {
    for (auto& [name, server] : by_address_)
        server->hand_over([&bequest, name = name](http::HandedConnection connection) { bequest.give(name, std::move(connection)); });
}

void Listeners::drain() {
    for (auto* servers : {&intake_servers_, &other_servers_})
        for (auto& server : *servers) server->drain();
}

bool Listeners::takes_up_nothing() const {
    return std::all_of(by_address_.begin(), by_address_.end(), [](const auto& one) { return one.second->has_left(); });
}

bool Listeners::is_intake_empty() const {
    return std::all_of(intake_servers_.begin(), intake_servers_.end(), [](const auto& server) { return server->connections() == 0; });
}

bool Listeners::is_empty() const {
    return is_intake_empty() &&
           std::all_of(other_servers_.begin(), other_servers_.end(), [](const auto& server) { return server->connections() == 0; });
}

void Listeners::stop(Duration patience) {
    for (auto* servers : {&intake_servers_, &other_servers_})
        for (auto& server : *servers) server->wait_until_drained(patience);
    for (auto* servers : {&intake_servers_, &other_servers_})
        for (auto& server : *servers) server->stop();
}

}  // namespace forebay::cli
