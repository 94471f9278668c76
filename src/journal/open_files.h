#pragma once
// A few segments held open for reading, the least used closed first.

#include <cstdint>
#include <list>
#include <memory>

#include "disk/disk.h"
#include "journal/segment.h"

namespace forebay::journal {

class OpenFiles {
  public:
    explicit OpenFiles(disk::Disk& disk) : disk_(disk) {}

    /// The segment's file; valid until the next call.
    Result<disk::File*, disk::Error> open(std::uint64_t number) {
        for (auto it = files_.begin(); it != files_.end(); ++it)
            if (it->number == number) {
                files_.splice(files_.begin(), files_, it);
                return files_.front().file.get();
            }
        TRY_ASSIGN(auto file, disk_.open(segment_name(number), disk::OpenMode::read));
        if (files_.size() == files_max) files_.pop_back();
        files_.push_front({number, std::move(file)});
        return files_.front().file.get();
    }
    void close(std::uint64_t number) {
        files_.remove_if([&](const Open& open) { return open.number == number; });
    }

  private:
    static constexpr std::size_t files_max = 32;
    struct Open {
        std::uint64_t number = 0;
        std::unique_ptr<disk::File> file;
    };
    disk::Disk& disk_;
    std::list<Open> files_;
};

}  // namespace forebay::journal
