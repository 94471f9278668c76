// Fields that somebody changed by hand, held against today's rules.

#include <algorithm>

#include "intake/state.h"

namespace forebay::intake {

EditedFields Intake::check_edit(std::string_view endpoint_name, const json::Value& fields, const std::vector<std::string>& changed) {
    thread_local Examination examination;
    EditedFields out;
    out.fields = fields;
    auto in_force = state_->rules();
    auto* endpoint = in_force->named(endpoint_name);
    if (endpoint == nullptr) {
        out.errors.push_back({"", "no_endpoint", "the endpoint \"" + std::string(endpoint_name) + "\" is not configured any more"});
        return out;
    }
    auto body = json::to_text(fields);
    auto read = examination.read(*endpoint, media_type_of("application/json"), body);
    if (!read.ok()) {
        out.errors.push_back({"", std::string(read.error().code), read.error().detail});
        return out;
    }
    auto is_changed = [&](const std::string& field) { return std::find(changed.begin(), changed.end(), field) != changed.end(); };
    std::string envelope;
    record::EnvelopeWriter writer(envelope, Uuid{}, endpoint_name, Timestamp{});
    // What was accepted once under other rules is no reason to refuse what is mended now.
    for (auto& error : examination.check_and_write(writer))
        if (is_changed(error.field)) out.errors.push_back({error.field, std::string(error.code), error.detail});
    writer.finish({});
    auto written = json::parse(envelope);
    if (!out.errors.empty() || !written.ok()) return out;
    auto cleaned = json::Value::object();
    for (const auto& [name, value] : fields.members()) {
        const auto* clean = (*written)["fields"].find(name);
        if (!is_changed(name))
            cleaned.set(name, value);
        else if (clean != nullptr)
            cleaned.set(name, *clean);
    }
    out.fields = std::move(cleaned);
    out.value = examination.value();
    return out;
}

}  // namespace forebay::intake
