#pragma once
// Connections to one list of addresses: kept while they are used, closed when they were idle for long, made anew when a server
// has gone. Inside db/ only.

#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "db/connection.h"

namespace forebay::db {

class Pool {
  public:
    Pool(const Options& options, std::vector<Address> addresses, Access access);
    ~Pool();
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    /// A connection out of the pool; it comes back when the lease ends, unless it was dropped.
    class Lease {
      public:
        Lease(Pool& pool, std::unique_ptr<Connection> connection, std::uint64_t generation, bool is_fresh)
            : pool_(&pool), connection_(std::move(connection)), generation_(generation), is_fresh_(is_fresh) {}
        Lease(Lease&& other) noexcept
            : pool_(std::exchange(other.pool_, nullptr)),
              connection_(std::move(other.connection_)),
              generation_(other.generation_),
              is_fresh_(other.is_fresh_) {}
        Lease& operator=(Lease&&) = delete;
        ~Lease();
        Connection& operator*() const { return *connection_; }
        Connection* operator->() const { return connection_.get(); }
        /// Made for this lease: what fails on it fails everywhere.
        bool is_fresh() const { return is_fresh_; }
        void drop() { connection_.reset(); }
        void obey(Error::Fate fate);

      private:
        Pool* pool_;
        std::unique_ptr<Connection> connection_;
        std::uint64_t generation_;
        bool is_fresh_;
    };

    /// An idle connection, else a new one to the first address that takes it. Where `max` are out it waits for one as long as
    /// for a connect.
    Result<Lease, Error> take();
    /// Closes what is idle, and what is out when it comes back; the next connect begins at the next address.
    void drop_all();
    /// How many connections were ever made.
    std::uint64_t connects() const;

  private:
    struct Idle {
        std::unique_ptr<Connection> connection;
        Instant since;
    };
    Result<std::unique_ptr<Connection>, Error> connect();
    std::unique_ptr<Connection> take_idle();
    void come_back(std::unique_ptr<Connection> connection, std::uint64_t generation);

    const Options& options_;
    std::vector<Address> addresses_;
    Access access_;
    SystemClock clock_;
    mutable std::mutex mutex_;
    std::condition_variable came_back_;
    std::vector<Idle> idle_;
    std::size_t out_ = 0;
    std::size_t first_ = 0;  ///< address that is tried first
    std::uint64_t generation_ = 0;
    std::uint64_t connects_ = 0;
};

}  // namespace forebay::db
