// A database that is down for 24 hours, before workers as they are and a broker as it is, on a clock that is set. The
// queue gives a message up after three receives of a minute each: held workers must not spend one.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <semaphore>
#include <thread>

#include "tests/unit/broker/harness.h"
#include "tests/unit/worker/scripted_source.h"
#include "worker/outage.h"
#include "worker/worker.h"

namespace forebay::worker {
namespace {

/// Threads of which one runs at a time: the next is the one that has rested long enough first. Time passes only here, so
/// that a run is the same every time.
class Stage {
  public:
    explicit Stage(testing::ManualClock& clock) : clock_(clock) {}

    /// `play` begins when the curtain rises.
    void add(std::function<void()> play) {
        auto actor = std::make_unique<Actor>();
        actor->wakes = clock_.now();
        auto* self = actor.get();
        actor->thread = std::thread([this, self, play = std::move(play)] {
            self->turn.acquire();
            running_ = self;
            play();
            self->has_left = true;
            hand_over();
        });
        actors_.push_back(std::move(actor));
    }
    /// Until all have left.
    void run() {
        hand_over();
        for (auto& actor : actors_) actor->thread.join();
    }
    /// Of the actor that runs.
    void rest(Duration wait) {
        auto* self = running_;
        self->wakes = clock_.now() + std::max(wait, Duration(1));
        hand_over();
        self->turn.acquire();
        running_ = self;
    }

  private:
    struct Actor {
        std::binary_semaphore turn{0};
        Instant wakes;
        bool has_left = false;
        std::thread thread;
    };
    void hand_over() {
        Actor* next = nullptr;
        for (auto& actor : actors_)
            if (!actor->has_left && (next == nullptr || actor->wakes < next->wakes)) next = actor.get();
        if (next == nullptr) return;
        if (next->wakes > clock_.now()) clock_.advance(next->wakes - clock_.now());
        next->turn.release();
    }
    testing::ManualClock& clock_;
    std::vector<std::unique_ptr<Actor>> actors_;
    Actor* running_ = nullptr;
};

/// The broker itself, as a worker reaches it.
class BrokerSource final : public transport::Source {
  public:
    BrokerSource(broker::Harness& broker, Stage& stage, bool takes_back) : broker_(broker), stage_(stage), takes_back_(takes_back) {}

    Result<std::vector<transport::Received>, transport::SourceError> receive(const std::string& queue, unsigned max, Duration wait,
                                                                             std::optional<Duration> visibility) override {
        auto got = broker_.receive(queue, max, visibility);
        if (got && got->empty() && wait > Duration::zero()) {
            stage_.rest(wait);
            got = broker_.receive(queue, max, visibility);
        }
        if (!got) return refused();
        std::vector<transport::Received> out;
        for (auto& one : *got)
            out.push_back({to_text(one.id), broker_.turn->handle_of(one.receipt), one.body, one.attributes, one.sent_at,
                           one.first_received_at, one.receive_count, one.attempts});
        return out;
    }
    Result<void, transport::SourceError> settle(const std::string& queue, const std::vector<std::string>& handles) override {
        for (auto& handle : handles)
            if (!broker_.remove(queue, *broker_.turn->receipt_of(handle))) return refused();
        return {};
    }
    Result<void, transport::SourceError> extend(const std::string& queue, const std::string& handle, Duration timeout,
                                                std::optional<std::uint32_t> attempts) override {
        return change(queue, {*broker_.turn->receipt_of(handle), timeout, false, attempts});
    }
    Result<void, transport::SourceError> release(const std::string& queue, const std::string& handle) override {
        return change(queue, {*broker_.turn->receipt_of(handle), Duration(0), takes_back_, std::nullopt});
    }
    Result<std::uint64_t, transport::SourceError> ready(const std::string& queue) override {
        auto status = broker_.status(queue);
        if (!status) return refused();
        return status->ready;
    }
    Result<void, transport::SourceError> send(const std::string& queue, const std::vector<transport::OutgoingBody>& messages) override {
        for (auto& message : messages)
            if (!broker_.send(queue, message.body)) return refused();
        return {};
    }

  private:
    Result<void, transport::SourceError> change(const std::string& queue, broker::VisibilityChange change) {
        if (!broker_.change(queue, change)) return refused();
        return {};
    }
    static Failure<transport::SourceError> refused() { return {transport::SourceError{transport::SourceError::Kind::refused, "refused"}}; }
    broker::Harness& broker_;
    Stage& stage_;
    bool takes_back_;
};

struct Database {
    Instant down_from, down_until;
    std::map<std::string, int> rows;  ///< by the record's name, how often it was written
    std::uint64_t probes = 0, attempts_in_vain = 0;
    std::uint32_t receives_most = 0, attempts_most = 0;

    bool is_down(Instant now) const { return now >= down_from && now < down_until; }
    /// For two minutes of every hour it answers a question and takes no row.
    bool deceives(Instant now) const { return is_down(now) && (now - down_from) % 1h < 2min; }
};

class DatabaseHandler final : public Handler {
  public:
    DatabaseHandler(Database& database, testing::ManualClock& clock, Stage& stage) : database_(database), clock_(clock), stage_(stage) {}

