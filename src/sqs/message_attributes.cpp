#include "sqs/message_attributes.h"

#include <algorithm>

#include "base/digest.h"
#include "queue/limits.h"
#include "sqs/text.h"

namespace forebay::sqs {
namespace {

constexpr std::size_t name_bytes_max = 256;
constexpr std::size_t type_bytes_max = 256;
constexpr unsigned char transport_text = 1, transport_bytes = 2;

Error refused(std::string message) { return {ErrorKind::invalid_parameter_value, std::move(message)}; }
std::string quoted(std::string_view name) { return "'" + std::string(name.substr(0, name_bytes_max)) + "'"; }

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// AWS takes accented letters too, hence all bytes above ASCII.
bool is_name_character(char c) { return is_alphanumeric(c) || c == '_' || c == '-' || c == '.' || static_cast<unsigned char>(c) >= 0x80; }

bool starts_with_any_case(std::string_view text, std::string_view lower_prefix) {
    if (text.size() < lower_prefix.size()) return false;
    return std::equal(lower_prefix.begin(), lower_prefix.end(), text.begin(),
                      [](char want, char c) { return want == (c >= 'A' && c <= 'Z' ? c + 32 : c); });
}

Result<void, Error> check_name(std::string_view name) {
    if (name.empty() || name.size() > name_bytes_max)
        return Failure{refused("Message (user) attribute name must be 1 to 256 characters long.")};
    bool sound = std::all_of(name.begin(), name.end(), is_name_character) && name.front() != '.' && name.back() != '.' &&
                 name.find("..") == std::string_view::npos;
    if (!sound)
        return Failure{refused("The message (user) attribute name " + quoted(name) +
                               " can only contain letters, digits, hyphens, underscores and periods, and no period at its start, at its "
                               "end or twice in a row.")};
    if (starts_with_any_case(name, "aws.") || starts_with_any_case(name, "amazon."))
        return Failure{refused("The message (user) attribute name " + quoted(name) +
                               " must not start with a prefix that AWS reserves (AWS., Amazon.).")};
    return {};
}

std::string_view base_type(std::string_view type) { return type.substr(0, type.find('.')); }
bool is_binary(std::string_view type) { return base_type(type) == "Binary"; }

Result<void, Error> check_type(std::string_view name, std::string_view type) {
    if (type.empty())
        return Failure{refused("The message (user) attribute " + quoted(name) + " must contain a non-empty message attribute type.")};
    auto base = base_type(type);
    bool known = base == "String" || base == "Number" || base == "Binary";
    if (!known || type.size() > type_bytes_max || !is_sendable(type))
        return Failure{refused("The type of message (user) attribute " + quoted(name) +
                               " is invalid. You must use only the following supported type prefixes: Binary, Number, String.")};
    return {};
}

std::size_t skip_digits(std::string_view text, std::size_t from) {
    while (from < text.size() && is_digit(text[from])) ++from;
    return from;
}

/// `-12`, `3.5`, `1e-7`.
bool is_number(std::string_view text) {
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    auto whole = skip_digits(text, 0);
    auto end = whole;
    if (end < text.size() && text[end] == '.') end = skip_digits(text, end + 1);
    bool has_digits = whole > 0 || end > whole + 1;
    if (has_digits && end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
        auto exponent = end + 1;
        if (exponent < text.size() && (text[exponent] == '-' || text[exponent] == '+')) ++exponent;
        end = skip_digits(text, exponent);
        has_digits = end > exponent;
    }
    return has_digits && end == text.size();
}

Error empty_value(std::string_view name, std::string_view type) {
    return refused("Message (user) attribute " + quoted(name) + " must contain a non-empty value of type '" + std::string(type) + "'.");
}

Result<std::string, Error> read_binary(std::string_view name, Arguments& of) {
    TRY_ASSIGN(auto text, of.text("BinaryValue"));
    if (!text || text->empty()) return Failure{empty_value(name, "Binary")};
    auto bytes = from_base64(*text);
    if (!bytes) return Failure{Error{ErrorKind::serialization, "The BinaryValue of " + quoted(name) + " is not base64."}};
    return std::move(*bytes);
}

Result<std::string, Error> read_text(std::string_view name, std::string_view type, Arguments& of) {
    TRY_ASSIGN(auto text, of.text("StringValue"));
    if (!text || text->empty()) return Failure{empty_value(name, base_type(type))};
    if (!is_sendable(*text))
        return Failure{Error{ErrorKind::invalid_message_contents,
                             "Message (user) attribute " + quoted(name) + " holds characters that are not allowed."}};
    if (base_type(type) == "Number" && !is_number(*text))
        return Failure{refused("Can't cast the value of message (user) attribute " + quoted(name) + " to a number.")};
    return std::move(*text);
}

Result<queue::MessageAttribute, Error> read_one(std::string name, Arguments of) {
    TRY(check_name(name));
    TRY_ASSIGN(auto type, of.text("DataType"));
    if (!type) type.emplace();
    TRY(check_type(name, *type));
    TRY_ASSIGN(auto value, is_binary(*type) ? read_binary(name, of) : read_text(name, *type, of));
    return queue::MessageAttribute{std::move(name), std::move(*type), std::move(value)};
}

void put_length(std::string& out, std::size_t length) {
    for (int shift : {24, 16, 8, 0}) out += static_cast<char>(length >> shift & 0xff);
}
void put_text(std::string& out, std::string_view text) {
    put_length(out, text.size());
    out.append(text);
}

}  // namespace

Result<MessageAttributes, Error> read_message_attributes(Arguments& of) {
    MessageAttributes out;
    if (!of.has("MessageAttributes")) return out;
    TRY_ASSIGN(auto given, of.structure_map("MessageAttributes"));
    if (given.size() > queue::limits::message_attributes_max)
        return Failure{refused("Number of message attributes [" + std::to_string(given.size()) + "] exceeds the allowed maximum [10].")};
    for (auto& [name, value] : given) {
        TRY_ASSIGN(auto attribute, read_one(std::move(name), value));
        out.push_back(std::move(attribute));
    }
    return out;
}

Result<MessageAttributes, Error> read_system_attributes(Arguments& of) {
    MessageAttributes out;
    if (!of.has("MessageSystemAttributes")) return out;
    TRY_ASSIGN(auto given, of.structure_map("MessageSystemAttributes"));
    for (auto& [name, value] : given) {
        if (name != "AWSTraceHeader") return Failure{refused("Message system attribute name " + quoted(name) + " is invalid.")};
        TRY_ASSIGN(auto attribute, read_one(std::move(name), value));
        if (attribute.type != "String") return Failure{refused("Message system attribute 'AWSTraceHeader' must be of type 'String'.")};
        out.push_back(std::move(attribute));
    }
    return out;
}

std::optional<std::string> md5_of(const MessageAttributes& attributes) {
    if (attributes.empty()) return std::nullopt;
    std::vector<const queue::MessageAttribute*> sorted;
    for (auto& attribute : attributes) sorted.push_back(&attribute);
    std::sort(sorted.begin(), sorted.end(), [](auto* a, auto* b) { return a->name < b->name; });
    std::string bytes;
    for (auto* attribute : sorted) {
        put_text(bytes, attribute->name);
        put_text(bytes, attribute->type);
        bytes += static_cast<char>(is_binary(attribute->type) ? transport_bytes : transport_text);
        put_text(bytes, attribute->value);
    }
    return to_hex(md5(bytes));
}

std::uint64_t bytes_of(const MessageAttributes& attributes) {
    std::uint64_t sum = 0;
    for (auto& attribute : attributes) sum += attribute.name.size() + attribute.type.size() + attribute.value.size();
    return sum;
}

bool is_asked_for(std::string_view attribute, const std::vector<std::string>& names) {
    return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
        if (name == "All" || name == attribute) return true;
        return name.ends_with(".*") && attribute.starts_with(name.substr(0, name.size() - 2));
    });
}

json::Value to_json(const MessageAttributes& attributes) {
    auto out = json::Value::object();
    for (auto& attribute : attributes) {
        auto value = json::Value::object();
        if (is_binary(attribute.type))
            value.set("BinaryValue", to_base64(attribute.value));
        else
            value.set("StringValue", attribute.value);
        value.set("DataType", attribute.type);
        out.set(attribute.name, std::move(value));
    }
    return out;
}

}  // namespace forebay::sqs
