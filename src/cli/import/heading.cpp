// Which field each column of a heading is.
#include <algorithm>
#include <cctype>
#include <set>

#include "cli/import/rows.h"
#include "cli/similar.h"
#include "cli/words.h"

namespace forebay::cli {
namespace {

/// "First Name" and "first-name" are `first_name`.
std::string plain(std::string_view name) {
    std::string out;
    for (char c : name) {
        auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0 || byte >= 0x80)
            out += static_cast<char>(std::tolower(byte));
        else if (!out.empty() && out.back() != '_')
            out += '_';
    }
    while (out.ends_with('_')) out.pop_back();
    return out;
}

std::string quoted(std::string_view text) { return "\"" + printable(text) + "\""; }

class Match {
  public:
    Match(const json::Value& endpoint, const std::map<std::string, std::string>& renamed) : endpoint_(endpoint), renamed_(renamed) {
        for (const auto& field : endpoint["fields"].elements()) {
            add(field["name"].text(), field["name"].text());
            for (const auto& alias : field["aliases"].elements()) add(alias.text(), field["name"].text());
        }
    }

    Heading run(const std::vector<std::string>& names) {
        for (const auto& [from, to] : renamed_)
            if (std::find(names.begin(), names.end(), from) == names.end()) return refuse("--map: there is no column " + quoted(from));
        for (std::size_t i = 0; i < names.size(); ++i) take(names[i], i + 1);
        for (const auto& field : endpoint_["fields"].elements())
            if (field["required"].boolean() && !taken_.contains(field["name"].text())) miss(field["name"].text());
        return std::move(out_);
    }

  private:
    void add(const std::string& name, const std::string& field) {
        known_.emplace(name, field);
        by_plain_name_.emplace(plain(name), field);
        candidates_.push_back(name);
    }

    Heading refuse(std::string why) {
        if (out_.problem.empty()) out_.problem = std::move(why);
        return out_;
    }

    void take(const std::string& name, std::size_t number) {
        if (name.empty()) {
            refuse("column " + std::to_string(number) + " has no name in the heading");
            return;
        }
        if (!json::is_utf8(name)) {
            refuse("the heading is not UTF-8: iconv -f WINDOWS-1252 -t UTF-8 makes it so");
            return;
        }
        if (name == "_other") return out_.columns.push_back({name, true});
        if (is_of_export(name)) return out_.columns.push_back({"", false});
        auto field = field_of(name);
        if (!taken_.insert(field).second)
            refuse("two columns are the field " + quoted(field) + ", the second is column " + std::to_string(number));
        out_.columns.push_back({field, false});
    }

    std::string field_of(const std::string& name) {
        if (auto mapped = renamed_.find(name); mapped != renamed_.end()) {
            if (auto known = known_.find(mapped->second); known != known_.end()) return known->second;
            return mapped->second;
        }
        if (auto known = known_.find(name); known != known_.end()) return known->second;
        if (auto known = by_plain_name_.find(plain(name)); known != by_plain_name_.end()) {
            out_.remarks.push_back("column " + quoted(name) + " is taken as " + known->second);
            return known->second;
        }
        auto meant = nearest(name, candidates_);
        auto fate = endpoint_["unknown"].text() == "drop"     ? "it is dropped"
                    : endpoint_["unknown"].text() == "refuse" ? "its rows are refused"
                                                              : "it is kept under that name";
        out_.remarks.push_back("column " + quoted(name) + " is no field of " + endpoint_["name"].text() +
                               (meant.empty() ? "" : "; did you mean " + quoted(meant) + "?") + ": " + fate +
                               (meant.empty() ? "" : " (--map \"" + printable(name) + "=" + meant + "\")"));
        unknown_.push_back(name);
        return name;
    }

    void miss(const std::string& field) {
        auto meant = nearest(field, unknown_);
        refuse("no column is the field " + quoted(field) + ", which " + endpoint_["name"].text() + " requires" +
               (meant.empty() ? ": --map COLUMN=" + field : "; did you mean --map \"" + printable(meant) + "=" + field + "\"?"));
    }

    const json::Value& endpoint_;
    const std::map<std::string, std::string>& renamed_;
    std::map<std::string, std::string> known_, by_plain_name_;
    std::vector<std::string> candidates_, unknown_;
    std::set<std::string> taken_;
    Heading out_;
};

}  // namespace

Heading match_heading(const std::vector<std::string>& names, const json::Value& endpoint,
                      const std::map<std::string, std::string>& renamed) {
    return Match(endpoint, renamed).run(names);
}

}  // namespace forebay::cli
