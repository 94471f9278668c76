#pragma once
// One row per action of the SQS API, whatever the protocol: its name, what its answers look like, and what it
// does. An action reads its arguments, submits a command whose answer takes the reply along, and returns; or
// returns an error without having changed anything, and the caller answers.

#include <span>
#include <string_view>

#include "base/result.h"
#include "broker/broker.h"
#include "sqs/api.h"
#include "sqs/arguments.h"
#include "sqs/names.h"
#include "sqs/reply.h"

namespace forebay::sqs {

struct Call {
    broker::Commands& commands;
    const ApiOptions& options;
    const http::Request& request;  ///< while the action runs
    Arguments arguments;
    Reply reply;

    Names names() const { return {options, request}; }
    /// The queue that QueueUrl, or else the request's path, names.
    /// Errors: missing_parameter; queue_does_not_exist for what cannot be a name.
    /// access_denied for one of Forebay's own.
    Result<std::string, Error> queue();
};

/// Errors: access_denied for one of Forebay's own queues.
Result<void, Error> check_is_clients(const ApiOptions& options, std::string_view queue);

/// On failure the reply must not have been moved away.
using Run = Result<void, Error> (*)(Call& call);

struct Action {
    std::string_view name;
    Run run;
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
Result<void, Error> not_in_this_version(Call& call);
}  // namespace action

}  // namespace forebay::sqs
