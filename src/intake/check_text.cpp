// Addresses, telephone numbers, URLs: what can be told from the text alone. Nothing outside is asked.

#include <algorithm>
#include <array>

#include "intake/check_field.h"

namespace forebay::intake {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
/// Part of a character beyond ASCII: addresses and domains may have them (RFC 6531).
bool is_wide(char c) { return (c & 0x80) != 0; }

bool is_local_part(std::string_view text) {
    if (text.empty() || text.size() > 64 || text.front() == '.' || text.back() == '.') return false;
    if (text.find("..") != std::string_view::npos) return false;
    constexpr std::string_view signs = "!#$%&'*+-/=?^_`{|}~.";
    return std::all_of(text.begin(), text.end(),
                       [&](char c) { return is_letter(c) || is_digit(c) || is_wide(c) || signs.find(c) != std::string_view::npos; });
}

bool is_label(std::string_view text) {
    if (text.empty() || text.size() > 63 || text.front() == '-' || text.back() == '-') return false;
    return std::all_of(text.begin(), text.end(), [](char c) { return is_letter(c) || is_digit(c) || is_wide(c) || c == '-'; });
}

/// At least `labels_min` labels; the last is not a number, so that an IP address is none.
bool is_domain(std::string_view text, std::size_t labels_min) {
    if (text.size() > 253) return false;
    std::size_t labels = 0;
    std::string_view last;
    while (true) {
        last = text.substr(0, text.find('.'));
        if (!is_label(last)) return false;
        ++labels;
        if (last.size() == text.size()) break;
        text.remove_prefix(last.size() + 1);
    }
    bool number = std::all_of(last.begin(), last.end(), is_digit);
    return labels >= labels_min && !number && last.size() >= 2;
}

struct Region {
    std::string_view name;
    std::string_view country_code;
    std::string_view trunk;  ///< dialled before the number inside the country
    std::size_t digits_min, digits_max;
};
constexpr std::array regions{
    Region{"US", "1", "1", 10, 10}, Region{"CA", "1", "1", 10, 10}, Region{"GB", "44", "0", 9, 10}, Region{"IE", "353", "0", 7, 9},
    Region{"DE", "49", "0", 6, 12}, Region{"AT", "43", "0", 5, 12}, Region{"CH", "41", "0", 9, 9},  Region{"FR", "33", "0", 9, 9},
    Region{"NL", "31", "0", 9, 9},  Region{"BE", "32", "0", 8, 9},  Region{"ES", "34", "", 9, 9},   Region{"IT", "39", "", 6, 11},
    Region{"PT", "351", "", 9, 9},  Region{"AU", "61", "0", 9, 9},  Region{"NZ", "64", "0", 8, 10}, Region{"MX", "52", "", 10, 10},
};
const Region* region_of(std::string_view name) {
    auto found = std::find_if(regions.begin(), regions.end(), [&](const Region& r) { return r.name == name; });
    return found == regions.end() ? nullptr : &*found;
}

/// "x12", "ext. 12", "#12" at the end is an extension; E.164 has no place for it.
std::string_view without_extension(std::string_view text, std::string_view& flag) {
    auto at = text.find_last_not_of("0123456789 .");
    if (at == std::string_view::npos || at + 1 == text.size() || at == 0) return text;
    auto start = text.find_last_not_of("extEXT#", at);
    if (start == at || start == std::string_view::npos) return text;
    auto sign = text.substr(start + 1, at - start);
    auto digits = std::count_if(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), is_digit);
    if (digits == 0 || digits > 7 || (sign != "x" && sign != "X" && sign != "#" && sign != "ext" && sign != "Ext" && sign != "EXT"))
        return text;
    flag = "extension_dropped";
    return text.substr(0, start + 1);
}

/// Digits with an optional + before them; signs people write between digits are left out. Nothing if there is more.
std::optional<std::string> dialled(std::string_view text) {
    std::string out;
    for (char c : text) {
        if (is_digit(c) || (c == '+' && out.empty()))
            out += c;
        else if (std::string_view(" -.()/\t").find(c) == std::string_view::npos)
            return std::nullopt;
    }
    return out;
}

/// Area code and exchange of the North American plan begin with 2-9, and neither is a service code such as 911.
bool is_north_american(std::string_view digits) {
    auto good = [](std::string_view code) { return code[0] >= '2' && !(code[1] == '1' && code[2] == '1'); };
    return digits.size() == 10 && good(digits.substr(0, 3)) && digits[1] != '9' && good(digits.substr(3, 3));
}

std::optional<Complaint> bad_phone(std::string_view region) {
    if (region == "US") return Complaint{"phone_invalid", "not a US telephone number; write it with its area code, like (212) 555-0123"};
    if (region == "any") return Complaint{"phone_invalid", "not a telephone number; write it with + and the country code"};
    return Complaint{"phone_invalid", "not a telephone number of " + std::string(region)};
}

}  // namespace

