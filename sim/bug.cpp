#include "sim/bug.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/codec.h"
#include "base/crc32c.h"
#include "broker/log_record.h"
#include "journal/frame.h"

namespace forebay::sim {
namespace {

constexpr std::array names{"none",
                           "answer-before-sync",
                           "forget-directory-sync",
                           "forget-segment-sync",
                           "ignore-sync-error",
                           "retry-sync",
                           "ignore-short-write",
                           "lose-history",
                           "truncate-at-bad-checksum",
                           "believe-torn-tail",
                           "forget-key",
                           "forget-delete",
                           "forget-delay",
                           "forget-visibility",
                           "forget-attributes",
                           "forget-deduplication",
                           "forget-ids-at-start",
                           "forget-groups-at-start",
                           "split-groups",
                           "hand-out-newest-first",
                           "move-in-two-records",
                           "move-what-came-later",
                           "forget-moves-at-start",
                           "revive-moves-at-start",
                           "forget-tenants"};
static_assert(names.size() == static_cast<std::size_t>(Bug::count_of_bugs));

class BuggyFile final : public disk::File {
  public:
    BuggyFile(Bug bug, testing::Random& chance, std::unique_ptr<disk::File> file, bool is_segment)
        : bug_(bug), chance_(chance), file_(std::move(file)), is_segment_(is_segment) {}

    Result<void, disk::Error> read(std::uint64_t offset, std::size_t size, std::string& out) override {
        return file_->read(offset, size, out);
    }
    Result<void, disk::Error> write(std::uint64_t offset, std::string_view bytes) override {
        if (bug_ == Bug::ignore_short_write && is_segment_ && chance_.one_in(30)) bytes = bytes.substr(0, chance_.below(bytes.size()));
        return file_->write(offset, bytes);
    }
    Result<void, disk::Error> sync() override {
        if (bug_ == Bug::answer_before_sync) {
            // The one before is done now; this one with the next.
            if (std::exchange(owes_sync_, true)) return file_->sync();
            return {};
        }
        if (bug_ == Bug::forget_segment_sync && is_segment_ && !std::exchange(was_synced_, true)) return {};
        auto done = file_->sync();
        if (!done && bug_ == Bug::ignore_sync_error) return {};
        if (!done && bug_ == Bug::retry_sync) return file_->sync();
        return done;
    }
    Result<void, disk::Error> allocate(std::uint64_t size) override { return file_->allocate(size); }
    Result<void, disk::Error> truncate(std::uint64_t size) override { return file_->truncate(size); }
    Result<std::uint64_t, disk::Error> size() override { return file_->size(); }
    void forget_cache() override { file_->forget_cache(); }

  private:
    Bug bug_;
    testing::Random& chance_;
    std::unique_ptr<disk::File> file_;
    bool is_segment_;
    bool owes_sync_ = false, was_synced_ = false;
};

class BuggyDisk final : public disk::Disk {
  public:
    BuggyDisk(Bug bug, disk::Disk& disk, std::uint64_t seed) : bug_(bug), disk_(disk), chance_(seed) {}

    Result<std::unique_ptr<disk::File>, disk::Error> open(const std::string& path, disk::OpenMode mode) override {
        TRY_ASSIGN(auto file, disk_.open(path, mode));
        bool is_segment = path.ends_with(".seg");
        return std::unique_ptr<disk::File>(std::make_unique<BuggyFile>(bug_, chance_, std::move(file), is_segment));
    }
    Result<void, disk::Error> sync_directory(const std::string& directory) override {
        if (bug_ == Bug::forget_directory_sync) return {};
        return disk_.sync_directory(directory);
    }
    Result<std::vector<std::string>, disk::Error> list(const std::string& directory) override { return disk_.list(directory); }
    Result<void, disk::Error> make_directory(const std::string& path) override { return disk_.make_directory(path); }
    Result<void, disk::Error> rename(const std::string& from, const std::string& to) override {
        if (bug_ == Bug::lose_history && to.starts_with("history/") && to.ends_with(".seg")) return disk_.remove(from);
        return disk_.rename(from, to);
    }
    Result<void, disk::Error> remove(const std::string& path) override { return disk_.remove(path); }
    bool exists(const std::string& path) override { return disk_.exists(path); }
    Result<std::uint64_t, disk::Error> free_bytes() override { return disk_.free_bytes(); }
    Result<void, disk::Error> lock() override { return disk_.lock(); }

