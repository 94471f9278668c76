#include "sim/run.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>

#include "broker/history.h"

namespace forebay::sim {

using testing::Call;

Run::Run(std::uint64_t seed, Bug bug, bool verbose)
    : plan_(seed),
      verbose_(verbose),
      bug_(bug),
      disk_(seed * 7 + 1, plan_.disk),
      lying_disk_(disk_, seed * 7 + 2),
      buggy_disk_(disk_with(bug, lying_disk_, seed * 7 + 3)),
      entropy_(seed * 7 + 4),
      chance_(seed * 7 + 5),
      workload_(plan_, seed * 7 + 6) {
    disk_.on_call = [this](Call call, const std::string& path) {
        if (last_call_.call == Call::rename) last_call_.rename_is_pending = true;
        if (last_call_.call == Call::sync_directory) last_call_.rename_is_pending = false;
        last_call_.call = call;
        last_call_.path = path;
        if (verbose_ && call != Call::read && call != Call::other) say(fmt::format("          {} {}", name_of(call), path));
    };
}

Run::~Run() { end_process(); }

bool Run::failed() { return failure_ || auditor_.finding(); }

void Run::fail(std::string what) {
    if (!failed()) failure_ = std::move(what);
}

void Run::say(const std::string& line) {
    if (verbose_) std::fprintf(stderr, "%10lld ms  %s\n", static_cast<long long>(real_.ms), line.c_str());
}

Tally Run::tally() const {
    auto out = tally_;
    out.seeds = 1;
    out.operations = operations_;
    out.faults = disk_.faults();
    out.simulated_ms = static_cast<std::uint64_t>(real_.ms - 1'000'000);
    out.rare.add(auditor_.seen());
    return out;
}

std::optional<std::string> Run::play() {
    for (life_ = 0; life_ < plan_.lives && !failed(); ++life_) live();
    if (!failed()) drain();
    return failure_ ? failure_ : auditor_.finding();
}

// The process.

bool Run::open_once() {
    spoil_store(bug_, disk_);
    auto& disk = buggy_disk_ ? *buggy_disk_ : static_cast<disk::Disk&>(lying_disk_);
    auto opened = broker::Turn::open(disk, clock_, entropy_, plan_.options);
    if (!opened) {
        say("opening failed: " + opened.error().what);
        return false;
    }
    if (disk_.is_cut()) return false;
    turn_ = std::move(*opened);
    is_listening_ = true;
    return true;
}

/// What may go wrong while opening: power, a kill, or any one call to the disk.
void Run::arm_opening(unsigned depth, bool storm) {
    ending_ = Ending::stop;
    if (storm && depth < 4) {
        ending_ = Ending::power_cut;
        return disk_.cut_power_at(1 + chance_.below(30));
    }
    if (!plan_.recovery_faults || depth >= 4 || !chance_.one_in(3)) return;
    auto n = 1 + chance_.below(chance_.one_in(2) ? 10 : 60);
    switch (chance_.below(6)) {
        case 0:
            ending_ = Ending::kill;
            break;
        case 1:
            ending_ = Ending::read_error;
            break;
        case 2:
            ending_ = Ending::write_error;
            break;
        case 3:
            ending_ = Ending::sync_error;
            break;
        default:
            ending_ = Ending::power_cut;
            break;
    }
    if (ending_ == Ending::kill || ending_ == Ending::power_cut) return disk_.cut_power_at(n);
    auto call = ending_ == Ending::read_error ? Call::read : ending_ == Ending::write_error ? Call::write : Call::sync;
    disk_.fail_at(call, n, EIO);
}

bool Run::open(bool with_faults) {
    auto cuts = 0u;
    bool storm = with_faults && plan_.recovery_faults && chance_.one_in(20);
    for (unsigned depth = 0;; ++depth) {
        if (with_faults)
            arm_opening(depth, storm);
        else
            ending_ = Ending::stop;
        auto injected = disk_.faults().injected;
        bool opened = open_once();
        note_lie();
        bool fault_fired = disk_.is_cut() || disk_.faults().injected != injected;
        fault_fired_ = fault_fired;
        disk_.stop_failing();
        if (opened) break;
        if (ending_ == Ending::power_cut) cuts += 1, tally_.rare.note(Rare::power_cut_while_opening);
        if (ending_ == Ending::kill) tally_.rare.note(Rare::killed_while_opening);
        if (is_squeezed_ && !disk_.is_cut())
            relax();
        else if (!fault_fired)
            return fail("the store does not open though nothing is wrong with the disk"), false;
        die(ending_ == Ending::stop ? Ending::kill : ending_);
        if (depth > 10) {
            fail("the store does not open after ten attempts");
            return false;
        }
    }
    if (cuts >= 4) tally_.rare.note(Rare::power_cut_four_deep);
    disk_.cut_power_at(1ull << 60);  // not any more
    auditor_.time_is(real_);
    auditor_.restarted();
    note_opened();
    return true;
}

void Run::note_opened() {
    auto& report = turn_->journal().report();
    for (auto& note : report.notes) say("opened: " + note);
    if (report.corrupt || (lying_disk_.has_lied() && !report.notes.empty())) damage_reported_ = true;
    if (report.corrupt && !lying_disk_.has_lied() && !(ending_ == Ending::read_error && fault_fired_))
        fail("opening reports damage though the disk has not lied: " + (report.notes.empty() ? "" : report.notes.front()));
    tally_.rare.note(turn_->opened_from_checkpoint() ? Rare::opened_from_checkpoint : Rare::opened_from_whole_log);
    if (report.tail_quarantined > 0) tally_.rare.note(Rare::tail_set_aside);
    bool copied = false, salvaged = false;
    (void)turn_->journal().scan(turn_->journal().active_segment(), [&](const journal::Entry& entry) {
        copied = copied || entry.type >= 8;
        salvaged = salvaged || entry.salvaged;
    });
    if (copied) tally_.rare.note(Rare::doubtful_records_copied);
    if (salvaged) tally_.rare.note(Rare::salvaged_behind_a_hole);
}

void Run::end_process() {
    is_listening_ = false;
    if (turn_) {
        auto counters = turn_->counters();
        if (counters.stragglers_copied > 0) tally_.rare.note(Rare::straggler_copied);
        if (turn_->journal().counters().segments_recycled > 0) tally_.rare.note(Rare::segment_recycled);
        if (counters.damaged_messages > 0) damage_reported_ = true;
    }
    turn_.reset();
}

void Run::die(Ending how) {
    end_process();
    if (how == Ending::stop) {
        disk_.kill_process();
        disk_.stop_failing();
        tally_.stops += 1;
        return;
    }
    say(fmt::format("the process dies ({}), at {} {}", static_cast<int>(how), name_of(last_call_.call), last_call_.path));
    if (how == Ending::power_cut) {
        tally_.power_cuts += 1;
        if (last_call_.rename_is_pending) tally_.rare.note(Rare::power_cut_between_rename_and_directory_sync);
        if (last_call_.path.starts_with("checkpoint")) tally_.rare.note(Rare::power_cut_during_checkpoint);
        auto fate = chance_.below(10);
        disk_.restart(fate < 2 ? testing::Survival::none : fate < 3 ? testing::Survival::all : testing::Survival::chance);
        auto down = Duration(chance_.one_in(20) ? 3'600'000 : chance_.below(30'000));
        clock_.reboot(down);
        real_ = real_ + down;
    } else {
        (how == Ending::kill ? tally_.kills : tally_.fault_exits) += 1;
        disk_.kill_process();
        disk_.stop_failing();
        pass(Duration(200 + chance_.below(800)));
    }
    auditor_.time_is(real_);
    // What was not synced may be gone after a failed sync, as after a power cut.
    auditor_.died(how == Ending::power_cut || how == Ending::sync_error ? Death::power_lost : Death::killed);
}

// Its life.

void Run::live() {
    say(fmt::format("life {}", life_));
    if (!open(true)) return;
    if (life_ % 3 == 2) look_at_history();
    if (plan_.lie == Lie::rot && life_ == plan_.lives / 2 && !lying_disk_.has_lied()) {
        die(Ending::kill);
        lying_disk_.rot();
        note_lie();
        if (!open(false)) return;
    }
    bool alive = round(workload_.declare(life_ == 0));
    arm();
    auto rounds = 1 + chance_.below(plan_.rounds_most);
    for (unsigned i = 0; i < rounds && alive && !failed(); ++i) alive = random_round();
    finish_life();
}

void Run::arm() {
    std::uint64_t sum = 0;
    for (auto weight : plan_.endings) sum += weight;
    auto at = chance_.below(sum);
    std::size_t chosen = 0;
    while (at >= plan_.endings[chosen]) at -= plan_.endings[chosen++];
    ending_ = static_cast<Ending>(chosen);
    auto n = 1 + chance_.below(chance_.one_in(3) ? 5 : chance_.one_in(2) ? 40 : 300);
    if (ending_ == Ending::kill || ending_ == Ending::power_cut) disk_.cut_power_at(n);
    if (ending_ == Ending::sync_error) disk_.fail_at(chance_.one_in(4) ? Call::sync_directory : Call::sync, 1 + n / 4, EIO);
    if (ending_ == Ending::write_error) disk_.fail_at(Call::write, 1 + n / 4, EIO);
    if (ending_ == Ending::read_error) disk_.fail_at(Call::read, n, EIO);
    if (plan_.lie > Lie::rot && life_ >= plan_.lives / 2 && !lying_disk_.has_lied()) lying_disk_.lie_at(1 + n / 8, plan_.lie);
    if (plan_.no_space && chance_.one_in(3)) squeeze();
}

/// The disk becomes so small that there is hardly room for another segment.
void Run::squeeze() {
    auto free = disk_.free_bytes();
    if (!free) return;
    is_squeezed_ = was_squeezed_ = true;
    disk_.options().capacity_bytes -= *free;
    disk_.options().capacity_bytes += chance_.below(3 * plan_.options.journal.segment_bytes);
    say("the disk is nearly full");
}

void Run::relax() {
    disk_.options().capacity_bytes = plan_.disk.capacity_bytes;
    is_squeezed_ = false;
}

bool Run::random_round() {
    if (plan_.clock_jumps && chance_.one_in(20)) set_clock();
    auto count = 1 + chance_.below(plan_.batch_most);
    std::vector<broker::Command> batch;
    for (std::size_t i = 0; i < count; ++i) batch.push_back(workload_.next());
    bool alive = round(std::move(batch));
    if (alive) pause();
    return alive;
}

bool Run::round(std::vector<broker::Command> batch) {
    tally_.rounds += 1;
    auditor_.begin_round(real_);
    for (auto& command : batch) {
        wire(command);
        spoil_command(bug_, command, life_, operations_);
    }
    injected_before_ = disk_.faults().injected;
    unread_ = turn_->counters().damaged_messages;
    auto done = turn_->run(batch);
    note_lie();
    if (handle_to_check_) check_handles(*std::exchange(handle_to_check_, std::nullopt));
    if (disk_.is_cut()) return false;
    fault_fired_ = fault_fired_ || disk_.faults().injected != injected_before_;
    note_unread();
    if (!done) {
        say("the turn failed: " + done.error().text());
        if (!fault_fired_ && !is_squeezed_ && !lying_disk_.has_lied())
            fail("a turn failed though nothing was wrong: " + done.error().text());
    }
    return done.ok();
}

/// A body that could not be read is kept, and looked for again within the hour.
void Run::note_unread() {
    auto unread = turn_->counters().damaged_messages;
    if (unread == std::exchange(unread_, unread)) return;
    fault_fired_ = fault_fired_ || disk_.faults().injected != injected_before_;
    if (!fault_fired_ && !lying_disk_.has_lied()) fail("a message cannot be read though nothing is wrong with the disk");
    auditor_.reads_failed(1h);
}

/// The auditor is told what the disk has done, once.
void Run::note_lie() {
    if (!lying_disk_.has_lied() || lie_is_noted_) return;
    lie_is_noted_ = true;
    auto hit = lying_disk_.take_hit();
    say(fmt::format("the disk lies: {}; {} messages lay there", lying_disk_.what(), hit.size()));
    auditor_.damaged(hit);
}

void Run::finish_life() {
    if (!turn_) return;
    auto cut = disk_.is_cut();
    auto fault = ending_ == Ending::sync_error || ending_ == Ending::write_error || ending_ == Ending::read_error;
    disk_.stop_failing();
    if (fault && fault_fired_) {
        auto rare = ending_ == Ending::write_error  ? Rare::write_failed
                    : ending_ == Ending::read_error ? Rare::read_failed
                                                    : Rare::sync_failed;
        tally_.rare.note(rare);
    }
    if (ending_ == Ending::stop && !cut && !failed()) {
        auditor_.begin_round(real_);
        auditor_.stopping();
        auto stopped = turn_->stop();
        note_lie();
        if (stopped) {
            pass(Duration(chance_.below(2'000)));
            return die(Ending::stop);
        }
        if (!fault_fired_ && !is_squeezed_ && !lying_disk_.has_lied())
            fail("stopping failed though nothing was wrong: " + stopped.error().text());
        ending_ = Ending::kill;
    }
    if (ending_ == Ending::stop) ending_ = Ending::kill;
    die(ending_);
    if (chance_.one_in(3)) relax();
}

void Run::pass(Duration by) {
    clock_.advance(by);
    real_ = real_ + by;
}

/// Until the next round: mostly nothing or a moment, at times exactly until the broker has something to do.
void Run::pause() {
    if (plan_.slow_rounds > 0 && chance_.one_in(plan_.slow_rounds)) {
        auto seconds = chance_.one_in(20) ? 3'600 : chance_.one_in(4) ? 600 : 40;
        return pass(Duration(chance_.below(static_cast<std::uint64_t>(seconds) * 1'000)));
    }
    if (auto due = turn_->next_due(); due && chance_.one_in(4)) {
        auto wait = *due - clock_.now();
        if (wait > 0ms && wait < 60s) pass(wait);
        return;
    }
    if (chance_.one_in(2)) pass(Duration(chance_.below(chance_.one_in(3) ? 3'000 : 20)));
}

void Run::set_clock() {
    constexpr std::int64_t steps[] = {1'000, 4'000, 20'000, 600'000, 3'600'000, 86'400'000};
    auto by = Duration(steps[chance_.below(std::size(steps))] * (chance_.one_in(2) ? 1 : -1));
    say(fmt::format("the clock is set by {} ms", by.count()));
    clock_.jump_wall(by);
    auditor_.time_is(real_);
    auditor_.clock_set(by);
    tally_.clock_jumps += 1;
    tally_.rare.note(by > 0ms ? Rare::clock_set_forward : Rare::clock_set_back);
}

void Run::check_handles(const queue::Receipt& receipt) {
    if (!turn_) return;
    auto handle = turn_->handle_of(receipt);
    if (turn_->receipt_of(handle) != receipt) return fail("a receipt handle is not read back as it was given");
    auto at = chance_.below(handle.size());
    handle[at] = handle[at] == 'A' ? 'B' : 'A';
    auto forged = turn_->receipt_of(handle);
    if (forged && *forged != receipt) fail("a forged receipt handle is taken for a genuine one");
}

// The end.

/// No more faults: everything must come out within a bound, and nothing twice.
void Run::drain() {
    say("no more faults");
    is_draining_ = true;
    disk_.heal();
    relax();
    if (!open(false)) return;
    round(workload_.declare(false));
    for (auto& queue : plan_.queues)
        if (queue.declared) {
            std::vector<broker::Command> batch;
            batch.push_back(workload_.send_to(queue));
            if (!failed()) round(std::move(batch));
        }
    look_everywhere();
    constexpr int rounds_most = 5'000;
    int round = 0, idle = 0;
    for (; round < rounds_most && !failed(); ++round) {
        if (receive_everything()) {
            idle = 0;
            continue;
        }
        auto last = auditor_.last_visible();
        if (!last || ++idle > 3) break;
        if (*last > real_) pass(*last - real_);
        pass(1s);
    }
    if (round == rounds_most) fail("the queues are not empty after 5,000 rounds without faults");
    wait_for_moves();
    look_everywhere();
    if (failed()) return;
    // What was deleted stays deleted: once more after a power cut.
    die(Ending::power_cut);
    if (!open(false)) return;
    pass(24h);
    // A receive may bring a message to the dead letters after those were asked for.
    while (!failed() && receive_everything()) continue;
    look_everywhere();
    look_at_history();
    auditor_.end();
    check_damage_was_reported();
    if (!failed()) die(Ending::stop);
}

/// One receive from every queue and the delete of what came; false if nothing came.
bool Run::receive_everything() {
    std::vector<broker::Command> batch;
    for (auto& queue : plan_.queues) batch.push_back(broker::Receive{queue.name, 10, 30s, Duration(0), {}, {}});
    drained_.clear();
    if (!round(std::move(batch)) || failed() || drained_.empty()) return false;
    batch.clear();
    for (auto& [queue, delivery] : drained_) batch.push_back(broker::Delete{queue, {delivery.receipt}, {}});
    round(std::move(batch));
    return true;
}

/// Without faults every task ends, when nothing is left that it may move. What could not be read is kept back for an
/// hour (again and again when it is damaged), and what was hidden when the clock stood days ahead for so long.
void Run::wait_for_moves() {
    constexpr int rounds_most = 100;
    for (int i = 0; plan_.has_moves && !lying_disk_.has_lied() && !failed(); ++i) {
        std::vector<broker::Command> batch;
        for (auto& queue : plan_.queues) batch.push_back(broker::ListMoves{queue.name, 10, {}});
        round(std::move(batch));
        while (!failed() && receive_everything()) continue;
        if (!auditor_.a_move_runs()) return;
        if (i == rounds_most) return fail("a move task still runs after 100 rounds without faults");
        pass(plan_.clock_jumps ? 1h : 1min);
    }
}

void Run::look_everywhere() {
    for (auto& queue : plan_.queues) {
        std::vector<broker::Command> batch;
        batch.push_back(broker::Peek{queue.name, 1000, {}, {}});
        batch.push_back(broker::GetQueue{queue.name, {}});
        if (!failed()) round(std::move(batch));
    }
    std::vector<broker::Command> batch;
    batch.push_back(broker::ListQueues{});
    if (!failed()) round(std::move(batch));
}

/// Everything that was accepted is found again, whatever crashed and whatever became of its message.
void Run::look_at_history() {
    if (failed() || lying_disk_.has_lied()) return;
    std::map<Uuid, std::uint64_t> shown;
    auto page = broker::visit_accepted(disk_, {}, [&](const broker::AcceptedRecord& record) {
        if (!shown.emplace(record.message_id, content_of(record.body)).second) fail("history shows a record twice");
        return true;
    });
    if (!page) return fail("history cannot be read: " + page.error().text());
    if (!page->damage.empty()) return fail("history reports damage though the disk has not lied: " + page->damage.front());
    auditor_.time_is(real_);
    auditor_.history(shown, was_squeezed_ ? Duration(0) : plan_.options.history_keep);
}

void Run::check_damage_was_reported() {
    if (turn_ && turn_->counters().damaged_messages > 0) damage_reported_ = true;
    if (!lying_disk_.has_lied()) return;
    tally_.lies += 1;
    if (damage_reported_) tally_.rare.note(Rare::damage_reported);
    if (auditor_.lost_to_damage() == 0) return;
    tally_.rare.note(Rare::message_lost_to_damage);
    // A write that never arrived leaves nothing to see when it was the last one and its commit mark is lost too.
    if (!damage_reported_ && plan_.lie == Lie::rot) fail("messages were lost to damage that nothing reported: " + lying_disk_.what());
}

}  // namespace forebay::sim
