#pragma once
// A database whose next transactions go wrong as told, over a real one that has what was committed. The first one, in which a
// handler looks after its tables, goes well.

#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "db/database.h"

namespace forebay::handlers {

struct Fault {
    enum class When {
        before_commit,  ///< rolled back
        after_commit,   ///< it is there, and nobody said so
    } when;
    db::Error error;
};

inline Fault rolled_back(db::ErrorKind kind, int code, const std::string& what) {
    Fault fault{Fault::When::before_commit, {}};
    fault.error.kind = kind;
    fault.error.code = code;
    fault.error.what = "main: " + what;
    return fault;
}

inline Fault committed_unsaid(int code, const std::string& what) {
    auto fault = rolled_back(db::ErrorKind::unknown_outcome, code, what);
    fault.when = Fault::When::after_commit;
    return fault;
}

class FaultyDatabase final : public db::Database {
  public:
    FaultyDatabase(std::unique_ptr<db::Database> real, std::deque<Fault>& faults, int& transactions)
        : real_(std::move(real)), faults_(faults), transactions_(transactions) {}
    Result<void, db::Error> read(Look look) override { return real_->read(std::move(look)); }
    db::Driver driver() const override { return real_->driver(); }
    Result<std::uint64_t, db::Error> opened() override { return real_->opened(); }
    Result<void, db::Error> probe() override { return real_->probe(); }

  private:
    Result<void, db::Error> write_once(Change& change) override {
        bool is_of_tables = !std::exchange(has_tables_, true);
        if (!is_of_tables) ++transactions_;
        if (is_of_tables || faults_.empty()) return real_->write([&](db::WriteTransaction& t) { return change(t); });
        auto fault = faults_.front();
        faults_.pop_front();
        bool is_changed = false;
        auto written = real_->write([&](db::WriteTransaction& t) -> Result<void, db::Error> {
            TRY(change(t));
            is_changed = true;
            db::Error roll_back;
            roll_back.kind = db::ErrorKind::poison;  // the real one does not try that again
            if (fault.when == Fault::When::before_commit) return Failure{roll_back};
            return {};
        });
        if (!is_changed) return written;
        return Failure{fault.error};
    }

    std::unique_ptr<db::Database> real_;
    std::deque<Fault>& faults_;
    int& transactions_;
    bool has_tables_ = false;
};

}  // namespace forebay::handlers
