// `scale WORKER=N|auto`: how many processes a worker has, by hand or by its load.
#include <algorithm>
#include <charconv>

#include "cli/process/paths.h"
#include "cli/similar.h"
#include "cli/verb.h"
#include "cli/verbs/processes.h"
#include "cli/verbs/verbs.h"
#include "cli/words.h"

namespace forebay::cli {
namespace {

using supervisor::ControlAnswer;
using supervisor::ControlRequest;
using supervisor::PoolStatus;

constexpr unsigned processes_most = 1000;

/// `store=4`, `store=auto`
struct Wish {
    std::string worker;
    std::optional<unsigned> count;  ///< nothing = as the load asks
};

std::optional<Wish> wish_of(const std::string& word) {
    auto equals = word.rfind('=');
    if (equals == std::string::npos || equals == 0) return std::nullopt;
    Wish wish{word.substr(0, equals), std::nullopt};
    auto value = std::string_view(word).substr(equals + 1);
    if (value == "auto") return wish;
    unsigned count = 0;
    auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), count);
    if (value.empty() || error != std::errc() || end != value.data() + value.size() || count > processes_most) return std::nullopt;
    wish.count = count;
    return wish;
}

/// By the name of the worker, alone or behind its group.
const PoolStatus* pool_called(const ControlAnswer& answer, const std::string& name) {
    auto at = std::find_if(answer.pools.begin(), answer.pools.end(),
                           [&](const PoolStatus& pool) { return pool.worker == name || pool.group + ":" + pool.worker == name; });
    return at == answer.pools.end() ? nullptr : &*at;
}

/// `4 (automatic, 2 to 24)`, `8 by hand`, `4`
std::string state_of(const PoolStatus& pool) {
    auto count = std::to_string(pool.count);
    if (pool.is_by_hand) return count + " by hand";
    if (pool.count_max <= pool.count_min) return count;
    return count + " (automatic, " + std::to_string(pool.count_min) + " to " + std::to_string(pool.count_max) + ")";
}

std::string wish_text(const PoolStatus& pool, const Wish& wish) {
    if (wish.count) return std::to_string(*wish.count) + " by hand";
    if (pool.count_max <= pool.count_min) return std::to_string(pool.count_min) + " as configured";
    return "automatic, " + std::to_string(pool.count_min) + " to " + std::to_string(pool.count_max);
}

int refuse_worker(Invocation& invocation, const std::string& name, const ControlAnswer& answer) {
    std::vector<std::string> known;
    for (const auto& pool : answer.pools) known.push_back(pool.worker);
    auto meant = nearest(name, known);
    invocation.terminal().complain("no worker is called \"" + name + "\"" + (meant.empty() ? "" : "; did you mean \"" + meant + "\"?"));
    return exit_code::usage;
}

/// Why that many would be wrong however many the machine bears: a SQLite file has one writing process (D22).
std::optional<std::string> why_not(const Configuration& configuration, const Wish& wish) {
    const auto* worker = configuration.find_worker(wish.worker);
    if (worker == nullptr || wish.count.value_or(0) <= 1) return std::nullopt;
    const auto* database = configuration.effects_database(*worker);
    if (database == nullptr || database->options.driver != db::Driver::sqlite) return std::nullopt;
    return wish.worker + " writes the SQLite file " + database->options.path +
           ", which only one process may: larger batches help, or a MariaDB or PostgreSQL (docs/databases.md)";
}

/// The wishes with the names of their workers, or the exit code after a complaint.
Result<std::vector<Wish>, int> wishes_of(Invocation& invocation, const Configuration& configuration, const ControlAnswer& answer) {
    std::vector<Wish> wishes;
    for (const auto& word : invocation.words()) {
        auto wish = wish_of(word);
        if (!wish)
            return Failure{invocation.misused("\"" + word + "\" is not WORKER=N with N from 0 to " + std::to_string(processes_most) +
                                              ", nor WORKER=auto")};
        const auto* pool = pool_called(answer, wish->worker);
        if (pool == nullptr) return Failure{refuse_worker(invocation, wish->worker, answer)};
        wish->worker = pool->worker;
        if (auto why = why_not(configuration, *wish)) {
            invocation.terminal().complain(*why);
            return Failure{exit_code::usage};
        }
        wishes.push_back(std::move(*wish));
    }
    return wishes;
}

std::string plan_of(const std::vector<Wish>& wishes, const ControlAnswer& answer) {
    std::string plan;
    for (const auto& wish : wishes) {
        const auto& pool = *pool_called(answer, wish.worker);
        plan += (plan.empty() ? "" : ", ") + wish.worker + " from " + state_of(pool) + " to " + wish_text(pool, wish);
    }
    return plan;
}

json::Value pool_json(const PoolStatus& pool) {
    return json::Value()
        .set("worker", pool.worker)
        .set("group", pool.group)
        .set("count", pool.count)
        .set("count_min", pool.count_min)
        .set("count_max", pool.count_max)
        .set("by_hand", pool.is_by_hand);
}

}  // namespace

int run_scale(Invocation& invocation) {
    auto configuration = invocation.whatever_is_configured();
    auto path = control_path(configuration.node.data_dir);
    auto& terminal = invocation.terminal();
    auto before = ask_supervisor(invocation, path, {});
    if (!before) return before.error();
    auto wishes = wishes_of(invocation, configuration, *before);
    if (!wishes) return wishes.error();
    auto plan = plan_of(*wishes, *before);
    if (invocation.has("dry-run")) {
        terminal.result("Would scale " + plan + ".\n");
        return exit_code::done;
    }
    for (const auto& wish : *wishes)
        if (wish.count == 0U) terminal.talk(wish.worker + ": with no process, what comes to its queue waits.");
    if (!invocation.is_agreed("scale " + plan + "?")) return exit_code::done;
    auto told = json::Value::array();
    int code = exit_code::done;
    for (const auto& wish : *wishes) {
        ControlRequest request;
        request.verb = supervisor::Verb::scale;
        request.names = {wish.worker};
        request.count = wish.count;
        request.reason = invocation.value("reason").value_or("");
        auto after = ask_supervisor(invocation, path, request);
        if (!after) return after.error();
        if (!after->ok) {
            terminal.complain(after->error);
            code = exit_code::check_failed;
        }
        const auto *was = pool_called(*before, wish.worker), *is = pool_called(*after, wish.worker);
        if (is == nullptr) continue;
        told.push(json::Value().set("before", pool_json(*was)).set("after", pool_json(*is)));
        if (!terminal.wants_json()) terminal.result(wish.worker + ": was " + state_of(*was) + ", is " + state_of(*is) + "\n");
    }
    if (terminal.wants_json()) terminal.result_json(json::Value().set("workers", std::move(told)));
    return code;
}

}  // namespace forebay::cli
