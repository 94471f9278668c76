#include "db/sqlite_copy.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace forebay::db {
namespace {

constexpr int wait_for_lock_ms = 30'000;

struct Close {
    void operator()(sqlite3* c) const { sqlite3_close_v2(c); }
};
using Handle = std::unique_ptr<sqlite3, Close>;

Result<Handle, Error> open(const std::string& path, int flags) {
    sqlite3* raw = nullptr;
    int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
    Handle handle(raw);
    if (code != SQLITE_OK) return Failure{Error{ErrorKind::dependency, code, path + ": " + sqlite3_errstr(code)}};
    sqlite3_busy_timeout(raw, wait_for_lock_ms);
    return handle;
}

Result<void, Error> make_private_file(const std::string& path) {
    int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0) return Failure{Error{ErrorKind::dependency, errno, path + ": " + std::strerror(errno)}};
    ::close(descriptor);
    return {};
}

}  // namespace

Result<void, Error> copy_sqlite(const std::string& from, const std::string& to) {
    TRY(make_private_file(to));
    // For writing: what a writer left half done when it was killed must be rolled back first.
    TRY_ASSIGN(auto source, open(from, SQLITE_OPEN_READWRITE));
    TRY_ASSIGN(auto target, open(to, SQLITE_OPEN_READWRITE));
    // SQLite asks a busy handler only before it has a read lock, so it takes one first.
    int code = sqlite3_exec(source.get(), "BEGIN; SELECT count(*) FROM sqlite_schema", nullptr, nullptr, nullptr);
    if (code == SQLITE_OK) {
        auto* backup = sqlite3_backup_init(target.get(), "main", source.get(), "main");
        if (backup != nullptr) {
            sqlite3_backup_step(backup, -1);
            code = sqlite3_backup_finish(backup);
        } else {
            code = sqlite3_errcode(target.get());
        }
    }
    sqlite3_exec(source.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return Failure{Error{ErrorKind::dependency, code, from + ": " + sqlite3_errstr(code)}};
    return {};
}

}  // namespace forebay::db
