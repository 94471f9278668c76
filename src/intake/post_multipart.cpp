// multipart/form-data (RFC 7578). A file's name is data and never a path; its content stays in the raw body.

#include "base/json.h"
#include "intake/post.h"
#include "intake/utf8.h"
#include "record/text.h"

namespace forebay::intake {
namespace {

constexpr std::size_t boundary_bytes_max = 70;  // RFC 2046, section 5.1.1
constexpr std::size_t head_bytes_max = 4096;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool starts_with_ignoring_case(std::string_view text, std::string_view start) {
    if (text.size() < start.size()) return false;
    for (std::size_t i = 0; i < start.size(); ++i)
        if (lower(text[i]) != start[i]) return false;
    return true;
}

ReadError invalid(std::string detail) { return {"multipart_invalid", "the multipart body " + std::move(detail)}; }

/// The value of the part's header of that lower-case name, empty if there is none.
std::string_view header_of(std::string_view head, std::string_view name) {
    while (!head.empty()) {
        auto line = head.substr(0, head.find("\r\n"));
        head.remove_prefix(std::min(line.size() + 2, head.size()));
        if (starts_with_ignoring_case(line, name) && line.size() > name.size() && line[name.size()] == ':') {
            line.remove_prefix(name.size() + 1);
            return line.substr(std::min(line.find_first_not_of(" \t"), line.size()));
        }
    }
    return {};
}

/// A parameter of Content-Disposition as browsers write it: `name="a%22b"`; %22, %0D and %0A stand for ", CR and LF.
std::optional<std::string> parameter_of(std::string_view value, std::string_view name) {
    for (auto at = value.find(';'); at != std::string_view::npos; at = value.find(';', at)) {
        at = value.find_first_not_of(" \t", at + 1);
        if (at == std::string_view::npos) break;
        auto equals = value.find('=', at);
        if (equals == std::string_view::npos) break;
        bool ours = starts_with_ignoring_case(value.substr(at, equals - at), name) && equals - at == name.size();
        bool quoted = equals + 1 < value.size() && value[equals + 1] == '"';
        auto start = equals + (quoted ? 2 : 1);
        auto end = quoted ? value.find('"', start) : value.find(';', start);
        if (quoted && end == std::string_view::npos) return std::nullopt;
        if (ours) return std::string(value.substr(start, end == std::string_view::npos ? end : end - start));
        if (end == std::string_view::npos) break;
        at = end;
    }
    return std::nullopt;
}

std::string browser_unescaped(std::string text) {
    for (auto [from, to] : {std::pair{"%22", '"'}, {"%0D", '\r'}, {"%0A", '\n'}, {"%0d", '\r'}, {"%0a", '\n'}})
        for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + 1)) text.replace(at, 3, 1, to);
    return text;
}

std::optional<ReadError> check_text(std::string_view text, std::string_view name, const char* what) {
    if (auto bad = find_bad_utf8(text))
        return ReadError{"utf8_invalid",
                         "the " + std::string(what) + " of \"" + std::string(name) + "\" is not UTF-8 at byte " + std::to_string(*bad)};
    if (find_forbidden(text))
        return ReadError{"character_forbidden", "the " + std::string(what) + " of a field contains NUL, U+FFFE or U+FFFF"};
    return std::nullopt;
}

std::string file_as_json(std::string_view filename, std::string_view type, std::size_t bytes) {
    std::string out = "{\"filename\":";
    record::append_json_string(out, filename);
    out += ",\"content_type\":";
    record::append_json_string(out, type);
    return out.append(",\"bytes\":").append(std::to_string(bytes)).append("}");
}

}  // namespace

Result<void, ReadError> Post::read_part(std::string_view head, std::string_view content) {
    auto disposition = header_of(head, "content-disposition");
    if (!starts_with_ignoring_case(disposition, "form-data")) return Failure{invalid("has a part that is not form-data")};
    auto type = header_of(head, "content-type");
    if (starts_with_ignoring_case(type, "multipart/")) return Failure{invalid("has a multipart inside a part")};
    auto raw_name = parameter_of(disposition, "name");
    if (!raw_name) return Failure{invalid("has a part without a name")};
    if (auto error = check_text(*raw_name, "?", "name")) return Failure{std::move(*error)};
    const auto& name = owned_.emplace_back(browser_unescaped(std::move(*raw_name)));
    auto filename = parameter_of(disposition, "filename");
    if (!filename) {
        if (auto error = check_text(content, name, "value")) return Failure{std::move(*error)};
        inputs_.push_back({name, content, Input::Kind::text});
        return {};
    }
    if (filename->empty() && content.empty()) return {};  // a file field that was left empty
    for (auto text : {std::string_view(*filename), type})
        if (auto error = check_text(text, name, "file name or type")) return Failure{std::move(*error)};
    inputs_.push_back({name, owned_.emplace_back(file_as_json(browser_unescaped(*filename), type, content.size())), Input::Kind::nested});
    return {};
}

Result<void, ReadError> Post::read_multipart(std::string_view boundary, std::string_view body, const PostLimits& limits) {
    if (boundary.empty()) return Failure{ReadError{"multipart_invalid", "Content-Type names no boundary"}};
    if (boundary.size() > boundary_bytes_max) return Failure{ReadError{"multipart_invalid", "the boundary is longer than 70 characters"}};
    std::string delimiter = "\r\n--" + std::string(boundary);
    std::string_view opening = std::string_view(delimiter).substr(2);
    auto at = body.starts_with(opening) ? opening.size() : std::string_view::npos;
    if (at == std::string_view::npos) {  // text before the first part is ignored
        at = body.find(delimiter);
        if (at == std::string_view::npos) return Failure{invalid("does not contain its boundary")};
        at += delimiter.size();
    }
    for (std::size_t parts = 0;; ++parts) {
        body.remove_prefix(at);
        if (body.starts_with("--")) break;  // and so is text after the last
        if (parts >= limits.parts_max)
            return Failure{ReadError{"too_many_parts", "more than " + std::to_string(limits.parts_max) + " parts"}};
        body.remove_prefix(std::min(body.find_first_not_of(" \t"), body.size()));
        if (!body.starts_with("\r\n")) return Failure{invalid("has something other than a line end behind a boundary")};
        body.remove_prefix(2);
        auto head_end = body.starts_with("\r\n") ? 0 : body.find("\r\n\r\n");  // npos is the most
        if (head_end > head_bytes_max) return Failure{invalid("has a part whose headers do not end")};
        auto content_start = head_end + (body.starts_with("\r\n") ? 2 : 4);
        auto content_end = body.find(delimiter, content_start - 2);
        if (content_end == std::string_view::npos) return Failure{invalid("ends inside a part")};
        auto content = content_end < content_start ? std::string_view() : body.substr(content_start, content_end - content_start);
        TRY(read_part(body.substr(0, head_end), content));
        at = content_end + delimiter.size();
    }
    if (inputs_.size() > limits.fields_max)
        return Failure{ReadError{"too_many_fields", "more than " + std::to_string(limits.fields_max) + " fields"}};
    gather_lists();
    return {};
}

}  // namespace forebay::intake
