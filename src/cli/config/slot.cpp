#include "cli/config/slot.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/json.h"
#include "cli/similar.h"

namespace forebay::cli {
namespace {

using Problem = std::optional<std::string>;
using Kind = Given::Kind;

/// ` (got 30)`: what stands there, for the end of a message.
std::string got(const Given& given) {
    if (given.kind == Kind::text) return ", not " + in_quotes(given.text);
    if (given.kind == Kind::integer || given.kind == Kind::real || given.kind == Kind::boolean) return ", not " + given.text;
    return ", not " + std::string(name_of(given.kind));
}

Problem must_be(std::string_view what, const Given& given) { return "must be " + std::string(what) + got(given); }

bool is_text(const Given& given) { return given.kind == Kind::text; }

template <class N>
std::optional<N> whole(const Given& given) {
    if (given.kind != Kind::integer && !given.from_environment) return std::nullopt;
    N value{};
    const char* end = given.text.data() + given.text.size();
    auto [stop, error] = std::from_chars(given.text.data(), end, value);
    if (error != std::errc() || stop != end) return std::nullopt;
    return value;
}

std::optional<double> real(const Given& given) {
    if (given.kind != Kind::integer && given.kind != Kind::real && !given.from_environment) return std::nullopt;
    double value = 0;
    const char* end = given.text.data() + given.text.size();
    auto [stop, error] = std::from_chars(given.text.data(), end, value);
    if (error != std::errc() || stop != end || !std::isfinite(value)) return std::nullopt;
    return value;
}

/// The elements of a list; one text from the environment stands for a list separated by commas.
std::optional<std::vector<Given>> list_of(const Given& given) {
    if (given.kind == Kind::array) return given.elements;
    if (!given.from_environment) return std::nullopt;
    std::vector<Given> parts;
    std::string_view left = given.text;
    while (!left.empty()) {
        auto end = left.find(',');
        auto part = left.substr(0, end);
        while (part.starts_with(' ')) part.remove_prefix(1);
        while (part.ends_with(' ')) part.remove_suffix(1);
        Given one = given;
        one.text = std::string(part);
        parts.push_back(std::move(one));
        left.remove_prefix(end == std::string_view::npos ? left.size() : end + 1);
    }
    return parts;
}

template <class T, class Show>
std::string toml_list(const std::vector<T>& values, const Show& show) {
    std::string out = "[";
    for (const auto& value : values) {
        if (out.size() > 1) out += ", ";
        out += show(value);
    }
    return out + "]";
}

/// A list whose elements `one` reads; the field is replaced only when all are good.
template <class T>
Slot list_slot(std::vector<T>& field, std::string kind, std::string what, std::function<std::optional<T>(const Given&)> one,
               std::function<std::string(const T&)> show) {
    return {std::move(kind),
            [&field, what = std::move(what), one = std::move(one)](const Given& given) -> Problem {
                auto parts = list_of(given);
                if (!parts) return must_be("a list of " + what, given);
                std::vector<T> values;
                for (const auto& part : *parts) {
                    auto value = one(part);
                    if (!value) return must_be("a list of " + what, part);
                    values.push_back(std::move(*value));
                }
                field = std::move(values);
                return std::nullopt;
            },
            [&field, show = std::move(show)] { return toml_list(field, show); }};
}

std::string joined(const std::vector<std::string>& words, std::string_view last) {
    std::string out;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0) out += i + 1 == words.size() ? std::string(last) : ", ";
        out += in_quotes(words[i]);
    }
    return out;
}

Problem wrong_choice(const Choices& choices, const Given& given) {
    bool known_later = is_text(given) && std::find(choices.later.begin(), choices.later.end(), given.text) != choices.later.end();
    if (known_later) return in_quotes(given.text) + " is not in this version";
    auto problem = must_be(joined(choices.now, " or "), given);
    auto meant = is_text(given) ? nearest(given.text, choices.now) : std::string();
    if (!meant.empty() && choices.now.size() > 3) *problem += "; did you mean " + in_quotes(meant) + "?";
    return problem;
}

std::optional<std::size_t> index_of(const Choices& choices, const Given& given) {
    if (!is_text(given)) return std::nullopt;
    auto at = std::find(choices.now.begin(), choices.now.end(), given.text);
    if (at == choices.now.end()) return std::nullopt;
    return static_cast<std::size_t>(at - choices.now.begin());
}

std::string kind_of(const Choices& choices) {
    std::string out;
    for (const auto& word : choices.now) out += (out.empty() ? "" : " | ") + word;
    return out;
}

/// Ten years: what is added to a time of day stays far from the end of the clock.
constexpr Duration duration_max = 3650 * 24h;

std::optional<Duration> duration_of(const Given& given) { return is_text(given) ? parse_duration(given.text) : std::nullopt; }

Problem too_long(const Given& given) { return "must be at most " + to_text(duration_max) + got(given); }

std::string number_text(double value) {
    char digits[64];
    auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    return std::string(digits, end);
}

