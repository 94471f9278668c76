#include "testing/simulated_disk.h"

#include <algorithm>
#include <cerrno>
#include <set>

namespace forebay::testing {
namespace {

constexpr std::uint64_t sector_bytes = 512;
constexpr std::uint64_t page_bytes = 4096;

std::string directory_of(const std::string& path) {
    auto slash = path.rfind('/');
    return slash == std::string::npos ? "" : path.substr(0, slash);
}

Failure<disk::Error> failure(const char* operation, const std::string& path, int number) {
    return Failure{disk::Error{number, operation, path}};
}

}  // namespace

class SimulatedFile final : public disk::File {
  public:
    SimulatedFile(SimulatedDisk& disk, SimulatedDisk::InodePtr inode, bool may_write)
        : disk_(disk), inode_(std::move(inode)), may_write_(may_write), generation_(disk.generation_) {}

    Result<void, disk::Error> read(std::uint64_t offset, std::size_t size, std::string& out) override {
        out.clear();
        if (auto error = enter(Call::read)) return Failure{*error};
        if (offset < inode_->now.size()) out = inode_->now.substr(offset, size);
        if (!out.empty() && disk_.chance_.one_in(disk_.options_.read_flip_one_in)) flip_one_bit(out);
        return {};
    }
    Result<void, disk::Error> write(std::uint64_t offset, std::string_view bytes) override {
        if (!may_write_) return failure("write", inode_->path, EBADF);
        bool was_cut = disk_.is_cut();
        if (auto error = enter(Call::write)) {
            if (was_cut || generation_ != disk_.generation_) return Failure{*error};
            // What a failed write leaves behind is anything: here, its first part.
            (void)disk_.write(*inode_, offset, bytes.substr(0, disk_.chance_.below(bytes.size() + 1)));
            return Failure{*error};
        }
        return disk_.write(*inode_, offset, bytes);
    }
    Result<void, disk::Error> sync() override {
        if (auto error = enter(Call::sync)) return disk_.is_cut() ? Failure{*error} : disk_.fail_sync(*inode_, error->number);
        return disk_.sync(*inode_);
    }
    Result<void, disk::Error> allocate(std::uint64_t size) override {
        if (auto error = enter(Call::allocate)) return Failure{*error};
        TRY(disk_.claim(*inode_, size, inode_->path));
        if (size > inode_->now.size()) change_size(size);
        return {};
    }
    Result<void, disk::Error> truncate(std::uint64_t size) override {
        if (auto error = enter(Call::truncate)) return Failure{*error};
        change_size(size);
        inode_->claimed = size;
        return {};
    }
    Result<std::uint64_t, disk::Error> size() override {
        if (auto error = enter(Call::other)) return Failure{*error};
        return inode_->now.size();
    }
    void forget_cache() override {
        // Dirty pages stay; a clean page that the device never got shows the device's bytes again.
        std::string content = inode_->stable;
        for (const auto& write : inode_->pending) SimulatedDisk::apply(write, content);
        inode_->now = content;
    }

