#include <algorithm>

#include "sqs/action.h"
#include "sqs/page.h"
#include "sqs/queue_attributes.h"
#include "sqs/redrive_policy.h"

namespace forebay::sqs::action {
namespace {

using Attributes = std::vector<std::pair<std::string, std::string>>;

Error invalid_name() {
    return {ErrorKind::invalid_parameter_value, "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"};
}

Error invalid_fifo_name() {
    return {
        ErrorKind::invalid_parameter_value,
        "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 "
        "to 80 in length"};
}

bool asks_for_fifo(const Attributes& attributes) {
    return std::any_of(attributes.begin(), attributes.end(), [](auto& one) { return one.first == "FifoQueue" && is_true(one.second); });
}

Result<void, Error> check_new_name(std::string_view name, const Attributes& attributes) {
    bool is_fifo = asks_for_fifo(attributes);
    if (is_queue_name(name) && is_fifo_name(name) == is_fifo) return {};
    return Failure{is_fifo ? invalid_fifo_name() : invalid_name()};
}

json::Value url_result(const std::string& url) {
    auto out = json::Value::object();
    out.set("QueueUrl", url);
    return out;
}

/// A queue of that name is there: good if each attribute given is what it has. Tags and attributes not given do not count.
void answer_existing(Reply reply, const broker::QueueStatus& queue, const Attributes& given, const std::string& url) {
    for (auto& [name, value] : given) {
        auto changed = queue.settings;
        bool same = set_attribute(changed, name, value).ok() && changed == queue.settings;
        if (!same)
            return reply.fail(Error{ErrorKind::queue_name_exists,
                                    "A queue already exists with the same name and a different value for attribute " + name});
    }
    reply.succeed(url_result(url));
}

/// A queue that is to be made.
struct NewQueue {
    std::string name;
    broker::QueueSettings settings;
    Attributes given;
    std::string url;
};

void create(broker::Commands& commands, Gatekeeper& gate, NewQueue queue, Reply reply) {
    commands.submit(broker::CreateQueue{std::move(queue.name), std::move(queue.settings), false,
                                        [reply = std::move(reply), url = std::move(queue.url), &gate](auto made) mutable {
                                            if (!made.ok()) return reply.fail(made.error());
                                            gate.set_policy(made->name, policy_in(made->settings));
                                            reply.succeed(url_result(url));
                                        }});
}

void create_if_its_dead_letters_may_go(broker::Commands& commands, Gatekeeper& gate, NewQueue queue, Reply reply) {
    auto dead_letters = dead_letter_queue_in(queue.given);
    if (!dead_letters) return create(commands, gate, std::move(queue), std::move(reply));
    auto target = dead_letters->queue;
    auto then = [&commands, &gate, queue = std::move(queue), dead_letters = std::move(*dead_letters),
                 reply = std::move(reply)](auto found) mutable {
        if (auto allowed = check_dead_letter_queue(dead_letters, queue.name, found); !allowed.ok()) return reply.fail(allowed.error());
        create(commands, gate, std::move(queue), std::move(reply));
    };
    commands.submit(broker::GetQueue{std::move(target), std::move(then)});
}

}  // namespace

Result<void, Error> create_queue(Call& call) {
    TRY_ASSIGN(auto name, call.arguments.required_text("QueueName"));
    TRY_ASSIGN(auto attributes, call.arguments.text_map("Attributes"));
    TRY(check_new_name(name, attributes));
    TRY(call.check(name));
    broker::QueueSettings settings;
    settings.fifo = is_fifo_name(name);
    TRY(set_attributes(settings, attributes));
    if (settings.redrive) TRY(call.check_target(settings.redrive->dead_letter));
    TRY_ASSIGN(auto tags, call.arguments.text_map(call.arguments.has("tags") ? "tags" : "Tags"));
    TRY(set_tags(settings, tags));
    NewQueue queue{name, std::move(settings), std::move(attributes), call.names().url_of(name)};
    auto answer = [&commands = call.commands, &gate = call.gate, queue = std::move(queue),
                   reply = std::move(call.reply)](auto existing) mutable {
        if (existing.ok()) return answer_existing(std::move(reply), *existing, queue.given, queue.url);
        if (existing.error() != broker::Refusal::no_such_queue) return reply.fail(existing.error());
        create_if_its_dead_letters_may_go(commands, gate, std::move(queue), std::move(reply));
    };
    call.commands.submit(broker::GetQueue{std::move(name), std::move(answer)});
    return {};
}

Result<void, Error> get_queue_url(Call& call) {
    TRY_ASSIGN(auto name, call.arguments.required_text("QueueName"));
    if (!is_queue_name(name)) return Failure{queue_does_not_exist()};
    TRY(call.check(name));
    auto url = call.names().url_of(name);
    call.commands.submit(broker::GetQueue{std::move(name), [reply = std::move(call.reply), url = std::move(url)](auto queue) mutable {
                                              if (!queue.ok()) return reply.fail(queue.error());
                                              reply.succeed(url_result(url));
                                          }});
    return {};
}

Result<void, Error> list_queues(Call& call) {
    broker::ListQueues command;
    TRY_ASSIGN(auto prefix, call.arguments.text("QueueNamePrefix"));
    TRY_ASSIGN(auto page, read_page(call.arguments));
    command.prefix = prefix.value_or("");
    command.answer = [may_see = call.may_see(), reply = std::move(call.reply), page = std::move(page),
                      outside = call.names()](auto queues) mutable {
        if (!queues.ok()) return reply.fail(queues.error());
        std::vector<std::string> names;
        for (auto& queue : *queues)
            if (may_see(queue.name)) names.push_back(std::move(queue.name));
        reply.succeed(page_of_urls("QueueUrls", std::move(names), page, outside));
    };
    call.commands.submit(std::move(command));
    return {};
}

Result<void, Error> delete_queue(Call& call) {
    TRY_ASSIGN(auto queue, call.queue());
    call.commands.submit(broker::DeleteQueue{queue, [reply = std::move(call.reply), &gate = call.gate, queue](auto done) mutable {
                                                 if (!done.ok()) return reply.fail(done.error());
                                                 gate.set_policy(queue, {});
                                                 reply.succeed();
                                             }});
    return {};
}

Result<void, Error> purge_queue(Call& call) {
    TRY_ASSIGN(auto queue, call.queue());
    auto answer = [reply = std::move(call.reply), queue](auto done) mutable {
        if (done.ok()) return reply.succeed();
        if (done.error() != broker::Refusal::purge_in_progress) return reply.fail(done.error());
        reply.fail({ErrorKind::purge_queue_in_progress, "Only one PurgeQueue operation on " + queue + " is allowed every 60 seconds."});
    };
    call.commands.submit(broker::Purge{std::move(queue), false, std::move(answer)});
    return {};
}

}  // namespace forebay::sqs::action
