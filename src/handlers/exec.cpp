#include "handlers/exec.h"

#include <algorithm>
#include <csignal>
#include <set>

#include "base/json.h"
#include "base/log_line.h"
#include "handlers/effects.h"
#include "handlers/exec_protocol.h"
#include "handlers/follow_ups.h"

namespace forebay::handlers {
namespace {

using worker::Job;
using worker::Outcome;

/// What was kept of a done effect leads to the same follow-ups as the first time.
Outcome outcome_of_known(const ledger::Effect& effect, const std::string& id) {
    auto answer = json::parse(effect.answer);
    if (!answer) return Outcome::done();
    auto outcome = jsonl_outcome(*answer, id);
    return outcome ? std::move(*outcome) : Outcome::done();
}

/// Those of the command's own answer, and the record for each queue of `then`.
void complete(Outcome& outcome, const Job& job, const std::vector<std::string>& then) {
    name_targets(outcome.follow_ups, job.envelope.again);
    for (auto& one : follow_ups_of(job.envelope, outcome.set, then)) outcome.follow_ups.push_back(std::move(one));
}

}  // namespace

struct ExecHandler::Inside {
    ExecOptions options;
    Effects effects;
    std::unique_ptr<Conversation> conversation;

    Inside(ExecOptions given, Clock& clock)
        : options(std::move(given)),
          effects({options.data_dir, options.worker, options.n, options.search, options.ledger}, clock),
          conversation(make_conversation(options)) {}

    std::vector<Outcome> run(std::span<const Job> jobs, const worker::Limits& limits) {
        auto known = effects.known_of(jobs);
        if (!known) return std::vector<Outcome>(jobs.size(), Outcome::hold(known.error().what));
        std::vector<Outcome> outcomes(jobs.size());
        std::vector<const Job*> fresh;
        std::vector<std::size_t> places, decided;
        std::set<EffectKey> begun;
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            auto id = to_text(jobs[i].envelope.id);
            if (auto done = known->done.find(effects.key_of(jobs[i])); done != known->done.end()) {
                outcomes[i] = outcome_of_known(done->second, id);
                complete(outcomes[i], jobs[i], options.then);
                leave_unsent(jobs[i].envelope.id, outcomes[i].follow_ups, known->sent);
                continue;
            }
            if (!begun.insert(effects.key_of(jobs[i])).second) continue;  // sent twice: found done when it comes again
            if (jobs[i].decided) {
                decided.push_back(i);
                continue;
            }
            fresh.push_back(&jobs[i]);
            places.push_back(i);
        }
        note_decided(jobs, decided, outcomes);
        if (fresh.empty()) return outcomes;
        auto answers = conversation->run(fresh, limits);
        for (auto& answer : answers) answer.outcome.is_of_effect = answer.outcome.kind == Outcome::Kind::hold;
        keep(fresh, answers, known->sent);
        for (std::size_t i = 0; i < fresh.size(); ++i) outcomes[places[i]] = std::move(answers[i].outcome);
        return outcomes;
    }

    /// The rows of what is not run; held where they cannot be written.
    void note_decided(std::span<const Job> jobs, const std::vector<std::size_t>& places, std::vector<Outcome>& outcomes) {
        std::vector<Effects::Entry> entries;
        for (auto i : places) {
            auto effect = effects.effect(jobs[i], state_name(jobs[i].decided->kind), jobs[i].attempts);
            effect.error = jobs[i].decided->why;
            entries.push_back({&jobs[i], std::move(effect), {}});
        }
        auto written = effects.write(entries);
        for (auto i : places) outcomes[i] = written ? *jobs[i].decided : Outcome::hold(written.error().what);
    }

    /// Durable before anything else is done with the messages. Where that fails the records are held and run
    /// again: doubt runs twice, it does not lose.
    void keep(const std::vector<const Job*>& jobs, std::vector<Answered>& answers, const std::set<ledger::OutboxKey>& sent) {
        std::vector<Effects::Entry> entries;
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            auto& outcome = answers[i].outcome;
            if (outcome.kind != Outcome::Kind::done) continue;
            complete(outcome, *jobs[i], options.then);
            if (jobs[i]->envelope.again > 0) leave_unsent(jobs[i]->envelope.id, outcome.follow_ups, sent);
            auto effect = effects.effect(*jobs[i], "done", jobs[i]->attempts + 1);
            effect.answer = answers[i].answer;
            entries.push_back({jobs[i], std::move(effect), outbox_keys(jobs[i]->envelope.id, outcome.follow_ups)});
        }
        auto written = effects.write(entries);
        if (written) return;
        for (auto& answer : answers)
            if (answer.outcome.kind == Outcome::Kind::done) answer.outcome = Outcome::hold(written.error().what);
    }
};

ExecHandler::ExecHandler(ExecOptions options, Clock& clock) : inside_(std::make_unique<Inside>(std::move(options), clock)) {
    ::signal(SIGPIPE, SIG_IGN);  // a command that does not read its input is no reason to end
}
ExecHandler::~ExecHandler() = default;

std::vector<Outcome> ExecHandler::run(std::span<const Job> jobs, const worker::Limits& limits) { return inside_->run(jobs, limits); }

void ExecHandler::note(std::span<const Job> jobs, std::span<const worker::Settlement> settlements) {
    std::vector<Effects::Entry> entries;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        auto kind = settlements[i].kind;
        if (worker::is_settled(kind) || kind == Outcome::Kind::untouched) continue;
        auto effect = inside_->effects.effect(jobs[i], {}, 0);
        fill(effect, settlements[i]);
        entries.push_back({&jobs[i], std::move(effect), {}});
    }
    auto written = inside_->effects.write(entries);
    // A hold is reported as such; that it could not be written here as well is no news.
    bool only_held = std::all_of(settlements.begin(), settlements.end(),
                                 [](auto& s) { return s.kind != Outcome::Kind::retry && s.kind != Outcome::Kind::dead; });
    if (!written && !only_held)
        log_warn("effect.unnoted").with("worker", inside_->options.worker).with("n", inside_->options.n).with("why", written.error().what);
}

Result<void, std::string> ExecHandler::note_sent(std::span<const worker::Sent> sent) {
    auto noted = inside_->effects.mark_sent(outbox_keys(sent));
    if (!noted) return Failure{noted.error().what};
    return {};
}

std::vector<std::optional<worker::Wait>> ExecHandler::waits(std::span<const Job> jobs) { return inside_->effects.waits(jobs); }

bool ExecHandler::has_probe() const { return inside_->options.ledger.has_value(); }

Result<void, std::string> ExecHandler::probe() {
    if (auto probed = inside_->effects.probe(); !probed) return Failure{probed.error().what};
    return {};
}

Duration ExecHandler::time_limit(std::size_t jobs, Duration timeout) const {
    return inside_->options.protocol == Protocol::lambda_batch ? timeout : timeout * static_cast<int>(jobs);
}

}  // namespace forebay::handlers
