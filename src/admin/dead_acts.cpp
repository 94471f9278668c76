#include "admin/dead_acts.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/decimal.h"
#include "base/log_line.h"
#include "ledger/ledger.h"

namespace forebay::admin {
namespace {

constexpr Duration try_again_after = 1s;
constexpr Duration saved_every = 1s;
/// Effects of one act that are known to be sent: beyond that a letter that lies there twice is sent twice, and run once.
constexpr std::size_t sent_remembered_max = 1'000'000;
constexpr double per_second_max = 1000;
constexpr std::size_t reason_bytes_max = 1024;

std::string_view name_of(DeadAct::Kind kind) { return kind == DeadAct::Kind::retry ? "retry" : "discard"; }

json::Value to_json(const DeadAct& act) {
    json::Value out;
    out.set("act", name_of(act.kind)).set("filter", to_json(act.filter)).set("reason", act.reason);
    out.set("started_at", to_rfc3339(act.started_at)).set("state", act.state);
    out.set("letters", act.letters).set("done", act.done).set("left_out", act.left_out);
    if (act.per_second > 0) out.set("per_second", act.per_second);
    if (!act.why.empty()) out.set("why", act.why);
    return out;
}

std::optional<DeadAct> act_of(const json::Value& value) {
    DeadAct act;
    auto filter = dead_filter_of(value["filter"]);
    auto started_at = parse_timestamp(value["started_at"].text());
    bool is_known = value["act"].text() == "retry" || value["act"].text() == "discard";
    if (!is_known || !filter.ok() || !started_at) return std::nullopt;
    act.kind = value["act"].text() == "retry" ? DeadAct::Kind::retry : DeadAct::Kind::discard;
    act.filter = std::move(*filter);
    act.started_at = *started_at;
    act.reason = value["reason"].text();
    act.state = value["state"].text();
    act.why = value["why"].text();
    act.per_second = value["per_second"].is_number() ? value["per_second"].real() : 0;
    auto count = [&](const char* key) { return static_cast<std::uint64_t>(std::max<std::int64_t>(value[key].integer().value_or(0), 0)); };
    act.letters = count("letters");
    act.done = count("done");
    act.left_out = count("left_out");
    return act;
}

/// The message that has the effect run again, with the record's id in it, or noted as discarded where a reason says so.
std::string body_to_send(const DeadLetter& letter, const std::string& discard) {
    const auto& body = letter.item.message.body;
    bool is_as_it_was = !letter.record || (letter.record->discard == discard && !letter.record->endpoint.empty());
    if (is_as_it_was) return body;
    auto record = *letter.record;
    record.discard = discard;
    return record::encode(record, record::form_of(body));
}

/// What no worker notes in a ledger is only deleted.
bool goes_to_worker(DeadAct::Kind kind, const DeadLetter& letter) {
    return kind == DeadAct::Kind::retry || (letter.record && letter.route->notes_effects);
}

/// Why nothing can be done with the letter; empty = something can.
std::string obstacle_to(DeadAct::Kind kind, const DeadLetter& letter) {
    if (letter.route || (kind == DeadAct::Kind::discard && !letter.record)) return {};
    if (letter.effect.empty()) return "nobody said whose effect it was";
    return "there is no worker \"" + std::string(ledger::split_effect(letter.effect).first) + "\" any more";
}

}  // namespace

DeadActs::DeadActs(broker::Commands& commands, Routes routes, Clock& clock, std::string path)
    : commands_(commands), routes_(std::move(routes)), clock_(clock), path_(std::move(path)) {
    std::ifstream in(path_, std::ios::binary);
    auto kept = json::parse(std::string((std::istreambuf_iterator<char>(in)), {}));
    if (kept.ok())
        for (const auto& value : kept->elements())
            if (auto act = act_of(value)) acts_.push_back(std::move(*act));
    thread_ = std::thread([this] { work(); });
}

DeadActs::~DeadActs() {
    {
        std::lock_guard guard(lock_);
        closing_ = true;
    }
    wake_.notify_all();
    thread_.join();
}

bool DeadActs::start(DeadAct act) {
    std::lock_guard guard(lock_);
    auto running = std::count_if(acts_.begin(), acts_.end(), [](const DeadAct& one) { return one.state == "running"; });
    if (static_cast<std::size_t>(running) >= running_max) return false;
    acts_.push_back(std::move(act));
    for (auto at = acts_.begin(); at != acts_.end() && acts_.size() > kept_max;) at = at->state == "running" ? at + 1 : acts_.erase(at);
    save();
    wake_.notify_all();
    return true;
}

std::vector<DeadAct> DeadActs::list() {
    std::lock_guard guard(lock_);
    return {acts_.rbegin(), acts_.rend()};
}

void DeadActs::work() {
    std::unique_lock guard(lock_);
    for (;;) {
        auto running = [this] {
            return std::find_if(acts_.begin(), acts_.end(), [](const DeadAct& act) { return act.state == "running"; });
        };
        wake_.wait(guard, [&] { return closing_ || running() != acts_.end(); });
        if (closing_) return;
        auto act = *running();
        guard.unlock();
        run(act);
        guard.lock();
    }
}

void DeadActs::run(DeadAct& act) {
    std::set<std::string> sent;
    bool is_stopped = false;
    auto saved_at = clock_.now();
    auto walked = each_dead_letter(commands_, routes_(), act.filter, {}, [&](DeadLetter& letter) {
        if (!settle(act, letter, sent)) return !(is_stopped = true);
        if (clock_.now() - saved_at >= saved_every) {
            update(act);
            saved_at = clock_.now();
        }
        auto wait = act.per_second > 0 ? Duration(std::llround(1000 / act.per_second)) : Duration::zero();
        return !(is_stopped = !pause(wait));
    });
    if (is_stopped) return update(act);  // the node is stopping: it goes on when it is back
    if (!walked.ok() && !pause(try_again_after)) return;
    if (!walked.ok()) return;  // the queues could not be looked at just now: again
    act.state = "done";
    log_warn(act.kind == DeadAct::Kind::retry ? "dead.retry_ended" : "dead.discard_ended")
        .with("done", act.done)
        .with("left_out", act.left_out)
        .with("why_left_out", act.why)
        .with("reason", act.reason);
    update(act);
}

/// False: the node is stopping.
bool DeadActs::settle(DeadAct& act, DeadLetter& letter, std::set<std::string>& sent) {
    auto leave_out = [&](std::string why) {
        act.left_out += 1;
        act.why = std::move(why);
        return true;
    };
    if (auto obstacle = obstacle_to(act.kind, letter); !obstacle.empty()) return leave_out(std::move(obstacle));
    // A worker that was killed between its two steps leaves a letter twice.
    auto key = id_of(letter) + " " + letter.effect;
    if (goes_to_worker(act.kind, letter) && !sent.contains(key)) {
        auto body = body_to_send(letter, act.kind == DeadAct::Kind::discard ? act.reason : std::string());
        auto refusal = send(letter.route->queue, body, letter.record ? to_text(letter.record->id) : std::string());
        if (refusal == broker::Refusal::message_too_long) return leave_out("it would be longer than its queue takes");
        if (refusal) return false;
        if (sent.size() < sent_remembered_max) sent.insert(key);
    }
    broker::Delete gone;
    gone.queue = letter.queue;
    gone.receipts.push_back(letter.item.message.receipt);
    auto answer = broker::ask(commands_, std::move(gone));
    if (!answer.ok() || !answer->at(0).ok()) return leave_out("sent to its worker, but still listed: it could not be deleted");
    act.done += 1;
    log_info(act.kind == DeadAct::Kind::retry ? "dead.retried" : "dead.discarded")
        .with("id", id_of(letter))
        .with("effect", letter.effect)
        .with("queue", letter.queue)
        .with("reason", act.reason);
    return true;
}

/// Tries until the queue takes it, unless it never will or the node is stopping: then why.
std::optional<broker::Refusal> DeadActs::send(const std::string& queue, const std::string& body, const std::string& record) {
    for (;;) {
        broker::Send send;
        send.queue = queue;
        send.message.body = body;
        if (!record.empty()) send.message.attributes.push_back({"record-id", "String", record});
        auto answer = broker::ask(commands_, std::move(send));
        if (answer.ok()) return std::nullopt;
        if (answer.error() == broker::Refusal::message_too_long) return answer.error();
        if (!pause(try_again_after)) return broker::Refusal::stopping;
    }
}

/// False: the node is stopping.
bool DeadActs::pause(Duration time) {
    std::unique_lock guard(lock_);
    if (time > Duration::zero()) wake_.wait_for(guard, time, [this] { return closing_; });
    return !closing_;
}

void DeadActs::update(const DeadAct& act) {
    std::lock_guard guard(lock_);
    for (auto& kept : acts_)
        if (kept.started_at == act.started_at && kept.state == "running") kept = act;
    save();
}

/// What is lost of this by a power cut is only an act that does not go on: its letters stay where they are.
void DeadActs::save() {
    auto list = json::Value::array();
    for (const auto& act : acts_) list.push(to_json(act));
    {
        std::ofstream out(path_ + ".new", std::ios::binary | std::ios::trunc);
        out << json::to_text(list);
    }
    std::error_code failed;
    std::filesystem::rename(path_ + ".new", path_, failed);
    if (failed) log_warn("dead.unkept").with("file", path_).with("why", failed.message());
}

http::Response act_on_dead(broker::Commands& commands, const Routes& routes, DeadActs& acts, Clock& clock, DeadAct::Kind kind,
                           const Call& call) {
    auto filter = dead_filter_of(call.body);
    if (!filter.ok()) return bad_request(filter.error());
    if (filter->is_everything() && !call.body["all"].boolean())
        return bad_request("Say which: \"ids\", \"effect\", \"endpoint\", \"cause\", \"since\", \"where\", or \"all\": true.");
    bool dry_run = call.body["dry_run"].boolean();
    DeadAct act;
    act.kind = kind;
    act.reason = call.body["reason"].text();
    if (!dry_run && act.reason.empty()) return bad_request("This needs a \"reason\".");
    if (act.reason.size() > reason_bytes_max) return bad_request("A \"reason\" has at most 1024 bytes.");
    act.per_second = call.body["rate"].is_number() ? std::clamp(call.body["rate"].real(), 0.0, per_second_max) : 0;
    act.started_at = clock.wall();
    act.filter = std::move(*filter);
    act.filter.until = act.started_at;  // what dies once more is not meant
    std::map<std::string, Decimal> money;
    std::set<std::string> found;
    std::uint64_t left_out = 0;
    auto counted = each_dead_letter(commands, routes(), act.filter, {}, [&](DeadLetter& letter) {
        found.insert(id_of(letter));
        act.letters += 1;
        if (auto obstacle = obstacle_to(kind, letter); !obstacle.empty()) {
            left_out += 1;
            act.why = obstacle;
        }
        auto amount = letter.record ? Decimal::parse(letter.record->value) : std::nullopt;
        if (amount) money[letter.record->currency] += *amount;
        return true;
    });
    if (!counted.ok()) return refused(counted.error(), "");
    json::Value sums = json::Value::object(), not_found = json::Value::array();
    for (const auto& [currency, sum] : money) sums.set(currency, sum.text());
    for (const auto& id : act.filter.ids)
        if (!found.contains(id)) not_found.push(id);
    json::Value out;
    out.set("letters", act.letters).set("money", std::move(sums)).set("left_out", left_out).set("not_found", std::move(not_found));
    if (left_out > 0) out.set("why", act.why);
    act.why.clear();
    if (!dry_run && act.letters > 0 && !acts.start(std::move(act)))
        return http::problem(503, "busy", "As many retries and discards as may are running: see forebay dead ls, and try again.");
    return json_response(out.set("dry_run", dry_run));
}

http::Response list_dead_acts(DeadActs& acts) {
    json::Value list = json::Value::array();
    for (const auto& act : acts.list()) list.push(to_json(act));
    return json_response(json::Value().set("acts", std::move(list)));
}

}  // namespace forebay::admin
