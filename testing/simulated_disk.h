#pragma once
// A disk in memory that may do whatever a real one may: forget what was not synced, in any order, tear
// writes at sectors, fail any call, lie after a failed sync, rot. Single-threaded and deterministic: all
// chance comes from the seed given here.
//
// Every file has two versions. What a read sees is *volatile*; *stable* is what a power cut leaves. A
// write goes to the volatile version and to a list of pending operations; sync makes those of its file
// stable. Names are the same once more: creations, renames and removals are pending until their directory
// is synced.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "disk/disk.h"
#include "testing/seeded_entropy.h"

namespace forebay::testing {

/// Which pending operations survive a power cut.
enum class Survival {
    none,    ///< only what was synced
    all,     ///< everything that was written
    chance,  ///< each by itself: kept, lost or torn, in any order
    chosen,  ///< those whose bit is set in `chosen`, in the order of pending_operations()
};

/// What the cache and the device hold after a sync that failed.
enum class SyncFailure {
    new_in_cache,   ///< ext4, XFS: pages count as clean, reads show the new bytes, the device has the old ones; the next sync succeeds
    old_restored,   ///< Btrfs: reads show the old bytes
    reported_late,  ///< the failing sync succeeds without writing; the next one reports it
};

/// One call to the disk, as counted and as faults select it.
enum class Call { open, create, read, write, sync, allocate, truncate, rename, remove, sync_directory, list, make_directory, other };
constexpr const char* name_of(Call call) {
    constexpr const char* names[] = {"open",   "create", "read",           "write", "sync",           "allocate", "truncate",
                                     "rename", "remove", "sync_directory", "list",  "make_directory", "other"};
    return names[static_cast<int>(call)];
}

class SimulatedDisk final : public disk::Disk {
  public:
    struct Options {
        std::uint64_t capacity_bytes = 1ull << 40;
        SyncFailure sync_failure = SyncFailure::new_in_cache;
        bool sync_persists_names = false;  ///< ext4-like: syncing a new file makes its name durable too
        bool writes_need_space = false;    ///< copy on write: any write may fail for want of space once the disk is full
        /// One in n, by chance; 0 = never.
        std::uint32_t read_error_one_in = 0, write_error_one_in = 0, sync_error_one_in = 0, allocate_error_one_in = 0;
        std::uint32_t read_flip_one_in = 0;          ///< a read returns one wrong bit; what is stored stays right
        std::uint32_t lost_write_one_in = 0;         ///< acknowledged and synced, never arrives
        std::uint32_t misdirected_write_one_in = 0;  ///< arrives in another place of the same file
    };
    struct Faults {
        std::uint64_t injected = 0, power_cuts = 0, dropped = 0, torn = 0, reordered = 0, sync_errors = 0, read_errors = 0,
                      write_errors = 0, no_space = 0, bits_flipped = 0, lost = 0, misdirected = 0;
    };

    explicit SimulatedDisk(std::uint64_t seed) : SimulatedDisk(seed, Options()) {}
    SimulatedDisk(std::uint64_t seed, Options options);
    ~SimulatedDisk() override;

    // --- the port
    Result<std::unique_ptr<disk::File>, disk::Error> open(const std::string& path, disk::OpenMode mode) override;
    Result<std::vector<std::string>, disk::Error> list(const std::string& directory) override;
    Result<void, disk::Error> make_directory(const std::string& path) override;
    Result<void, disk::Error> rename(const std::string& from, const std::string& to) override;
    Result<void, disk::Error> remove(const std::string& path) override;
    bool exists(const std::string& path) override;
    Result<void, disk::Error> sync_directory(const std::string& directory) override;
    Result<std::uint64_t, disk::Error> free_bytes() override;
    Result<void, disk::Error> lock() override;