std::optional<Listen> listen_of(const Given& given) { return is_text(given) ? parse_listen(given.text) : std::nullopt; }

}  // namespace

std::string in_quotes(std::string_view text) {
    std::string out;
    json::append_string(out, text);
    return out;
}

Slot text(std::string& field) {
    return {"text",
            [&field](const Given& given) -> Problem {
                if (!is_text(given)) return must_be("a text in quotes", given);
                field = given.text;
                return std::nullopt;
            },
            [&field] { return field.empty() ? std::string() : in_quotes(field); }};
}

Slot texts(std::vector<std::string>& field) {
    return list_slot<std::string>(
        field, "list of text", "texts in quotes",
        [](const Given& given) { return is_text(given) ? std::optional(given.text) : std::nullopt; },
        [](const std::string& t) { return in_quotes(t); });
}

namespace {
template <class Field>
Slot flag_slot(Field& field, std::function<std::string()> toml) {
    return {"true | false",
            [&field](const Given& given) -> Problem {
                bool may_be = given.kind == Kind::boolean || given.from_environment;
                if (!may_be || (given.text != "true" && given.text != "false")) return must_be("true or false", given);
                field = given.text == "true";
                return std::nullopt;
            },
            std::move(toml)};
}
}  // namespace

Slot flag(bool& field) {
    return flag_slot(field, [&field] { return std::string(field ? "true" : "false"); });
}

Slot flag(std::optional<bool>& field) {
    return flag_slot(field, [&field] { return std::string(!field ? "" : *field ? "true" : "false"); });
}

Slot count(std::uint32_t& field, std::uint32_t least, std::uint32_t most) {
    std::string what = "a whole number";
    if (most != UINT32_MAX)
        what += " from " + std::to_string(least) + " to " + std::to_string(most);
    else if (least > 0)
        what += " of at least " + std::to_string(least);
    return {"number",
            [&field, least, most, what](const Given& given) -> Problem {
                auto value = whole<std::uint32_t>(given);
                if (!value || *value < least || *value > most) return must_be(what, given);
                field = *value;
                return std::nullopt;
            },
            [&field] { return std::to_string(field); }};
}

Slot port(std::uint16_t& field) {
    return {"number",
            [&field](const Given& given) -> Problem {
                auto value = whole<std::uint16_t>(given);
                if (!value || *value == 0) return must_be("a port from 1 to 65535", given);
                field = *value;
                return std::nullopt;
            },
            [&field] { return field == 0 ? std::string() : std::to_string(field); }};
}

Slot long_count(std::uint64_t& field) {
    return {"number",
            [&field](const Given& given) -> Problem {
                auto value = whole<std::uint64_t>(given);
                if (!value) return must_be("a whole number", given);
                field = *value;
                return std::nullopt;
            },
            [&field] { return std::to_string(field); }};
}

Slot whole_numbers(std::vector<int>& field, int least, int most) {
    auto read = [least, most](const Given& given) {
        auto value = whole<int>(given);
        return value && *value >= least && *value <= most ? value : std::nullopt;
    };
    auto what = "whole numbers from " + std::to_string(least) + " to " + std::to_string(most);
    return list_slot<int>(field, "list of numbers", what, read, [](const int& value) { return std::to_string(value); });
}

Slot number(double& field, double least, double most) {
    return {"number",
            [&field, least, most](const Given& given) -> Problem {
                auto value = real(given);
                if (!value || *value < least || *value > most)
                    return must_be("a number from " + number_text(least) + " to " + number_text(most), given);
                field = *value;
                return std::nullopt;
            },
            [&field] { return number_text(field); }};
}

Slot size(std::uint64_t& field, std::uint64_t least) {
    return {"size",
            [&field, least](const Given& given) -> Problem {
                auto value = is_text(given) || given.kind == Kind::integer ? parse_bytes(given.text) : std::nullopt;
                if (!value) return must_be("a size such as \"64KiB\"", given);
                if (*value < least) return "must be at least " + size_text(least) + got(given);
                field = *value;
                return std::nullopt;
            },
            [&field] { return in_quotes(size_text(field)); }};
}

Slot duration(Duration& field) {
    return {"duration",
            [&field](const Given& given) -> Problem {
                auto value = duration_of(given);
                if (!value) return must_be("a duration such as \"30s\"", given);
                if (*value > duration_max) return too_long(given);
                field = *value;
                return std::nullopt;
            },
            [&field] { return in_quotes(to_text(field)); }};
}

Slot durations(std::vector<Duration>& field) {
    auto inner = list_slot<Duration>(field, "list of durations", "durations such as \"30s\"", duration_of,
                                     [](const Duration& d) { return in_quotes(to_text(d)); });
    auto take = inner.take;
    inner.take = [take](const Given& given) -> Problem {
        for (const auto& part : list_of(given).value_or(std::vector<Given>()))
            if (auto value = duration_of(part); value && *value > duration_max) return too_long(part);
        return take(given);
    };
    return inner;
}

