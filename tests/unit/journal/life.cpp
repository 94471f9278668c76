#include "tests/unit/journal/life.h"

#include <algorithm>
#include <charconv>

namespace forebay::journal {

std::string Life::new_body(std::size_t bytes) {
    auto body = std::to_string(records_.size()) + ":";
    while (body.size() < bytes) body.push_back(static_cast<char>('a' + random.below(26)));
    return body;
}

std::optional<std::size_t> Life::index_of(std::string_view body) const {
    std::size_t index = 0;
    auto [end, error] = std::from_chars(body.data(), body.data() + body.size(), index);
    if (error != std::errc{} || index >= records_.size() || records_[index].body != body) return {};
    return index;
}

bool Life::append_one(std::size_t bytes) {
    Record record;
    record.body = new_body(bytes);
    record.position = log_->next_position().value();
    record.location = log_->append(8, 0, record.body);
    records_.push_back(record);
    return !log_->fault();
}

bool Life::write() { return log_->write().ok(); }

bool Life::sync() {
    if (!log_->sync().ok()) return false;
    EXPECT_EQ(log_->durable(), log_->next_position());
    acknowledge_all();
    return true;
}

void Life::acknowledge_all() {
    for (auto& record : records_)
        if (record.state == State::pending) {
            record.state = State::acknowledged;
            ++acknowledged_;
        }
    highest_position_ = std::max(highest_position_, log_->next_position().value());
}

/// Drops up to two of the oldest segments; some go to history.
bool Life::drop_some() {
    auto oldest = log_->oldest_segment().value();
    auto first = std::min(oldest + 1 + random.below(2), log_->active_segment().value());
    if (!sync()) return false;
    bool keep_odd = random.one_in(2);
    auto keep = [&](std::uint64_t number) { return keep_odd && number % 2 == 1; };
    for (auto& record : records_)
        if (record.location.segment < first && record.state == State::acknowledged) {
            record.state = State::maybe_dropped;
            record.kept = keep(record.location.segment);
        }
    auto fate = [&](SegmentNumber number) { return keep(number.value()) ? Fate::history : Fate::reuse; };
    if (!log_->drop_below(SegmentNumber(first), fate).ok()) return false;
    for (auto& record : records_)
        if (record.state == State::maybe_dropped && record.location.segment < first) record.state = State::dropped;
    return true;
}

bool Life::act() {
    clock.advance(Duration(static_cast<std::int64_t>(random.below(15))));
    switch (random.below(16)) {
        case 0:
            return drop_some();
        case 1:
        case 2:
            log_->maintain();
            return true;
        case 3:
        case 4:
        case 5:
            return write();
        case 6:
        case 7:
        case 8:
            return sync();
        default:
            return append_one(4 + random.below(random.one_in(8) ? 6000 : 700));
    }
}

bool Life::open() {
    log_.reset();
    for (auto& record : records_) record.seen = 0;
    last_in_order_.reset();
    last_position_.reset();
    auto opened = Journal::open(
        disk, clock, entropy, options_, Position(0), SegmentNumber(0), [this](const Entry& entry) { take(entry); },
        [] { return std::string("preamble"); });
    if (!opened.ok()) return false;
    log_ = std::move(opened).value();
    check_replay();
    return true;
}

void Life::take(const Entry& entry) {
    if (entry.type == 0) return;
    auto index = index_of(entry.body);
    ASSERT_TRUE(index) << "a record was invented: " << entry.body.substr(0, 20);
    auto& record = records_[*index];
    EXPECT_EQ(++record.seen, 1u) << "record " << *index << " came twice";
    if (last_in_order_) {
        EXPECT_LT(*last_in_order_, *index) << "order";
    }
    if (last_position_) {
        EXPECT_LT(*last_position_, entry.position.value());
    }
    last_in_order_ = index;
    last_position_ = entry.position.value();
    record.location = entry.location;
    record.position = entry.position.value();
}

void Life::check_replay() {
    EXPECT_GT(log_->boot_epoch(), last_epoch_);
    last_epoch_ = log_->boot_epoch();
    EXPECT_GE(log_->next_position().value(), highest_position_) << "a position was given twice";
    if (!may_be_damaged) {
        EXPECT_FALSE(log_->report().corrupt) << log_->report().notes.front();
    }
    std::vector<Record> still;
    for (std::size_t i = 0; i < records_.size(); ++i) {
        auto& record = records_[i];
        if (record.state == State::acknowledged && record.seen == 0) {
            EXPECT_TRUE(may_be_damaged && log_->report().corrupt) << "acknowledged record " << i << " was lost";
            record.state = State::dropped;
            record.kept = false;
        }
        if (record.state == State::dropped) {
            EXPECT_TRUE(record.seen == 0 || may_be_damaged) << "dropped record " << i << " came back";
        }
        if (record.state == State::maybe_dropped) record.state = record.seen > 0 ? State::acknowledged : State::dropped;
        // What was never acknowledged is either here now, for good, or never comes back.
        if (record.state == State::pending) record.state = record.seen > 0 ? State::acknowledged : State::dropped;
    }
    highest_position_ = std::max(highest_position_, log_->next_position().value());
}

void Life::check_everything() {
    ASSERT_TRUE(log_);
    std::string buffer;
    for (std::size_t i = 0; i < records_.size(); ++i) {
        const auto& record = records_[i];
        if (record.state != State::acknowledged && record.state != State::pending) continue;
        auto read = log_->read(record.location, buffer);
        ASSERT_TRUE(read.ok()) << "record " << i << " at " << record.location.segment << ":" << record.location.offset << ": "
                               << read.error().text();
        EXPECT_EQ(read->body, record.body);
        EXPECT_EQ(read->position.value(), record.position);
        ++buffer[0];  // a stale buffer must not help the next one
    }
    for (auto& record : records_) record.seen = 0;
    auto summary = HistoryReader(disk).visit(Timestamp{0}, Timestamp{INT64_MAX / 2}, [this](const Entry& entry) {
        if (entry.type == 0) return true;
        auto index = index_of(entry.body);
        EXPECT_TRUE(index);
        if (index) {
            EXPECT_EQ(++records_[*index].seen, 1u) << "history shows record " << *index << " twice";
        }
        return true;
    });
    ASSERT_TRUE(summary.ok());
    for (std::size_t i = 0; i < records_.size(); ++i) {
        const auto& record = records_[i];
        bool must_be_there = record.state == State::acknowledged || (record.state == State::dropped && record.kept);
        if (must_be_there && !may_be_damaged) {
            EXPECT_EQ(record.seen, 1u) << "history misses record " << i << " of segment " << record.location.segment
                                       << (summary->damage.empty() ? "" : ", " + summary->damage.front());
        }
    }
}

}  // namespace forebay::journal
