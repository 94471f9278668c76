#include "http/hosts.h"

#include <gtest/gtest.h>

namespace forebay::http {
namespace {

bool admits(const Hosts& hosts, std::string_view host) {
    Request request;
    if (!host.empty()) request.headers.push_back({"Host", host});
    return hosts.admit(request);
}

TEST(Hosts, a_loopback_listener_answers_to_this_machine_only) {
    for (auto address : {"127.0.0.1", "127.0.0.5", "::1", "::ffff:127.0.0.1"}) {
        auto hosts = Hosts::of(address, {});
        for (auto good :
             {"localhost", "LocalHost:9324", "localhost.", "a.localhost:80", "127.0.0.1:9324", "192.0.2.1", "[::1]:9324", "[::1]", ""})
            EXPECT_TRUE(admits(hosts, good)) << address << " " << good;
        for (auto bad : {"evil.example", "evil.example:9324", "localhost.evil.example", "notlocalhost", "127.0.0.1.evil.example", "127.1",
                         "[::1].evil.example", "[evil.example]", "0x7f000001", ":9324", "."})
            EXPECT_FALSE(admits(hosts, bad)) << address << " " << bad;
    }
}

TEST(Hosts, another_listener_answers_to_every_name_until_names_are_given) {
    EXPECT_TRUE(admits(Hosts::of("0.0.0.0", {}), "queue.example.com"));
    EXPECT_TRUE(admits(Hosts(), "queue.example.com"));
    auto named = Hosts::of("0.0.0.0", {"queue.example.com"});
    EXPECT_TRUE(admits(named, "Queue.Example.com:9324"));
    EXPECT_TRUE(admits(named, "10.0.0.7"));
    EXPECT_FALSE(admits(named, "evil.example"));
}

TEST(Hosts, a_name_that_is_added_does_not_turn_the_others_away) {
    auto hosts = Hosts::of("0.0.0.0", {});
    hosts.add("queue.example.com:443");
    EXPECT_TRUE(admits(hosts, "forebay:9324"));
    auto local = Hosts::of("127.0.0.1", {});
    local.add("queue.example.com:443");
    local.add("");
    EXPECT_TRUE(admits(local, "queue.example.com"));
    EXPECT_FALSE(admits(local, "evil.example"));
}

}  // namespace
}  // namespace forebay::http
