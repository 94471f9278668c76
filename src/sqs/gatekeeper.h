#pragma once
// Who asks at the queue port, and whether he may. A request is let in by its signature before anything but its head and
// the digest of its body is looked at; then each queue that it touches is asked for. What a key is granted and what a
// queue's policy says are weighed as AWS does: a statement that denies, else one that allows or a grant.

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "http/message.h"
#include "metrics/metrics.h"
#include "sqs/access.h"
#include "sqs/claim.h"
#include "sqs/error.h"
#include "sqs/policy.h"

namespace forebay::sqs {

/// Whoever sent a request. Without a key requests are not verified, and anybody may do everything.
struct Caller {
    std::shared_ptr<const AccessKey> key;
    std::string address{};
    bool secure = false;
};

struct AccessRules {
    bool verify = false;
    std::vector<AccessKey> keys;  ///< with distinct ids
};

/// What a caller wants of a queue.
struct Wish {
    std::string_view action;  ///< `SendMessage`
    Verb verb = Verb::admin;
    std::string_view queue;  ///< its name
};

/// Safe from several threads at once.
class Gatekeeper {
  public:
    /// Refusals are counted per code as forebay_sqs_denied_total; `registry` may be null. An empty `region`: any.
    Gatekeeper(Clock& clock, AccessRules rules, std::string account, std::string region = {}, metrics::Registry* registry = nullptr);
    /// Requests that have been let in go on as they were.
    void set_rules(AccessRules rules);

    /// Errors: those of read_claim; invalid_client_token_id for a key that is not known; signature_does_not_match.
    Result<Caller, Error> identify(const http::Request& request);
    /// What of identify() can be told before the body is there. The same errors.
    Result<void, Error> look_at_head(const http::Request& head);
    /// Takes up a queue's Policy attribute; empty = it has none. One that cannot be read denies, save that whoever administers
    /// the queue may always set its attributes.
    void set_policy(const std::string& queue, std::string_view text);

    bool may(const Caller& caller, const Wish& wish) const { return decide(caller, wish) == Decision::allowed; }
    /// What a caller hears who may not; `arn` is the queue's, as he is told it.
    Error refusal(const Caller& caller, const Wish& wish, std::string_view arn);

  private:
    struct Rules {
        bool verify = false;
        std::map<std::string, std::shared_ptr<const AccessKey>, std::less<>> keys;  ///< by id
    };
    static std::shared_ptr<const Rules> indexed(AccessRules rules);
    std::shared_ptr<const Rules> rules() const;
    struct Claimed {
        Claim claim;
        std::shared_ptr<const AccessKey> key;
    };
    Result<Claimed, Error> read(const Rules& rules, const http::Request& head) const;
    Result<Caller, Error> verify(const Rules& rules, const http::Request& request);
    enum class Decision { allowed, not_granted, denied };
    Decision decide(const Caller& caller, const Wish& wish) const;
    std::shared_ptr<const Policy> policy_of(std::string_view queue) const;
    Error counted(Error error);

    Clock& clock_;
    std::string account_;
    ClaimRules claim_rules_;
    metrics::Registry* registry_;
    mutable std::mutex rules_mutex_;
    std::shared_ptr<const Rules> rules_;  ///< guarded by rules_mutex_
    mutable std::mutex policies_mutex_;
    std::map<std::string, std::shared_ptr<const Policy>, std::less<>> policies_;  ///< guarded by policies_mutex_
    std::mutex keys_mutex_;
    SigningKeys signing_keys_;  ///< guarded by keys_mutex_
};

}  // namespace forebay::sqs
