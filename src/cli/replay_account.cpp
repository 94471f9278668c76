#include "cli/replay_account.h"

#include <algorithm>
#include <unordered_set>

#include "cli/effects.h"
#include "cli/verbs/seen_database.h"
#include "cli/words.h"
#include "http/message.h"
#include "ledger/ledger.h"
#include "worker/inbox.h"

namespace forebay::cli {
namespace {

constexpr std::size_t page = 1000;
/// The log has a record a moment after it was received; a busy disk is not slower than this.
constexpr Duration logged_later = 1min;

struct Message {
    Timestamp received_at;
    std::uint32_t again = 0;
};
using Waiting = std::unordered_map<Uuid, Message>;

/// A record of the range, without its body.
struct Listed {
    Uuid id;
    Timestamp sent_at;
    Counted one;
};

class Counting {
  public:
    Counting(Invocation& invocation, const Configuration& configuration, const ReplayWish& wish)
        : invocation_(invocation),
          configuration_(configuration),
          wish_(wish),
          admin_(invocation),
          ledger_(ledger_sources(configuration)),
          before_(effects_before(configuration, *wish.worker)) {}

    Result<ReplayAccount, int> run() {
        TRY(look_into_queues());
        complain_of_gone(configuration_, invocation_.terminal());
        TRY(find_unsettled());
        set_end();
        if (account_.to > wish_.from) TRY(count_records());
        choose_again();
        invocation_.terminal().progress("");
        return std::move(account_);
    }

  private:
    Result<void, int> look_into_queues() {
        TRY(look_into(wish_.worker->queue));
        for (const auto* worker : before_)
            if (worker->queue != wish_.worker->queue) TRY(look_into(worker->queue));
        return {};
    }

    Result<void, int> look_into(const std::string& queue) {
        std::string after;
        for (;;) {
            auto answer = admin_.get("/api/queues/" + http::percent_encode(queue) + "/peek" +
                                     query_of({{"max", std::to_string(page)}, {"after", after}}));
            if (!answer) return Failure{failed(invocation_, answer.error())};
            const auto& messages = (*answer)["messages"].elements();
            for (const auto& message : messages) {
                note_waiting(message);
                after = message["sequence"].text();
            }
            if (messages.size() < page) return {};
            if (waiting_.size() < waiting_max) continue;
            invocation_.terminal().complain("more than " + grouped(waiting_max) + " messages wait in " + queue +
                                            ": they are not missing. Try again when it is shorter");
            return Failure{int{exit_code::try_again}};
        }
    }

    void note_waiting(const json::Value& message) {
        auto sent_at = parse_timestamp(message["sent_at"].text()).value_or(Timestamp{});
        auto record = record::decode(message["body"].text(), worker::id_of_message(message["message_id"].text()), sent_at);
        if (!record) return;  // its worker will say so
        auto& known = waiting_[record->id];
        known.received_at = record->received_at;
        known.again = std::max(known.again, record->again);
    }

    Result<std::map<std::string, ledger::Story>, int> stories_of(const std::set<std::string>& ids) {
        auto stories = ledger_.stories(ids);
        if (stories) return std::move(*stories);
        invocation_.terminal().complain(stories.error().what);
        return Failure{int{exit_code::io}};
    }

    /// What is retrying or settled is known to the ledger, however old it is; anything else that waits its worker has yet to take.
    Result<void, int> find_unsettled() {
        std::set<std::string> ids;
        auto look = [&]() -> Result<void, int> {
            TRY_ASSIGN(auto stories, stories_of(ids));
            for (const auto& text : ids) {
                auto received_at = waiting_.at(*parse_uuid(text)).received_at;
                auto story = stories.find(text);
                const auto* row = story == stories.end() ? nullptr : row_of(story->second, wish_.worker->name);
                if (row != nullptr && row->state != "held" && row->state != "dead") continue;
                account_.unsettled = std::min(account_.unsettled.value_or(received_at), received_at);
            }
            ids.clear();
            return {};
        };
        for (const auto& [id, message] : waiting_) {
            ids.insert(to_text(id));
            if (ids.size() == page) TRY(look());
        }
        return look();
    }

    void set_end() {
        auto now = invocation_.world().clock.wall();
        account_.to = wish_.to.value_or(std::min(now, account_.unsettled.value_or(now)));
        if (wish_.to) return;
        for (const auto& [id, message] : waiting_) account_.later += message.received_at >= account_.to ? 1 : 0;
    }

    static const ledger::Effect* row_of(const ledger::Story& story, std::string_view effect) {
        auto at = std::find_if(story.effects.begin(), story.effects.end(), [&](const auto& row) { return row.effect == effect; });
        return at == story.effects.end() ? nullptr : &*at;
    }

    /// Whether records that came to `queue` at `endpoint` must have the effect.
    bool concerns(const json::Value& record) const {
        auto queue = record["queue"].text();
        for (const auto& endpoint : configuration_.endpoints)
            if (endpoint.name == record["endpoint"].text()) queue = endpoint.queue;
        auto effects = effects_of(configuration_, queue);
        return std::find(effects.begin(), effects.end(), wish_.worker) != effects.end();
    }

