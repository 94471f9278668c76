#include "sqs/gatekeeper.h"

#include <algorithm>
#include <utility>

#include "sqs/text.h"

namespace forebay::sqs {
namespace {

Error unknown_key() { return {ErrorKind::invalid_client_token_id, "The security token included in the request is invalid."}; }

Error wrong_signature() {
    return {ErrorKind::signature_does_not_match,
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing "
            "method. Consult the service documentation for details."};
}

/// A batch is the same action several times, and needs the same permission.
std::string_view single(std::string_view action) {
    if (action.ends_with("Batch")) action.remove_suffix(5);
    return action;
}

}  // namespace

Gatekeeper::Gatekeeper(Clock& clock, AccessRules rules, std::string account, std::string region, metrics::Registry* registry)
    : clock_(clock), account_(std::move(account)), registry_(registry), rules_(indexed(std::move(rules))) {
    claim_rules_.region = std::move(region);
}

std::shared_ptr<const Gatekeeper::Rules> Gatekeeper::indexed(AccessRules rules) {
    auto out = std::make_shared<Rules>();
    out->verify = rules.verify;
    for (auto& key : rules.keys) out->keys.emplace(key.id, std::make_shared<const AccessKey>(key));
    return out;
}

void Gatekeeper::set_rules(AccessRules rules) {
    auto fresh = indexed(std::move(rules));
    std::lock_guard lock(rules_mutex_);
    rules_ = std::move(fresh);
}

std::shared_ptr<const Gatekeeper::Rules> Gatekeeper::rules() const {
    std::lock_guard lock(rules_mutex_);
    return rules_;
}

Error Gatekeeper::counted(Error error) {
    if (registry_ != nullptr) registry_->counter("forebay_sqs_denied_total", {{"code", std::string(row_of(error.kind).query_code)}}).add();
    return error;
}

Result<Caller, Error> Gatekeeper::identify(const http::Request& request) {
    auto now = rules();
    if (!now->verify) return Caller{};
    auto caller = verify(*now, request);
    if (!caller.ok()) return Failure{counted(caller.error())};
    return caller;
}

Result<void, Error> Gatekeeper::look_at_head(const http::Request& head) {
    auto now = rules();
    if (!now->verify) return {};
    auto claimed = read(*now, head);
    if (!claimed.ok()) return Failure{counted(claimed.error())};
    return {};
}

Result<Gatekeeper::Claimed, Error> Gatekeeper::read(const Rules& rules, const http::Request& head) const {
    TRY_ASSIGN(auto claim, read_claim(head, claim_rules_, clock_.wall()));
    auto found = rules.keys.find(claim.key_id);
    if (found == rules.keys.end()) return Failure{unknown_key()};
    return Claimed{std::move(claim), found->second};
}

Result<Caller, Error> Gatekeeper::verify(const Rules& rules, const http::Request& request) {
    TRY_ASSIGN(auto claimed, read(rules, request));
    const auto& [claim, key] = claimed;
    // The long part, which is the digest of the body, is done outside the lock.
    auto to_sign = string_to_sign(request, claim);
    std::string expected;
    {
        std::lock_guard lock(keys_mutex_);
        expected = signing_keys_.sign(key->secret, claim.scope, to_sign);
    }
    if (!equal_in_constant_time(expected, claim.signature)) return Failure{wrong_signature()};
    return Caller{key, request.client_address, request.secure};
}

void Gatekeeper::set_policy(const std::string& queue, std::string_view text) {
    std::shared_ptr<const Policy> policy;
    if (!text.empty()) {
        auto parsed = Policy::parse(text, {account_, claim_rules_.region, queue});
        policy = std::make_shared<const Policy>(parsed.ok() ? std::move(*parsed) : Policy::that_denies());
    }
    std::lock_guard lock(policies_mutex_);
    if (policy)
        policies_.insert_or_assign(queue, std::move(policy));
    else
        policies_.erase(queue);
}

std::shared_ptr<const Policy> Gatekeeper::policy_of(std::string_view queue) const {
    std::lock_guard lock(policies_mutex_);
    auto found = policies_.find(queue);
    return found == policies_.end() ? nullptr : found->second;
}

Gatekeeper::Decision Gatekeeper::decide(const Caller& caller, const Wish& wish) const {
    if (caller.key == nullptr) return Decision::allowed;
    bool granted = caller.key->may(wish.verb, wish.queue);
    auto policy = policy_of(wish.queue);
    auto verdict = policy ? policy->decide({caller.key->name, single(wish.action), caller.address, caller.secure}) : Verdict::silent;
    // Nobody may lock himself out of a queue of his.
    bool sets_attributes = granted && wish.action == "SetQueueAttributes";
    if (verdict == Verdict::deny && !sets_attributes) return Decision::denied;
    return granted || verdict == Verdict::allow ? Decision::allowed : Decision::not_granted;
}

Error Gatekeeper::refusal(const Caller& caller, const Wish& wish, std::string_view arn) {
    auto action = "sqs:" + lower(single(wish.action));
    std::string message = "User: arn:aws:iam::";
    message.append(account_).append(":user/").append(caller.key->name).append(" is not authorized to perform: ").append(action);
    message.append(" on resource: ").append(arn);
    if (decide(caller, wish) == Decision::denied)
        message.append(" with an explicit deny in a resource-based policy");
    else
        message.append(" because no identity-based policy allows the ").append(action).append(" action");
    return counted({ErrorKind::access_denied, std::move(message)});
}

}  // namespace forebay::sqs
