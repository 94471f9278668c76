#include "broker/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "base/codec.h"
#include "base/crc32c.h"
#include "base/log_line.h"
#include "broker/queue_record_reader.h"

namespace forebay::broker {
namespace {

constexpr std::string_view magic{"FBCKPT\0\2", 8};
constexpr std::string_view prefix = "at-";
constexpr std::size_t bad_ones_max = 4;
constexpr std::uint64_t damaged_bit = std::uint64_t{1} << 63;

std::string path_of(std::uint64_t number) { return fmt::format("{}/{}{:016x}", checkpoint_directory, prefix, number); }

std::optional<std::uint64_t> number_of(const std::string& name) {
    if (name.size() != prefix.size() + 16 || !name.starts_with(prefix)) return std::nullopt;
    std::uint64_t number = 0;
    for (char c : name.substr(prefix.size())) {
        auto digit = std::string_view("0123456789abcdef").find(c);
        if (digit == std::string_view::npos) return std::nullopt;
        number = number << 4 | digit;
    }
    return number;
}

struct ReadPage {
    std::uint64_t number = 0;
    queue::PageSummary summary;
    PagePool::Stored stored;
};
struct ReadQueue {
    QueueRecord record;
    queue::Sequence next;
    std::uint64_t bytes = 0;
    queue::Sequence deduplicates_from;
    std::vector<ReadPage> pages;
};
struct ReadWindow {
    std::uint64_t first = 0, next = 0, forgotten = 0;
    std::vector<PagePool::Stored> chunks;
};
struct ReadCheckpoint {
    CheckpointMark mark;
    Timestamp now;
    queue::QueueId next_queue;
    std::vector<ReadQueue> queues;
    std::map<std::uint32_t, SegmentUse::Use> segments;
    ReadWindow once, deduplication;
    std::vector<MoveTask> moves;
};

void put_stored(std::string& out, const PagePool::Stored& stored) {
    put(out, stored.slot);
    put(out, stored.crc);
}

PagePool::Stored take_stored(Reader& in) {
    PagePool::Stored stored;
    stored.slot = in.take<std::uint32_t>();
    stored.crc = in.take<std::uint32_t>();
    return stored;
}

void put_pages(std::string& out, const NamedQueue& queue, const PagePool& pool) {
    auto count_at = out.size();
    std::uint32_t count = 0;
    put(out, count);
    queue.queue.visit_summaries([&](std::uint64_t number, const queue::PageSummary& summary) {
        auto stored = pool.stored(queue.record.id, number);
        if (!stored) return;  // a page that was never touched, or holds nothing
        ++count;
        put(out, number);
        put(out, summary.due);
        put(out, summary.live);
        put(out, summary.in_flight);
        put(out, summary.delayed);
        put_stored(out, *stored);
    });
    put_at(out, count_at, count);
}

ReadPage take_page(Reader& in) {
    ReadPage page;
    page.number = in.take<std::uint64_t>();
    page.summary.due = in.take<std::int64_t>();
    page.summary.live = in.take<std::uint32_t>();
    page.summary.in_flight = in.take<std::uint32_t>();
    page.summary.delayed = in.take<std::uint32_t>();
    page.stored = take_stored(in);
    return page;
}

ReadQueue take_queue(Reader& in) {
    ReadQueue queue;
    queue.record = take_queue_set(in);
    queue.next = queue::Sequence(in.take<std::uint64_t>());
    queue.bytes = in.take<std::uint64_t>();
    queue.deduplicates_from = queue::Sequence(in.take<std::uint64_t>());
    for (auto left = in.take<std::uint32_t>(); left > 0 && !in.failed(); --left) queue.pages.push_back(take_page(in));
    return queue;
}

ReadWindow take_window(Reader& in) {
    ReadWindow out;
    out.first = in.take<std::uint64_t>();
    out.next = in.take<std::uint64_t>();
    out.forgotten = in.take<std::uint64_t>();
    for (auto left = in.take<std::uint32_t>(); left > 0 && !in.failed(); --left) out.chunks.push_back(take_stored(in));
    return out;
}

void put_window(std::string& out, const OnceWindow& window, queue::QueueId pages, const PagePool& pool) {
    auto first = window.first_chunk();
    auto end = (window.next_entry() + queue::page_slots - 1) / queue::page_slots;
    put(out, first);
    put(out, window.next_entry());
    put(out, window.forgotten());
    put(out, static_cast<std::uint32_t>(end - first));
    for (auto chunk = first; chunk < end; ++chunk) put_stored(out, pool.stored(pages, chunk).value());
}

std::optional<ReadCheckpoint> decode(std::string_view text) {
    if (text.size() < magic.size() + sizeof(std::uint32_t) || !text.starts_with(magic)) return std::nullopt;
    auto content = text.substr(0, text.size() - sizeof(std::uint32_t));
    if (Reader(text.substr(content.size())).take<std::uint32_t>() != crc32c(content)) return std::nullopt;
    Reader in(content.substr(magic.size()));
    ReadCheckpoint out;
    out.mark.number = in.take<std::uint64_t>();
    out.mark.position = journal::Position(in.take<std::uint64_t>());
    out.mark.segment = in.take<std::uint32_t>();
    out.mark.first = in.take<std::uint32_t>();
    out.now.ms = in.take<std::int64_t>();
    out.next_queue = queue::QueueId(in.take<std::uint32_t>());
    for (auto left = in.take<std::uint32_t>(); left > 0 && !in.failed(); --left) out.queues.push_back(take_queue(in));
    for (auto left = in.take<std::uint32_t>(); left > 0 && !in.failed(); --left) {
        auto segment = in.take<std::uint32_t>();
        out.segments[segment].live_bytes = in.take<std::uint64_t>();
        auto accepted = in.take<std::uint64_t>();
        out.segments[segment].accepted_records = accepted & ~damaged_bit;
        out.segments[segment].is_damaged = (accepted & damaged_bit) != 0;
    }
    out.once = take_window(in);
    out.deduplication = take_window(in);
    out.moves = take_moves(in);
    if (!in.at_end()) return std::nullopt;
    return out;
}

std::vector<std::uint32_t> slots_of(const ReadCheckpoint& checkpoint) {
    std::vector<std::uint32_t> slots;
    for (const auto& queue : checkpoint.queues)
        for (const auto& page : queue.pages) slots.push_back(page.stored.slot);
    for (const auto* window : {&checkpoint.once, &checkpoint.deduplication})
        for (const auto& chunk : window->chunks) slots.push_back(chunk.slot);
    return slots;
}

bool has_its_chunks(const ReadWindow& window) {
    return (window.next - window.first * queue::page_slots + queue::page_slots - 1) / queue::page_slots == window.chunks.size();
}

bool fits(const ReadCheckpoint& checkpoint, std::uint32_t slots) {
    auto used = slots_of(checkpoint);
    bool windows_fit = has_its_chunks(checkpoint.once) && has_its_chunks(checkpoint.deduplication);
    return windows_fit && std::all_of(used.begin(), used.end(), [&](auto slot) { return slot < slots; });
}

void put_into(OnceWindow& window, queue::QueueId pages, const ReadWindow& from, PagePool& pool) {
    for (std::size_t i = 0; i < from.chunks.size(); ++i) pool.adopt(pages, from.first + i, from.chunks[i]);
    window.restore(from.first, from.next, from.forgotten);
}

void put_into(State& state, const ReadCheckpoint& from) {
    state.latest = from.now;
    for (const auto& [segment, use] : from.segments) state.use.restore(segment, use);
    for (const auto& read : from.queues) {
        auto& queue = state.queues.set(read.record);
        std::map<std::uint64_t, queue::PageSummary> summaries;
        for (const auto& page : read.pages) {
            state.pages.adopt(read.record.id, page.number, page.stored);
            summaries[page.number] = page.summary;
        }
        queue.queue.restore(read.next, read.bytes, std::move(summaries));
        queue.deduplicates_from = read.deduplicates_from;
    }
    state.queues.raise_next_id(from.next_queue);
    put_into(state.once, once_pages, from.once, state.pages);
    put_into(state.deduplication, deduplication_pages, from.deduplication, state.pages);
    for (const auto& task : from.moves) state.moves.set(task);
}

Result<std::string, disk::Error> read_file(disk::Disk& disk, const std::string& path) {
    TRY_ASSIGN(auto file, disk.open(path, disk::OpenMode::read));
    TRY_ASSIGN(auto size, file->size());
    std::string text;
    TRY(file->read(0, size, text));
    return text;
}

Result<void, disk::Error> set_aside(disk::Disk& disk, std::uint64_t number, std::vector<std::string>& notes) {
    notes.push_back(fmt::format("checkpoint {:x} is damaged and was set aside; an older one or the whole log is read instead", number));
    TRY(disk.rename(path_of(number), fmt::format("{}/bad-{:016x}", checkpoint_directory, number)));
    return disk.sync_directory(checkpoint_directory);
}

/// The oldest of those set aside go: the newest tells a start which numbers were used.
Result<void, disk::Error> bound_bad_ones(disk::Disk& disk) {
    TRY_ASSIGN(auto names, disk.list(checkpoint_directory));
    std::erase_if(names, [](const std::string& name) { return !name.starts_with("bad-"); });
    for (std::size_t i = 0; i + bad_ones_max < names.size(); ++i) {
        TRY(disk.remove(fmt::format("{}/{}", checkpoint_directory, names[i])));
        log_warn("checkpoint.bad_removed").with("file", names[i]).with("why", "newer ones take its place");
    }
    return {};
}

}  // namespace

std::string encode_checkpoint(const CheckpointMark& mark, Timestamp now, const State& state) {
    std::string out(magic);
    put(out, mark.number);
    put(out, mark.position.value());
    put(out, mark.segment);
    put(out, mark.first);
    put(out, now.ms);
    put(out, state.queues.next_id().value());
    put(out, static_cast<std::uint32_t>(state.queues.size()));
    for (const auto& [name, queue] : state.queues.by_name()) {
        append_queue_set(out, queue->record);
        put(out, queue->queue.next_sequence().value());
        put(out, queue->queue.bytes());
        put(out, queue->deduplicates_from.value());
        put_pages(out, *queue, state.pages);
    }
    put(out, static_cast<std::uint32_t>(state.use.all().size()));
    for (const auto& [segment, use] : state.use.all()) {
        put(out, segment);
        put(out, use.live_bytes);
        put(out, use.accepted_records | (use.is_damaged ? damaged_bit : 0));
    }
    put_window(out, state.once, once_pages, state.pages);
    put_window(out, state.deduplication, deduplication_pages, state.pages);
    put_moves(out, state.moves.all());
    put(out, crc32c(out));
    return out;
}

Result<std::optional<LoadedCheckpoint>, disk::Error> load_checkpoint(disk::Disk& disk, State& state, std::vector<std::string>& notes) {
    TRY_ASSIGN(auto names, disk.list(checkpoint_directory));
    std::vector<std::uint64_t> numbers;
    std::uint64_t newest_bad = 0;
    for (const auto& name : names) {
        if (auto number = number_of(name)) numbers.push_back(*number);
        if (name.starts_with("bad-")) newest_bad = std::max(newest_bad, number_of("at-" + name.substr(4)).value_or(0));
    }
    std::sort(numbers.rbegin(), numbers.rend());
    std::optional<LoadedCheckpoint> loaded;
    for (auto number : numbers) {
        if (loaded && loaded->older) {  // a third one: it was about to be removed
            TRY(disk.remove(path_of(number)));
            continue;
        }
        auto text = read_file(disk, path_of(number));
        auto checkpoint = text ? decode(*text) : std::nullopt;
        if (!checkpoint || checkpoint->mark.number != number || !fits(*checkpoint, state.pages.slots())) {
            newest_bad = std::max(newest_bad, number);
            TRY(set_aside(disk, number, notes));
        } else if (!loaded) {
            put_into(state, *checkpoint);
            loaded = LoadedCheckpoint{checkpoint->mark, std::nullopt};
            // A newer one, set aside now or at an earlier start, may have dropped more than this one knows of.
            if (newest_bad > checkpoint->mark.number) loaded->newest.first = 0;
        } else {
            state.pages.reserve_for_older(slots_of(*checkpoint));
            loaded->older = checkpoint->mark;
        }
    }
    TRY(bound_bad_ones(disk));
    return loaded;
}

Result<void, disk::Error> distrust_checkpoints(disk::Disk& disk) {
    if (disk.exists(distrusted_path)) return {};
    TRY_ASSIGN(auto file, disk.open(distrusted_path, disk::OpenMode::create_new));
    TRY(file->sync());
    return disk.sync_directory(checkpoint_directory);
}

Result<void, disk::Error> remove_checkpoints(disk::Disk& disk) {
    TRY_ASSIGN(auto names, disk.list(checkpoint_directory));
    for (const auto& name : names)
        if (number_of(name)) TRY(disk.remove(std::string(checkpoint_directory) + "/" + name));
    TRY(disk.sync_directory(checkpoint_directory));
    TRY(disk.remove(distrusted_path));
    return disk.sync_directory(checkpoint_directory);
}

void WriteCheckpoint::run() {
    if (auto written = write(); !written) error_ = written.error();
    done_.store(true, std::memory_order_release);
}

Result<void, disk::Error> WriteCheckpoint::write() {
    const auto fresh = std::string(checkpoint_directory) + "/new";
    TRY(pages_.sync());
    if (disk_.exists(fresh)) TRY(disk_.remove(fresh));
    TRY_ASSIGN(auto file, disk_.open(fresh, disk::OpenMode::create_new));
    TRY(file->write(0, text_));
    TRY(file->sync());
    TRY(disk_.rename(fresh, path_of(mark_.number)));
    TRY(disk_.sync_directory(checkpoint_directory));
    if (superseded_ && disk_.exists(path_of(*superseded_))) TRY(disk_.remove(path_of(*superseded_)));
    return {};
}

}  // namespace forebay::broker
