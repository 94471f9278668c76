#pragma once
// The inside of Intake: what all posts share. intake.cpp has the URLs, accept.cpp the way of a post, settle.cpp its answer,
// refuse.cpp what is not taken, readmit.cpp the way back from quarantine, import.cpp that of a row of a file.

#include <chrono>
#include <map>
#include <mutex>

#include "base/ascending_ids.h"
#include "intake/answers.h"
#include "intake/credentials.h"
#include "intake/identity.h"
#include "intake/intake.h"
#include "intake/quarantine.h"
#include "intake/rate_limiter.h"
#include "intake/signer.h"

namespace forebay::intake {

using RulesInForce = std::shared_ptr<const Rules>;  // owners: the State, and each post under way

/// Whom to answer, and since when they wait. Finer than the Clock counts, and only measured with, never decided on.
struct Asker {
    http::Responder responder;
    std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
};

/// One post on its way to an answer. Lives on the stack until something has to wait.
struct Call {
    const http::Request& request;
    Asker asker;
    RulesInForce rules;
    const PreparedEndpoint& endpoint;
    Timestamp received_at;
    bool as_html = false;
    std::string cors_origin;      ///< allowed; empty = no CORS headers
    std::string_view media_type;  ///< as sent
    Caller caller;
    Uuid id;  ///< nil until it is known
    std::optional<broker::OnceKey> once;
};

/// An accepted post whose record is not yet durable, with the answer it gets when it is.
struct PendingRecord {
    Asker asker;
    RulesInForce rules;
    const PreparedEndpoint* endpoint = nullptr;
    http::Response response;
    Acceptance what;  ///< its views point into the members below
    std::vector<std::string> flags;
    std::string receipt, next, cors_origin;
    bool as_html = false;
    std::optional<broker::OnceKey> once;
    std::optional<Quarantined> if_refused;  ///< what to keep when the broker knows its key or content and that is refused
};

/// A refused post that waits for its place in quarantine.
struct PendingRefusal {
    Asker asker;
    RulesInForce rules;
    const PreparedEndpoint* endpoint = nullptr;
    Refused what;
    http::Response response;  ///< for a post that was kept
    bool as_html = false;
    std::string cors_origin;
};

/// How another post with the same content is recognised, and what it is when only a flag tells it. `writer` has the fields, and is not
/// ended yet.
std::optional<broker::AboutKey> about_of(const Endpoint& endpoint, const Examination& examination, const Uuid& id,
                                         const record::EnvelopeWriter& writer, record::EnvelopeEnd end);

/// What its client is told once it is accepted.
Acceptance acceptance_of(const PendingRecord& record);
/// For a post whose values are gone by now.
http::Response late_refusal(const PendingRecord& record, const Refused& what);
/// The body as it may be kept (FORMAT.md): without what the key's field says and, where that could be read, without
/// the same text elsewhere. What is too short to be a key may be any word of the post; of what is too long, copies stay.
std::string body_to_keep(const Call& call, const Examination* examination);

class Intake::State {
  public:
    State(IntakeOptions options, transport::Sender& sender, Clock& clock, Entropy& entropy, metrics::Registry* registry,
          std::uint64_t seed);

    RulesInForce rules() const;
    void set_rules(RulesInForce rules);
    Uuid fresh_id();
    Timestamp wall() { return clock.wall(); }

    // intake.cpp
    void serve(const http::Request& request, http::Responder responder);
    void preflight(const PreparedEndpoint& endpoint, const http::Request& request, http::Responder responder);
    void serve_receipt(std::string_view id_text, http::Responder responder);
    void serve_token(const http::Request& request, http::Responder responder);
    void serve_demo(http::Responder responder);

    // accept.cpp
    void take_post(Call call);

    // settle.cpp
    void tick();

    // readmit.cpp
    struct Recheck {
        ReadmitResult result;
        std::string envelope;  ///< JSON, if it passes
        std::string queue;
        record::BodyForm form = record::BodyForm::json;
        Uuid id;
    };
    Recheck recheck(std::string_view quarantined_body);

    // import.cpp
    struct ImportedRow {
        RowResult result;
        const PreparedEndpoint* endpoint = nullptr;  ///< null: there is none of that name
        std::optional<broker::Send> send;            ///< of a row that passes
        std::optional<Quarantined> if_refused;
    };
    ImportedRow examine_row(const Rules& rules, std::string_view endpoint, const RowPlace& place, std::string_view json);
    void keep_row(const PreparedEndpoint& endpoint, Quarantined post, RowResult result, UniqueFunction<void(RowResult)> done);

    IntakeOptions options;  ///< without endpoints, keys and sites, which are in rules()
    transport::Sender& sender;
    Clock& clock;
    std::unique_ptr<metrics::Registry> own_registry;
    metrics::Registry& registry;
    Signer signer;
    RateLimiter limiter;
    RateLimiter log_limiter;
    QuarantineGate gate;
    metrics::Counter& not_kept;
    FindRecord find_record;

  private:
    struct InFlight {
        Uuid key, content;
        auto operator<=>(const InFlight&) const = default;
    };
    struct Waiter {
        std::unique_ptr<PendingRecord> record;
        Instant since;
    };

    // accept.cpp
    bool identify(Call& call, Examination& examination);
    std::string_view suspicion(const Call& call, Examination& examination, std::vector<std::string>& flags);
    std::unique_ptr<PendingRecord> pending_record(Call& call, Examination& examination, std::vector<std::string> flags);
    void hand_on(std::unique_ptr<PendingRecord> record, queue::OutgoingMessage message, std::optional<broker::AboutKey> about);

    // settle.cpp
    void respond(Asker& asker, const PreparedEndpoint& endpoint, const std::string& cors_origin, http::Response response);
    /// True if another post with the same key and content is under way; then `record` waits for it.
    bool join(std::unique_ptr<PendingRecord>& record);
    void settled(std::unique_ptr<PendingRecord> record, Result<broker::Sent, broker::Refusal> sent);
    void answer_sent(PendingRecord& record, const broker::Sent& sent);
    void answer_waiters(const PendingRecord& first, const Result<broker::Sent, broker::Refusal>& sent);

    // refuse.cpp
    void refuse(Call call, Examination* examination, Refused what, bool keep);
    void refuse_read(Call call, Examination& examination, ReadError error);
    void refuse_twice(Call call, std::string_view header);
    void refuse_caller(Call call, Examination* examination);
    void refuse_rate(Call call, const RateLimiter::Verdict& verdict);
    void look_accepted(Call call, Examination& examination, std::string_view code);
    bool may_keep(const Call& call, std::uint64_t bytes);
    void send_to_quarantine(const Quarantined& post, std::string message, UniqueFunction<void(bool)> done);

    mutable std::mutex rules_lock_;  ///< guards rules_
    RulesInForce rules_;
    std::mutex entropy_lock_;  ///< guards both
    Entropy& entropy_;
    AscendingIds ids_;
    std::mutex waiting_lock_;  ///< guards waiting_ and waiters_
    std::map<InFlight, std::vector<Waiter>> waiting_;
    std::size_t waiters_ = 0;
};

}  // namespace forebay::intake
