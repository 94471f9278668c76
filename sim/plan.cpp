#include "sim/plan.h"

#include <initializer_list>

namespace forebay::sim {
namespace {

template <class T>
T one_of(testing::Random& random, std::initializer_list<T> choices) {
    return *(choices.begin() + random.below(choices.size()));
}

bool percent(testing::Random& random, unsigned chance) { return random.below(100) < chance; }

}  // namespace

Plan::Plan(std::uint64_t seed) {
    testing::Random random(seed * 2 + 1);
    choose_options(random);
    choose_acts(random);
    choose_faults(random);
    choose_queues(random);
    lives = 8 + static_cast<unsigned>(random.below(12));
    rounds_most = one_of<unsigned>(random, {5, 15, 40});
    batch_most = 1 + static_cast<unsigned>(random.below(8));
    messages_most = one_of<unsigned>(random, {10, 60, 250});
    slow_rounds = one_of<unsigned>(random, {0, 3, 10, 30});
}

void Plan::choose_options(testing::Random& random) {
    options.journal.segment_bytes = one_of(random, {8_KiB, 12_KiB, 16_KiB, 32_KiB, 64_KiB});
    options.journal.frame_bytes_max = one_of(random, {4_KiB, 16_KiB, 64_KiB});
    options.journal.reserve_bytes = one_of(random, {0_KiB, 64_KiB, 128_KiB});
    options.journal.min_free_bytes = one_of(random, {0_KiB, 64_KiB});
    options.journal.spares = static_cast<unsigned>(random.below(3));
    options.page_memory = one_of(random, {256_KiB, 512_KiB, 1_MiB});
    options.body_memory = one_of(random, {0_KiB, 16_KiB, 128_KiB});
    options.once_keys_max = 20'000;
    options.deduplication_ids_max = 20'000;
    options.checkpoint_bytes = one_of(random, {16_KiB, 64_KiB, 256_KiB});
    options.checkpoint_records = 3 + random.below(one_of<std::uint64_t>(random, {10, 500}));
    options.checkpoint_every = one_of<Duration>(random, {100ms, 5s, 60s});
    options.sync_within = one_of<Duration>(random, {0ms, 10ms, 100ms});
    options.history_keep = one_of<Duration>(random, {0s, 10min, 14 * 24h});
    options.straggler_ratio = one_of(random, {0.1, 0.25, 0.9});
    options.straggler_slack = one_of(random, {0_KiB, 32_KiB, 1_MiB});
    disk.capacity_bytes = 1ull << 30;
    // Not reported_late: a device that says of lost data that it is safe cannot be caught out in time, and the file
    // systems that do so are refused at start.
    disk.sync_failure = one_of(random, {testing::SyncFailure::new_in_cache, testing::SyncFailure::old_restored});
    disk.sync_persists_names = percent(random, 25);
}

void Plan::choose_acts(testing::Random& random) {
    for (auto& weight : acts) weight = percent(random, 65) ? 1 + static_cast<unsigned>(random.below(8)) : 0;
    auto weight = [&](Act act) -> unsigned& { return acts[static_cast<std::size_t>(act)]; };
    auto at_least = [&](Act act, unsigned least) { weight(act) = std::max(weight(act), least); };
    at_least(percent(random, 50) ? Act::send : Act::send_record, 8);
    at_least(Act::receive, 6);
    at_least(percent(random, 50) ? Act::remove : Act::remove_many, 5);
    for (auto act : {Act::purge, Act::remove_queue, Act::make_queue, Act::set_queue, Act::list}) weight(act) = std::min(weight(act), 1u);
    choose_moves(random);
    has_tenants = percent(random, 30);
    if (has_tenants) at_least(Act::send_batch, 6), at_least(Act::receive, 10);
}

void Plan::choose_moves(testing::Random& random) {
    auto weight = [&](Act act) -> unsigned& { return acts[static_cast<std::size_t>(act)]; };
    has_moves = percent(random, 35);
    weight(Act::start_move) = has_moves ? 2 : 0;
    weight(Act::cancel_move) = has_moves && percent(random, 50);
    weight(Act::list_moves) = has_moves ? 2 : 0;
    if (has_moves) weight(Act::repeat_record) = weight(Act::reuse_key) = 0;
}

void Plan::choose_faults(testing::Random& random) {
    for (auto& weight : endings) weight = percent(random, 60) ? 1 + static_cast<unsigned>(random.below(4)) : 0;
    endings[static_cast<std::size_t>(percent(random, 70) ? Ending::power_cut : Ending::kill)] += 4;
    recovery_faults = percent(random, 60);
    no_space = percent(random, 25);
    clock_jumps = percent(random, 25);
    if (percent(random, 12)) lie = one_of(random, {Lie::rot, Lie::rot, Lie::lost_write, Lie::misdirected_write});
}

void Plan::choose_queues(testing::Random& random) {
    auto settings = [&](bool carries_records) {
        broker::QueueSettings out;
        out.visibility_timeout = one_of<Duration>(random, {0s, 1s, 30s, 30s, 5min});
        if (percent(random, 20)) out.delay = one_of<Duration>(random, {1s, 20s});
        if (percent(random, 30)) out.retention = one_of<Duration>(random, {60s, 10min});
        out.carries_records = carries_records;
        return out;
    };
    auto count = 1 + random.below(3);
    for (std::size_t i = 0; i < count; ++i) {
        bool records = i == 0 || percent(random, 30);
        auto name = (records ? "records-" : "plain-") + std::to_string(i + 1);
        QueuePlan queue{name, settings(records), records};
        if (percent(random, 50)) {
            auto dead = settings(records);
            dead.retention = 14 * 24h;
            queues.push_back({name + "-dead", dead, records});
            queue.settings.redrive = broker::Redrive{name + "-dead", 1 + static_cast<std::uint32_t>(random.below(4))};
        }
        queues.push_back(queue);
    }
    if (percent(random, 40)) choose_fifo_queue(random, settings(percent(random, 20)));
}

void Plan::choose_fifo_queue(testing::Random& random, broker::QueueSettings settings) {
    bool is_declared = settings.carries_records;
    settings.fifo = true;
    settings.content_deduplication = percent(random, 50);
    settings.deduplication_per_group = percent(random, 30);
    if (percent(random, 50)) {
        auto dead = settings;
        dead.delay = 0s;
        dead.retention = 14 * 24h;
        queues.push_back({"dead.fifo", dead, is_declared});
        settings.redrive = broker::Redrive{"dead.fifo", 1 + static_cast<std::uint32_t>(random.below(4))};
    }
    queues.push_back({"work.fifo", settings, is_declared});
}

}  // namespace forebay::sim
