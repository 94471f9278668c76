// Opening a store: the newest checkpoint and the log after it, or the whole log.

#include <fmt/format.h>

#include "base/log_line.h"
#include "broker/checkpoint.h"
#include "broker/open_turn.h"
#include "broker/turn.h"

namespace forebay::broker {
namespace {

OpenError error_of(const disk::Error& error) { return {fmt::format("the store cannot be opened: {}", error.text())}; }

Result<void, disk::Error> prepare_directory(disk::Disk& disk) {
    if (!disk.exists(checkpoint_directory)) {
        TRY(disk.make_directory(checkpoint_directory));
        TRY(disk.sync_directory(""));
    }
    if (disk.exists(distrusted_path)) return remove_checkpoints(disk);
    // A predecessor that was killed, or failed at exactly this, left names that no sync covers. Whoever believes such a
    // checkpoint and removes an older one for it may have none after a power cut.
    return disk.sync_directory(checkpoint_directory);
}

Result<std::optional<LoadedCheckpoint>, disk::Error> load(disk::Disk& disk, State& state) {
    TRY(prepare_directory(disk));
    TRY(state.pages.open(disk, page_file_path));
    std::vector<std::string> notes;
    TRY_ASSIGN(auto loaded, load_checkpoint(disk, state, notes));
    for (const auto& note : notes) log_warn("checkpoint.bad").with("note", note);
    return loaded;
}

struct Opened {
    OpenTurn::Parts parts;
    bool is_whole = true;  ///< false: the checkpoint turned out to be worthless, and says so on disk
};

Result<Opened, OpenError> open_once(disk::Disk& disk, Clock& clock, Entropy& entropy, const BrokerOptions& options) {
    auto state = std::make_unique<State>(options);
    auto loaded = load(disk, *state);
    if (!loaded) return Failure{error_of(loaded.error())};
    auto handles = ReceiptHandles::open(disk, entropy);
    if (!handles) return Failure{error_of(handles.error())};
    Opened opened{{nullptr, nullptr, nullptr, *loaded, 0, 0, std::move(*handles)}, true};
    auto& parts = opened.parts;
    CheckpointMark from = *loaded ? (*loaded)->newest : CheckpointMark{};
    parts.log_clock = std::make_unique<LogClock>(clock, state->latest);
    TRY_ASSIGN(parts.journal, journal::Journal::open(
                                  disk, *parts.log_clock, entropy, options.journal, from.position, journal::SegmentNumber(from.first),
                                  [&, at = state.get()](const journal::Entry& entry) {
                                      parts.replayed_records += 1;
                                      parts.replayed_bytes += entry.location.length;
                                      at->apply(entry);
                                  },
                                  [at = state.get()] { return at->preamble(); }));
    if (const auto& fault = state->pages.fault()) {
        // The checkpoint is whole: what it alone remembers (the keys of segments that were dropped) must not be thrown away for a
        // write that may work the next time. Only on a full disk there is no next time, and without checkpoints every slot is free.
        if (!state->pages.is_damaged() && !fault->is_no_space()) return Failure{error_of(*fault)};
        if (auto done = distrust_checkpoints(disk); !done) return Failure{error_of(done.error())};
        opened.is_whole = false;
    }
    parts.state = std::move(state);
    return opened;
}

void report(const OpenTurn::Parts& parts, bool from_checkpoint) {
    for (const auto& note : parts.journal->report().notes) log_warn("journal.note").with("note", note);
    if (parts.state->undecodable > 0) log_error("journal.records_skipped").with("count", parts.state->undecodable);
    for (const auto& [name, queue] : parts.state->queues.by_name())
        if (queue->is_stand_in)
            log_error("queue.stand_in")
                .with("queue", name)
                .with("why", "the record that made a queue is damaged: its messages are in this one")
                .with("messages", queue->queue.live());
    log_info("store.open")
        .with("checkpoint", from_checkpoint)
        .with("replayed", parts.replayed_records)
        .with("queues", parts.state->queues.size());
}

}  // namespace

Result<std::unique_ptr<Turn>, OpenError> Turn::open(disk::Disk& disk, Clock& clock, Entropy& entropy, BrokerOptions options,
                                                    metrics::Registry* metrics) {
    for (int tries = 0; tries < 2; ++tries) {
        TRY_ASSIGN(auto opened, open_once(disk, clock, entropy, options));
        if (!opened.is_whole) continue;
        report(opened.parts, opened.parts.loaded.has_value());
        return std::unique_ptr<Turn>(std::make_unique<OpenTurn>(disk, clock, entropy, options, std::move(opened.parts), metrics));
    }
    return Failure{OpenError{"the store cannot be opened: the page file fails even without a checkpoint; look at checkpoint/pages"}};
}

}  // namespace forebay::broker