    std::vector<Outcome> run(std::span<const Job> jobs, const Limits&) override {
        std::vector<Outcome> outcomes;
        if (database_.is_down(clock_.now())) {
            ++database_.attempts_in_vain;
            stage_.rest(3s);  // as long as a connection may take
            return std::vector<Outcome>(jobs.size(), Outcome::hold("main: connection refused"));
        }
        for (auto& job : jobs) {
            ++database_.rows[job.envelope.fields["name"].text()];
            database_.receives_most = std::max(database_.receives_most, job.receive_count);
            database_.attempts_most = std::max(database_.attempts_most, job.attempts);
            outcomes.push_back(Outcome::done());
        }
        return outcomes;
    }
    bool has_probe() const override { return true; }
    Result<void, std::string> probe() override {
        ++database_.probes;
        if (database_.is_down(clock_.now()) && !database_.deceives(clock_.now())) return Failure{std::string("main: connection refused")};
        return {};
    }

  private:
    Database& database_;
    testing::ManualClock& clock_;
    Stage& stage_;
};

class OutageDay : public ::testing::Test {
  protected:
    static constexpr unsigned processes = 4;
    static constexpr Duration probe = 30s;

    OutageDay() {
        std::string pattern = (std::filesystem::temp_directory_path() / "forebay-day-XXXXXX").string();
        folder = ::mkdtemp(pattern.data());
        broker::QueueSettings settings;
        settings.visibility_timeout = 1min;
        settings.retention = 14 * 24h;
        (void)harness.create("leads-dead", settings);
        settings.redrive = broker::Redrive{"leads-dead", 3};
        (void)harness.create("leads", settings);
    }
    ~OutageDay() override { std::filesystem::remove_all(folder); }

    /// A record a minute, from an hour before the outage to an hour after it; workers of which each is started again every
    /// five hours.
    void play(Duration outage, bool takes_back) {
        database.down_from = harness.clock.now() + 1h;
        database.down_until = database.down_from + outage;
        records = (outage + 2h) / 1min;
        stage.add([this] {
            for (int i = 0; i < records; ++i) {
                (void)harness.send("leads", R"({"name":"r)" + std::to_string(i) + R"("})");
                stage.rest(1min);
            }
            is_over = true;
        });
        for (unsigned n = 1; n <= processes; ++n) stage.add([this, n, takes_back] { work(n, takes_back); });
        stage.run();
    }

    void work(unsigned n, bool takes_back) {
        for (auto life = 0; !is_over || depth("leads") > 0; ++life) {
            Options options;
            options.worker = "store";
            options.n = n;
            options.queue = "leads";
            options.dead_letter = "leads-dead";
            options.deliveries_max = 3;
            options.visibility = 1min;
            options.depends_on = "db.main";
            options.outages_folder = folder;
            options.poll = 20s;
            options.probe = probe;
            BrokerSource source(harness, stage, takes_back);
            ScriptedSource heartbeat;  // nothing is in hand for as long as a real second
            DatabaseHandler handler(database, harness.clock, stage);
            testing::SeededEntropy entropy(n * 100 + static_cast<unsigned>(life));
            Controls controls;
            auto ends = harness.clock.now() + 5h + std::chrono::minutes(7 * n);
            Parts parts{source, heartbeat, handler, harness.clock, entropy, controls, nullptr, {}};
            parts.rest = [&](Duration wait) {
                stage.rest(wait);
                if (harness.clock.now() > ends || is_over) controls.stop = true;
            };
            options.recycle.after = 5h;
            (void)Worker(options, parts).run();
            stage.rest(1s);
        }
    }

    std::uint64_t depth(const std::string& queue) {
        auto status = harness.status(queue);
        return status->ready + status->in_flight + status->delayed;
    }

    std::string folder;
    broker::Harness harness;
    Stage stage{harness.clock};
    Database database;
    std::int64_t records = 0;
    bool is_over = false;
};

TEST_F(OutageDay, ends_with_every_record_written_once_nothing_dead_and_no_attempt_spent) {
    play(24h, true);
    EXPECT_EQ(depth("leads-dead"), 0u);
    EXPECT_EQ(database.rows.size(), static_cast<std::size_t>(records));
    for (auto& [name, times] : database.rows) EXPECT_EQ(times, 1) << name;
    EXPECT_EQ(database.receives_most, 1u) << "what was received in vain does not count";
    EXPECT_EQ(database.attempts_most, 0u);
    EXPECT_GT(database.attempts_in_vain, 50u) << "it was tried: at first, and whenever a probe was deceived";
    EXPECT_LT(database.probes, 24h / probe * 11 / 10) << "one process asks, not four";
    EXPECT_GT(database.probes, 24h / probe * 8 / 10);
    auto note = read_outage(outage_path(folder, "db.main"));
    EXPECT_FALSE(note.down);
    EXPECT_GE(note.held_before, 23h) << "but for the minutes in which it answered a question";
    EXPECT_LT(note.held_before, 24h + 5min);
}

TEST_F(OutageDay, kills_records_where_a_receive_in_vain_counts) {
    play(4h, false);
    EXPECT_GT(depth("leads-dead"), 0u) << "or the day proves nothing";
}

}  // namespace
}  // namespace forebay::worker