std::optional<Complaint> check_email(std::string_view text) {
    auto at = text.rfind('@');
    bool good =
        text.size() <= 254 && at != std::string_view::npos && is_local_part(text.substr(0, at)) && is_domain(text.substr(at + 1), 2);
    if (good) return std::nullopt;
    if (std::count(text.begin(), text.end(), '@') > 1) return Complaint{"email_invalid", "not an e-mail address: it has more than one @"};
    if (at == std::string_view::npos) return Complaint{"email_invalid", "not an e-mail address: it has no @"};
    return Complaint{"email_invalid", "not an e-mail address"};
}

bool is_phone_region(std::string_view region) { return region == "any" || region_of(region) != nullptr; }

std::optional<Complaint> check_phone(std::string_view text, std::string_view region_name, std::string& out, std::string_view& flag) {
    auto number = dialled(without_extension(text, flag));
    auto* region = region_of(region_name);
    if (!number || number->empty()) return bad_phone(region_name);
    bool international = number->front() == '+';
    std::string_view digits = *number;
    if (international) digits.remove_prefix(1);
    if (region == nullptr) {
        if (!international || digits.size() < 7 || digits.size() > 15 || digits.front() == '0') return bad_phone(region_name);
        out = *number;
        return std::nullopt;
    }
    if (!international && digits.starts_with("00") && region->country_code != "1") {
        digits.remove_prefix(2);
        international = true;
    }
    if (international) {
        if (!digits.starts_with(region->country_code)) return bad_phone(region_name);
        digits.remove_prefix(region->country_code.size());
    } else if (!region->trunk.empty() && digits.starts_with(region->trunk) && digits.size() > region->digits_min) {
        digits.remove_prefix(region->trunk.size());
    }
    bool north_american = region->country_code == "1";
    if (digits.size() < region->digits_min || digits.size() > region->digits_max || (north_american && !is_north_american(digits)) ||
        digits.front() == '0')
        if (region_name != "IT" || digits.size() < region->digits_min || digits.size() > region->digits_max) return bad_phone(region_name);
    out.assign("+").append(region->country_code).append(digits);
    return std::nullopt;
}

bool host_is_in(std::string_view host, const std::vector<std::string>& hosts) {
    auto same = [](std::string_view a, std::string_view b) {
        auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
        return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) { return lower(x) == lower(y); });
    };
    return std::any_of(hosts.begin(), hosts.end(), [&](std::string_view wanted) {
        if (!wanted.starts_with("*.")) return same(host, wanted);
        auto suffix = wanted.substr(1);
        return host.size() > suffix.size() && same(host.substr(host.size() - suffix.size()), suffix);
    });
}

std::optional<std::string_view> host_of_url(std::string_view text) {
    auto begins = [&](std::string_view scheme) {
        for (std::size_t i = 0; i < scheme.size(); ++i)
            if (i >= text.size() || (text[i] | 0x20) != (scheme[i] | 0x20)) return false;
        return true;
    };
    std::size_t scheme = begins("https://") ? 8 : begins("http://") ? 7 : 0;
    bool printable = std::all_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) > ' ' && c != '\x7f' && c != '\\' && c != '"' && c != '<' && c != '>';
    });
    if (scheme == 0 || !printable) return std::nullopt;
    auto authority = text.substr(scheme, text.find_first_of("/?#", scheme) - scheme);
    if (authority.find('@') != std::string_view::npos) return std::nullopt;  // a user name that looks like a host
    auto colon = authority.rfind(':');
    if (colon != std::string_view::npos && authority.back() != ']') {
        auto port = authority.substr(colon + 1);
        if (port.empty() || port.size() > 5 || !std::all_of(port.begin(), port.end(), is_digit)) return std::nullopt;
        authority = authority.substr(0, colon);
    }
    return authority.empty() ? std::nullopt : std::optional(authority);
}

std::optional<Complaint> check_url(std::string_view text, const std::vector<std::string>& hosts) {
    auto host = host_of_url(text);
    bool literal = host && host->size() > 2 && host->front() == '[' && host->back() == ']';
    auto is_address = [](std::string_view h) { return std::all_of(h.begin(), h.end(), [](char c) { return is_digit(c) || c == '.'; }); };
    if (!host || text.size() > 2048 || !(literal || is_address(*host) || is_domain(*host, 1)))
        return Complaint{"url_invalid", "not a web address; it begins with https://"};
    if (!hosts.empty() && !host_is_in(*host, hosts))
        return Complaint{"url_host", "an address at " + std::string(*host) + " is not allowed here"};
    return std::nullopt;
}

}  // namespace forebay::intake
