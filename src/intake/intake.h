#pragma once
// Takes posts: finds the endpoint, asks who posts, reads and checks the fields, and hands the record on.
// An answer that says "accepted" leaves only after the Sender said that the record is durable (R1).
// Refused posts go to the quarantine queue with their reasons and can be readmitted (R7). Nothing outside
// this process is asked. Knows no queue server, no database and no worker.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/entropy.h"
#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "base/unique_function.h"
#include "base/uuid.h"
#include "http/message.h"
#include "intake/endpoint.h"
#include "intake/import.h"
#include "metrics/metrics.h"
#include "transport/sender.h"

namespace forebay::intake {

inline constexpr std::string_view quarantine_queue = "forebay-quarantine";

/// Finds an accepted record's envelope (as JSON) for GET …/receipt; may answer later, from any thread.
using FindRecord = UniqueFunction<void(const Uuid&, UniqueFunction<void(std::optional<std::string>)>)>;

struct IntakeOptions {
    std::vector<Endpoint> endpoints;
    std::vector<Key> keys;
    std::vector<Site> sites;
    /// Signs receipts and form tokens. Keep it in the data directory: old receipts are checked with it.
    std::string secret;
    std::uint64_t quarantine_bytes_max = 1_GiB;  ///< quarantine.max
    /// 401 and 403 kept in quarantine: at most so many (D14), the others are counted only.
    Rate quarantine_unauthorized{1, 100, false, "1/s burst 100"};
    Duration same_key_wait = 2s;             ///< how long a second post waits for the first with its key
    std::size_t rate_buckets_max = 100'000;  ///< clients whose rate is remembered at once
    std::string demo_endpoint;               ///< GET /demo shows its form; empty = 404
    bool log_accepted = false;               ///< a line at debug level for each accepted record
};

struct ReadmitResult {
    enum class Outcome {
        readmitted,     ///< queued; durable
        would_pass,     ///< check_again(): today's rules accept it
        still_refused,  ///< see errors
        not_sent,       ///< the queue refused it: try again
        unreadable,     ///< not a quarantined post, or its endpoint is gone
    };
    struct Error {
        std::string field, code, detail;
    };
    Outcome outcome = Outcome::unreadable;
    Uuid id;
    std::string endpoint;
    std::vector<Error> errors;
    std::string what;  ///< a sentence for not_sent and unreadable
};

/// Fields that were changed by hand, held against the rules of today.
struct EditedFields {
    std::vector<ReadmitResult::Error> errors;  ///< of the changed fields; then nothing else counts
    json::Value fields;                        ///< the changed ones cleaned, the others as they were
    std::string value;                         ///< the money at stake that a field gives; empty if none does
};

class Intake {
  public:
    /// Must outlive the answers of `sender`: stop that first. `registry` may be null. The error names the first thing wrong with the
    /// options.
    static Result<std::unique_ptr<Intake>, std::string> open(IntakeOptions options, transport::Sender& sender, Clock& clock,
                                                             Entropy& entropy, metrics::Registry* registry = nullptr);
    ~Intake();
    Intake(const Intake&) = delete;
    Intake& operator=(const Intake&) = delete;

    /// Whether this path is ours: an endpoint's, /v1/records/…, /v1/token, /v1/thanks or /demo.
    bool serves(std::string_view path) const;
    /// Serves the endpoints' paths and the others of serves(); anything else is a 404. Any thread; does not block.
    void handle(const http::Request& request, http::Responder responder);
    /// Lets posts that waited too long for another with the same key go (409). Call about every 100 ms.
    void tick();
    /// Takes new endpoints, keys and sites for the posts that come from now on; on an error the old stay.
    Result<void, std::string> reload(const IntakeOptions& options);
    /// Tells how large the quarantine queue really is (its own count starts at 0 and only grows).
    void set_quarantine_bytes(std::uint64_t bytes);
    /// Where GET /v1/records/ID/receipt looks. Without it that URL answers 404.
    void set_find_record(FindRecord find);

    /// Checks a quarantined body against today's rules and, if it passes, queues it with its old id and the
    /// flag "readmitted". The same post is not queued twice. `done` runs once, maybe on the broker's thread.
    void readmit(std::string_view quarantined_body, UniqueFunction<void(ReadmitResult)> done);
    /// The same without queueing (--dry-run): would_pass, still_refused or unreadable.
    ReadmitResult check_again(std::string_view quarantined_body);
    /// Checks all fields of a record of which those of `changed` are new.
    EditedFields check_edit(std::string_view endpoint, const json::Value& fields, const std::vector<std::string>& changed);

    /// Checks a row of a file, given as a JSON object, against the rules of the endpoint; it is queued if it passes, else quarantined.
    /// `done` runs once, maybe on the broker's thread. An endpoint that is not there is `not_sent`.
    void import_row(std::string_view endpoint, const RowPlace& place, std::string_view json, UniqueFunction<void(RowResult)> done);
    /// Keeps a row that is none with the refused ones.
    void quarantine_row(std::string_view endpoint, const RowPlace& place, BadRow row, UniqueFunction<void(RowResult)> done);
    /// The same without queueing or keeping anything.
    RowResult check_row(std::string_view endpoint, const RowPlace& place, std::string_view json);
    /// The endpoints in force, in the order of the file.
    std::vector<Endpoint> endpoints() const;

    class State;  ///< state.h

  private:
    explicit Intake(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace forebay::intake
