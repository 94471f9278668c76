#pragma once
// A disk that lies about the log, once, when told: a write to a segment that never arrives or arrives elsewhere in the
// file, or bytes at rest that change. It says which messages lay there, by the labels that the workload puts in front
// of bodies: those and only those may be lost.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "disk/disk.h"
#include "sim/plan.h"
#include "testing/seeded_entropy.h"
#include "testing/simulated_disk.h"

namespace forebay::sim {

class LyingDisk final : public disk::Disk {
  public:
    LyingDisk(testing::SimulatedDisk& disk, std::uint64_t seed) : disk_(disk), chance_(seed) {}

    /// The `n`th write to a segment from now on (1 = the next) is lost or goes elsewhere.
    void lie_at(std::uint64_t n, Lie how) { countdown_ = n, how_ = how; }
    /// Changes bytes of some file of the store, now.
    void rot();
    bool has_lied() const { return has_lied_; }
    /// Labels of messages that were hit since the last call.
    std::vector<std::string> take_hit() { return std::exchange(hit_, {}); }
    const std::string& what() const { return what_; }

    Result<std::unique_ptr<disk::File>, disk::Error> open(const std::string& path, disk::OpenMode mode) override;
    Result<std::vector<std::string>, disk::Error> list(const std::string& directory) override { return disk_.list(directory); }
    Result<void, disk::Error> make_directory(const std::string& path) override { return disk_.make_directory(path); }
    Result<void, disk::Error> rename(const std::string& from, const std::string& to) override { return disk_.rename(from, to); }
    Result<void, disk::Error> remove(const std::string& path) override { return disk_.remove(path); }
    bool exists(const std::string& path) override { return disk_.exists(path); }
    Result<void, disk::Error> sync_directory(const std::string& directory) override { return disk_.sync_directory(directory); }
    Result<std::uint64_t, disk::Error> free_bytes() override { return disk_.free_bytes(); }
    Result<void, disk::Error> lock() override { return disk_.lock(); }

  private:
    friend class LyingFile;
    /// The labels in frames of the file that overlap the range.
    void hit(const std::string& path, std::uint64_t from, std::uint64_t to);
    void hit(std::string_view bytes);

    testing::SimulatedDisk& disk_;
    testing::Random chance_;
    std::uint64_t countdown_ = 0;
    Lie how_ = Lie::none;
    bool has_lied_ = false;
    std::vector<std::string> hit_;
    std::string what_;
};

}  // namespace forebay::sim
