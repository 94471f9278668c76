// A log that was damaged in any way is opened. It may refuse, or lose what was damaged; it must not invent or change a record, and
// opened once more it must say the same. The input is a list of damages: which file, where, and what is put there.

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "journal/journal.h"
#include "testing/manual_clock.h"
#include "testing/seeded_entropy.h"
#include "testing/simulated_disk.h"

namespace {

using namespace forebay;
using journal::Entry;
using journal::Journal;

constexpr std::uint8_t message = 8;

journal::Options small_options() {
    journal::Options options;
    options.segment_bytes = 16_KiB;
    options.reserve_bytes = 0;
    options.min_free_bytes = 0;
    return options;
}

std::string body_of(unsigned n) { return "record " + std::to_string(n) + std::string(n * 37 % 300, static_cast<char>('a' + n % 26)); }

using Bodies = std::vector<std::string>;

/// Opens the log and gives what it replays; nothing if it refuses.
std::unique_ptr<Journal> open(testing::SimulatedDisk& disk, Bodies& bodies) {
    static testing::ManualClock clock;
    static testing::SeededEntropy entropy(5);
    auto opened = Journal::open(
        disk, clock, entropy, small_options(), journal::Position(0), journal::SegmentNumber(0),
        [&](const Entry& entry) {
            if (entry.type == message) bodies.emplace_back(entry.body);
        },
        [] { return std::string("preamble"); });
    return opened.ok() ? std::move(opened).value() : nullptr;
}

/// The files of a log of a few segments, made once.
const std::map<std::string, std::string>& files() {
    static const auto made = [] {
        testing::SimulatedDisk disk(1);
        Bodies none;
        auto log = open(disk, none);
        CHECK(log != nullptr, "a new log opens");
        for (unsigned n = 0; n < 120; ++n) {
            log->append(message, 0, body_of(n));
            if (n % 3 == 0) CHECK(log->sync().ok(), "a healthy disk syncs");
        }
        CHECK(log->write().ok(), "a healthy disk writes");
        std::map<std::string, std::string> found;
        auto names = disk.list("");
        CHECK(names.ok(), "a healthy disk lists");
        for (const auto& name : *names)
            if (auto content = disk.content(name); !content.empty()) found[name] = content;
        return found;
    }();
    return made;
}

/// Four bytes a damage: file, place (in 64 bytes), offset there, the byte to put in; a place beyond the end cuts the file.
void damage(std::vector<std::pair<std::string, std::string>>& content, std::string_view how) {
    for (; how.size() >= 5; how.remove_prefix(5)) {
        auto byte = [&](std::size_t n) { return static_cast<std::uint8_t>(how[n]); };
        auto& text = content[byte(0) % content.size()].second;
        const std::size_t at = (byte(1) + 256u * byte(2)) % 20'000;
        if (at >= 16'384)
            text.resize(std::min(text.size(), (at - 16'384) * 5));
        else if (at < text.size())
            text[at] = static_cast<char>(byte(3) % 2 == 0 ? byte(4) : text[at] ^ (1 << byte(4) % 8));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto appended = [] {
        std::set<std::string> all;
        for (unsigned n = 0; n < 120; ++n) all.insert(body_of(n));
        return all;
    }();
    std::vector<std::pair<std::string, std::string>> content(files().begin(), files().end());
    damage(content, {reinterpret_cast<const char*>(data), size});
    testing::SimulatedDisk disk(2);
    for (const auto& [name, text] : content) {
        CHECK(disk.open(name, disk::OpenMode::create_new).ok(), "a healthy disk makes files");
        disk.set_content(name, 0, text);
    }
    Bodies bodies;
    auto log = open(disk, bodies);
    if (log == nullptr) return 0;
    for (const auto& body : bodies) CHECK(appended.contains(body), "nothing is invented or changed");
    log.reset();
    disk.kill_process();
    Bodies again;
    CHECK(open(disk, again) != nullptr, "what was opened opens again");
    CHECK(again == bodies, "and says the same");
    return 0;
}
