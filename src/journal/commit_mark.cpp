#include "journal/commit_mark.h"

#include <cstring>
#include <string>

#include "base/codec.h"
#include "base/crc32c.h"
#include "journal/frame.h"

namespace forebay::journal {
namespace {

constexpr std::string_view magic = "FBMARK01";
constexpr const char* name = "commit.mark";
constexpr std::size_t used_bytes = 56;
constexpr std::size_t slot_bytes = 512;

std::uint32_t slot_crc(std::string_view slot, std::uint64_t offset) { return crc32c(slot.substr(0, used_bytes - 4), seed_of(0, offset)); }

std::string slot_text(const Mark& mark, std::uint64_t offset) {
    std::string slot(magic);
    put(slot, mark.count);
    slot.append(reinterpret_cast<const char*>(mark.store.bytes.data()), mark.store.bytes.size());
    put(slot, mark.durable_upto);
    put(slot, mark.next);
    put(slot, mark.boot_epoch);
    put(slot, slot_crc(slot, offset));
    slot.resize(slot_bytes, '\0');
    return slot;
}

}  // namespace

CommitMark::CommitMark(disk::Disk& disk) {
    auto mode = disk.exists(name) ? disk::OpenMode::read_write : disk::OpenMode::create_new;
    auto file = disk.open(name, mode);
    if (!file.ok()) return;
    file_ = std::move(file).value();
    if (mode == disk::OpenMode::create_new) (void)file_->write(0, std::string(2 * page_bytes, '\0'));
    for (std::uint64_t offset : {std::uint64_t{0}, page_bytes})
        if (auto mark = read_slot(offset); mark && mark->count >= count_) {
            count_ = mark->count;
            found_ = mark;
        }
}

std::optional<Mark> CommitMark::read_slot(std::uint64_t offset) {
    std::string slot;
    if (!file_->read(offset, slot_bytes, slot).ok() || slot.size() < used_bytes) return {};
    if (!slot.starts_with(magic)) return {};
    Reader reader(std::string_view(slot).substr(magic.size()));
    Mark mark;
    mark.count = reader.take<std::uint64_t>();
    auto store = reader.take_raw(mark.store.bytes.size());
    std::memcpy(mark.store.bytes.data(), store.data(), store.size());
    mark.durable_upto = reader.take<std::uint64_t>();
    mark.next = reader.take<std::uint64_t>();
    mark.boot_epoch = reader.take<std::uint32_t>();
    if (reader.take<std::uint32_t>() != slot_crc(slot, offset)) return {};
    return mark;
}

void CommitMark::write(Mark mark) {
    if (!file_) return;
    mark.count = ++count_;
    std::uint64_t offset = count_ % 2 == 0 ? 0 : page_bytes;
    (void)file_->write(offset, slot_text(mark, offset));
}

}  // namespace forebay::journal