  private:
    std::optional<disk::Error> enter(Call call) {
        if (generation_ != disk_.generation_) return disk::Error{EIO, name_of(call), inode_->path};
        return disk_.enter(call, inode_->path);
    }
    void change_size(std::uint64_t size) {
        inode_->pending.push_back({SimulatedDisk::Write::Kind::size, size, {}});
        SimulatedDisk::apply(inode_->pending.back(), inode_->now);
    }
    void flip_one_bit(std::string& bytes) {
        auto bit = disk_.chance_.below(bytes.size() * 8);
        bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
        ++disk_.faults_.bits_flipped;
        ++disk_.faults_.injected;
    }
    SimulatedDisk& disk_;
    SimulatedDisk::InodePtr inode_;
    bool may_write_;
    std::uint64_t generation_;
};

SimulatedDisk::SimulatedDisk(std::uint64_t seed, Options options) : chance_(seed), options_(options) {}
SimulatedDisk::~SimulatedDisk() = default;

// --- every call passes here ------------------------------------------------------------------------

std::optional<disk::Error> SimulatedDisk::enter(Call call, const std::string& path) {
    ++calls_;
    mix(name_of(call));
    mix(path);
    if (on_call) on_call(call, path);
    if (cut_at_ != 0 && calls_ >= cut_at_) is_cut_ = true;
    if (is_cut_) return disk::Error{EIO, name_of(call), path};
    if (failing_ && (!failing_->kind || *failing_->kind == call) && (failing_->left == 0 || --failing_->left == 0)) {
        auto error = failing_->error;
        if (!failing_->forever) failing_.reset();
        ++faults_.injected;
        return disk::Error{error, name_of(call), path};
    }
    return chance_error(call, path);
}

std::optional<disk::Error> SimulatedDisk::chance_error(Call call, const std::string& path) {
    auto strike = [&](std::uint32_t one_in, std::uint64_t& counter, int error) -> std::optional<disk::Error> {
        if (!chance_.one_in(one_in)) return {};
        ++counter;
        ++faults_.injected;
        return disk::Error{error, name_of(call), path};
    };
    switch (call) {
        case Call::read:
            return strike(options_.read_error_one_in, faults_.read_errors, EIO);
        case Call::write:
            return strike(options_.write_error_one_in, faults_.write_errors, EIO);
        case Call::sync:
            return strike(options_.sync_error_one_in, faults_.sync_errors, EIO);
        case Call::allocate:
            return strike(options_.allocate_error_one_in, faults_.no_space, ENOSPC);
        default:
            return {};
    }
}

void SimulatedDisk::mix(std::string_view bytes) {
    for (char byte : bytes) run_hash_ = (run_hash_ ^ static_cast<unsigned char>(byte)) * 0x100000001b3u;
}

void SimulatedDisk::fail_at(std::uint64_t n, int error, bool forever) { failing_ = Failing{{}, n, error, forever}; }
void SimulatedDisk::fail_at(Call kind, std::uint64_t n, int error, bool forever) { failing_ = Failing{kind, n, error, forever}; }

void SimulatedDisk::heal() {
    failing_.reset();
    Options healed;
    healed.capacity_bytes = options_.capacity_bytes;
    healed.sync_failure = options_.sync_failure;
    healed.sync_persists_names = options_.sync_persists_names;
    options_ = healed;
}

// --- names -----------------------------------------------------------------------------------------

void SimulatedDisk::apply(const NameChange& change, Names& names) const {
    if (!change.removed.empty()) {
        auto found = names.find(change.removed);
        if (found != names.end() && found->second == change.inode) names.erase(found);
    }
    if (!change.added.empty()) names[change.added] = change.inode;
}

Result<std::unique_ptr<disk::File>, disk::Error> SimulatedDisk::open(const std::string& path, disk::OpenMode mode) {
    bool creates = mode == disk::OpenMode::create_new;
    auto error = enter(creates ? Call::create : Call::open, path);
    if (error) return Failure{*error};
    auto found = names_.find(path);
    if (!creates && found == names_.end()) return failure("open", path, ENOENT);
    if (creates && found != names_.end()) return failure("open", path, EEXIST);
    auto directory = directory_of(path);
    if (!directory.empty() && std::find(directories_.begin(), directories_.end(), directory) == directories_.end())
        return failure("open", path, ENOENT);
    if (!creates) return std::unique_ptr<disk::File>(new SimulatedFile(*this, found->second, mode != disk::OpenMode::read));
    auto inode = std::make_shared<Inode>();
    inode->path = path;
    pending_names_.push_back({"", path, inode});
    apply(pending_names_.back(), names_);
    return std::unique_ptr<disk::File>(new SimulatedFile(*this, inode, true));
}

Result<std::vector<std::string>, disk::Error> SimulatedDisk::list(const std::string& directory) {
    if (auto error = enter(Call::list, directory)) return Failure{*error};
    std::set<std::string> out;
    auto add = [&](const std::string& path) {
        if (directory_of(path) == directory) out.insert(directory.empty() ? path : path.substr(directory.size() + 1));
    };
    for (const auto& [path, inode] : names_) add(path);
    for (const auto& path : directories_) add(path);
    return std::vector<std::string>(out.begin(), out.end());
}

/// Directories are durable at once: losing an empty one is not a case of interest.
Result<void, disk::Error> SimulatedDisk::make_directory(const std::string& path) {
    if (auto error = enter(Call::make_directory, path)) return Failure{*error};
    if (std::find(directories_.begin(), directories_.end(), path) == directories_.end()) directories_.push_back(path);
    return {};
}

Result<void, disk::Error> SimulatedDisk::rename(const std::string& from, const std::string& to) {
    if (auto error = enter(Call::rename, from)) return Failure{*error};
    auto found = names_.find(from);
    if (found == names_.end()) return failure("rename", from, ENOENT);
    found->second->path = to;
    pending_names_.push_back({from, to, found->second});
    apply(pending_names_.back(), names_);
    return {};
}

Result<void, disk::Error> SimulatedDisk::remove(const std::string& path) {
    if (auto error = enter(Call::remove, path)) return Failure{*error};
    auto found = names_.find(path);
    if (found == names_.end()) return failure("remove", path, ENOENT);
    pending_names_.push_back({path, "", found->second});
    apply(pending_names_.back(), names_);
    return {};
}

bool SimulatedDisk::exists(const std::string& path) {
    return names_.contains(path) || std::find(directories_.begin(), directories_.end(), path) != directories_.end();
}

Result<void, disk::Error> SimulatedDisk::sync_directory(const std::string& directory) {
    if (auto error = enter(Call::sync_directory, directory)) return Failure{*error};
    std::vector<NameChange> left;
    for (auto& change : pending_names_) {
        if (change.removed.empty() || directory_of(change.removed) == directory) change.synced_from = true;
        if (change.added.empty() || directory_of(change.added) == directory) change.synced_to = true;
        if (change.synced_from && change.synced_to)
            apply(change, stable_names_);
        else
            left.push_back(change);
    }
    pending_names_ = std::move(left);
    return {};
}

Result<std::uint64_t, disk::Error> SimulatedDisk::free_bytes() {
    if (auto error = enter(Call::other, "")) return Failure{*error};
    auto used = used_bytes();
    return used < options_.capacity_bytes ? options_.capacity_bytes - used : 0;
}

Result<void, disk::Error> SimulatedDisk::lock() {
    if (auto error = enter(Call::other, "lock")) return Failure{*error};
    locked_ = true;
    return {};
}

// --- data ------------------------------------------------------------------------------------------

void SimulatedDisk::apply(const Write& write, std::string& content) {
    if (write.kind == Write::Kind::size) {
        content.resize(write.offset, '\0');
        return;
    }
    if (content.size() < write.offset + write.bytes.size()) content.resize(write.offset + write.bytes.size(), '\0');
    content.replace(write.offset, write.bytes.size(), write.bytes);
}

Result<void, disk::Error> SimulatedDisk::write(Inode& inode, std::uint64_t offset, std::string_view bytes) {
    if (offset + bytes.size() > inode.claimed || options_.writes_need_space) {
        auto needed = std::max(inode.claimed, offset + bytes.size());
        TRY(claim(inode, needed, inode.path));
        if (options_.writes_need_space && used_bytes() + bytes.size() > options_.capacity_bytes) {
            ++faults_.no_space;
            return failure("write", inode.path, ENOSPC);
        }
    }
    mix(bytes);
    Write write{Write::Kind::bytes, offset, std::string(bytes)};
    apply(write, inode.now);
    if (chance_.one_in(options_.lost_write_one_in)) {
        ++faults_.lost;
        ++faults_.injected;
        return {};
    }
    if (chance_.one_in(options_.misdirected_write_one_in)) {
        ++faults_.misdirected;
        ++faults_.injected;
        auto sectors = std::max<std::uint64_t>(1, (inode.now.size() - std::min(inode.now.size(), bytes.size())) / sector_bytes);
        write.offset = chance_.below(sectors) * sector_bytes;
    }
    inode.pending.push_back(std::move(write));
    return {};
}

Result<void, disk::Error> SimulatedDisk::sync(Inode& inode) {
    if (inode.owes_sync_error) {
        inode.owes_sync_error = false;
        return failure("sync", inode.path, EIO);
    }
    settle_inode(inode);
    if (!options_.sync_persists_names) return {};
    std::erase_if(pending_names_, [&](const NameChange& change) {
        if (change.inode.get() != &inode || change.added.empty()) return false;
        apply(change, stable_names_);
        return true;
    });
    return {};
}

void SimulatedDisk::settle_inode(Inode& inode) {
    for (const auto& write : inode.pending) apply(write, inode.stable);
    inode.pending.clear();
}

Result<void, disk::Error> SimulatedDisk::fail_sync(Inode& inode, int error) {
    inode.pending.clear();
    if (options_.sync_failure == SyncFailure::old_restored) inode.now = inode.stable;
    if (options_.sync_failure != SyncFailure::reported_late) return failure("sync", inode.path, error);
    inode.owes_sync_error = true;
    return {};
}

Result<void, disk::Error> SimulatedDisk::claim(Inode& inode, std::uint64_t size, const std::string& path) {
    if (size <= inode.claimed) return {};
    if (used_bytes() + size - inode.claimed > options_.capacity_bytes) {
        ++faults_.no_space;
        ++faults_.injected;
        return failure("allocate", path, ENOSPC);
    }
    inode.claimed = size;
    return {};
}

std::vector<SimulatedDisk::InodePtr> SimulatedDisk::inodes() const {
    std::vector<InodePtr> out;
    auto add = [&](const InodePtr& inode) {
        if (std::find(out.begin(), out.end(), inode) == out.end()) out.push_back(inode);
    };
    for (const auto& [path, inode] : names_) add(inode);
    for (const auto& [path, inode] : stable_names_) add(inode);
    for (const auto& change : pending_names_) add(change.inode);
    return out;
}

std::uint64_t SimulatedDisk::used_bytes() const {
    std::uint64_t sum = 0;
    for (const auto& [path, inode] : names_) sum += std::max<std::uint64_t>(inode->claimed, inode->now.size());
    return sum;
}

// --- power -----------------------------------------------------------------------------------------

std::size_t SimulatedDisk::pending_operations() const {
    std::size_t count = pending_names_.size();
    for (const auto& inode : inodes()) count += inode->pending.size();
    return count;
}

/// Page by page the write arrived or not; a sector of a page that did arrive may be good, old or rubbish.
void SimulatedDisk::apply_torn(const Write& write, std::string& content) {
    auto end = write.offset + write.bytes.size();
    if (content.size() < end) content.resize(end, '\0');
    bool page_arrives = false;
    for (auto at = write.offset; at < end;) {
        auto stop = std::min(end, (at / sector_bytes + 1) * sector_bytes);
        if (at == write.offset || at % page_bytes == 0) page_arrives = chance_.one_in(2);
        auto fate = page_arrives ? chance_.below(8) : 7;
        if (fate < 5) content.replace(at, stop - at, write.bytes, at - write.offset, stop - at);
        if (fate == 5)
            for (auto i = at; i < stop; ++i) content[i] = static_cast<char>(chance_.next());
        at = stop;
    }
}

void SimulatedDisk::restart(Survival survival, std::uint64_t chosen) {
    ++faults_.power_cuts;
    std::uint64_t index = 0;
    bool lost_one = false;
    auto fate = [&] {  // 0 lost, 1 kept, 2 torn
        auto bit = index < 64 ? chosen >> index & 1 : 0;
        ++index;
        unsigned decided = survival == Survival::none     ? 0
                           : survival == Survival::all    ? 1
                           : survival == Survival::chosen ? bit
                                                          : chance_.below(3);
        if (decided == 0) ++faults_.dropped;
        if (decided != 0 && lost_one) ++faults_.reordered;
        lost_one = lost_one || decided == 0;
        return decided;
    };
    for (const auto& change : pending_names_)
        if (fate() != 0) apply(change, stable_names_);
    for (const auto& inode : inodes()) {
        for (const auto& write : inode->pending) {
            auto decided = fate();
            if (decided == 2 && write.kind == Write::Kind::bytes) {
                apply_torn(write, inode->stable);
                ++faults_.torn;
            } else if (decided != 0) {
                apply(write, inode->stable);
            }
        }
        inode->pending.clear();
        inode->now = inode->stable;
        inode->claimed = std::max<std::uint64_t>(inode->claimed, inode->now.size());
        inode->owes_sync_error = false;
    }
    names_ = stable_names_;
    for (const auto& [path, inode] : names_) inode->path = path;
    pending_names_.clear();
    is_cut_ = false;
    cut_at_ = 0;
    failing_.reset();
    forget_open_files();
}

void SimulatedDisk::kill_process() {
    is_cut_ = false;
    cut_at_ = 0;
    forget_open_files();
}

// --- for tests -------------------------------------------------------------------------------------

void SimulatedDisk::rot(const std::string& path, std::uint64_t offset, unsigned char mask) {
    auto found = names_.find(path);
    if (found == names_.end() || offset >= found->second->now.size()) return;
    put_everywhere(*found->second, offset, static_cast<char>(found->second->now[offset] ^ mask));
    ++faults_.bits_flipped;
    ++faults_.injected;
}

std::string SimulatedDisk::content(const std::string& path) const {
    auto found = names_.find(path);
    return found == names_.end() ? std::string() : found->second->now;
}

void SimulatedDisk::set_content(const std::string& path, std::uint64_t offset, std::string_view bytes) {
    auto found = names_.find(path);
    if (found == names_.end()) return;
    for (std::size_t i = 0; i < bytes.size(); ++i) put_everywhere(*found->second, offset + i, bytes[i]);
}

/// In the cache, on the device and on the way there.
void SimulatedDisk::put_everywhere(Inode& inode, std::uint64_t offset, char byte) {
    for (auto* content : {&inode.stable, &inode.now})
        if (offset < content->size()) (*content)[offset] = byte;
    for (auto& write : inode.pending)
        if (offset >= write.offset && offset - write.offset < write.bytes.size()) write.bytes[offset - write.offset] = byte;
}

}  // namespace forebay::testing
