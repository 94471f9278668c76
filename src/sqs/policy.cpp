#include "sqs/policy.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "http/text.h"
#include "sqs/access.h"
#include "sqs/text.h"

namespace forebay::sqs {
namespace {

constexpr std::size_t account_digits = 12;

std::vector<std::string_view> split(std::string_view text) {
    std::vector<std::string_view> out;
    for (;;) {
        auto at = text.find(':');
        out.push_back(text.substr(0, at));
        if (at == std::string_view::npos) return out;
        text.remove_prefix(at + 1);
    }
}

/// One text, or a list of texts that is not empty.
Result<std::vector<std::string>, std::string> texts_of(const json::Value& value, std::string_view element) {
    std::vector<std::string> out;
    if (value.is_string()) out.push_back(value.text());
    bool all = value.is_string() || value.is_array();
    for (const auto& one : value.elements()) {
        all = all && one.is_string();
        if (all) out.push_back(one.text());
    }
    if (!all || out.empty()) return Failure{std::string(element) + " must be a text or a list of texts."};
    return out;
}

/// Which places in a pattern can be reached, character by character of a text.
class Reached {
  public:
    explicit Reached(std::string_view pattern) : pattern_(pattern), at_(pattern.size() + 1) {
        at_[0] = true;
        skip_stars();
    }
    void take(std::string_view text) {
        for (char c : text) {
            std::vector<bool> next(at_.size());
            for (std::size_t i = 0; i < pattern_.size(); ++i) {
                if (!at_[i]) continue;
                if (pattern_[i] == '*') next[i] = true;
                if (pattern_[i] == '?' || pattern_[i] == c) next[i + 1] = true;
            }
            at_ = std::move(next);
            skip_stars();
        }
    }
    /// Any text without a colon.
    void take_any_part() {
        for (std::size_t i = 0; i < pattern_.size(); ++i)
            if (at_[i] && pattern_[i] != ':') at_[i + 1] = true;
    }
    bool is_through() const { return at_.back(); }

  private:
    void skip_stars() {
        for (std::size_t i = 0; i < pattern_.size(); ++i)
            if (at_[i] && pattern_[i] == '*') at_[i + 1] = true;
    }
    std::string_view pattern_;
    std::vector<bool> at_;
};

bool is_of(std::string_view resource, const PolicyPlace& place) {
    Reached reached(resource);
    reached.take("arn:aws:sqs:");
    if (place.region.empty())
        reached.take_any_part();
    else
        reached.take(place.region);
    reached.take(":" + place.account + ":" + place.queue);
    return reached.is_through();
}

}  // namespace

class Policy::Parser {
  public:
    explicit Parser(const PolicyPlace& place) : place_(place) {}

    Result<std::vector<Statement>, std::string> read(const json::Value& document) {
        const auto* given = document.find("Statement");
        if (!document.is_object() || given == nullptr) return Failure{std::string("It must be an object with a Statement.")};
        for (const auto& [name, value] : document.members())
            if (name != "Version" && name != "Id" && name != "Statement") return Failure{"It has no element " + name.substr(0, 64) + "."};
        if (const auto* version = document.find("Version");
            version != nullptr && version->text() != "2008-10-17" && version->text() != "2012-10-17")
            return Failure{std::string("Its Version must be 2012-10-17 or 2008-10-17.")};
        std::vector<Statement> out;
        if (given->is_object()) {
            TRY_ASSIGN(auto only, statement(*given));
            out.push_back(std::move(only));
        } else if (!given->is_array() || given->elements().empty()) {
            return Failure{std::string("Its Statement must be a list of statements.")};
        }
        if (given->elements().size() > statements_max) return Failure{too_many("statements", statements_max)};
        for (const auto& one : given->elements()) {
            TRY_ASSIGN(auto next, statement(one));
            out.push_back(std::move(next));
        }
        if (principals_ > principals_max) return Failure{too_many("principals", principals_max)};
        if (conditions_ > conditions_max) return Failure{too_many("conditions", conditions_max)};
        return out;
    }

