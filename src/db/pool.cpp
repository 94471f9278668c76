#include "db/pool.h"

#include <algorithm>

namespace forebay::db {

Pool::Pool(const Options& options, std::vector<Address> addresses, Access access)
    : options_(options), addresses_(std::move(addresses)), access_(access) {}
Pool::~Pool() = default;

Pool::Lease::~Lease() {
    if (pool_ != nullptr) pool_->come_back(std::move(connection_), generation_);
}

void Pool::Lease::obey(Error::Fate fate) {
    if (fate == Error::Fate::keep) return;
    drop();
    if (fate == Error::Fate::drop_all) pool_->drop_all();
}

Result<Pool::Lease, Error> Pool::take() {
    std::unique_lock lock(mutex_);
    auto is_room = [&] { return out_ < options_.pool.max; };
    if (!came_back_.wait_for(lock, options_.connect_timeout, is_room))
        return Failure{
            Error{ErrorKind::dependency, 0, options_.name + ": all " + std::to_string(options_.pool.max) + " connections are in use"}};
    ++out_;
    auto generation = generation_;
    if (auto connection = take_idle()) return Lease(*this, std::move(connection), generation, false);
    lock.unlock();
    auto connected = connect();
    if (connected) return Lease(*this, std::move(*connected), generation, true);
    come_back(nullptr, generation);
    return Failure{connected.error()};
}

std::unique_ptr<Connection> Pool::take_idle() {
    auto now = clock_.now();
    std::erase_if(idle_, [&](const Idle& idle) { return now - idle.since > options_.pool.idle; });
    if (idle_.empty()) return nullptr;
    auto connection = std::move(idle_.back().connection);  // the one used last: the others grow old and go
    idle_.pop_back();
    return connection;
}

Result<std::unique_ptr<Connection>, Error> Pool::connect() {
    std::size_t first = 0;
    {
        std::lock_guard lock(mutex_);
        first = first_;
    }
    Error last{ErrorKind::dependency, 0, options_.name + ": has no address"};
    for (std::size_t i = 0; i < addresses_.size(); ++i) {
        auto at = (first + i) % addresses_.size();
        auto connected = options_.driver == Driver::postgresql ? connect_postgresql(options_, addresses_[at], access_)
                                                               : connect_mariadb(options_, addresses_[at], access_);
        if (!connected) {
            last = connected.error();
            continue;
        }
        std::lock_guard lock(mutex_);
        first_ = at;
        ++connects_;
        return std::move(*connected);
    }
    return Failure{last};
}

void Pool::come_back(std::unique_ptr<Connection> connection, std::uint64_t generation) {
    std::lock_guard lock(mutex_);
    --out_;
    if (connection && generation == generation_) idle_.push_back({std::move(connection), clock_.now()});
    came_back_.notify_one();
}

void Pool::drop_all() {
    std::lock_guard lock(mutex_);
    ++generation_;
    idle_.clear();
    if (!addresses_.empty()) first_ = (first_ + 1) % addresses_.size();
}

std::uint64_t Pool::connects() const {
    std::lock_guard lock(mutex_);
    return connects_;
}

}  // namespace forebay::db
