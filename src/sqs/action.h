#pragma once
// One row per action of the SQS API, whatever the protocol: its name, what its answers look like, and what it
// does. An action reads its arguments, submits a command whose answer takes the reply along, and returns; or
// returns an error without having changed anything, and the caller answers.

#include <functional>
#include <span>
#include <string_view>

#include "base/result.h"
#include "broker/broker.h"
#include "sqs/api.h"
#include "sqs/arguments.h"
#include "sqs/names.h"
#include "sqs/reply.h"

namespace forebay::sqs {

struct Action;

struct Call {
    broker::Commands& commands;
    const ApiOptions& options;
    Gatekeeper& gate;
    Caller caller;
    const Action& action;
    const http::Request& request;  ///< while the action runs
    Arguments arguments;
    Reply reply;

    Names names() const { return {options, request}; }
    /// The queue that QueueUrl, or else the request's path, names, after check().
    /// Errors: missing_parameter; queue_does_not_exist for what cannot be a name; those of check().
    Result<std::string, Error> queue();
    /// Whether the caller may do to that queue what the action does. Every queue that a call names goes through here.
    /// Errors: access_denied, for one of Forebay's own too.
    Result<void, Error> check(std::string_view queue);
    /// The same of a queue that messages are moved to because of this call.
    Result<void, Error> check_target(std::string_view queue);
    /// How many entries or messages the call may have: ten, or as many as `x-forebay-batch: N` says, at most a hundred, so that a
    /// worker of ours takes and deletes a batch in one call. Error: invalid_value.
    Result<unsigned, Error> entries_max() const;
    /// Which queues the caller may be told of; to be asked also after the call has moved on.
    std::function<bool(std::string_view)> may_see() const;

  private:
    Result<void, Error> check(const Wish& wish);
};

/// On failure the reply must not have been moved away.
using Run = Result<void, Error> (*)(Call& call);

struct Action {
    std::string_view name;
    Run run;
    Verb verb;                     ///< what it does to its queue
    bool has_result = true;        ///< has an element for its result in XML
    bool works_at_a_queue = true;  ///< may be called at a queue's own path
};

/// All 23 actions.
std::span<const Action> actions();
const Action* find_action(std::string_view name);

namespace action {
Result<void, Error> create_queue(Call& call);
Result<void, Error> get_queue_url(Call& call);
Result<void, Error> list_queues(Call& call);
Result<void, Error> delete_queue(Call& call);
Result<void, Error> purge_queue(Call& call);
Result<void, Error> get_queue_attributes(Call& call);
Result<void, Error> set_queue_attributes(Call& call);
Result<void, Error> list_dead_letter_source_queues(Call& call);
Result<void, Error> tag_queue(Call& call);
Result<void, Error> untag_queue(Call& call);
Result<void, Error> list_queue_tags(Call& call);
Result<void, Error> send_message(Call& call);
Result<void, Error> send_message_batch(Call& call);
Result<void, Error> receive_message(Call& call);
Result<void, Error> delete_message(Call& call);
Result<void, Error> delete_message_batch(Call& call);
Result<void, Error> change_message_visibility(Call& call);
Result<void, Error> change_message_visibility_batch(Call& call);
Result<void, Error> start_message_move_task(Call& call);
Result<void, Error> cancel_message_move_task(Call& call);
Result<void, Error> list_message_move_tasks(Call& call);
Result<void, Error> add_permission(Call& call);
Result<void, Error> remove_permission(Call& call);
}  // namespace action

}  // namespace forebay::sqs
