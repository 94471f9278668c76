// A queue's policy. What can be read says the same however its JSON is written, and with a statement that denies everything it denies.

#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/json.h"
#include "sqs/policy.h"

namespace {

using namespace forebay;

const sqs::PolicyPlace anywhere{"123456789012", "", "orders"}, here{"123456789012", "us-east-1", "orders"};
const sqs::PolicyQuestion questions[] = {
    {"jane", "SendMessage", "10.1.2.3", false}, {"joe", "SetQueueAttributes", "2001:db8::1", true}, {"", "GetQueueUrl", "", false}};

void check_same(const sqs::Policy& policy, const sqs::Policy& other) {
    for (const auto& question : questions) CHECK(policy.decide(question) == other.decide(question), "the same policy says the same");
}

void check_denies(json::Value document, const sqs::PolicyPlace& place) {
    json::Value all;
    all.set("Effect", "Deny").set("Principal", "*").set("Action", "*");
    for (auto& [name, value] : document.members()) {
        if (name != "Statement") continue;
        if (value.is_object())
            value = [&] {
                auto list = json::Value::array();
                list.push(value);
                return list;
            }();
        value.push(all);
    }
    auto policy = sqs::Policy::parse(json::to_text(document), place);
    if (!policy.ok()) return;  // over a bound
    for (const auto& question : questions) CHECK(policy->decide(question) == sqs::Verdict::deny, "one that denies outweighs all");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto text = std::string_view(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto& place = data[0] % 2 == 0 ? anywhere : here;
    auto policy = sqs::Policy::parse(text, place);
    if (!policy.ok()) return 0;
    auto document = json::parse(text);
    CHECK(document.ok(), "a policy is JSON");
    if (auto again = sqs::Policy::parse(json::to_text(*document), place); again.ok()) check_same(*policy, *again);
    check_denies(std::move(*document), place);
    return 0;
}
