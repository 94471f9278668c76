#include "intake/examination.h"

#include <algorithm>

#include "base/codec.h"

namespace forebay::intake {
namespace {

std::size_t place_of(Special which) { return static_cast<std::size_t>(which) - static_cast<std::size_t>(Special::id); }

void write_input(record::EnvelopeWriter& writer, const Input& input) {
    switch (input.kind) {
        case Input::Kind::text:
            writer.text(input.name, input.text);
            break;
        case Input::Kind::null:
            writer.json(input.name, "null");
            break;
        default:
            writer.json(input.name, input.text);
            break;
    }
}

}  // namespace

Result<void, ReadError> Examination::read(const PreparedEndpoint& endpoint, const MediaType& type, std::string_view body) {
    endpoint_ = &endpoint;
    of_rule_.assign(endpoint.rules.size(), nullptr);
    unlisted_.clear();
    std::fill(std::begin(special_), std::end(special_), nullptr);
    TRY(post_.read(type, body, endpoint.spec.limits));
    for (auto& input : post_.inputs()) {
        auto number = endpoint.names.find(input.name);
        if (number == NameTable::none) {
            unlisted_.push_back(&input);
            continue;
        }
        bool is_special = number >= static_cast<int>(Special::id);
        auto& place = is_special ? special_[place_of(static_cast<Special>(number))] : of_rule_[static_cast<std::size_t>(number)];
        if (place != nullptr)
            return Failure{ReadError{"duplicate_field", "the fields \"" + std::string(place->name) + "\" and \"" + std::string(input.name) +
                                                            "\" mean the same"}};
        place = &input;
    }
    return {};
}

std::string_view Examination::special(Special which) const {
    auto* input = special_[place_of(which)];
    return input != nullptr && input->kind != Input::Kind::nested ? input->text : std::string_view();
}

const std::string& Examination::canonical() {
    std::vector<const Input*> sorted;
    for (auto& input : post_.inputs())
        if (endpoint_->names.find(input.name) < static_cast<int>(Special::id)) sorted.push_back(&input);
    std::sort(sorted.begin(), sorted.end(), [](auto* a, auto* b) { return a->name < b->name; });
    canonical_.clear();
    for (auto* input : sorted) {
        put_bytes(canonical_, input->name);
        put_bytes(canonical_, input->text);
    }
    return canonical_;
}

void Examination::check_rule(std::size_t index, record::EnvelopeWriter& writer, std::vector<FieldError>& errors) {
    auto& rule = endpoint_->rules[index];
    auto* input = of_rule_[index];
    std::optional<Checked> checked;
    if (input != nullptr) {
        auto verdict = check_field(rule, *input, scratch_);
        if (!verdict.ok()) {
            errors.push_back({rule.field.name, verdict.error().code, verdict.error().detail});
            return;
        }
        checked = *verdict;
    }
    if (!checked) {
        if (!rule.field.required) return;
        auto complaint = required_complaint(rule);
        errors.push_back({rule.field.name, complaint.code, std::move(complaint.detail)});
        return;
    }
    if (checked->is_json)
        writer.json(rule.field.name, checked->text);
    else
        writer.text(rule.field.name, checked->text);
    if (endpoint_->is_content[index]) {
        put_bytes(content_, rule.field.name);
        put_bytes(content_, checked->text);
    }
    if (!rule.field.as.empty()) value_ = checked->text;
    if (!checked->flag.empty()) flags_.emplace_back(checked->flag);
}

void Examination::write_unlisted(record::EnvelopeWriter& writer, std::vector<FieldError>& errors) {
    if (endpoint_->spec.unknown == Unknown::drop) return;
    for (auto* input : unlisted_) {
        if (endpoint_->spec.unknown == Unknown::refuse)
            errors.push_back({std::string(input->name), "unknown_field", "is not a field of this form"});
        else
            write_input(writer, *input);
    }
}

std::vector<FieldError> Examination::check_and_write(record::EnvelopeWriter& writer) {
    std::vector<FieldError> errors;
    flags_.clear();
    value_.clear();
    content_.clear();
    for (std::size_t i = 0; i < endpoint_->rules.size(); ++i) check_rule(i, writer, errors);
    write_unlisted(writer, errors);
    return errors;
}

}  // namespace forebay::intake
