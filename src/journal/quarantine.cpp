#include "journal/quarantine.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <vector>

#include "base/bytes.h"
#include "base/log_line.h"
#include "journal/frame.h"
#include "journal/segment.h"

namespace forebay::journal {
namespace {

constexpr const char* directory = "quarantine";
constexpr std::size_t tails_max = 16;
constexpr std::uint64_t copy_step_bytes = 1_MiB;

Result<void, disk::Error> remove_oldest_tails(disk::Disk& disk) {
    TRY_ASSIGN(auto names, disk.list(directory));
    std::erase_if(names, [](const std::string& name) { return !name.starts_with("tail-"); });
    for (std::size_t i = 0; i + tails_max <= names.size(); ++i) TRY(disk.remove(std::string(directory) + "/" + names[i]));
    return {};
}

/// The number of the segment that a name speaks of.
std::optional<std::uint64_t> segment_in(const std::string& name) {
    auto dash = name.find('-');
    if (dash == std::string::npos || name.size() < dash + 17) return {};
    return number_in(name.substr(0, dash + 17), name.substr(0, dash + 1), "");
}

struct Damage {
    std::uint64_t segment = 0;
    std::string path;
    std::uint64_t bytes = 0;
};

/// Newest first.
Result<std::vector<Damage>, disk::Error> list_damage(disk::Disk& disk) {
    TRY_ASSIGN(auto names, disk.list(directory));
    std::vector<Damage> out;
    for (const auto& name : names) {
        auto segment = segment_in(name);
        if (!segment || name.starts_with("tail-")) continue;
        auto path = std::string(directory) + "/" + name;
        TRY_ASSIGN(auto file, disk.open(path, disk::OpenMode::read));
        TRY_ASSIGN(auto bytes, file->size());
        out.push_back({*segment, path, bytes});
    }
    std::sort(out.begin(), out.end(),
              [](const Damage& a, const Damage& b) { return std::tie(a.segment, a.path) > std::tie(b.segment, b.path); });
    return out;
}

/// A page that the device does not give is zeros.
void read_or_zeros(disk::File& file, std::uint64_t offset, std::uint64_t size, std::string& out) {
    if (file.read(offset, size, out).ok() && out.size() == size) return;
    std::string page;
    out.clear();
    while (out.size() < size) {
        auto part = std::min<std::uint64_t>(page_bytes, size - out.size());
        if (!file.read(offset + out.size(), part, page).ok()) page.clear();
        page.resize(part, '\0');
        out += page;
    }
}

Result<void, disk::Error> copy(disk::File& from_file, std::uint64_t from, std::uint64_t to, disk::File& out) {
    std::string bytes;
    for (auto at = from; at < to; at += bytes.size()) {
        read_or_zeros(from_file, at, std::min(copy_step_bytes, to - at), bytes);
        TRY(out.write(at - from, bytes));
    }
    return out.sync();
}

}  // namespace

Result<std::uint64_t, disk::Error> highest_quarantined(disk::Disk& disk) {
    TRY_ASSIGN(auto names, disk.list(directory));
    std::uint64_t highest = 0;
    for (const auto& name : names) highest = std::max(highest, segment_in(name).value_or(0));
    return highest;
}

Result<unsigned, disk::Error> bound_damage(disk::Disk& disk, std::size_t files_max, std::uint64_t bytes_max) {
    TRY_ASSIGN(auto damage, list_damage(disk));
    unsigned removed = 0;
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < damage.size(); ++i) {
        bytes += damage[i].bytes;
        if (i == 0 || (i < files_max && bytes <= bytes_max)) continue;
        TRY(disk.remove(damage[i].path));
        log_warn("quarantine.removed").with("file", damage[i].path).with("why", "newer damage takes its place");
        ++removed;
    }
    if (removed > 0) TRY(disk.sync_directory(directory));
    return removed;
}

Result<std::string, disk::Error> set_aside(disk::Disk& disk, disk::File& file, const std::string& kind, std::uint64_t segment,
                                           std::uint64_t from, std::uint64_t to) {
    auto path = std::string(directory) + "/" + kind + "-" + to_hex16(segment) + "-" + to_hex16(from);
    if (disk.exists(path)) return path;
    TRY(disk.make_directory(directory));
    TRY(disk.sync_directory(""));
    if (kind == "tail") TRY(remove_oldest_tails(disk));
    auto unfinished = path + ".tmp";
    if (disk.exists(unfinished)) TRY(disk.remove(unfinished));
    TRY_ASSIGN(auto out, disk.open(unfinished, disk::OpenMode::create_new));
    TRY(copy(file, from, to, *out));
    TRY(disk.rename(unfinished, path));
    TRY(disk.sync_directory(directory));
    return path;
}

}  // namespace forebay::journal
