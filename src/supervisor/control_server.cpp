#include "supervisor/control_server.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "supervisor/unix_address.h"

namespace forebay::supervisor {
namespace {

bool somebody_answers(const sockaddr_un& address) {
    Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return socket && ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

Descriptor spare_descriptor() { return Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

short ready(const std::vector<pollfd>& polled, int fd) {
    for (auto& one : polled)
        if (one.fd == fd) return one.revents;
    return 0;
}

}  // namespace

Result<ControlServer, std::string> ControlServer::open(const std::string& path) {
    TRY_ASSIGN(auto address, unix_address(path));
    auto fail = [&](const char* what) { return Failure{"control socket " + path + ": cannot " + what + ": " + std::strerror(errno)}; };
    if (somebody_answers(address)) return Failure{"another supervisor answers on " + path + "; stop it first"};
    ::unlink(path.c_str());
    Descriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!listener) return fail("be made");
    auto before = ::umask(0177);
    int bound = ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::umask(before);
    if (bound != 0) return fail("bind");
    if (::listen(listener.get(), 16) != 0) return fail("listen");
    ControlServer server(path, std::move(listener));
    server.spare_ = spare_descriptor();
    return server;
}

ControlServer::~ControlServer() {
    if (listener_) ::unlink(path_.c_str());
}

void ControlServer::add_to(std::vector<pollfd>& polled) const {
    if (clients_.size() < connections_max) polled.push_back({listener_.get(), POLLIN, 0});
    for (auto& [id, client] : clients_)
        polled.push_back({client.socket.get(), static_cast<short>(client.out.empty() ? POLLIN : POLLIN | POLLOUT), 0});
}

std::vector<ControlServer::Asked> ControlServer::take(const std::vector<pollfd>& polled) {
    std::vector<Asked> asked;
    for (auto& [id, client] : clients_) {
        auto events = ready(polled, client.socket.get());
        if (events & (POLLIN | POLLHUP | POLLERR)) read_from(id, client, asked);
        if (events & POLLOUT) write_to(client);
    }
    std::erase_if(clients_, [](auto& one) { return one.second.closing && one.second.out.empty(); });
    if (ready(polled, listener_.get()) & POLLIN) accept_new();
    return asked;
}

void ControlServer::accept_new() {
    Descriptor socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket && (errno == EMFILE || errno == ENFILE)) return turn_away();
    if (socket) clients_.emplace(next_++, Client{std::move(socket), {}, {}, false});
    if (!spare_) spare_ = spare_descriptor();
}

/// One that nobody can take up would be ready for ever. It hears that it was turned away.
void ControlServer::turn_away() {
    spare_.close();
    Descriptor(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    spare_ = spare_descriptor();
}

void ControlServer::read_from(Connection id, Client& client, std::vector<Asked>& asked) {
    char buffer[4096];
    auto n = ::read(client.socket.get(), buffer, sizeof buffer);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
        client.closing = true;
        client.out.clear();
        return;
    }
    client.in.append(buffer, static_cast<std::size_t>(n));
    for (auto end = client.in.find('\n'); end != std::string::npos; end = client.in.find('\n')) {
        auto request = parse_request(std::string_view(client.in).substr(0, end));
        client.in.erase(0, end + 1);
        if (request)
            asked.push_back({id, std::move(*request)});
        else
            client.out += to_line(ControlAnswer{false, request.error(), {}});
    }
    if (client.in.size() <= request_bytes_max) return;
    client.out += to_line(ControlAnswer{false, "a request has at most 64 KiB", {}});
    client.closing = true;
}

bool ControlServer::is_idle() const {
    return std::all_of(clients_.begin(), clients_.end(), [](const auto& one) { return one.second.out.empty(); });
}

void ControlServer::write_to(Client& client) {
    auto n = ::send(client.socket.get(), client.out.data(), client.out.size(), MSG_NOSIGNAL);
    if (n > 0) client.out.erase(0, static_cast<std::size_t>(n));
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        client.closing = true;
        client.out.clear();
    }
}

void ControlServer::answer(Connection connection, const ControlAnswer& answer) {
    auto client = clients_.find(connection);
    if (client == clients_.end()) return;
    client->second.out += to_line(answer);
    write_to(client->second);
}

}  // namespace forebay::supervisor
