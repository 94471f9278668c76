#include "http/answer.h"

#include <charconv>
#include <cstdint>
#include <iterator>

#include "http/text.h"

namespace forebay::http {
namespace {

void append_number(std::string& out, std::uint64_t value) {
    char digits[20];
    out.append(digits, std::to_chars(digits, std::end(digits), value).ptr);
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
    out += name;
    out += ": ";
    const auto start = out.size();
    out += value;
    for (auto i = start; i < out.size(); ++i)
        if (is_control(out[i]) && out[i] != '\t') out[i] = ' ';
    out += "\r\n";
}

/// RFC 9110 §6.4: these never have content, whatever the handler put there.
bool may_have_body(unsigned status) { return status >= 200 && status != 204 && status != 304; }

}  // namespace

void AnswerWriter::append_date(std::string& out) {
    timespec now{};
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (now.tv_sec != second_) {
        second_ = now.tv_sec;
        std::tm parts{};
        gmtime_r(&second_, &parts);
        static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
        static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
        auto two = [](int n) { return std::string{static_cast<char>('0' + n / 10), static_cast<char>('0' + n % 10)}; };
        date_ = std::string("Date: ") + days[parts.tm_wday] + ", " + two(parts.tm_mday) + ' ' + months[parts.tm_mon] + ' ' +
                std::to_string(1900 + parts.tm_year) + ' ' + two(parts.tm_hour) + ':' + two(parts.tm_min) + ':' + two(parts.tm_sec) +
                " GMT\r\n";
    }
    out += date_;
}

void AnswerWriter::append(std::string& out, const Response& response, AnswerForm form) {
    const bool has_body = may_have_body(response.status);
    out += "HTTP/1.1 ";
    append_number(out, response.status);
    out += ' ';
    out += reason_of(response.status);
    out += "\r\n";
    append_date(out);
    if (!response.content_type.empty() && has_body) append_field(out, "Content-Type", response.content_type);
    for (const auto& [name, value] : response.headers) append_field(out, name, value);
    if (form.close)
        out += "Connection: close\r\n";
    else if (form.is_http10)
        out += "Connection: keep-alive\r\n";
    if (has_body) {
        out += "Content-Length: ";
        append_number(out, response.body.size());
        out += "\r\n";
    }
    out += "\r\n";
    if (has_body && !form.without_body) out += response.body;
}

}  // namespace forebay::http