    // --- power and processes
    /// From call number `n` on (counted from now, 1 = the next) nothing works any more; the call itself is pending if it writes.
    void cut_power_at(std::uint64_t n) { cut_at_ = calls_ + n; }
    /// At once.
    void cut_power() { is_cut_ = true; }
    bool is_cut() const { return is_cut_; }
    /// Power is back: decides what of the pending operations survived. Files opened before are dead.
    void restart(Survival survival, std::uint64_t chosen = 0);
    /// The process was killed: everything written stays, files opened before are dead, the lock is free.
    void kill_process();
    /// Operations that a power cut now might lose.
    std::size_t pending_operations() const;

    // --- faults
    /// Call number `n` from now on (1 = the next) fails with `error`; with `forever` every one after it too.
    void fail_at(std::uint64_t n, int error, bool forever = false);
    /// Only calls of that kind are counted and fail.
    void fail_at(Call kind, std::uint64_t n, int error, bool forever = false);
    void stop_failing() { failing_.reset(); }
    /// Chance stops: no faults but those asked for.
    void heal();
    Options& options() { return options_; }
    /// Flips bits of what is stored, for reads and for good: `mask` is XORed to the byte at `offset`.
    void rot(const std::string& path, std::uint64_t offset, unsigned char mask);
    /// Stored bytes of a file, as a read would see them; empty if there is none.
    std::string content(const std::string& path) const;
    void set_content(const std::string& path, std::uint64_t offset, std::string_view bytes);

    // --- what happened
    std::uint64_t calls() const { return calls_; }
    const Faults& faults() const { return faults_; }
    /// Changes with every call and every byte written: equal for equal runs.
    std::uint64_t run_hash() const { return run_hash_; }
    /// Called before each call is carried out; for tests that assert an order of calls.
    std::function<void(Call, const std::string& path)> on_call;

  private:
    friend class SimulatedFile;
    struct Write {
        enum class Kind { bytes, size } kind = Kind::bytes;
        std::uint64_t offset = 0;  ///< or the new size
        std::string bytes;
    };
    struct Inode {
        std::string path;  ///< the name it was last known by, for messages
        std::string stable, now;
        std::vector<Write> pending;
        std::uint64_t claimed = 0;  ///< space taken from the disk
        bool owes_sync_error = false;
    };
    using InodePtr = std::shared_ptr<Inode>;  ///< owned by names, pending names and open files
    using Names = std::map<std::string, InodePtr>;
    struct NameChange {
        std::string removed;  ///< path that goes, or empty
        std::string added;    ///< path that comes, or empty
        InodePtr inode;
        bool synced_from = false, synced_to = false;
    };

    std::optional<disk::Error> enter(Call call, const std::string& path);
    std::optional<disk::Error> chance_error(Call call, const std::string& path);
    void mix(std::string_view bytes);
    void apply(const NameChange& change, Names& names) const;
    static void apply(const Write& write, std::string& content);
    void apply_torn(const Write& write, std::string& content);
    void settle_inode(Inode& inode);
    static void put_everywhere(Inode& inode, std::uint64_t offset, char byte);
    Result<void, disk::Error> claim(Inode& inode, std::uint64_t size, const std::string& path);
    std::uint64_t used_bytes() const;
    std::vector<InodePtr> inodes() const;
    void forget_open_files() {
        ++generation_;
        locked_ = false;
    }

    Result<void, disk::Error> write(Inode& inode, std::uint64_t offset, std::string_view bytes);
    Result<void, disk::Error> sync(Inode& inode);
    Result<void, disk::Error> fail_sync(Inode& inode, int error);

    struct Failing {
        std::optional<Call> kind;
        std::uint64_t left = 0;
        int error = 0;
        bool forever = false;
    };

    Random chance_;
    Options options_;
    Names stable_names_, names_;
    std::vector<NameChange> pending_names_;
    std::vector<std::string> directories_;
    std::uint64_t calls_ = 0;
    std::uint64_t cut_at_ = 0;
    bool is_cut_ = false;
    std::uint64_t generation_ = 0;
    bool locked_ = false;
    std::optional<Failing> failing_;
    Faults faults_;
    std::uint64_t run_hash_ = 0;
};

}  // namespace forebay::testing