  private:
    static std::string too_many(std::string_view what, std::size_t most) {
        return "It has more than " + std::to_string(most) + " " + std::string(what) + ".";
    }

    Result<Statement, std::string> statement(const json::Value& given) {
        Statement out;
        bool has_effect = false, has_principal = false, has_action = false;
        if (!given.is_object()) return Failure{std::string("A statement must be an object.")};
        for (const auto& [name, value] : given.members()) {
            if (name == "Effect") {
                if (value.text() != "Allow" && value.text() != "Deny") return Failure{std::string("Effect must be Allow or Deny.")};
                out.allows = value.text() == "Allow";
                has_effect = true;
            } else if (name == "Principal" || name == "NotPrincipal") {
                if (std::exchange(has_principal, true)) return Failure{std::string("A statement has one of Principal and NotPrincipal.")};
                TRY(principal(value, out.principals));
                out.is_of_others = name == "NotPrincipal";
            } else if (name == "Action" || name == "NotAction") {
                if (std::exchange(has_action, true)) return Failure{std::string("A statement has one of Action and NotAction.")};
                TRY(actions(value, out.actions));
                out.is_of_other_actions = name == "NotAction";
            } else if (name == "Resource" || name == "NotResource") {
                TRY_ASSIGN(auto resources, texts_of(value, name));
                if (std::any_of(resources.begin(), resources.end(), [](auto& one) { return one.find("${") != std::string::npos; }))
                    return Failure{name + " cannot have a policy variable such as ${aws:username} here."};
                bool named = std::any_of(resources.begin(), resources.end(), [&](auto& one) { return is_of(one, place_); });
                out.is_of_this_queue = named == (name == "Resource");
            } else if (name == "Condition") {
                TRY(conditions(value, out.conditions));
            } else if (name != "Sid") {
                return Failure{"A statement has no element " + name.substr(0, 64) + "."};
            }
        }
        if (!has_effect || !has_principal || !has_action)
            return Failure{std::string("A statement must have Effect, Principal and Action.")};
        return out;
    }

    Result<void, std::string> principal(const json::Value& given, Principals& out) {
        if (given.is_string() && given.text() == "*") {
            ++principals_;
            out.everybody = true;
            return {};
        }
        if (!given.is_object() || given.members().empty()) return Failure{std::string("Principal must be \"*\" or an object.")};
        for (const auto& [kind, value] : given.members()) {
            TRY_ASSIGN(auto names, texts_of(value, "Principal"));
            principals_ += names.size();
            if (kind == "AWS") {
                for (const auto& name : names) TRY(aws_principal(name, out));
            } else if (kind != "Service" && kind != "Federated" && kind != "CanonicalUser") {
                return Failure{std::string("Principal names AWS, Service, Federated or CanonicalUser.")};
            }
        }
        return {};
    }

    Result<void, std::string> aws_principal(const std::string& name, Principals& out) const {
        auto parts = split(name);
        bool is_account = (!name.empty() && name == place_.account) ||
                          (name.size() == account_digits && std::all_of(name.begin(), name.end(), http::is_digit));
        bool is_arn = parts.size() == 6 && parts[0] == "arn" && (parts[2] == "iam" || parts[2] == "sts");
        if (name == "*") {
            out.everybody = true;
        } else if (name.find_first_of("*?") != std::string::npos) {
            // Taken for a name it would be nobody's, and a statement that denies would let everybody through.
            return Failure{"\"" + name.substr(0, 64) + "\" is no principal: * stands only by itself."};
        } else if (is_account) {
            out.account = out.account || name == place_.account;
        } else if (!is_arn) {
            return Failure{"\"" + name.substr(0, 64) + "\" is no principal: an account, *, or an ARN of one is."};
        } else if (parts[4] == place_.account) {
            if (parts[5] == "root") out.account = true;
            if (parts[5].starts_with("user/")) out.users.emplace_back(parts[5].substr(parts[5].rfind('/') + 1));
        }
        return {};
    }

