#include "http/message.h"

#include <algorithm>

#include "http/problem.h"
#include "http/text.h"

namespace forebay::http {
namespace {

struct Reason {
    unsigned status;
    std::string_view phrase;
};

/// Those that are sent most come first.
constexpr Reason reasons[] = {
    {200, "OK"},
    {202, "Accepted"},
    {303, "See Other"},
    {204, "No Content"},
    {422, "Unprocessable Content"},
    {503, "Service Unavailable"},
    {100, "Continue"},
    {201, "Created"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {425, "Too Early"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

}  // namespace

std::string_view Request::find(std::string_view name) const {
    for (const auto& header : headers)
        if (equals_ignoring_case(header.name, name)) return header.value;
    return {};
}

std::string_view Request::repeated(std::span<const std::string_view> names) const {
    for (auto header = headers.begin(); header != headers.end(); ++header) {
        // Headers are few and their names of different lengths, so this costs less than looking for each name.
        const bool came_before =
            std::any_of(headers.begin(), header, [&](const Header& other) { return equals_ignoring_case(other.name, header->name); });
        if (!came_before) continue;
        for (auto name : names)
            if (equals_ignoring_case(name, header->name)) return name;
    }
    return {};
}

Responder& Responder::operator=(Responder&& other) noexcept {
    if (this != &other) {
        Responder given_up(std::move(*this));
        sink_ = std::exchange(other.sink_, nullptr);
        token_ = other.token_;
    }
    return *this;
}

Responder::~Responder() {
    if (sink_ != nullptr)
        (*this)(problem(500, "unanswered", "The request was given up inside the server; it may or may not have been carried out."));
}

bool parse_query(std::string_view text, std::size_t pairs_max, std::vector<std::pair<std::string, std::string>>& out) {
    out.clear();
    while (!text.empty()) {
        const auto pair = text.substr(0, text.find('&'));
        text.remove_prefix(std::min(text.size(), pair.size() + 1));
        if (pair.empty()) continue;
        if (out.size() == pairs_max) return out.clear(), false;
        const auto equals = pair.find('=');
        const auto value = equals == pair.npos ? std::string_view() : pair.substr(equals + 1);
        out.emplace_back(percent_decode(pair.substr(0, equals), true), percent_decode(value, true));
    }
    return true;
}

std::string percent_decode(std::string_view text, bool plus_is_space) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escape = text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0;
        if (escape) {
            out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
            i += 2;
        } else {
            out += plus_is_space && text[i] == '+' ? ' ' : text[i];
        }
    }
    return out;
}

std::string percent_encode(std::string_view text) {
    static constexpr char digits[] = "0123456789ABCDEF";
    std::string out;
    for (char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (is_letter_or_digit(c) || c == '-' || c == '.' || c == '_' || c == '~')
            out += c;
        else
            ((out += '%') += digits[byte >> 4]) += digits[byte & 15];
    }
    return out;
}

std::string_view reason_of(unsigned status) {
    for (const auto& reason : reasons)
        if (reason.status == status) return reason.phrase;
    return "Unknown";
}

}  // namespace forebay::http
