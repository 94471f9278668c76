// AddPermission and RemovePermission: a statement of the queue's policy each, under a label. The policy is written as AWS
// writes it, so that what reads it there reads it here.

#include <algorithm>
#include <iterator>

#include "http/text.h"
#include "sqs/action/change.h"
#include "sqs/policy.h"
#include "sqs/queue_attributes.h"

namespace forebay::sqs::action {
namespace {

constexpr std::size_t actions_max = 7, label_bytes_max = 80, account_digits = 12;

/// What nobody but the owner may do on AWS, and so cannot be permitted there.
constexpr std::string_view owners_only[] = {"AddPermission",
                                            "CancelMessageMoveTask",
                                            "CreateQueue",
                                            "DeleteQueue",
                                            "ListMessageMoveTasks",
                                            "ListQueues",
                                            "ListQueueTags",
                                            "RemovePermission",
                                            "SetQueueAttributes",
                                            "StartMessageMoveTask",
                                            "TagQueue",
                                            "UntagQueue"};

Error over_limit(std::size_t count, std::string_view what, std::size_t most) {
    return {ErrorKind::over_limit,
            std::to_string(count) + " " + std::string(what) + " were found, maximum allowed is " + std::to_string(most) + "."};
}

Result<std::string, Error> read_label(Call& call) {
    TRY_ASSIGN(auto label, call.arguments.required_text("Label"));
    bool good = label.size() <= label_bytes_max &&
                std::all_of(label.begin(), label.end(), [](char c) { return http::is_letter_or_digit(c) || c == '-' || c == '_'; });
    if (good) return label;
    return Failure{invalid_value(label, "Label", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.")};
}

Result<void, Error> check_action(std::string_view action) {
    if (action == "*") return {};
    auto value = "SQS:" + std::string(action);
    bool is_batch = action.ends_with("Batch");
    if (find_action(action) == nullptr || is_batch)
        return Failure{invalid_value(value, "ActionName", "Please refer to the appropriate WSDL for a list of valid actions.")};
    if (std::find(std::begin(owners_only), std::end(owners_only), action) != std::end(owners_only))
        return Failure{invalid_value(value, "ActionName", "Only the queue owner is allowed to invoke this action.")};
    return {};
}

Result<std::vector<std::string>, Error> read_actions(Call& call) {
    TRY_ASSIGN(auto actions, call.arguments.texts("Actions"));
    if (actions.empty()) return Failure{missing_parameter("Actions")};
    if (actions.size() > actions_max) return Failure{over_limit(actions.size(), "Actions", actions_max)};
    for (auto& action : actions) {
        TRY(check_action(action));
        action.insert(0, "SQS:");
    }
    return actions;
}

Result<std::vector<std::string>, Error> read_principals(Call& call) {
    TRY_ASSIGN(auto accounts, call.arguments.texts("AWSAccountIds"));
    for (auto& account : accounts)
        if (account.size() != account_digits || !std::all_of(account.begin(), account.end(), http::is_digit))
            return Failure{invalid_value("[" + account + "]", "PrincipalId", "Unable to verify.")};
    if (accounts.empty()) return Failure{invalid_value("[]", "PrincipalId", "Unable to verify.")};
    for (auto& account : accounts) account = "arn:aws:iam::" + account + ":root";
    return accounts;
}

/// One is written by itself, several as a list.
json::Value one_or_list(const std::vector<std::string>& texts) {
    if (texts.size() == 1) return texts[0];
    auto out = json::Value::array();
    for (auto& text : texts) out.push(text);
    return out;
}

/// The queue's policy with its statements as a list, or an empty one.
Result<json::Value, Error> policy_of(const broker::QueueSettings& settings, const std::string& arn) {
    auto text = policy_in(settings);
    if (text.empty()) {
        auto fresh = json::Value::object();
        fresh.set("Version", "2008-10-17").set("Id", arn + "/SQSDefaultPolicy").set("Statement", json::Value::array());
        return fresh;
    }
    auto policy = json::parse(text);
    if (!policy.ok() || !policy->is_object())
        return Failure{Error{ErrorKind::invalid_attribute_value, "The queue has a Policy that cannot be read: set it anew."}};
    if (auto* statement = policy->find("Statement"); statement == nullptr || !statement->is_array()) {
        auto list = json::Value::array();
        if (statement != nullptr) list.push(*statement);
        policy->set("Statement", std::move(list));
    }
    return std::move(*policy);
}

std::vector<json::Value>& statements_of(json::Value& policy) {
    auto& members = policy.members();
    return std::find_if(members.begin(), members.end(), [](auto& member) { return member.first == "Statement"; })->second.elements();
}

auto find_label(std::vector<json::Value>& statements, const std::string& label) {
    return std::find_if(statements.begin(), statements.end(), [&](auto& one) { return one["Sid"].text() == label; });
}

Result<void, Error> add(broker::QueueSettings& settings, const std::string& arn, const json::Value& statement) {
    TRY_ASSIGN(auto policy, policy_of(settings, arn));
    auto& statements = statements_of(policy);
    const auto& label = statement["Sid"].text();
    if (find_label(statements, label) != statements.end()) return Failure{invalid_value(label, "Label", "Already exists.")};
    statements.push_back(statement);
    if (statements.size() > Policy::statements_max) return Failure{over_limit(statements.size(), "Statements", Policy::statements_max)};
    auto text = json::to_text(policy);
    if (text.size() > Policy::bytes_max) return Failure{over_limit(text.size(), "Bytes of the Policy", Policy::bytes_max)};
    // One that cannot be read would deny everything.
    if (auto whole = Policy::parse(text, {}); !whole.ok())
        return Failure{Error{ErrorKind::over_limit, "With it the queue's Policy could not be read. " + whole.error()}};
    settings.extra.insert_or_assign("Policy", std::move(text));
    return {};
}

Result<void, Error> remove(broker::QueueSettings& settings, const std::string& arn, const std::string& label) {
    TRY_ASSIGN(auto policy, policy_of(settings, arn));
    auto& statements = statements_of(policy);
    auto found = find_label(statements, label);
    if (found == statements.end()) return Failure{invalid_value(label, "Label", "can't find label.")};
    statements.erase(found);
    if (statements.empty())
        settings.extra.erase("Policy");
    else
        settings.extra.insert_or_assign("Policy", json::to_text(policy));
    return {};
}

}  // namespace

Result<void, Error> add_permission(Call& call) {
    TRY_ASSIGN(auto queue, call.queue());
    TRY_ASSIGN(auto label, read_label(call));
    TRY_ASSIGN(auto actions, read_actions(call));
    TRY_ASSIGN(auto principals, read_principals(call));
    auto arn = call.names().arn_of(queue);
    json::Value statement;
    statement.set("Sid", label).set("Effect", "Allow").set("Principal", json::Value().set("AWS", one_or_list(principals)));
    statement.set("Action", one_or_list(actions)).set("Resource", arn);
    change_settings(call.commands, call.gate, std::move(queue), std::move(call.reply),
                    [arn = std::move(arn), statement = std::move(statement)](broker::QueueSettings& settings) {
                        return add(settings, arn, statement);
                    });
    return {};
}

Result<void, Error> remove_permission(Call& call) {
    TRY_ASSIGN(auto queue, call.queue());
    TRY_ASSIGN(auto label, read_label(call));
    auto arn = call.names().arn_of(queue);
    change_settings(
        call.commands, call.gate, std::move(queue), std::move(call.reply),
        [arn = std::move(arn), label = std::move(label)](broker::QueueSettings& settings) { return remove(settings, arn, label); });
    return {};
}

}  // namespace forebay::sqs::action
