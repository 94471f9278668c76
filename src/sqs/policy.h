#pragma once
// A queue's Policy attribute, read as AWS reads it: statements that allow or deny principals actions on the queue. What is not
// understood never opens a door: a statement with a condition that is not known denies if it denies, and allows nothing.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/addresses.h"

namespace forebay::sqs {

/// The queue that a policy is of, as its Resource may name it.
struct PolicyPlace {
    std::string account;
    std::string region;  ///< empty = any
    std::string queue;
};

struct PolicyQuestion {
    std::string_view user;    ///< NAME of arn:aws:iam::ACCOUNT:user/NAME
    std::string_view action;  ///< `SendMessage`; a batch is asked for as its single action
    std::string_view address;
    bool secure = false;
};

enum class Verdict { silent, allow, deny };

class Policy {
  public:
    static constexpr std::size_t bytes_max = 8192, statements_max = 20, principals_max = 50, conditions_max = 10;

    /// The error says what is wrong as a sentence.
    static Result<Policy, std::string> parse(std::string_view text, const PolicyPlace& place);
    /// In place of one that cannot be read.
    static Policy that_denies();

    /// One statement that denies outweighs all that allow.
    Verdict decide(const PolicyQuestion& question) const;

  private:
    struct Principals {
        bool everybody = false, account = false;
        std::vector<std::string> users;
    };
    struct Condition {
        enum class Kind { secure, from, not_from, unknown } kind = Kind::unknown;
        bool secure = false;
        std::vector<http::Network> networks;
    };
    struct Statement {
        bool allows = false;
        Principals principals;
        bool is_of_others = false;         ///< NotPrincipal
        std::vector<std::string> actions;  ///< patterns in lower case, without `sqs:`
        bool is_of_other_actions = false;  ///< NotAction
        bool is_of_this_queue = true;
        std::vector<Condition> conditions;
    };
    class Parser;

    static bool applies(const Statement& statement, const PolicyQuestion& question);
    static bool holds(const Condition& condition, const PolicyQuestion& question, bool allows);
    std::vector<Statement> statements_;
};

}  // namespace forebay::sqs
