// The auditor on messages: what sends, receives, deletes and visibility changes make known, and what contradicts it.

#include <fmt/format.h>

#include "sim/auditor.h"

namespace forebay::sim {
namespace {

std::string label_of(std::string_view body) { return std::string(body.substr(0, std::min(body.find(' '), std::size_t{32}))); }

}  // namespace

// Sends.

MessageKnowledge* Auditor::add(QueueKnowledge* queue, const queue::OutgoingMessage& message, std::uint64_t content) {
    auto& m = messages_.emplace_back(std::make_unique<MessageKnowledge>());
    m->label = label_of(message.body);
    m->home = m->sent_to = queue;
    m->id = m->sent_id = message.id;
    m->added_round = round_;
    m->is_record = message.is_record || queue->carries_records();
    m->body = content_of(message.body);
    m->asked_at = now_;
    m->jumped_at_ask = jumped_;
    auto own_delay = queue->is_fifo() ? std::nullopt : message.delay;
    m->delay_least = own_delay.value_or(queue->delay(false));
    m->visible_by = later_ + own_delay.value_or(queue->delay(true));
    m->group = message.group;
    if (queue->is_fifo()) {
        m->deduplication = deduplication_of(queue, message);
        same_id_[m->deduplication].push_back(m.get());
    }
    queue->messages.push_back(m.get());
    by_content_[content].push_back(m.get());
    return m.get();
}

MessageKnowledge* Auditor::copy_of(const MessageKnowledge& message) {
    for (auto& [content, copies] : by_content_) {
        if (std::find(copies.begin(), copies.end(), &message) == copies.end()) continue;
        auto& m = messages_.emplace_back(std::make_unique<MessageKnowledge>());
        m->label = message.label;
        m->group = message.group;
        m->home = m->sent_to = message.home;
        m->is_record = message.is_record;
        m->body = message.body;
        m->added_round = round_;
        m->asked_at = now_;
        m->jumped_at_ask = jumped_;
        m->delay_least = message.delay_least;
        m->visible_by = later_ + message.home->delay(true);
        m->home->messages.push_back(m.get());
        copies.push_back(m.get());
        return m.get();
    }
    return nullptr;
}

bool Auditor::is_in_window(const OnceUse& use, const broker::OnceKey& once) const {
    return use.added_at + once.window > later_ + (jumped_ - use.jumped_at_add);
}

/// The same key and content again is the same message, as long as the window may be open.
MessageKnowledge* Auditor::send_once(QueueKnowledge* queue, const queue::OutgoingMessage& message, std::uint64_t content,
                                     const broker::OnceKey& once) {
    auto& known = once_[once.key];
    for (auto& use : known.uses) {
        if (use.content != content) {
            known.unclear = known.unclear || !use.settled;
            continue;
        }
        use.asks += 1;
        // The window may be over: whether this attempt adds a message of its own, its answer will say.
        // So it will when the message was removed before its sender knew that it was there.
        if (!is_in_window(use, once) || (!use.settled && use.message->gone != Certainty::no)) return add(queue, message, content);
        use.message->visible_by = std::max(use.message->visible_by, later_ + message.delay.value_or(queue->delay(true)));
        if (use.message->added == Certainty::no) use.message->added = Certainty::maybe;
        if (use.message->added == Certainty::maybe) use.message->added_round = round_;
        return use.message;
    }
    auto* m = add(queue, message, content);
    m->is_once = true;
    known.uses.push_back({content, once.record, m, 1, false, false, now_, jumped_});
    return m;
}

Auditor::Ask Auditor::ask(const broker::Send& c) {
    auto* q = queue(c.queue);
    q->busy = round_;
    auto content = content_of(c.message.body, c.message.attributes, c.message.system_attributes, c.message.group);
    return SendAsked{q, {c.once ? send_once(q, c.message, content, *c.once) : add(q, c.message, content)}, c.once, content};
}

Auditor::Ask Auditor::ask(const broker::SendBatch& c) {
    SendAsked asked{queue(c.queue), {}, std::nullopt, 0};
    asked.queue->busy = round_;
    for (auto& m : c.messages)
        asked.messages.push_back(add(asked.queue, m, content_of(m.body, m.attributes, m.system_attributes, m.group)));
    return asked;
}

void Auditor::acknowledged(MessageKnowledge* m, Uuid id) {
    if (m->id.is_nil()) m->id = id;
    if (m->sent_id.is_nil()) m->sent_id = id;
    if (m->id != id && !m->is_once) find(fmt::format("message {} was acknowledged under another id than it was sent with", m->label));
    m->added = Certainty::yes;
    m->acknowledged = true;
    m->added_round = round_;
    synced_ = round_ - 1;
    logged_at_ = now_ + jumped_;
}

void Auditor::sent(QueueKnowledge* queue, MessageKnowledge* m, const Told<broker::Sent>& answer) {
    if (is_unknown(answer)) return;
    if (answer && queue->is_fifo()) return sent_fifo(queue, m, *answer);
    if (answer) return acknowledged(m, answer->id);
    refused(queue, answer.error(), "a send");
    m->added = Certainty::no;
}

/// A refused repetition says nothing about the first attempt; a refused first attempt is as if it had not been made.
void Auditor::refused_once(const SendAsked& asked) {
    auto& uses = once_[asked.once->key].uses;
    auto use = std::find_if(uses.begin(), uses.end(), [&](auto& u) { return u.content == asked.content; });
    auto* attempt = asked.messages.front();
    if (use == uses.end() || use->message != attempt || use->asks == 1) attempt->added = Certainty::no;
    if (use != uses.end() && use->message == attempt && use->asks == 1) uses.erase(use);
}

void Auditor::answered(Operation operation, const Told<broker::Sent>& answer) {
    auto asked = take<SendAsked>(operation, is_unknown(answer));
    if (!asked) return;
    if (!asked->once) return sent(asked->queue, asked->messages.front(), answer);
    if (answer) return sent_once(*asked, *answer);
    refused(asked->queue, answer.error(), "a send");
    refused_once(*asked);
}

void Auditor::answered(Operation operation, const Told<std::vector<Told<broker::Sent>>>& answer) {
    auto asked = take<SendAsked>(operation, is_unknown(answer));
    if (!asked) return;
    if (answer && answer->size() != asked->messages.size())
        return find(fmt::format("a batch of {} was answered with {} results", asked->messages.size(), answer->size()));
    for (std::size_t i = 0; i < asked->messages.size(); ++i)
        sent(asked->queue, asked->messages[i], answer ? (*answer)[i] : Told<broker::Sent>(Failure{answer.error()}));
}

void Auditor::sent_once(const SendAsked& asked, const broker::Sent& answer) {
    auto& known = once_[asked.once->key];
    auto use = std::find_if(known.uses.begin(), known.uses.end(), [&](auto& u) { return u.content == asked.content; });
    if (use == known.uses.end()) return find("a send with a key was answered whose key nobody used");
    auto* attempt = asked.messages.front();
    if (answer.duplicate) return duplicate(*use, attempt, answer);
    if (answer.key_reused) return reused(known, *use, *asked.once, answer.id);
    added_once(known, *use, attempt, *asked.once, answer.id);
}

void Auditor::duplicate(OnceUse& use, MessageKnowledge* attempt, const broker::Sent& answer) {
    auto& m = *use.message;
    if (use.asks < 2 && !damaged_) return find(fmt::format("message {} was called a duplicate and is the first with its key", m.label));
    if (answer.original_record != use.record)
        find(fmt::format("message {} was called a duplicate of another record than was sent", m.label));
    if (attempt != &m) attempt->added = Certainty::no;
    if (m.gone == Certainty::yes) seen_.note(Rare::duplicate_after_delete);
    if (use.unsure) return;
    use.settled = true;
    m.added = Certainty::yes;
    m.added_round = round_;
}

/// The broker says that it took the message as new.
void Auditor::added_once(OnceKnowledge& known, OnceUse& use, MessageKnowledge* attempt, const broker::OnceKey& once, Uuid id) {
    for (auto& other : known.uses) {
        if (!other.settled || known.unclear || damaged_ || !is_in_window(other, once)) continue;
        if (&other == &use)
            return find(fmt::format("message {} was sent again with its key and was added a second time", use.message->label));
        return find(fmt::format("message {} was taken as new though its key belongs to {}", use.message->label, other.message->label));
    }
    bool is_second = attempt->added == Certainty::yes || attempt->gone == Certainty::yes;
    use.message = is_second ? copy_of(*attempt) : attempt;
    use.settled = true;
    use.added_at = now_;
    use.jumped_at_add = jumped_;
    acknowledged(use.message, id);
}

void Auditor::reused(OnceKnowledge& known, OnceUse& use, const broker::OnceKey& once, Uuid id) {
    if (known.uses.size() < 2)
        return find(fmt::format("message {} was told that its key was used before, which nobody did", use.message->label));
    seen_.note(Rare::key_reused);
    known.unclear = known.unclear || !once.refuse_reuse;
    if (!once.refuse_reuse) return acknowledged(use.message, id);
    if (use.message->added == Certainty::maybe && use.asks == 1) use.message->added = Certainty::no;
}

// Receives.

Auditor::Ask Auditor::ask(const broker::Receive& c) {
    auto* q = queue(c.queue);
    q->busy = round_;
    return ReceiveAsked{q, c.max_messages, c.visibility, !c.still_wanted, now_, now_ + c.wait.value_or(Duration(0)), c.attempt};
}

void Auditor::answered(Operation operation, const Told<std::vector<queue::Delivery>>& answer) {
    auto asked = take<ReceiveAsked>(operation, is_unknown(answer));
    if (!asked) return;
    asked->queue->busy = round_;
    if (!answer) return refused(asked->queue, answer.error(), "a receive");
    if (answer->size() > asked->max) return find(fmt::format("a receive of at most {} was given {}", asked->max, answer->size()));
    if (!asked->wanted && !answer->empty()) find(fmt::format("queue {} handed a message to a client that had gone", asked->queue->name));
    std::set<Uuid> ids;
    Given given;
    for (auto& delivery : *answer) {
        if (!ids.insert(delivery.id).second) find(fmt::format("one receive was given message {} twice", label_of(delivery.body)));
        if (auto* m = recognise(asked->queue, delivery, Sight::delivered)) given.push_back(m);
    }
    if (given.size() < answer->size()) return;
    for (std::size_t i = 0; asked->queue->is_fifo() && i < given.size(); ++i)
        check_group(asked->queue, *given[i], (*answer)[i].receipt, Given(given.begin(), given.begin() + static_cast<std::ptrdiff_t>(i)),
                    given);
    if (!asked->queue->is_fifo()) check_tenants(*asked, given);
    for (auto& delivery : *answer) delivered(*asked, delivery);
    if (answer->empty() && asked->wanted) check_found_nothing(*asked);
}

MessageKnowledge* Auditor::match(std::uint64_t content, const Uuid& id) {
    auto found = by_content_.find(content);
    if (found == by_content_.end()) return nullptr;
    MessageKnowledge* unnamed = nullptr;
    for (auto* m : found->second) {
        if (m->id == id) return m;
        if (m->id.is_nil() && (unnamed == nullptr || unnamed->added == Certainty::no)) unnamed = m;
    }
    return unnamed != nullptr || !damaged_ ? unnamed : found->second.front();
}

/// The message this is; nothing (and a finding) when it cannot be where it was seen.
MessageKnowledge* Auditor::recognise(QueueKnowledge* queue, const queue::Delivery& d, Sight sight) {
    auto how = sight == Sight::delivered ? "delivered" : "shown";
    auto content = content_of(d.body, d.attributes, d.system_attributes, d.group);
    auto* m = match(content, d.id);
    if (m == nullptr) m = match_moved(content);
    if (m == nullptr) {
        auto why = by_content_.contains(content) ? "is there a second time" : "was never sent, or with other bytes or attributes";
        find(fmt::format("message {} ({}) was {} by queue {} and {}", label_of(d.body), to_text(d.id), how, queue->name, why));
        return nullptr;
    }
    if (m->added == Certainty::no) {
        find(fmt::format("message {} was refused, and yet {} by queue {}", m->label, how, queue->name));
        return nullptr;
    }
    if (m->gone == Certainty::yes && m->gone_round < round_ && !damaged_) {
        find(fmt::format("message {} was {} in round {}, and yet {} by queue {}", m->label, m->gone_by, m->gone_round, how, queue->name));
        return nullptr;
    }
    if (!check_place(queue, *m, how)) return nullptr;
    seen_after_move(*m, queue, d, sight == Sight::delivered);
    m->id = d.id;
    if (m->sent_id.is_nil() && !m->was_moved) m->sent_id = d.id;
    return m;
}

bool Auditor::check_place(QueueKnowledge* queue, const MessageKnowledge& m, std::string_view how) {
    if (damaged_ || may_be_in(m, queue) || m.gone == Certainty::yes) return true;
    if (queue == m.home)
        find(fmt::format("message {} was {} by queue {} after it had gone to the dead letters {}", m.label, how, queue->name,
                         m.seen_in->name));
    else
        find(fmt::format("message {} of queue {} was {} by queue {} after {} receives", m.label, m.home->name, how, queue->name,
                         m.receives.most()));
    return false;
}

void Auditor::delivered(const ReceiveAsked& asked, const queue::Delivery& d) {
    auto* m = recognise(asked.queue, d, Sight::delivered);
    if (m == nullptr) return;
    bool is_again = is_receive_again(asked, *m, d.receipt);
    if (is_again) seen_.note(Rare::receive_repeated);
    if (!damaged_ && !is_again) {
        check_time(*m, asked.queue);
        check_receipt(*m, d.receipt);
        check_count(*m, asked.queue, d);
        auto source = m->home == asked.queue ? std::string_view{} : std::string_view(m->home->name);
        if (d.dead_letter_source != source && !m->home->was_removed)
            find(fmt::format("message {} in queue {} says it is a dead letter of '{}'", m->label, asked.queue->name, d.dead_letter_source));
        if (m->attempts && m->disturbed != round_ && d.attempts != *m->attempts)
            find(fmt::format("message {} was delivered with {} attempts noted where there were {}", m->label, d.attempts, *m->attempts));
    }
    note_delivery(asked, *m, d);
}

void Auditor::check_time(const MessageKnowledge& m, QueueKnowledge* queue) {
    if (m.disturbed != round_ && m.hidden_until > later_)
        find(fmt::format("message {} was delivered by queue {} again {} ms before its visibility timeout ended", m.label, queue->name,
                         (m.hidden_until - later_).count()));
    auto due = m.asked_at + (m.delay_least - (jumped_ - m.jumped_at_ask));
    if (queue == m.home && !m.newest && due > later_)
        find(
            fmt::format("message {} was delivered by queue {} {} ms before its delay ended", m.label, queue->name, (due - later_).count()));
}

void Auditor::check_receipt(const MessageKnowledge& m, const queue::Receipt& receipt) {
    auto found = by_sequence_.find({receipt.queue, receipt.sequence});
    if (found != by_sequence_.end() && found->second != &m)
        find(fmt::format("messages {} and {} have the same sequence {}", m.label, found->second->label, receipt.sequence.value()));
    if (!m.newest && m.sequence && m.home->is_fifo() && !may_be_dead(m) && *m.sequence != receipt.sequence)
        find(fmt::format("message {} has sequence {} and was told {}", m.label, receipt.sequence.value(), m.sequence->value()));
    if (!m.newest || m.newest->queue != receipt.queue) return;
    if (m.newest->sequence != receipt.sequence) find(fmt::format("message {} changed its sequence", m.label));
    if (std::pair(receipt.epoch, receipt.generation) <= std::pair(m.newest->epoch, m.newest->generation))
        find(fmt::format("message {} was delivered with a receipt that is not newer than the one before", m.label));
}

void Auditor::check_count(const MessageKnowledge& m, QueueKnowledge* queue, const queue::Delivery& d) {
    bool moved = queue != m.home && !m.is_dead();
    auto released = m.disturbed == round_ ? m.disturbances : 0;  // in this round, perhaps before
    if (d.receive_count + released < m.receives.least() + 1 || d.receive_count > m.receives.most() + 1 + moved)
        find(fmt::format("message {} was delivered by queue {} with receive count {} where it must be {} to {}", m.label, queue->name,
                         d.receive_count, m.receives.least() + 1, m.receives.most() + 1));
    if (d.receive_count < m.receives.most() + 1) seen_.note(Rare::receive_count_lost);
    if (moved) seen_.note(Rare::dead_letter);
    auto most = queue->receives_max();
    for (auto& name : queue->dead_letters)
        if (this->queue(name)->exists != Certainty::yes || this->queue(name)->settled == round_) most.reset();
    if (most && d.receive_count > *most)
        find(fmt::format("message {} was delivered by queue {} for the {}th time where {} is the most", m.label, queue->name,
                         d.receive_count, *most));
}

void Auditor::note_delivery(const ReceiveAsked& asked, MessageKnowledge& m, const queue::Delivery& d) {
    m.added = Certainty::yes;
    m.added_round = std::min(m.added_round, round_ - 1);
    if (m.gone == Certainty::maybe) m.gone = Certainty::no;
    by_sequence_[{d.receipt.queue, d.receipt.sequence}] = &m;
    by_queue_id_[d.receipt.queue] = asked.queue;
    note_served(asked.queue, m);
    m.seen_in = asked.queue;
    m.newest = d.receipt;
    m.newest_is_certain = true;
    m.delivered = round_;
    m.attempt = asked.attempt;
    m.receives.is_now(d.receive_count, d.receive_count, round_, synced_);
    m.attempts = d.attempts;
    bool undisturbed = m.disturbed != round_;
    m.hidden_until = undisturbed ? now_ + asked.visibility.value_or(asked.queue->visibility(false)) : Instant{};
    m.visible_by = std::max(m.visible_by, later_ + asked.visibility.value_or(asked.queue->visibility(true)));
}

/// A receive may find nothing only when nothing was certain to be there.
void Auditor::check_found_nothing(const ReceiveAsked& asked) {
    if (damaged_ || stopping_ == round_ || asked.queue->settled == round_) return;
    // When the process overslept the end of a long poll, what became visible meanwhile came too late for it.
    auto moment = now_ > asked.until ? asked.asked_at : now_;
    for_each_near(asked.queue, [&](MessageKnowledge& m) {
        if (!must_be_in(m, asked.queue) || m.visible_by > moment || m.disturbed == round_ || m.delivered == round_) return;
        if (asked.queue->is_fifo() && group_may_wait(asked.queue, m, moment)) return;
        find(fmt::format("queue {} had nothing to give though message {} could be received since {} ms", asked.queue->name, m.label,
                         (now_ - m.visible_by).count()));
    });
}

// Deletes and visibility changes.

MessageKnowledge* Auditor::named_by(QueueKnowledge* queue, const queue::Receipt& receipt) {
    auto giver = by_queue_id_.find(receipt.queue);
    if (giver == by_queue_id_.end() || giver->second != queue) return nullptr;
    auto found = by_sequence_.find({receipt.queue, receipt.sequence});
    return found == by_sequence_.end() ? nullptr : found->second;
}

Auditor::Ask Auditor::ask(const broker::Delete& c) {
    DeleteAsked asked{queue(c.queue), {}, {}};
    asked.queue->busy = round_;
    for (auto& receipt : c.receipts) {
        auto* m = named_by(asked.queue, receipt);
        asked.messages.push_back(m);
        asked.receipts.push_back(receipt);
        if (m != nullptr) m->disturb(round_);
    }
    return asked;
}

void Auditor::answered(Operation operation, const Told<std::vector<Told<void>>>& answer) {
    auto found = asks_.find(operation);
    bool is_change = found != asks_.end() && std::holds_alternative<ChangeAsked>(found->second);
    auto unknown = is_unknown(answer);
    if (is_change) {
        auto asked = take<ChangeAsked>(operation, unknown);
        if (!asked) return;
        if (!answer) return refused(asked->queue, answer.error(), "a change of visibility");
        if (answer->size() != asked->changes.size()) return find("a batch of changes was not answered one by one");
        for (std::size_t i = 0; i < answer->size(); ++i) changed(asked->changes[i], (*answer)[i]);
        return;
    }
    auto asked = take<DeleteAsked>(operation, unknown);
    if (!asked) return;
    if (!answer) return refused(asked->queue, answer.error(), "a delete");
    if (answer->size() != asked->messages.size()) return find("a batch of deletes was not answered one by one");
    for (std::size_t i = 0; i < answer->size(); ++i) deleted(*asked, i, (*answer)[i]);
}

/// A receipt of the queue a message has left for the dead letters deletes nothing.
void Auditor::deleted(const DeleteAsked& asked, std::size_t i, const Told<void>& answer) {
    auto* m = asked.messages[i];
    if (m == nullptr) {
        if (answer && !damaged_) find(fmt::format("queue {} accepted a receipt it never gave", asked.queue->name));
        return;
    }
    if (is_unknown(answer) || m->is_of_before_move(asked.receipts[i])) return unknown(DeleteAsked{asked.queue, {m}, {}});
    if (asked.queue->is_fifo()) check_expired(*m, asked.receipts[i], !answer && answer.error() == Refusal::receipt_expired);
    if (!answer && answer.error() == Refusal::receipt_expired) return;
    if (!answer) {
        if (!damaged_ && asked.queue->exists == Certainty::yes && !asked.queue->was_removed && m->gone == Certainty::no)
            find(fmt::format("a receipt of message {} was refused by queue {}", m->label, asked.queue->name));
        return;
    }
    if (m->gone == Certainty::yes) return;
    bool is_where_it_is = m->is_dead() ? m->seen_in == asked.queue : m->home == asked.queue && !may_be_dead(*m);
    is_where_it_is = is_where_it_is && !m->may_have_moved(later_);
    if (m->newest && *m->newest != asked.receipts[i]) seen_.note(Rare::stale_receipt_deleted);
    if (is_where_it_is)
        gone(m, "deleted");
    else if (may_be_in(*m, asked.queue))
        m->gone = Certainty::maybe;
}

Auditor::Ask Auditor::ask(const broker::ChangeVisibility& c) {
    ChangeAsked asked{queue(c.queue), {}};
    asked.queue->busy = round_;
    for (auto& change : c.changes) {
        auto* m = named_by(asked.queue, change.receipt);
        asked.changes.push_back({m, change});
        if (m != nullptr) m->disturb(round_);
    }
    return asked;
}

void Auditor::changed(const ChangeAsked::One& one, const Told<void>& answer) {
    auto* m = one.message;
    if (damaged_) return unknown(ChangeAsked{nullptr, {one}});
    if (m == nullptr) {
        if (answer) find("the visibility of a message that was never delivered was changed");
        return;
    }
    if (is_unknown(answer) || m->is_of_before_move(one.change.receipt)) return unknown(ChangeAsked{nullptr, {one}});
    bool has_expired = !answer && answer.error() == Refusal::receipt_expired;
    if (m->home->is_fifo()) check_expired(*m, one.change.receipt, has_expired);
    if (has_expired) return;
    if (answer) {
        if (m->gone == Certainty::yes && m->gone_round < round_)
            return find(fmt::format("the visibility of message {} was changed after it was {}", m->label, m->gone_by));
        return note_change(one);
    }
    bool has_left = !m->movers.empty() || (m->newest && m->newest->queue != one.change.receipt.queue);
    if (answer.error() == Refusal::not_in_flight && must_be_there(*m) && !may_be_dead(*m) && !has_left && m->disturbances == 1)
        find(fmt::format("the visibility of message {} could not be changed though it is there", m->label));
    if (answer.error() == Refusal::invalid_receipt && must_be_there(*m) && !by_queue_id_[one.change.receipt.queue]->was_removed)
        find(fmt::format("a receipt of message {} was called invalid", m->label));
}

/// Only the newest receipt has an effect (D20); what cannot be told leaves both possible.
void Auditor::note_change(const ChangeAsked::One& one) {
    auto& m = *one.message;
    auto& change = one.change;
    bool is_newest = m.newest && *m.newest == change.receipt;
    bool is_alone = m.disturbances == 1 && m.delivered != round_;
    if (is_newest && m.newest_is_certain && is_alone) {
        // A receive is taken back only while it hides the message.
        auto down = change.release ? 1u : 0u, down_for_certain = m.hidden_until > later_ ? down : 0u;
        m.receives.is_now(m.receives.least() - std::min(down, m.receives.least()),
                          m.receives.most() - std::min(down_for_certain, m.receives.most()), round_, synced_);
        m.hidden_until = now_ + change.timeout;
        m.lower_visible_by(later_ + change.timeout, round_, synced_);
        if (change.attempts) m.attempts = std::min<std::uint32_t>(*change.attempts, 255);
        return;
    }
    if (m.newest && !is_newest && m.hidden_until > later_ && is_alone) return;
    m.hidden_until = {};
    m.visible_by = std::max(m.visible_by, later_ + change.timeout);
    if (change.release) m.receives.is_now(m.receives.least() - std::min(1u, m.receives.least()), m.receives.most(), round_, synced_);
    if (change.attempts) m.attempts.reset();
}

}  // namespace forebay::sim
