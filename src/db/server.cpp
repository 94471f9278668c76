#include "db/server.h"

#include "db/pool.h"

namespace forebay::db {
namespace {

std::vector<Address> readers_of(const Options& options) { return options.reader.empty() ? options.writer : options.reader; }

Result<void, Error> look_at(Pool::Lease& lease, Reader::Look& look) {
    if (auto begun = lease->begin(); !begun) return begun;
    ReadTransaction transaction(*lease);
    return look(transaction);
}

Result<void, Error> read_from(Pool& pool, Reader::Look& look) {
    for (;;) {
        TRY_ASSIGN(auto lease, pool.take());
        auto done = look_at(lease, look);
        if (!lease->roll_back()) lease.drop();
        if (done) return done;
        bool was_stale = done.error().fate != Error::Fate::keep && done.error().kind == ErrorKind::dependency && !lease.is_fresh();
        lease.obey(done.error().fate);
        if (!was_stale) return done;
    }
}

class ServerReader final : public Reader {
  public:
    explicit ServerReader(Options options) : options_(std::move(options)), pool_(options_, readers_of(options_), Access::read_only) {}
    Driver driver() const override { return options_.driver; }
    Result<void, Error> read(Look look) override { return read_from(pool_, look); }

  private:
    Options options_;
    Pool pool_;
};

class ServerDatabase final : public Database {
  public:
    explicit ServerDatabase(Options options)
        : options_(std::move(options)),
          writers_(options_, options_.writer, Access::read_write),
          readers_(options_, readers_of(options_), Access::read_only) {}

    Driver driver() const override { return options_.driver; }

    Result<void, Error> read(Look look) override { return read_from(readers_, look); }

    Result<std::uint64_t, Error> opened() override {
        if (writers_.connects() == 0) {
            TRY(writers_.take());
        }
        return writers_.connects();
    }

    Result<void, Error> probe() override {
        auto looked = Reader::Look([](ReadTransaction& t) -> Result<void, Error> {
            TRY(t.query("SELECT 1"));
            return {};
        });
        return read_from(writers_, looked);
    }

  private:
    /// A connection that broke before its commit has committed nothing. One that waited in the pool may have been cut meanwhile,
    /// so it is tried once more on one that is made now.
    Result<void, Error> write_once(Change& change) override {
        for (;;) {
            TRY_ASSIGN(auto lease, writers_.take());
            auto done = write_on(lease, change);
            if (done) return done;
            bool was_stale = done.error().fate != Error::Fate::keep && done.error().kind == ErrorKind::dependency && !lease.is_fresh();
            lease.obey(done.error().fate);
            if (!was_stale) return done;
        }
    }

    static Result<void, Error> write_on(Pool::Lease& lease, Change& change) {
        TRY(lease->begin());
        WriteTransaction transaction(*lease);
        auto done = change(transaction);
        if (done) done = lease->commit();
        if (!done && done.error().fate == Error::Fate::keep && !lease->roll_back()) lease.drop();
        return done;
    }

    Options options_;
    Pool writers_;
    Pool readers_;
};

}  // namespace

Result<std::unique_ptr<Database>, Error> open_server(Options options) {
    auto database = std::make_unique<ServerDatabase>(std::move(options));
    TRY(database->opened());
    return std::unique_ptr<Database>(std::move(database));
}

std::unique_ptr<Reader> server_reader(Options options) { return std::make_unique<ServerReader>(std::move(options)); }

}  // namespace forebay::db
