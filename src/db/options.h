#pragma once
// How a database is reached: [db.NAME] of the configuration as plain values.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace forebay::db {

enum class Driver {
    sqlite,
    mariadb,  ///< MariaDB, Galera
    mysql,    ///< MySQL, Aurora: as mariadb, without its array parameters
    postgresql,
};
std::string_view name_of(Driver driver);

struct Address {
    std::string host;
    std::uint16_t port = 0;
    bool operator==(const Address&) const = default;
};
/// `10.0.2.10:3307`
std::string to_text(const Address& address);

struct Tls {
    enum class Mode {
        off,       ///< not asked for
        required,  ///< encrypted, whoever answers
        verify,    ///< and the certificate must be signed by `ca` and name the host
    } mode = Mode::off;
    std::string ca;           ///< file; empty = the system's
    std::string certificate;  ///< files of a client certificate; empty = none
    std::string key;
};

/// Connections kept to one address list; one more than `max` waits.
struct PoolOptions {
    std::uint32_t min = 1;
    std::uint32_t max = 16;
    Duration idle = 60s;  ///< one that was not used this long is closed, those below `min` too: a balancer may have cut it
};

struct Options {
    std::string name = "main";  ///< in messages
    Driver driver = Driver::sqlite;
    Duration timeout = 10s;  ///< of one statement, a wait for a lock included

    // SQLite
    std::string path;
    Duration busy_timeout = 2s;   ///< wait for another process's lock
    std::uint64_t max_pages = 0;  ///< upper bound of the file in pages; 0 = SQLite's
    /// A file that remembers that the database was made: then one that is missing was deleted, or its disk is not
    /// there, and is not made again silently. Empty = only this process remembers.
    std::string made_note;

    // servers
    std::vector<Address> writer;  ///< tried in their order, names resolved at each connect
    std::vector<Address> reader;  ///< empty: the writer's
    std::string database;
    std::string user;
    std::string password;
    Tls tls;
    PoolOptions pool;
    Duration connect_timeout = 3s;
    /// Galera: a read sees what was committed before on any node, and waits for that. A look at how a node is must not wait.
    bool reads_see_all = true;
};

/// Where it is, for people: the file, or the writer's addresses. No secret.
std::string place_of(const Options& options);

}  // namespace forebay::db