  private:
    Bug bug_;
    disk::Disk& disk_;
    testing::Random chance_;
};

bool frame_holds(std::string_view content, std::uint64_t at) {
    auto bytes = content.substr(at);
    auto frame = journal::parse_frame_header(bytes, at);
    return frame && frame->bytes() <= bytes.size() &&
           journal::payload_holds(*frame, bytes.substr(journal::frame_header_bytes, frame->payload_bytes), at);
}

void truncate_at_bad_frame(testing::SimulatedDisk& disk, const std::string& path) {
    auto content = disk.content(path);
    std::uint64_t at = journal::page_bytes;
    while (at < content.size() && frame_holds(content, at)) {
        auto frame = *journal::parse_frame_header(std::string_view(content).substr(at), at);
        at = journal::round_up(at + frame.bytes(), journal::frame_alignment);
    }
    if (at < content.size()) disk.set_content(path, at, std::string(content.size() - at, '\0'));
}

/// Makes checksums right that are not, so that whoever checks them believes what lies there.
void seal_frame(std::string& frame, const journal::FrameHeader& header, std::uint64_t at) {
    for (std::size_t i = journal::frame_header_bytes; i < frame.size();) {
        auto rest = std::string_view(frame).substr(i);
        auto record = journal::parse_record_header(rest);
        if (!record) break;
        put_at(frame, i, crc32c(rest.substr(4, record->bytes() - 4), journal::seed_of(header.salt, at + i)));
        i += record->padded_bytes();
    }
    auto seed = journal::seed_of(header.salt, at);
    put_at(frame, 36, crc32c(std::string_view(frame).substr(journal::frame_header_bytes), seed));
    put_at(frame, 4, crc32c(std::string_view(frame).substr(8, journal::frame_header_bytes - 8), seed));
}

void seal_torn_frames(testing::SimulatedDisk& disk, const std::string& path) {
    auto content = disk.content(path);
    for (std::uint64_t at = journal::page_bytes; at < content.size(); at += journal::frame_alignment) {
        auto header = journal::parse_frame_header(std::string_view(content).substr(at), at);
        if (!header || at + header->bytes() > content.size() || frame_holds(content, at)) continue;
        auto frame = content.substr(at, header->bytes());
        seal_frame(frame, *header, at);
        disk.set_content(path, at, frame);
    }
}

/// A record as a buggy recovery reads it: another of the same length. True = it is another.
bool spoil_record(Bug bug, std::uint8_t type, std::string& body) {
    constexpr std::uint64_t beyond_all = 1ull << 40;
    constexpr std::size_t from_sequence = 4;
    if (bug == Bug::move_in_two_records) {
        if (type != static_cast<std::uint8_t>(broker::RecordType::moved)) return false;
        put_at(body, from_sequence, beyond_all);
        return true;
    }
    auto task = type == static_cast<std::uint8_t>(broker::RecordType::move_set) ? broker::decode_move_set(body) : std::nullopt;
    auto patient = bug == Bug::revive_moves_at_start ? broker::MoveState::cancelled : broker::MoveState::running;
    if (!task || task->state != patient) return false;
    if (bug == Bug::move_what_came_later) task->below = queue::Sequence(beyond_all);
    if (bug == Bug::forget_moves_at_start) task->state = broker::MoveState::cancelled;
    if (bug == Bug::revive_moves_at_start) task->state = broker::MoveState::running;
    broker::encode_move_set(body, *task);
    return true;
}

bool spoil_frame(Bug bug, std::string& frame) {
    bool is_other = false;
    for (std::size_t i = journal::frame_header_bytes; i < frame.size();) {
        auto record = journal::parse_record_header(std::string_view(frame).substr(i));
        if (!record) break;
        auto body = frame.substr(i + journal::record_header_bytes, record->body_bytes);
        if (spoil_record(bug, record->type, body)) {
            frame.replace(i + journal::record_header_bytes, body.size(), body);
            is_other = true;
        }
        i += record->padded_bytes();
    }
    return is_other;
}

/// Every frame that holds, or the last one only.
void spoil_frames(Bug bug, testing::SimulatedDisk& disk, const std::string& path, bool only_last) {
    auto content = disk.content(path);
    std::vector<std::uint64_t> frames;
    for (std::uint64_t at = journal::page_bytes; at < content.size() && frame_holds(content, at);) {
        frames.push_back(at);
        auto header = *journal::parse_frame_header(std::string_view(content).substr(at), at);
        at = journal::round_up(at + header.bytes(), journal::frame_alignment);
    }
    if (only_last && frames.size() > 1) frames.erase(frames.begin(), frames.end() - 1);
    for (auto at : frames) {
        auto header = *journal::parse_frame_header(std::string_view(content).substr(at), at);
        auto frame = content.substr(at, header.bytes());
        if (!spoil_frame(bug, frame)) continue;
        seal_frame(frame, header, at);
        disk.set_content(path, at, frame);
    }
}

constexpr const char* tenant = "tenant";
constexpr char mark = '#';  // what follows in a group's name is the bug's

bool is_fifo(const std::string& queue) { return queue.ends_with(".fifo"); }

struct Spoil {
    Bug bug;
    unsigned life;
    std::uint64_t number;  ///< of the command
    bool marks_groups() const { return bug == Bug::forget_groups_at_start || bug == Bug::split_groups; }
    void spoil_fifo(queue::OutgoingMessage& message, std::size_t index = 0) const {
        auto mine = mark + std::to_string(life);
        if (bug == Bug::forget_deduplication) message.deduplication = std::to_string(number * 100 + index);
        if (bug == Bug::forget_ids_at_start && !message.deduplication.empty()) message.deduplication += mine;
        if (bug == Bug::forget_groups_at_start) message.group += mine;
        if (bug == Bug::split_groups) message.group += mark + std::to_string(message.body.size() % 2);
    }
    static void cut_mark(queue::Delivery& delivery) { delivery.group.resize(std::min(delivery.group.size(), delivery.group.find(mark))); }
    void spoil_deliveries(broker::Receive& c) const {
        c.answer = [self = *this, answer = std::move(c.answer)](auto got) mutable {
            if (got && self.bug == Bug::hand_out_newest_first) std::reverse(got->begin(), got->end());
            if (got && self.marks_groups()) std::for_each(got->begin(), got->end(), cut_mark);
            if (got && self.bug == Bug::forget_tenants) std::for_each(got->begin(), got->end(), show_tenant);
            answer(std::move(got));
        };
    }
    /// The engine sees no group; clients see the one they gave.
    static void hide_tenant(queue::OutgoingMessage& message) {
        if (!message.group.empty()) message.system_attributes.push_back({tenant, "String", std::exchange(message.group, {})});
    }
    static void show_tenant(queue::Delivery& delivery) {
        auto& all = delivery.system_attributes;
        auto found = std::find_if(all.begin(), all.end(), [](auto& attribute) { return attribute.name == tenant; });
        if (found == all.end()) return;
        delivery.group = found->value;
        all.erase(found);
    }
    void operator()(broker::Send& c) const {
        if (bug == Bug::forget_tenants && !is_fifo(c.queue)) hide_tenant(c.message);
        if (bug == Bug::forget_key) c.once.reset();
        if (bug == Bug::forget_delay && c.message.delay) c.message.delay = Duration(0);
        if (bug == Bug::forget_attributes) c.message.attributes.clear();
        if (is_fifo(c.queue)) spoil_fifo(c.message);
    }
    void operator()(broker::SendBatch& c) const {
        if (bug == Bug::forget_tenants && !is_fifo(c.queue)) std::for_each(c.messages.begin(), c.messages.end(), hide_tenant);
        for (std::size_t i = 0; is_fifo(c.queue) && i < c.messages.size(); ++i) spoil_fifo(c.messages[i], i);
    }
    void operator()(broker::Peek& c) const {
        auto mend = marks_groups() && is_fifo(c.queue) ? cut_mark : bug == Bug::forget_tenants ? show_tenant : nullptr;
        if (mend == nullptr) return;
        c.answer = [mend, answer = std::move(c.answer)](auto items) mutable {
            if (items)
                for (auto& item : *items) mend(item.message);
            answer(std::move(items));
        };
    }
    void operator()(broker::Receive& c) const {
        if (bug == Bug::forget_visibility && c.visibility) *c.visibility /= 10;
        if (is_fifo(c.queue) && (marks_groups() || bug == Bug::hand_out_newest_first)) spoil_deliveries(c);
        if (bug == Bug::forget_tenants) spoil_deliveries(c);
    }
    void operator()(broker::Delete& c) const {
        if (bug != Bug::forget_delete) return;
        auto done = [answer = std::move(c.answer), count = c.receipts.size()](auto) mutable {
            answer(std::vector<Result<void, broker::Refusal>>(count));
        };
        c = broker::Delete{c.queue, {}, std::move(done)};
    }
    void operator()(auto&) const {}
};

}  // namespace

const char* name_of(Bug bug) { return names[static_cast<std::size_t>(bug)]; }

std::optional<Bug> bug_named(std::string_view name) {
    for (std::size_t i = 0; i < names.size(); ++i)
        if (name == names[i]) return static_cast<Bug>(i);
    return std::nullopt;
}

std::vector<Bug> all_bugs() {
    std::vector<Bug> out;
    for (std::size_t i = 1; i < names.size(); ++i) out.push_back(static_cast<Bug>(i));
    return out;
}

std::unique_ptr<disk::Disk> disk_with(Bug bug, disk::Disk& disk, std::uint64_t seed) {
    if (bug == Bug::none || bug > Bug::lose_history) return nullptr;
    return std::make_unique<BuggyDisk>(bug, disk, seed);
}

void spoil_store(Bug bug, testing::SimulatedDisk& disk) {
    bool in_frames = bug >= Bug::move_in_two_records && bug <= Bug::revive_moves_at_start;
    if (bug != Bug::truncate_at_bad_checksum && bug != Bug::believe_torn_tail && !in_frames) return;
    auto names_in_root = disk.list("");
    if (!names_in_root) return;
    std::sort(names_in_root->begin(), names_in_root->end());
    std::erase_if(*names_in_root, [](auto& path) { return !path.starts_with("log-"); });
    for (auto& path : *names_in_root) {
        if (bug == Bug::truncate_at_bad_checksum) truncate_at_bad_frame(disk, path);
        if (bug == Bug::believe_torn_tail) seal_torn_frames(disk, path);
        if (in_frames) spoil_frames(bug, disk, path, bug == Bug::move_in_two_records);
    }
}

void spoil_command(Bug bug, broker::Command& command, unsigned life, std::uint64_t number) {
    if (bug != Bug::none) std::visit([&](auto& c) { Spoil{bug, life, number}(c); }, command);
}

}  // namespace forebay::sim