    static Result<void, std::string> actions(const json::Value& given, std::vector<std::string>& out) {
        TRY_ASSIGN(auto names, texts_of(given, "Action"));
        for (auto& name : names) {
            auto action = lower(name);
            if (action == "*") action = "sqs:*";
            if (!action.starts_with("sqs:")) return Failure{"\"" + name.substr(0, 64) + "\" is no action of SQS."};
            out.push_back(action.substr(4));
        }
        return {};
    }

    Result<void, std::string> conditions(const json::Value& given, std::vector<Condition>& out) {
        if (!given.is_object()) return Failure{std::string("Condition must be an object.")};
        for (const auto& [test, keys] : given.members()) {
            if (!keys.is_object()) return Failure{std::string("Condition must be an object of objects.")};
            for (const auto& [key, value] : keys.members()) {
                ++conditions_;
                out.push_back(condition(lower(test), lower(key), value));
            }
        }
        return {};
    }

    static Condition condition(std::string_view test, std::string_view key, const json::Value& value) {
        Condition out;
        if (test == "bool" && key == "aws:securetransport") {
            auto wanted = value.is_bool() ? std::string(value.boolean() ? "true" : "false") : lower(value.text());
            if (wanted != "true" && wanted != "false") return out;
            return {Condition::Kind::secure, wanted == "true", {}};
        }
        bool is_address = (test == "ipaddress" || test == "notipaddress") && key == "aws:sourceip";
        auto texts = texts_of(value, "Condition");
        if (!is_address || !texts.ok()) return out;
        for (const auto& text : *texts) {
            auto network = http::Network::parse(text);
            if (!network) return {};
            out.networks.push_back(*network);
        }
        out.kind = test == "ipaddress" ? Condition::Kind::from : Condition::Kind::not_from;
        return out;
    }

    const PolicyPlace& place_;
    std::size_t principals_ = 0, conditions_ = 0;
};

Result<Policy, std::string> Policy::parse(std::string_view text, const PolicyPlace& place) {
    if (text.size() > bytes_max) return Failure{"It is longer than " + std::to_string(bytes_max) + " bytes."};
    auto document = json::parse(text);
    if (!document.ok()) return Failure{"It is not JSON: " + document.error().what};
    Policy policy;
    TRY_ASSIGN(policy.statements_, Parser(place).read(*document));
    return policy;
}

Policy Policy::that_denies() {
    Statement all;
    all.principals.everybody = true;
    all.actions = {"*"};
    Policy policy;
    policy.statements_.push_back(std::move(all));
    return policy;
}

bool Policy::holds(const Condition& condition, const PolicyQuestion& question, bool allows) {
    using Kind = Condition::Kind;
    if (condition.kind == Kind::unknown) return !allows;
    if (condition.kind == Kind::secure) return question.secure == condition.secure;
    auto address = http::parse_address(question.address);
    if (!address) return !allows;
    bool is_within = std::any_of(condition.networks.begin(), condition.networks.end(), [&](auto& one) { return one.contains(*address); });
    return is_within == (condition.kind == Kind::from);
}

bool Policy::applies(const Statement& s, const PolicyQuestion& question) {
    if (!s.is_of_this_queue) return false;
    const auto& who = s.principals;
    bool named = who.everybody || who.account || std::find(who.users.begin(), who.users.end(), question.user) != who.users.end();
    if (named == s.is_of_others) return false;
    auto action = lower(question.action);
    bool listed = std::any_of(s.actions.begin(), s.actions.end(), [&](auto& pattern) { return matches(pattern, action); });
    if (listed == s.is_of_other_actions) return false;
    return std::all_of(s.conditions.begin(), s.conditions.end(), [&](auto& one) { return holds(one, question, s.allows); });
}

Verdict Policy::decide(const PolicyQuestion& question) const {
    auto verdict = Verdict::silent;
    for (const auto& statement : statements_) {
        if (!applies(statement, question)) continue;
        if (!statement.allows) return Verdict::deny;
        verdict = Verdict::allow;
    }
    return verdict;
}

}  // namespace forebay::sqs
