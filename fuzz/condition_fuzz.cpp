// Conditions of configuration files and --where. Whatever is accepted can be asked, and means the same again.

#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "condition/condition.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace forebay;
    const auto text = std::string_view(reinterpret_cast<const char*>(data), size);
    static const auto object = json::parse(R"({"a":"auto","b":12.50,"c":true,"d":["x",3],"e":{"f":"2026-09-19"}})").value();
    auto condition = condition::Condition::parse(text);
    if (!condition.ok()) {
        CHECK(condition.error().offset <= text.size(), "an error points into the text");
        (void)condition::error_text("--where", text, condition.error());
        return 0;
    }
    bool holds = condition->holds(condition::ObjectScope(object));
    auto opposite = condition::Condition::parse("not (" + condition->text() + ")");
    if (opposite.ok()) CHECK(opposite->holds(condition::ObjectScope(object)) != holds, "not turns the answer round");
    return 0;
}
