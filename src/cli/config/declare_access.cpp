// [access.NAME]: who may use the queue port, and for what.
#include <memory>

#include "cli/config/declare.h"

namespace forebay::cli {
namespace {

Slot grants(std::vector<sqs::Grant>& field) {
    auto words = std::make_shared<std::vector<std::string>>();
    auto slot = texts(*words);
    slot.take = [&field, words, take = slot.take](const Given& given) -> std::optional<std::string> {
        if (auto problem = take(given)) return problem;
        field.clear();
        for (const auto& word : *words) {
            auto grant = sqs::parse_grant(word);
            if (!grant.ok()) return grant.error() + ", not " + in_quotes(word);
            field.push_back(std::move(*grant));
        }
        return std::nullopt;
    };
    slot.toml = [&field, words, toml = slot.toml] {
        words->clear();
        for (const auto& grant : field) words->push_back(sqs::to_text(grant));
        return toml();
    };
    return slot;
}

void declare_key(Scope& s, sqs::AccessKey& key) {
    s.setting("id", text(key.id), "the access key id that requests are signed with; the name if it is not set");
    s.setting("secret", secret(key.secret), "the secret access key, from ${file:…} or ${env:…}");
    s.setting("allow", grants(key.allow),
              "what its holder may do: send, receive, delete, admin or * on a queue, such as \"send:orders-*\"");
}

}  // namespace

void declare_access(Scope& root, Configuration& c) { each(root, "access", c.access, declare_key); }

}  // namespace forebay::cli