    Result<void, int> count_records() {
        std::string cursor;
        do {
            auto answer = admin_.get("/api/records" + query_of({{"from", std::to_string(wish_.from.ms)},
                                                                {"to", std::to_string((account_.to + logged_later).ms)},
                                                                {"endpoint", wish_.endpoint},
                                                                {"where", wish_.where},
                                                                {"after", cursor},
                                                                {"max", std::to_string(page)}}));
            if (!answer) return Failure{failed(invocation_, answer.error())};
            TRY(count_page((*answer)["records"].elements()));
            cursor = (*answer)["next"].text();
            invocation_.terminal().progress("looked at " + counted(seen_.size(), "record"));
        } while (!cursor.empty());
        return {};
    }

    Result<void, int> count_page(const std::vector<json::Value>& records) {
        std::vector<Listed> listed;
        std::set<std::string> ids;
        for (const auto& record : records) {
            auto id = parse_uuid(record["id"].text());
            auto received_at = parse_timestamp(record["received_at"].text()), sent_at = parse_timestamp(record["sent_at"].text());
            if (!id || !received_at || !sent_at || *received_at < wish_.from || *received_at >= account_.to) continue;
            if (!concerns(record) || !seen_.insert(*id).second) continue;
            listed.push_back({*id, *sent_at, {1, money_of(record)}});
            ids.insert(record["id"].text());
        }
        if (seen_.size() > replayed_max) {
            invocation_.terminal().complain("the range has more than " + grouped(replayed_max) + " records: take it in parts");
            return Failure{int{exit_code::usage}};
        }
        TRY_ASSIGN(auto stories, stories_of(ids));
        for (const auto& one : listed) count_one(one, stories[to_text(one.id)]);
        return {};
    }

    /// What the record carries, or else what its endpoint says today.
    Money money_of(const json::Value& record) const {
        Money money;
        auto value = record["value"].text();
        auto currency = record["currency"].text();
        for (const auto& endpoint : configuration_.endpoints) {
            if (!value.empty() || endpoint.name != record["endpoint"].text()) continue;
            value = endpoint.value;
            currency = endpoint.currency;
        }
        money.add(value, currency);
        return money;
    }

    void count_one(const Listed& record, const ledger::Story& story) {
        account_.in_range.add(record.one);
        const auto* row = row_of(story, wish_.worker->name);
        auto state = row == nullptr ? std::string() : row->state;
        if (state == "done") return count_done(record, story);
        auto waits = waiting_.contains(record.id);
        if (waits) return (state == "retrying" ? account_.retrying : account_.waiting).add(record.one);
        if (state == "skipped") return account_.skipped.add(record.one);
        if (state == "discarded") return account_.discarded.add(record.one);
        if (state == "dead") return account_.dead.add(record.one);
        if (auto* kept_back = row == nullptr ? kept_back_by(story) : nullptr) return kept_back->add(record.one);
        account_.missing.add(record.one);  // also retrying or held without a message: that is lost
        if (!wish_.again) to_run(record);
    }

    /// An effect before this one that did not let the record through: `then` follows only what is done.
    Counted* kept_back_by(const ledger::Story& story) {
        for (const auto* worker : before_) {
            const auto* row = row_of(story, worker->name);
            if (row == nullptr) continue;
            if (row->state == "skipped") return &account_.skipped;
            if (row->state == "discarded") return &account_.discarded;
            if (row->state == "dead") return &account_.dead;
        }
        return nullptr;
    }

    void count_done(const Listed& record, const ledger::Story& story) {
        account_.done.add(record.one);
        if (!wish_.again) return;
        std::uint32_t number = 0;
        for (const auto& row : story.effects) {
            auto [effect, again] = ledger::split_effect(row.effect);
            if (effect == wish_.worker->name) number = std::max(number, again);
        }
        if (auto message = waiting_.find(record.id); message != waiting_.end()) number = std::max(number, message->second.again);
        auto& have = done_by_again_[number];
        have.first.add(record.one);
        have.second.push_back({record.id, record.sent_at});
    }

    /// A replay that was broken off goes on: where some have the newest number and others not, those get it. Otherwise the next.
    void choose_again() {
        if (done_by_again_.empty()) return;
        auto newest = done_by_again_.rbegin()->first;
        bool was_broken_off = newest > 0 && done_by_again_.size() > 1;
        account_.again = was_broken_off ? newest : newest + 1;
        for (auto& [number, have] : done_by_again_) {
            if (number >= account_.again) continue;
            account_.to_run.add(have.first);
            account_.records.insert(account_.records.end(), have.second.begin(), have.second.end());
        }
        std::sort(account_.records.begin(), account_.records.end(), [](const auto& a, const auto& b) { return a.sent_at < b.sent_at; });
    }

    void to_run(const Listed& record) {
        account_.to_run.add(record.one);
        account_.records.push_back({record.id, record.sent_at});
    }

    Invocation& invocation_;
    const Configuration& configuration_;
    const ReplayWish& wish_;
    AdminClient admin_;
    ledger::Ledger ledger_;
    std::vector<const WorkerConfiguration*> before_;
    Waiting waiting_;
    std::unordered_set<Uuid> seen_;
    std::map<std::uint32_t, std::pair<Counted, std::vector<ReplayRecord>>> done_by_again_;
    ReplayAccount account_;
};

}  // namespace

Result<ReplayAccount, int> count_replay(Invocation& invocation, const Configuration& configuration, const ReplayWish& wish) {
    return Counting(invocation, configuration, wish).run();
}

}  // namespace forebay::cli