Slot listen(std::vector<Listen>& field, bool may_be_activated) {
    auto read = [](const Given& given) -> std::optional<Listen> {
        constexpr std::string_view activated = "systemd:";
        if (is_text(given) && given.text.starts_with(activated) && given.text.size() > activated.size())
            return Listen{{}, 0, given.text.substr(activated.size())};
        return listen_of(given);
    };
    auto inner = list_slot<Listen>(field, "list of addresses", "addresses such as \"127.0.0.1:8080\"", read,
                                   [](const Listen& l) { return in_quotes(address_text(l)); });
    if (may_be_activated) return inner;
    auto take = inner.take;
    inner.take = [take](const Given& given) -> Problem {
        for (const auto& part : given.elements)
            if (is_text(part) && part.text.starts_with("systemd:"))
                return in_quotes(part.text) + ": a socket of systemd is found by its address; write that";
        return take(given);
    };
    return inner;
}

Slot address(std::optional<Listen>& field) {
    return {"address",
            [&field](const Given& given) -> Problem {
                auto value = listen_of(given);
                if (!value) return must_be("an address such as \"127.0.0.1:9464\"", given);
                field = *value;
                return std::nullopt;
            },
            [&field] { return field ? in_quotes(address_text(*field)) : std::string(); }};
}

Slot addresses(std::vector<db::Address>& field) {
    auto read = [](const Given& given) -> std::optional<db::Address> {
        auto value = listen_of(given);
        if (!value || value->port == 0) return std::nullopt;
        return db::Address{value->address, value->port};
    };
    return list_slot<db::Address>(field, "list of addresses", "addresses such as \"10.0.2.10:3307\"", read,
                                  [](const db::Address& address) { return in_quotes(db::to_text(address)); });
}

Slot secret(std::string& field) {
    auto slot = text(field);
    slot.take = [take = slot.take](const Given& given) -> Problem {
        bool is_clear = given.kind == Given::Kind::text && !given.had_reference && !given.from_environment;
        if (is_clear) return "is a secret in clear text; write ${file:/run/secrets/NAME} or ${env:NAME}";
        return take(given);
    };
    slot.is_secret = true;
    return slot;
}

Slot choice(Choices choices, std::function<void(std::size_t)> set, std::function<std::size_t()> get) {
    auto names = choices.now;
    return {kind_of(choices),
            [choices = std::move(choices), set = std::move(set)](const Given& given) -> Problem {
                auto index = index_of(choices, given);
                if (!index) return wrong_choice(choices, given);
                set(*index);
                return std::nullopt;
            },
            [names = std::move(names), get = std::move(get)] { return in_quotes(names[get()]); }};
}

Slot choice(std::string& field, Choices choices) {
    return {kind_of(choices),
            [&field, choices = std::move(choices)](const Given& given) -> Problem {
                if (!index_of(choices, given)) return wrong_choice(choices, given);
                field = given.text;
                return std::nullopt;
            },
            [&field] { return field.empty() ? std::string() : in_quotes(field); }};
}

Slot choices(std::vector<std::string>& field, Choices choices) {
    return {"list of " + kind_of(choices),
            [&field, choices = std::move(choices)](const Given& given) -> Problem {
                auto parts = list_of(given);
                if (!parts) return must_be("a list of " + joined(choices.now, ", "), given);
                std::vector<std::string> values;
                for (const auto& part : *parts) {
                    if (!index_of(choices, part)) return wrong_choice(choices, part);
                    values.push_back(part.text);
                }
                field = std::move(values);
                return std::nullopt;
            },
            [&field] { return toml_list(field, [](const std::string& t) { return in_quotes(t); }); }};
}

std::optional<Listen> parse_listen(std::string_view text) {
    auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    auto digits = text.substr(colon + 1), host = text.substr(0, colon);
    std::uint16_t port = 0;
    auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc() || digits.empty() || stop != digits.data() + digits.size()) return std::nullopt;
    if (host.starts_with('[') && host.ends_with(']'))
        host = host.substr(1, host.size() - 2);
    else if (host.find(':') != std::string_view::npos)
        return std::nullopt;
    return Listen{host.empty() ? "0.0.0.0" : std::string(host), port};
}

std::string address_text(const Listen& listen) {
    if (!listen.activation.empty()) return "systemd:" + listen.activation;
    bool is_v6 = listen.address.find(':') != std::string::npos;
    return (is_v6 ? "[" + listen.address + "]" : listen.address) + ":" + std::to_string(listen.port);
}

std::string size_text(std::uint64_t bytes) {
    for (auto [unit, shift] : {std::pair{"GiB", 30}, {"MiB", 20}, {"KiB", 10}})
        if (bytes != 0 && bytes % (1ULL << shift) == 0) return std::to_string(bytes >> shift) + unit;
    return std::to_string(bytes) + "B";
}

}  // namespace forebay::cli
