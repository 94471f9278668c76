#include "supervisor/service_manager.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <list>
#include <memory>

#include "supervisor/process.h"
#include "testing/manual_clock.h"

namespace forebay::supervisor {
namespace {

/// The socket systemd would listen on.
class Listener {
  public:
    explicit Listener(const std::string& name) : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, name.data(), name.size());
        if (name[0] == '@') address.sun_path[0] = '\0';
        auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
        EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    }
    /// What has come, each datagram on a line of its own.
    std::string heard() {
        std::string all;
        char buffer[4096];
        for (ssize_t n = 0; (n = ::recv(socket_.get(), buffer, sizeof buffer, MSG_DONTWAIT)) > 0;)
            all.append(buffer, static_cast<std::size_t>(n)).append("\n");
        return all;
    }

  private:
    Descriptor socket_;
};

class Notified : public ::testing::Test {
  protected:
    Notified() {
        std::string pattern = (std::filesystem::temp_directory_path() / "forebay-notify-XXXXXX").string();
        directory = ::mkdtemp(pattern.data());
        ::setenv("NOTIFY_SOCKET", (directory + "/notify").c_str(), 1);
    }
    ~Notified() override {
        for (auto* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
        for (auto& process : processes) {
            process.kill_group();
            pollfd end{process.end_descriptor(), POLLIN, 0};
            if (end.fd >= 0) ::poll(&end, 1, 10'000);
            if (end.fd >= 0) process.on(Event::stop_asked), process.collect();
        }
        std::filesystem::remove_all(directory);
    }
    std::vector<Process*> add(const std::string& name, bool autostart = true) {
        auto spec = std::make_shared<ProgramSpec>();
        spec->name = name;
        spec->command = command;
        spec->autostart = autostart;
        spec->ours = false;
        processes.emplace_back(std::move(spec), 1, options, clock);
        std::vector<Process*> all;
        for (auto& process : processes) all.push_back(&process);
        return all;
    }

    std::string directory;
    forebay::testing::ManualClock clock;
    Options options;
    std::vector<std::string> command{"/bin/sleep", "1000"};
    std::list<Process> processes;
};

TEST_F(Notified, ready_is_said_once_when_everything_that_starts_by_itself_has_started) {
    Listener systemd(directory + "/notify");
    ServiceManager told(clock);
    add("store");
    add("mail");
    auto all = add("manual", false);
    told.keep_up(all);
    EXPECT_EQ(systemd.heard(), "STATUS=0 of 3 processes run; store:1 is STOPPED\n");
    all[0]->on(Event::start_asked);
    all[0]->on(Event::start_due);
    told.keep_up(all);
    EXPECT_EQ(systemd.heard(), "STATUS=1 of 3 processes run; mail:1 is STOPPED\n");
    all[1]->on(Event::start_asked);
    told.keep_up(all);
    EXPECT_EQ(systemd.heard(), "STATUS=1 of 3 processes run; mail:1 is STARTING\n");
    all[1]->on(Event::start_due);
    told.keep_up(all);
    EXPECT_EQ(systemd.heard(), "READY=1\nSTATUS=2 of 3 processes run; manual:1 is STOPPED\n");
    told.keep_up(all);
    EXPECT_EQ(systemd.heard(), "");
    told.stopping();
    told.stopping();
    EXPECT_EQ(systemd.heard(), "STOPPING=1\n");
}

TEST_F(Notified, one_that_cannot_start_keeps_nobody_from_being_ready) {
    Listener systemd(directory + "/notify");
    ServiceManager told(clock);
    command = {"/no/such/command"};
    auto all = add("store");
    all[0]->on(Event::start_asked);
    told.keep_up(all);
    EXPECT_EQ(systemd.heard(), "READY=1\nSTATUS=0 of 1 processes run; store:1 is BACKOFF\n");
}

TEST_F(Notified, a_reload_is_announced_with_its_moment) {
    Listener systemd(directory + "/notify");
    ServiceManager told(clock);
    told.reloading();
    told.reloaded();
    auto heard = systemd.heard();
    EXPECT_TRUE(heard.starts_with("RELOADING=1\nMONOTONIC_USEC=")) << heard;
    EXPECT_EQ(heard.find("READY"), std::string::npos) << "it was not ready before either";
    told.keep_up({});
    EXPECT_EQ(systemd.heard(), "READY=1\nSTATUS=0 of 0 processes run\n");
    told.reloading();
    told.reloaded();
    EXPECT_TRUE(systemd.heard().ends_with("\nREADY=1\n"));
}

TEST_F(Notified, the_watchdog_is_fed_at_half_its_time) {
    Listener systemd(directory + "/notify");
    ::setenv("WATCHDOG_USEC", "4000000", 1);
    ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
    ServiceManager told(clock);
    told.keep_up({});
    EXPECT_TRUE(systemd.heard().ends_with("WATCHDOG=1\n"));
    EXPECT_EQ(told.next(), clock.now() + 2s);
    clock.advance(1999ms);
    told.keep_up({});
    EXPECT_EQ(systemd.heard(), "");
    clock.advance(1ms);
    told.keep_up({});
    EXPECT_EQ(systemd.heard(), "WATCHDOG=1\n");
}

TEST_F(Notified, a_watchdog_of_another_process_is_not_ours) {
    ::setenv("WATCHDOG_USEC", "4000000", 1);
    ::setenv("WATCHDOG_PID", "1", 1);
    EXPECT_EQ(ServiceManager(clock).next(), std::nullopt);
}

TEST_F(Notified, the_socket_may_be_abstract) {
    auto name = "@forebay-test-" + std::to_string(::getpid());
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
    Listener systemd(name);
    ServiceManager(clock).stopping();
    EXPECT_EQ(systemd.heard(), "STOPPING=1\n");
}

TEST_F(Notified, without_a_socket_or_with_one_that_is_gone_nothing_happens) {
    ServiceManager gone(clock);
    gone.stopping();
    for (auto* name : {"", "relative", "@", "/"}) {
        ::setenv("NOTIFY_SOCKET", name, 1);
        ServiceManager(clock).stopping();
    }
    ::unsetenv("NOTIFY_SOCKET");
    ServiceManager(clock).keep_up({});
}

TEST_F(Notified, children_are_told_nothing_of_it) {
    ::setenv("WATCHDOG_USEC", "4000000", 1);
    ::setenv("LISTEN_FDS", "1", 1);
    auto pipe = make_pipe();
    SpawnOptions child;
    child.command = {"/usr/bin/env"};
    child.environment = {{"LISTEN_FDNAMES", "given on purpose"}};
    child.output = pipe->write.get();
    ASSERT_TRUE(spawn(child));
    pipe->write.close();
    std::string all;
    char buffer[4096];
    for (ssize_t n = 0; (n = ::read(pipe->read.get(), buffer, sizeof buffer)) > 0;) all.append(buffer, static_cast<std::size_t>(n));
    ::unsetenv("LISTEN_FDS");
    EXPECT_EQ(all.find("NOTIFY_SOCKET"), std::string::npos);
    EXPECT_EQ(all.find("WATCHDOG_USEC"), std::string::npos);
    EXPECT_EQ(all.find("LISTEN_FDS"), std::string::npos);
    EXPECT_NE(all.find("LISTEN_FDNAMES=given on purpose"), std::string::npos);
}

}  // namespace
}  // namespace forebay::supervisor
