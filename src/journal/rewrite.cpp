#include "journal/rewrite.h"

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/bytes.h"
#include "journal/history.h"
#include "journal/segment.h"
#include "journal/walk.h"

namespace forebay::journal {
namespace {

constexpr std::uint64_t piece_bytes = 1_MiB;

struct Opened {
    std::unique_ptr<disk::File> file;
    std::string directory;
};

Result<Opened, disk::Error> open(disk::Disk& disk, std::uint64_t number) {
    auto live = disk.open(segment_name(number), disk::OpenMode::read);
    if (live.ok()) return Opened{std::move(*live), ""};
    TRY_ASSIGN(auto history, open_history(disk, number));
    return Opened{std::move(history), "history"};
}

Result<std::set<std::uint64_t>, disk::Error> numbers(disk::Disk& disk) {
    std::set<std::uint64_t> out;
    TRY_ASSIGN(auto names, disk.list(""));
    for (const auto& name : names)
        if (auto number = segment_number(name)) out.insert(*number);
    TRY_ASSIGN(auto history, list_history(disk));
    for (const auto& segment : history) out.insert(segment.number);
    return out;
}

void replace_in(std::string& piece, std::uint64_t at, const std::vector<Patch>& patches) {
    for (const auto& patch : patches) {
        auto from = std::max(at, patch.offset), to = std::min(at + piece.size(), patch.offset + patch.bytes.size());
        if (from < to) piece.replace(from - at, to - from, patch.bytes, from - patch.offset, to - from);
    }
}

}  // namespace

std::string replacement_path(std::string_view directory, std::uint64_t number) {
    return (directory.empty() ? "" : std::string(directory) + "/") + segment_name(number) + ".tmp";
}

Result<void, disk::Error> visit_everything(disk::Disk& disk, UniqueFunction<bool(const Entry&)> visit) {
    TRY_ASSIGN(auto all, numbers(disk));
    bool goes_on = true;
    for (auto number : all) {
        auto opened = open(disk, number);
        if (!opened.ok() && opened.error().number == ENOENT) continue;  // dropped since it was listed
        if (!opened.ok()) return Failure{opened.error()};
        auto header = read_header(*opened->file);
        if (!header.ok()) continue;
        TRY_ASSIGN(auto size, opened->file->size());
        walk(
            *opened->file, *header, size, {},
            [&](const WalkedRecord& walked) {
                const auto& record = walked.record.header;
                if (!record.is_readable()) return true;
                Location place{static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(walked.record.offset),
                               static_cast<std::uint32_t>(record.bytes())};
                goes_on = visit({Position(walked.position), place, record.type, record.flags, walked.record.body(), walked.written_at,
                                 walked.salvaged});
                return goes_on;
            },
            [](const Hole&) {});
        if (!goes_on) break;
    }
    return {};
}

Result<void, disk::Error> write_replacement(disk::Disk& disk, SegmentNumber segment, const std::vector<Patch>& patches) {
    TRY_ASSIGN(auto from, open(disk, segment.value()));
    TRY_ASSIGN(auto size, from.file->size());
    auto header = read_header(*from.file);
    auto end = size;
    // Behind a hole there may be more than can be read now: then all is kept.
    if (header.ok()) {
        auto walked = walk(*from.file, *header, size, {}, [](const WalkedRecord&) { return true; }, [](const Hole&) {});
        if (!walked.has_holes) end = std::min(size, walked.offset);
    }
    auto path = replacement_path(from.directory, segment.value());
    if (disk.exists(path)) TRY(disk.remove(path));
    TRY_ASSIGN(auto to, disk.open(path, disk::OpenMode::create_new));
    std::string piece;
    for (std::uint64_t at = 0; at < end; at += piece.size()) {
        TRY(from.file->read(at, std::min(piece_bytes, end - at), piece));
        if (piece.empty()) break;
        replace_in(piece, at, patches);
        TRY(to->write(at, piece));
    }
    TRY(to->truncate(size));
    return to->sync();
}

}  // namespace forebay::journal
