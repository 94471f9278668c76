#include "journal/spares.h"

#include <algorithm>

#include "base/bytes.h"
#include "journal/segment.h"

namespace forebay::journal {
namespace {

constexpr const char* reserve_name = "reserve.bin";
constexpr std::uint64_t step_bytes = 256_KiB;  ///< written between two commits: short enough not to be felt
constexpr unsigned more_than_wanted = 2;       ///< segments are dropped in bursts: keep a few beyond what is asked for

}  // namespace

Result<void, disk::Error> Spares::load(const std::vector<std::string>& names) {
    for (const auto& name : names) {
        // A process killed between making it and claiming its space left a name and nothing behind it.
        if (name == reserve_name && !(has_reserve_ = is_whole(name, limits_.reserve_bytes))) TRY(disk_.remove(name));
        auto number = spare_number(name);
        auto unfinished = number_in(name, "spare-", ".tmp");
        if (number || unfinished) next_number_ = std::max(next_number_, number.value_or(0) + 1);
        if (unfinished) next_number_ = std::max(next_number_, *unfinished + 1);
        if (number && is_whole(name, limits_.segment_bytes))
            ready_.push_back(name);
        else if (number || unfinished)
            TRY(disk_.remove(name));
    }
    return {};
}

bool Spares::is_whole(const std::string& name, std::uint64_t wanted) {
    auto file = disk_.open(name, disk::OpenMode::read);
    if (!file.ok()) return false;
    auto size = file.value()->size();
    return size.ok() && size.value() == wanted;
}

Result<Spares::Space, disk::Error> Spares::take() {
    if (!ready_.empty()) {
        auto name = ready_.back();
        TRY_ASSIGN(auto file, disk_.open(name, disk::OpenMode::read_write));
        ready_.pop_back();
        ++recycled_;
        return Space{std::move(file), name, true};
    }
    auto name = spare_name(next_number_++);
    TRY_ASSIGN(auto file, create(name));
    return Space{std::move(file), name, false};
}

Result<std::unique_ptr<disk::File>, disk::Error> Spares::create(const std::string& name) {
    auto file = create_claimed(name, limits_.segment_bytes);
    if (file.ok() || !file.error().is_no_space() || !has_reserve_) return file;
    TRY(release_reserve());
    return create_claimed(name, limits_.segment_bytes);
}

Result<std::unique_ptr<disk::File>, disk::Error> Spares::create_claimed(const std::string& name, std::uint64_t size) {
    TRY_ASSIGN(auto file, disk_.open(name, disk::OpenMode::create_new));
    auto claimed = file->allocate(size);
    if (claimed.ok()) return file;
    file.reset();
    (void)disk_.remove(name);
    return Failure{claimed.error()};
}

Result<void, disk::Error> Spares::release_reserve() {
    TRY(disk_.remove(reserve_name));
    has_reserve_ = false;
    return disk_.sync_directory("");
}

Result<void, disk::Error> Spares::release_reserve_but_a_spare() {
    if (is_ready() || limits_.reserve_bytes <= limits_.segment_bytes) return release_reserve();
    TRY_ASSIGN(auto file, disk_.open(reserve_name, disk::OpenMode::read_write));
    TRY(file->truncate(limits_.segment_bytes));
    auto name = spare_name(next_number_++);
    TRY(disk_.rename(reserve_name, name));
    has_reserve_ = false;
    ready_.push_back(name);
    return disk_.sync_directory("");
}

Result<void, disk::Error> Spares::claim_reserve() {
    if (has_reserve_ || limits_.reserve_bytes == 0) return {};
    TRY(create_claimed(reserve_name, limits_.reserve_bytes));
    has_reserve_ = true;
    return {};
}

Result<void, disk::Error> Spares::adopt(const std::string& segment_file) {
    if (ready_.size() >= limits_.wanted + more_than_wanted || !is_whole(segment_file, limits_.segment_bytes))
        return disk_.remove(segment_file);
    auto name = spare_name(next_number_++);
    TRY(disk_.rename(segment_file, name));
    ready_.push_back(name);
    return {};
}

Result<bool, disk::Error> Spares::prepare_some() {
    auto more = prepare_next_part();
    if (!more.ok()) abandon_making();
    return more;
}

Result<bool, disk::Error> Spares::prepare_next_part() {
    if (!making_) return begin_making();
    auto part = std::min(step_bytes, limits_.segment_bytes - making_->written);
    static const std::string zeros(step_bytes, '\0');
    TRY(making_->file->write(making_->written, std::string_view(zeros).substr(0, part)));
    making_->written += part;
    if (making_->written < limits_.segment_bytes) return true;
    TRY(making_->file->sync());
    return finish_making();
}

Result<bool, disk::Error> Spares::begin_making() {
    if (!wants_more()) return false;
    auto name = "spare-" + to_hex16(next_number_++) + ".tmp";
    TRY_ASSIGN(auto file, create_claimed(name, limits_.segment_bytes));
    making_ = InTheMaking{std::move(file), name, 0};
    return true;
}

/// A file whose sync failed once is not trusted again.
void Spares::abandon_making() {
    if (!making_) return;
    (void)disk_.remove(making_->name);
    making_.reset();
}

Result<bool, disk::Error> Spares::finish_making() {
    auto name = making_->name.substr(0, making_->name.size() - 4) + ".seg";
    TRY(disk_.rename(making_->name, name));
    making_.reset();
    ready_.push_back(name);
    return wants_more();
}

}  // namespace forebay::journal
