#include "sqs/query_xml.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>
#include <vector>

namespace forebay::sqs::query_protocol {
namespace {

constexpr std::size_t path_parts_max = 8;
constexpr std::string_view name_space = "http://queue.amazonaws.com/doc/2012-11-05/";

/// A list or map whose name differs between Query and JSON. Query flattens both:
/// `WIRE.N[.member]`; a map's entries have a key and a value member.
struct Collection {
    std::string_view wire;
    std::string_view name;
    std::string_view key = {};    ///< of a map
    std::string_view value = {};  ///< of a map
    bool is_map() const { return !key.empty(); }
};

constexpr Collection requests[] = {
    {"Attribute", "Attributes", "Name", "Value"},
    {"AttributeName", "AttributeNames"},
    {"MessageAttribute", "MessageAttributes", "Name", "Value"},
    {"MessageAttributeName", "MessageAttributeNames"},
    {"MessageSystemAttribute", "MessageSystemAttributes", "Name", "Value"},
    {"MessageSystemAttributeName", "MessageSystemAttributeNames"},
    {"Tag", "Tags", "Key", "Value"},
    {"TagKey", "TagKeys"},
    {"AWSAccountId", "AWSAccountIds"},
    {"ActionName", "Actions"},
    {"SendMessageBatchRequestEntry", "Entries"},
    {"DeleteMessageBatchRequestEntry", "Entries"},
    {"ChangeMessageVisibilityBatchRequestEntry", "Entries"},
};

constexpr Collection answers[] = {
    {"Attribute", "Attributes", "Name", "Value"},
    {"MessageAttribute", "MessageAttributes", "Name", "Value"},
    {"Tag", "Tags", "Key", "Value"},
    {"Message", "Messages"},
    {"QueueUrl", "QueueUrls"},
    {"QueueUrl", "queueUrls"},
    {"BatchResultErrorEntry", "Failed"},
};

const Collection* find_request(std::string_view wire) {
    auto found = std::find_if(std::begin(requests), std::end(requests), [&](auto& row) { return row.wire == wire; });
    return found == std::end(requests) ? nullptr : found;
}
const Collection* find_answer(std::string_view name) {
    auto found = std::find_if(std::begin(answers), std::end(answers), [&](auto& row) { return row.name == name; });
    return found == std::end(answers) ? nullptr : found;
}

json::Value& child(json::Value& parent, std::string_view key) {
    if (!parent.is_object()) parent = json::Value::object();
    for (auto& [name, value] : parent.members())
        if (name == key) return value;
    return parent.members().emplace_back(std::string(key), json::Value()).second;
}

/// Puts `a.1.b=text` at tree["a"]["1"]["b"]. False if it is nested too deep.
bool place(json::Value& tree, std::string_view path, std::string text) {
    auto* node = &tree;
    for (std::size_t parts = 1;; ++parts) {
        if (parts > path_parts_max) return false;
        auto dot = path.find('.');
        node = &child(*node, path.substr(0, dot));
        if (dot == std::string_view::npos) break;
        path.remove_prefix(dot + 1);
    }
    *node = json::Value(std::move(text));
    return true;
}

std::uint64_t index_of(std::string_view text) {
    std::uint64_t n = ~0ull;
    std::from_chars(text.data(), text.data() + text.size(), n);
    return n;
}

json::Value renamed(json::Value node);

/// The numbered entries of `WIRE.N…` as JSON's array or object.
json::Value collected(const Collection& collection, json::Value node) {
    auto out = collection.is_map() ? json::Value::object() : json::Value::array();
    auto& numbered = node.members();
    std::stable_sort(numbered.begin(), numbered.end(), [](auto& a, auto& b) { return index_of(a.first) < index_of(b.first); });
    for (auto& [index, entry] : numbered) {
        if (collection.is_map())
            child(out, child(entry, collection.key).text()) = renamed(std::move(child(entry, collection.value)));
        else
            out.push(renamed(std::move(entry)));
    }
    return out;
}

json::Value renamed(json::Value node) {
    if (!node.is_object()) return node;
    auto out = json::Value::object();
    for (auto& [name, value] : node.members()) {
        auto* collection = find_request(name);
        // An empty list arrives as `AttributeName=`.
        bool is_collection = collection != nullptr && (value.is_object() || value.text().empty());
        if (is_collection)
            out.set(collection->name, collected(*collection, std::move(value)));
        else
            out.set(name, renamed(std::move(value)));
    }
    return out;
}

Error malformed(std::string_view why) { return {ErrorKind::serialization, std::string(why)}; }

using Pairs = std::vector<std::pair<std::string, std::string>>;

Result<Pairs, Error> pairs_of(const http::Request& request) {
    Pairs pairs;
    bool ok = http::parse_query(request.query, parameters_max, pairs);
    if (ok && request.method == "POST" && !request.body.empty()) {
        Pairs form;
        ok = http::parse_query(request.body, parameters_max, form);
        std::move(form.begin(), form.end(), std::back_inserter(pairs));
    }
    if (!ok) return Failure{malformed("The request has too many parameters.")};
    return pairs;
}

void append_escaped(std::string& out, std::string_view text) {
    std::size_t start = 0;
    auto replace = [&](std::size_t at, std::string_view by) {
        out.append(text, start, at - start).append(by);
        start = at + 1;
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
        switch (text[i]) {
            case '&':
                replace(i, "&amp;");
                break;
            case '<':
                replace(i, "&lt;");
                break;
            case '>':
                replace(i, "&gt;");
                break;
            case '"':
                replace(i, "&quot;");
                break;
            case '\r':
                replace(i, "&#13;");
                break;  // a parser would make a plain CR a line feed
            default:
                // XML cannot hold these; a message sent through this API has none.
                if (static_cast<unsigned char>(text[i]) < 0x20 && text[i] != '\t' && text[i] != '\n') replace(i, "\xEF\xBF\xBD");
        }
    }
    out.append(text, start);
}

void append_members(std::string& out, std::string_view action, const json::Value& object);

void open(std::string& out, std::string_view name) { out.append("<").append(name).append(">"); }
void close(std::string& out, std::string_view name) { out.append("</").append(name).append(">"); }

void append_element(std::string& out, std::string_view action, std::string_view name, const json::Value& value) {
    open(out, name);
    if (value.is_object())
        append_members(out, action, value);
    else if (value.is_bool())
        out.append(value.boolean() ? "true" : "false");
    else
        append_escaped(out, value.text());
    close(out, name);
}

void append_map(std::string& out, std::string_view action, const Collection& collection, const json::Value& map) {
    for (auto& [key, value] : map.members()) {
        open(out, collection.wire);
        append_element(out, action, collection.key, json::Value(key));
        append_element(out, action, collection.value, value);
        close(out, collection.wire);
    }
}

/// A list's elements each stand for themselves; Successful's are named after the action.
void append_list(std::string& out, std::string_view action, const Collection* collection, const json::Value& list) {
    auto name = collection != nullptr ? std::string(collection->wire) : std::string(action) + "ResultEntry";
    for (auto& element : list.elements()) append_element(out, action, name, element);
}

void append_members(std::string& out, std::string_view action, const json::Value& object) {
    for (auto& [name, value] : object.members()) {
        auto* collection = find_answer(name);
        if (collection != nullptr && collection->is_map())
            append_map(out, action, *collection, value);
        else if (value.is_array())
            append_list(out, action, collection, value);
        else
            append_element(out, action, name, value);
    }
}

http::Response response(unsigned status, std::string_view request_id) {
    http::Response out;
    out.status = status;
    out.content_type = "text/xml";
    out.headers.emplace_back("x-amzn-RequestId", request_id);
    out.body = "<?xml version=\"1.0\"?>";
    return out;
}

}  // namespace

Result<Parameters, Error> decode(const http::Request& request) {
    TRY_ASSIGN(auto pairs, pairs_of(request));
    // Of two actions or queues, who looked at the request on its way may have believed the other.
    std::set<std::string_view> names;
    for (auto& [name, value] : pairs)
        if (!names.insert(name).second) return Failure{malformed("A parameter is given twice.")};
    Parameters out;
    auto tree = json::Value::object();
    for (auto& [name, value] : pairs) {
        if (!json::is_utf8(name) || !json::is_utf8(value)) return Failure{malformed("A parameter is not UTF-8.")};
        if (name == "Action")
            out.action = std::move(value);
        else if (!place(tree, name, std::move(value)))
            return Failure{malformed("A parameter is nested too deep.")};
    }
    out.members = renamed(std::move(tree));
    return out;
}

http::Response success(std::string_view action, bool has_result, const json::Value& result, std::string_view request_id) {
    auto out = response(200, request_id);
    auto& body = out.body;
    body.append("<").append(action).append("Response xmlns=\"").append(name_space).append("\">");
    if (has_result && result.members().empty()) {
        body.append("<").append(action).append("Result/>");
    } else if (has_result) {
        body.append("<").append(action).append("Result>");
        append_members(body, action, result);
        body.append("</").append(action).append("Result>");
    }
    body.append("<ResponseMetadata><RequestId>").append(request_id).append("</RequestId></ResponseMetadata></");
    body.append(action).append("Response>");
    return out;
}

http::Response failure(const Error& error, std::string_view request_id) {
    auto& row = row_of(error.kind);
    auto out = response(row.status, request_id);
    auto& body = out.body;
    body.append("<ErrorResponse xmlns=\"").append(name_space).append("\"><Error><Type>").append(row.senders_fault ? "Sender" : "Receiver");
    body.append("</Type><Code>").append(row.query_code).append("</Code><Message>");
    bool no_queue = error.kind == ErrorKind::queue_does_not_exist;
    append_escaped(body, no_queue ? "The specified queue does not exist for this wsdl version." : std::string_view(error.message));
    body.append("</Message><Detail/></Error><RequestId>").append(request_id).append("</RequestId></ErrorResponse>");
    return out;
}

http::Response no_action() {
    http::Response out;
    out.status = 404;
    out.content_type = "text/xml";
    out.body = "<UnknownOperationException/>";
    return out;
}

}  // namespace forebay::sqs::query_protocol
