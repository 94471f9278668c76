#include "sim/auditor.h"

#include <fmt/format.h>

#include <type_traits>

namespace forebay::sim {

void Auditor::find(std::string sentence) {
    if (!finding_) finding_ = fmt::format("round {}: {}", round_, std::move(sentence));
}

void Auditor::begin_round(Instant real) {
    reach_of_started();
    round_ += 1;
    now_ = later_ = real;
    look_at_clock();
}

QueueKnowledge* Auditor::queue(const std::string& name) {
    auto& known = queues_[name];
    if (!known) {
        known = std::make_unique<QueueKnowledge>();
        known->name = name;
    }
    return known.get();
}

void Auditor::asked(Operation operation, const broker::Command& command) {
    asks_.emplace(operation, std::visit([this](auto& c) { return ask(c); }, command));
}

void Auditor::find_unasked(Operation operation) {
    find(fmt::format("operation {} was answered though it does not wait for such an answer", operation.value()));
}

void Auditor::refused(QueueKnowledge* queue, Refusal why, std::string_view what) {
    if (damaged_ || why != Refusal::no_such_queue) return;
    if (queue->exists == Certainty::yes && queue->settled < round_)
        find(fmt::format("{} was refused because there is no queue {}, which was acknowledged", what, queue->name));
}

// Queues.

Auditor::Ask Auditor::ask(const broker::CreateQueue& c) {
    auto* q = queue(c.queue);
    q->settled = round_;
    bool may_be_removed = std::any_of(asks_.begin(), asks_.end(), [&](auto& one) {
        auto* removal = std::get_if<RemoveAsked>(&one.second);
        return removal != nullptr && removal->queue == q;
    });
    if (q->exists != Certainty::yes || may_be_removed || c.declared) q->may_hold(c.settings);
    return CreateAsked{q, c.settings, c.declared};
}

Auditor::Ask Auditor::ask(const broker::SetQueue& c) {
    auto* q = queue(c.queue);
    q->settled = round_;
    broker::QueueSettings settings;  // the workload's changes replace everything
    c.change(settings);
    q->may_hold(settings);
    return SetAsked{q, settings};
}

Auditor::Ask Auditor::ask(const broker::DeleteQueue& c) {
    auto* q = queue(c.queue);
    q->settled = q->busy = q->forgets_ids = round_;
    q->was_removed = true;
    for_each_near(q, [&](MessageKnowledge& m) { m.disturb(round_); });
    return RemoveAsked{q};
}

Auditor::Ask Auditor::ask(const broker::Purge& c) {
    auto* q = queue(c.queue);
    q->busy = q->forgets_ids = round_;
    for_each_near(q, [&](MessageKnowledge& m) { m.disturb(round_); });
    return PurgeAsked{q, c.as_operator};
}

Auditor::Ask Auditor::ask(const broker::GetQueue& c) { return StatusAsked{queue(c.queue)}; }
Auditor::Ask Auditor::ask(const broker::ListQueues& c) { return ListAsked{c.prefix}; }
Auditor::Ask Auditor::ask(const broker::Peek& c) { return PeekAsked{queue(c.queue), c.max_messages, !c.after}; }

void Auditor::answered(Operation operation, const Told<broker::QueueStatus>& answer) {
    auto found = asks_.find(operation);
    if (found != asks_.end() && std::holds_alternative<StatusAsked>(found->second)) {
        auto asked = take<StatusAsked>(operation, is_unknown(answer));
        if (!asked) return;
        return answer ? check_status(asked->queue, *answer) : refused(asked->queue, answer.error(), "a question for its status");
    }
    auto asked = take<CreateAsked>(operation, is_unknown(answer));
    if (!asked) return;
    if (!answer) {
        if (asked->queue->exists == Certainty::no) asked->queue->settings.clear();
        return;
    }
    if (!(answer->settings == asked->settings)) find(fmt::format("queue {} was made with other settings than asked", asked->queue->name));
    asked->queue->decide_existence(Certainty::yes, operation.value());
    asked->queue->is_declared = asked->queue->is_declared || asked->declared;
    asked->queue->holds(asked->settings);
}

void Auditor::answered(Operation operation, const Told<void>& answer) {
    auto found = asks_.find(operation);
    if (is_unknown(answer) || found == asks_.end()) return;
    if (std::holds_alternative<SetAsked>(found->second)) {
        auto asked = *take<SetAsked>(operation, false);
        if (answer) return asked.queue->holds(asked.settings);
        auto& settings = asked.queue->settings;
        auto last = std::find(settings.rbegin(), settings.rend(), asked.settings);
        if (settings.size() > 1 && last != settings.rend()) settings.erase(std::next(last).base());
        return refused(asked.queue, answer.error(), "a change of settings");
    }
    auto allowed = [&](QueueKnowledge* q, bool as_operator, std::string_view what) {
        if (!answer) refused(q, answer.error(), what);
        if (answer && !as_operator && q->carries_records())
            find(fmt::format("{} of {} was accepted though it carries records", what, q->name));
        return answer.ok();
    };
    if (std::holds_alternative<RemoveAsked>(found->second)) {
        auto asked = *take<RemoveAsked>(operation, false);
        if (!allowed(asked.queue, false, "removal")) return;
        emptied(asked.queue, "removed with its queue");
        asked.queue->decide_existence(Certainty::no, operation.value());
        for (auto& [key, known] : once_)
            for (auto& use : known.uses)
                if (use.message->home == asked.queue) use.settled = false;
        return;
    }
    auto asked = take<PurgeAsked>(operation, false);
    if (!asked || !allowed(asked->queue, asked->as_operator, "a purge")) return;
    asked->queue->forgot_ids = round_;
    emptied(asked->queue, "purged");
}

/// Certain for what was asked to be added before the round and cannot be in another queue by then.
void Auditor::emptied(QueueKnowledge* queue, std::string_view by) {
    std::vector<MessageKnowledge*> here;
    for_each_near(queue, [&](MessageKnowledge& m) { here.push_back(&m); });
    for (auto* m : here) {
        if (!may_be_in(*m, queue)) continue;
        bool certain = m->added_round < round_ && !m->may_have_moved(later_) && (m->home == queue ? !may_be_dead(*m) : m->is_dead());
        if (certain)
            gone(m, by);
        else if (m->gone == Certainty::no)
            m->gone = Certainty::maybe;
        m->hidden_until = {};
    }
}

void Auditor::answered(Operation operation, const Told<std::vector<broker::QueueStatus>>& answer) {
    auto asked = take<ListAsked>(operation, is_unknown(answer));
    if (!asked || !answer || damaged_) return;
    std::set<std::string> names;
    for (auto& status : *answer) names.insert(status.name);
    for (auto& [name, known] : queues_) {
        if (known->settled == round_ || !name.starts_with(asked->prefix)) continue;
        if (known->exists == Certainty::yes && !names.contains(name))
            find(fmt::format("queue {} was acknowledged and is not listed", name));
        if (known->exists == Certainty::no && names.contains(name))
            find(fmt::format("queue {} is listed though it was removed or never made", name));
    }
    for (auto& name : names)
        if (!queues_.contains(name)) find(fmt::format("queue {} is listed and nobody made it", name));
}

void Auditor::check_status(QueueKnowledge* queue, const broker::QueueStatus& status) {
    if (damaged_) return;
    if (queue->settled < round_) {
        if (queue->exists == Certainty::no)
            return find(fmt::format("queue {} has a status though it was removed or never made", queue->name));
        auto& possible = queue->settings;
        if (std::find(possible.begin(), possible.end(), status.settings) == possible.end())
            return find(fmt::format("queue {} has settings it was never given", queue->name));
        queue->exists = Certainty::yes;
        queue->holds(broker::QueueSettings(status.settings));
    }
    std::uint64_t least = 0, most = 0, hidden = 0, delayed = 0;
    bool busy = queue->busy == round_;
    for_each_near(queue, [&](MessageKnowledge& m) {
        busy = busy || m.home->busy == round_ || m.disturbed == round_;
        most += may_be_in(m, queue);
        if (!must_be_in(m, queue)) return;
        least += 1;
        hidden += m.hidden_until > later_;
        delayed += !m.newest && m.home == queue && m.asked_at + m.delay_least > later_ + (jumped_ - m.jumped_at_ask);
    });
    if (busy) return;
    auto counted = status.ready + status.in_flight + status.delayed;
    if (counted < least || counted > most)
        find(fmt::format("queue {} counts {} messages (ready {}, in flight {}, delayed {}) where there must be {} to {}", queue->name,
                         counted, status.ready, status.in_flight, status.delayed, least, most));
    if (status.in_flight < hidden)
        find(fmt::format("queue {} counts {} in flight where there must be {}", queue->name, status.in_flight, hidden));
    if (status.delayed < delayed)
        find(fmt::format("queue {} counts {} delayed where there must be {}", queue->name, status.delayed, delayed));
}

void Auditor::answered(Operation operation, const Told<std::vector<broker::Peek::Item>>& answer) {
    auto asked = take<PeekAsked>(operation, is_unknown(answer));
    if (!asked) return;
    if (!answer) return refused(asked->queue, answer.error(), "a look inside");
    std::set<const MessageKnowledge*> seen;
    for (auto& item : *answer) {
        auto* m = recognise(asked->queue, item.message, Sight::shown);
        if (m == nullptr) return;
        if (!seen.insert(m).second && !damaged_)
            return find(fmt::format("message {} stands twice in queue {}", m->label, asked->queue->name));
        by_sequence_.try_emplace({item.message.receipt.queue, item.message.receipt.sequence}, m);
        by_queue_id_.try_emplace(item.message.receipt.queue, asked->queue);
    }
    if (damaged_ || unread_ == round_ || !asked->from_start || answer->size() >= asked->max) return;
    for_each_near(asked->queue, [&](MessageKnowledge& m) {
        if (m.home->busy == round_ || asked->queue->busy == round_ || m.disturbed == round_ || !must_be_in(m, asked->queue)) return;
        if (!seen.contains(&m)) find(fmt::format("message {} was acknowledged and is not in queue {}", m.label, asked->queue->name));
    });
}

// What may and must be true of a message.

bool Auditor::may_have_expired(const MessageKnowledge& m) const {
    auto age = later_ - m.asked_at + (jumped_ - m.jumped_at_ask) + 1s;
    if (age >= m.home->retention_least) return true;
    for (auto& [name, queue] : queues_)
        if (age >= queue->retention_least && may_be_moved_to(m, queue.get())) return true;
    if (!may_be_dead(m)) return false;
    return std::any_of(m.home->dead_letters.begin(), m.home->dead_letters.end(), [&](auto& name) {
        auto found = queues_.find(name);
        return found != queues_.end() && age >= found->second->retention_least;
    });
}

/// A message leaves for the dead letters when it is received once too often, which cannot happen while it is hidden.
bool Auditor::may_be_dead(const MessageKnowledge& m) const {
    if (m.is_dead()) return true;
    return m.receives.most() >= m.home->receives_max_least && m.hidden_until <= later_;
}

bool Auditor::may_be_there(const MessageKnowledge& m) const {
    return m.added != Certainty::no && (m.gone != Certainty::yes || m.gone_round == round_ || damaged_);
}

bool Auditor::must_be_there(const MessageKnowledge& m) const {
    return m.added == Certainty::yes && m.added_round < round_ && m.gone == Certainty::no && !may_have_expired(m);
}

bool Auditor::may_be_in(const MessageKnowledge& m, const QueueKnowledge* queue) const {
    if (!may_be_there(m)) return false;
    if (m.may_have_moved(later_)) return may_be_moved_to(m, queue);
    if (queue == m.home) return !m.is_dead();
    return m.is_dead() ? m.seen_in == queue : may_be_dead(m) && m.home->dead_letters.contains(queue->name);
}

bool Auditor::must_be_in(const MessageKnowledge& m, const QueueKnowledge* queue) const {
    if (!must_be_there(m) || m.may_have_moved(later_)) return false;
    return queue == m.home ? !may_be_dead(m) : m.seen_in == queue;
}

void Auditor::gone(MessageKnowledge* m, std::string_view by) {
    if (m->gone == Certainty::yes) return;
    m->gone = Certainty::yes;
    m->gone_round = round_;
    m->gone_by = by;
    m->home->drop(m);
    stop_moving(*m, nullptr);
}

// The process and the clock.

void Auditor::clock_set(Duration by) {
    clock_was_set_ = clock_was_ever_set_ = true;
    stands_off_ += by;
    if (by >= 0ms) return;
    behind_ -= by;
    if (by >= -5s) hide_longer(-by);
}

/// A clock that was set back must not make time go back: it may stand still for as long. Every start that finds the
/// clock behind goes on from the latest time the log speaks of, so it may lose what passed since.
void Auditor::hide_longer(Duration by) {
    for (auto& [name, queue] : queues_)
        for (auto* m : queue->messages) m->visible_by = std::max(m->visible_by, later_) + by;
}

/// Every turn looks at the clock: what is less than five seconds off is followed at once, all else when it has stood where it
/// stands for ten minutes. Whatever sets it by more than a second meanwhile begins those anew, for all that was set before, too.
void Auditor::look_at_clock() {
    if (std::chrono::abs(stands_off_) <= 5s) return follow_clock(stands_off_);
    if (std::chrono::abs(stands_off_ - doubted_) > 1s) {
        doubted_ = stands_off_;
        agreed_since_ = later_;
    }
    if (later_ - agreed_since_ >= 10min) follow_clock(doubted_);
}

/// Forward only: time never goes back.
void Auditor::follow_clock(Duration by) {
    stands_off_ -= by;
    doubted_ = Duration{0};
    if (by <= 0ms) return;
    jumped_ += by;
    for (auto& [name, queue] : queues_)
        for (auto* m : queue->messages) m->hidden_until = Instant{m->hidden_until.ms - by.count()};
}

void Auditor::died(Death how) {
    for (auto& [name, queue] : queues_)
        for (auto* m : queue->messages) {
            if (how == Death::power_lost) {
                m->receives.forget_unsynced(synced_);
                m->newest_is_certain = m->newest_is_certain && m->delivered <= synced_;
                if (m->lowered > synced_) m->visible_by = std::max(m->visible_by, m->visible_by_before);
                m->attempts.reset();
            }
            // Written before its answer, a lease outlives the process; synced, it outlives the power.
            if (how == Death::power_lost && std::max(m->delivered, m->disturbed) > synced_) m->hidden_until = {};
        }
    for (auto& task : moves_) task->deaths += task->ended == 0;
    for (auto& [operation, ask] : asks_) std::visit([this](auto& a) { unknown(a); }, ask);
    asks_.clear();
}

void Auditor::restarted() {
    if (behind_ > 0ms) hide_longer(std::min(behind_, later_ + jumped_ - logged_at_ + 1s));
    follow_clock(stands_off_);
    for (auto& [name, queue] : queues_)
        for (auto* m : queue->messages) m->receives.settle();
    forget_leases();
}

/// Where the clock was set, a start may take up a lease at another point than it was left.
void Auditor::forget_leases() {
    if (!std::exchange(clock_was_set_, false)) return;
    for (auto& [name, queue] : queues_)
        for (auto* m : queue->messages) m->hidden_until = {};
}

void Auditor::reads_failed(Duration kept_back) {
    unread_ = round_;
    for (auto& [name, queue] : queues_)
        for (auto* m : queue->messages) {
            m->visible_by = std::max(m->visible_by, later_ + kept_back);
            m->newest_is_certain = false;
        }
}

void Auditor::unknown(const SendAsked& asked) {
    if (!asked.once) return;
    auto& known = once_[asked.once->key];
    known.unclear = known.unclear || known.uses.size() > 1;
    for (auto& use : known.uses) use.unsure = use.unsure || (use.content == asked.content && use.message != asked.messages.front());
}

void Auditor::unknown(const ReceiveAsked& asked) {
    auto hidden_by = later_ + asked.visibility.value_or(asked.queue->visibility(true));
    for_each_near(asked.queue, [&](MessageKnowledge& m) {
        note_served(asked.queue, m);
        m.newest_is_certain = false;
        m.visible_by = std::max(m.visible_by, hidden_by);
        m.receives.may_have_changed(1, 0);
    });
}

void Auditor::unknown(const DeleteAsked& asked) {
    for (auto* m : asked.messages)
        if (m != nullptr && m->gone == Certainty::no) m->gone = Certainty::maybe;
}

void Auditor::unknown(const ChangeAsked& asked) {
    for (auto& [m, change] : asked.changes) {
        if (m == nullptr) continue;
        m->visible_by = std::max(m->visible_by, later_ + change.timeout);
        m->hidden_until = {};
        m->receives.may_have_changed(0, change.release ? 1 : 0);
        m->attempts.reset();
    }
}

void Auditor::unknown(const CreateAsked& asked) {
    if (asked.queue->exists == Certainty::no) asked.queue->exists = Certainty::maybe;
    asked.queue->is_declared = asked.queue->is_declared || asked.declared;
}

void Auditor::maybe_emptied(QueueKnowledge* queue) {
    for_each_near(queue, [&](MessageKnowledge& m) {
        if (may_be_in(m, queue) && m.gone == Certainty::no) m.gone = Certainty::maybe;
    });
}

void Auditor::unknown(const PurgeAsked& asked) { maybe_emptied(asked.queue); }

void Auditor::unknown(const RemoveAsked& asked) {
    maybe_emptied(asked.queue);
    if (asked.queue->exists == Certainty::yes) asked.queue->exists = Certainty::maybe;
}

void Auditor::damaged(const std::vector<std::string>& labels) {
    damaged_ = true;
    for (auto& m : messages_)
        for (auto& label : labels) m->excused = m->excused || m->label == label;
}

std::optional<Instant> Auditor::last_visible() const {
    std::optional<Instant> last;
    for (auto& m : messages_)
        if (must_be_there(*m) && !m->excused) last = std::max(last.value_or(m->visible_by), m->visible_by);
    return last;
}

void Auditor::check_shown(const Uuid& id, std::uint64_t body, const std::map<Uuid, const MessageKnowledge*>& by_id,
                          const std::set<std::uint64_t>& unnamed) {
    auto known = by_id.find(id);
    if (known == by_id.end() ? unnamed.contains(body) : known->second->body == body) return;
    if (known == by_id.end()) return find(fmt::format("history shows record {} that nobody sent", to_text(id)));
    find(fmt::format("history shows message {} with other bytes than were sent", known->second->label));
}

void Auditor::history(const std::map<Uuid, std::uint64_t>& shown, Duration keep) {
    if (damaged_) return;
    std::map<Uuid, const MessageKnowledge*> by_id;
    std::set<std::uint64_t> unnamed, bodies;
    for (auto& m : messages_) {
        if (!m->sent_id.is_nil()) by_id[m->sent_id] = m.get();
        // What was asked for again under one key may stand in history under the id of another attempt.
        if (m->sent_id.is_nil() || m->is_once) unnamed.insert(m->body);
    }
    for (auto& [id, body] : shown) {
        bodies.insert(body);
        check_shown(id, body, by_id, unnamed);
    }
    for (auto& m : messages_) {
        auto age = later_ - m->asked_at + (jumped_ - m->jumped_at_ask) + 1s;
        bool is_shown = shown.contains(m->sent_id) || (m->is_once && bodies.contains(m->body));
        if (m->is_record && m->acknowledged && age < keep && !is_shown)
            find(fmt::format("record {} was accepted by {} and is not in history", m->label, m->home->name));
    }
}

void Auditor::end() {
    begin_round(later_);
    for (auto& m : messages_) {
        if (!must_be_there(*m)) continue;
        if (m->excused)
            lost_to_damage_ += 1;
        else
            find(fmt::format("message {} was sent to {}, acknowledged in round {} and never deleted, and is lost", m->label, m->home->name,
                             m->added_round));
    }
    if (!asks_.empty() && !damaged_) find(fmt::format("operation {} was never answered", asks_.begin()->first.value()));
}

}  // namespace forebay::sim
