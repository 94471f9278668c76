#include "cli/process/sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "cli/config/slot.h"
#include "http/listening.h"

namespace forebay::cli {
namespace {

constexpr const char* listeners_variable = "FOREBAY_LISTENERS";
constexpr int first_of_systemd = 3;

std::string listener_key(const std::string& setting, const Listen& on) { return setting + " " + address_text(on); }

std::string take_variable(const char* name) {
    const char* value = std::getenv(name);
    std::string text = value == nullptr ? "" : value;
    ::unsetenv(name);
    return text;
}

/// The pieces of `text` between separators.
std::vector<std::string> pieces_of(std::string_view text, char separator) {
    std::vector<std::string> pieces;
    while (!text.empty()) {
        auto end = std::min(text.find(separator), text.size());
        pieces.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return pieces;
}

/// `127.0.0.1:8080` of a bound socket; empty if it is no TCP socket.
std::string bound_address(int socket) {
    sockaddr_storage bound{};
    socklen_t length = sizeof bound;
    if (::getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &length) != 0) return {};
    char text[INET6_ADDRSTRLEN] = {};
    Listen at;
    if (bound.ss_family == AF_INET) {
        auto& in = reinterpret_cast<sockaddr_in&>(bound);
        ::inet_ntop(AF_INET, &in.sin_addr, text, sizeof text);
        at = {text, ntohs(in.sin_port)};
    } else if (bound.ss_family == AF_INET6) {
        auto& in = reinterpret_cast<sockaddr_in6&>(bound);
        ::inet_ntop(AF_INET6, &in.sin6_addr, text, sizeof text);
        at = {text, ntohs(in.sin6_port)};
    }
    return at.address.empty() ? std::string() : address_text(at);
}

void set_kept(int descriptor, bool inheritable) { ::fcntl(descriptor, F_SETFD, inheritable ? 0 : FD_CLOEXEC); }

}  // namespace

std::vector<std::pair<std::string, Listen>> all_listeners(const Configuration& c) {
    std::vector<std::pair<std::string, Listen>> all;
    for (const auto& at : c.intake.listen) all.emplace_back("intake.listen", at);
    for (const auto& at : c.admin.listen) all.emplace_back("admin.listen", at);
    for (const auto& at : c.sqs.listen) all.emplace_back("sqs.listen", at);
    if (c.telemetry.prometheus) all.emplace_back("telemetry.prometheus", *c.telemetry.prometheus);
    return all;
}

InheritedSockets InheritedSockets::of_this_process() {
    InheritedSockets out;
    for (const auto& entry : pieces_of(take_variable(listeners_variable), ';')) {
        auto equals = entry.rfind('=');
        if (equals == std::string::npos) continue;
        int descriptor = std::atoi(entry.c_str() + equals + 1);
        set_kept(descriptor, false);
        out.sockets_.push_back({entry.substr(0, equals), {}, Descriptor(descriptor)});
    }
    auto pid = take_variable("LISTEN_PID"), count = take_variable("LISTEN_FDS");
    auto names = pieces_of(take_variable("LISTEN_FDNAMES"), ':');
    if (pid != std::to_string(::getpid())) return out;
    for (int i = 0; i < std::atoi(count.c_str()); ++i) {
        Descriptor socket(first_of_systemd + i);
        set_kept(socket.get(), false);
        auto address = bound_address(socket.get());
        auto name = static_cast<std::size_t>(i) < names.size() ? names[static_cast<std::size_t>(i)] : std::string();
        out.sockets_.push_back({std::move(address), std::move(name), std::move(socket)});
    }
    return out;
}

Descriptor InheritedSockets::take(const std::string& setting, const Listen& on) {
    auto at = std::find_if(sockets_.begin(), sockets_.end(), [&](const Socket& one) {
        bool is_named = !on.activation.empty() && one.name == on.activation;
        return is_named || one.key == listener_key(setting, on) || one.key == address_text(on);
    });
    if (at == sockets_.end()) return {};
    auto socket = std::move(at->descriptor);
    sockets_.erase(at);
    return socket;
}

std::vector<std::string> InheritedSockets::left() const {
    std::vector<std::string> names;
    for (const auto& socket : sockets_) names.push_back(socket.key.empty() ? socket.name : socket.key);
    return names;
}

std::string LentSockets::Socket::key() const { return listener_key(setting, on); }

LentSockets::LentSockets(const Configuration& configuration, InheritedSockets& inherited) {
    for (auto& [setting, on] : all_listeners(configuration)) {
        auto given = inherited.take(setting, on);
        bool is_given = static_cast<bool>(given);
        sockets_.push_back({setting, on, std::move(given), is_given});
    }
}

std::optional<PortProblem> LentSockets::problem() const {
    for (const auto& socket : sockets_) {
        if (socket.descriptor || !socket.on.activation.empty()) continue;
        if (auto problem = port_problem(socket.setting, socket.on)) return problem;
    }
    return std::nullopt;
}

Result<void, std::string> LentSockets::open() {
    for (auto& socket : sockets_)
        if (!socket.descriptor) TRY(open(socket));
    return {};
}

Result<void, std::string> LentSockets::open_what_is_not_in(const LentSockets& before) {
    for (auto& socket : sockets_) {
        bool comes = std::any_of(before.sockets_.begin(), before.sockets_.end(),
                                 [&](const Socket& one) { return one.descriptor && one.key() == socket.key(); });
        if (!socket.descriptor && !comes) TRY(open(socket));
    }
    return {};
}

Result<void, std::string> LentSockets::open(Socket& socket) {
    if (!socket.on.activation.empty())
        return Failure{socket.setting + ": systemd gave no socket called " + socket.on.activation +
                       "; its .socket unit says FileDescriptorName=" + socket.on.activation};
    auto opened = http::listen_on(socket.on.address, socket.on.port);
    if (!opened.ok()) {
        auto problem = port_problem(socket.setting, socket.on);
        return Failure{socket.setting + ": " + opened.error() + (problem ? "; " + problem->why + "; " + problem->next : "")};
    }
    socket.descriptor = Descriptor(*opened);
    return {};
}

Result<void, std::string> LentSockets::lend(SpawnOptions& to) {
    TRY(open());
    std::string listeners;
    for (auto& socket : sockets_) {
        to.kept.push_back(socket.descriptor.get());
        listeners += (listeners.empty() ? "" : ";") + socket.key() + "=" + std::to_string(socket.descriptor.get());
    }
    to.environment.emplace_back(listeners_variable, listeners);
    return {};
}

void LentSockets::withdraw() {
    for (auto& socket : sockets_)
        if (!socket.is_given) socket.descriptor.close();
}

void LentSockets::move_to(LentSockets& next) {
    for (auto& theirs : next.sockets_) {
        if (theirs.descriptor) continue;
        for (auto& ours : sockets_) {
            if (ours.key() != theirs.key() || !ours.descriptor) continue;
            theirs.descriptor = std::move(ours.descriptor);
            theirs.is_given = ours.is_given;
            break;
        }
    }
}

json::Value LentSockets::leave_behind(bool inheritable) {
    auto list = json::Value::array();
    for (auto& socket : sockets_) {
        if (!socket.descriptor) continue;
        set_kept(socket.descriptor.get(), inheritable);
        list.push(json::Value().set("key", socket.key()).set("descriptor", socket.descriptor.get()).set("given", socket.is_given));
    }
    return list;
}

void LentSockets::adopt(const json::Value& left) {
    for (const auto& one : left.elements()) {
        Descriptor descriptor(static_cast<int>(one["descriptor"].integer().value_or(-1)));
        set_kept(descriptor.get(), false);
        auto at = std::find_if(sockets_.begin(), sockets_.end(),
                               [&](const Socket& socket) { return !socket.descriptor && socket.key() == one["key"].text(); });
        if (at == sockets_.end()) continue;  // no longer configured: closed
        at->descriptor = std::move(descriptor);
        at->is_given = one["given"].boolean();
    }
}

}  // namespace forebay::cli
