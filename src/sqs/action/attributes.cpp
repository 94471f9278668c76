#include "sqs/action.h"
#include "sqs/action/change.h"
#include "sqs/page.h"
#include "sqs/queue_attributes.h"
#include "sqs/redrive_policy.h"

namespace forebay::sqs::action {

Result<void, Error> get_queue_attributes(Call& call) {
    TRY_ASSIGN(auto queue, call.queue());
    TRY_ASSIGN(auto names, call.arguments.texts("AttributeNames"));
    TRY(check_attribute_names(names));
    auto answer = [reply = std::move(call.reply), names = std::move(names), outside = call.names()](auto status) mutable {
        if (!status.ok()) return reply.fail(status.error());
        auto result = json::Value::object();
        auto attributes = attributes_of(*status, names, outside);
        if (!attributes.members().empty()) result.set("Attributes", std::move(attributes));
        reply.succeed(result);
    };
    call.commands.submit(broker::GetQueue{std::move(queue), std::move(answer)});
    return {};
}

Result<void, Error> set_queue_attributes(Call& call) {
    TRY_ASSIGN(auto queue, call.queue());
    TRY_ASSIGN(auto attributes, call.arguments.text_map("Attributes"));
    if (attributes.empty()) return Failure{missing_parameter("Attribute.Name")};
    auto dead_letters = dead_letter_queue_in(attributes);
    if (dead_letters) TRY(call.check_target(dead_letters->queue));
    auto change = [attributes = std::move(attributes)](broker::QueueSettings& settings) { return set_attributes(settings, attributes); };
    if (!dead_letters) {
        change_settings(call.commands, call.gate, std::move(queue), std::move(call.reply), std::move(change));
        return {};
    }
    // What is wrong with the queue itself, or with the attributes, is said before what is wrong with the target.
    auto target = dead_letters->queue;
    auto answer = [&commands = call.commands, &gate = call.gate, queue = std::move(queue), dead_letters = std::move(*dead_letters),
                   change = std::move(change), reply = std::move(call.reply)](auto found) mutable {
        auto allowed = check_dead_letter_queue(dead_letters, queue, found);
        auto change_if_allowed = [change = std::move(change), allowed](broker::QueueSettings& settings) -> Result<void, Error> {
            TRY(change(settings));
            return allowed;
        };
        change_settings(commands, gate, std::move(queue), std::move(reply), std::move(change_if_allowed));
    };
    call.commands.submit(broker::GetQueue{std::move(target), std::move(answer)});
    return {};
}

Result<void, Error> tag_queue(Call& call) {
    TRY_ASSIGN(auto queue, call.queue());
    TRY_ASSIGN(auto tags, call.arguments.text_map("Tags"));
    if (tags.empty()) return Failure{missing_parameter("Tags")};
    change_settings(call.commands, call.gate, std::move(queue), std::move(call.reply),
                    [tags = std::move(tags)](broker::QueueSettings& settings) { return set_tags(settings, tags); });
    return {};
}

Result<void, Error> untag_queue(Call& call) {
    TRY_ASSIGN(auto queue, call.queue());
    TRY_ASSIGN(auto keys, call.arguments.texts("TagKeys"));
    if (keys.empty()) return Failure{missing_parameter("TagKeys")};
    change_settings(call.commands, call.gate, std::move(queue), std::move(call.reply),
                    [keys = std::move(keys)](broker::QueueSettings& settings) -> Result<void, Error> {
                        remove_tags(settings, keys);
                        return {};
                    });
    return {};
}

Result<void, Error> list_queue_tags(Call& call) {
    TRY_ASSIGN(auto queue, call.queue());
    call.commands.submit(broker::GetQueue{std::move(queue), [reply = std::move(call.reply)](auto status) mutable {
                                              if (!status.ok()) return reply.fail(status.error());
                                              auto tags = json::Value::object();
                                              for (auto& [key, value] : tags_of(status->settings)) tags.set(key, std::move(value));
                                              auto result = json::Value::object();
                                              if (!tags.members().empty()) result.set("Tags", std::move(tags));
                                              reply.succeed(result);
                                          }});
    return {};
}

Result<void, Error> list_dead_letter_source_queues(Call& call) {
    TRY_ASSIGN(auto queue, call.queue());
    TRY_ASSIGN(auto page, read_page(call.arguments));
    auto list = [queue, page = std::move(page), reply = std::move(call.reply), outside = call.names(),
                 may_see = call.may_see()](auto queues) mutable {
        if (!queues.ok()) return reply.fail(queues.error());
        bool exists = false;
        std::vector<std::string> sources;
        for (auto& one : *queues) {
            exists = exists || one.name == queue;
            bool is_source = one.settings.redrive && one.settings.redrive->dead_letter == queue;
            if (is_source && may_see(one.name)) sources.push_back(std::move(one.name));
        }
        if (!exists) return reply.fail(broker::Refusal::no_such_queue);
        auto result = page_of_urls("queueUrls", std::move(sources), page, outside);
        if (result.find("queueUrls") == nullptr) result.set("queueUrls", json::Value::array());  // required by the model
        reply.succeed(result);
    };
    call.commands.submit(broker::ListQueues{"", std::move(list)});
    return {};
}

}  // namespace forebay::sqs::action
