#include "cli/import/report.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/digest.h"
#include "cli/words.h"

namespace forebay::cli {
namespace {

constexpr std::size_t lines_named = 5;

std::uint64_t hash_of(std::string_view text) {
    auto hash = sha256(text);
    std::uint64_t out = 0;
    __builtin_memcpy(&out, hash.data(), sizeof out);
    return out == 0 ? 1 : out;
}

}  // namespace

bool SeenRows::add(std::string_view text) {
    if (cells_.size() < (count_ + 1) * 2) grow();
    auto hash = hash_of(text);
    auto at = hash & (cells_.size() - 1);
    for (; cells_[at] != 0; at = (at + 1) & (cells_.size() - 1))
        if (cells_[at] == hash) return true;
    if (is_full()) return false;
    cells_[at] = hash;
    ++count_;
    return false;
}

void SeenRows::grow() {
    std::vector<std::uint64_t> before(std::max<std::size_t>(1024, cells_.size() * 2));
    before.swap(cells_);
    for (auto hash : before) {
        if (hash == 0) continue;
        auto at = hash & (cells_.size() - 1);
        while (cells_[at] != 0) at = (at + 1) & (cells_.size() - 1);
        cells_[at] = hash;
    }
}

ImportReport::Left ImportReport::take(const json::Value& answer, const json::Value& batch) {
    for (const auto& [outcome, n] : answer["counts"].members()) counts_[outcome] += static_cast<std::uint64_t>(n.integer().value_or(0));
    for (const auto& [field, n] : answer["filled"].members()) filled_[field] += static_cast<std::uint64_t>(n.integer().value_or(0));
    Left left;
    std::map<std::int64_t, const json::Value*> by_line;
    for (const auto& row : answer["rows"].elements()) {
        auto line = row["line"].integer().value_or(0);
        if (row["outcome"].text() == "not_sent") {
            by_line[line] = &row;
            left.why = row["what"].text();
            continue;
        }
        if (!row["kept"].boolean() && !dry_run_) ++not_kept_;
        for (const auto& error : row["errors"].elements()) {
            const auto& field = error["field"].text();
            auto& reason = reasons_[(field.empty() ? "" : field + ": ") + error["code"].text()];
            if (reason.rows++ == 0) reason.detail = error["detail"].text();
            if (reason.lines.size() < lines_named) reason.lines.push_back(static_cast<std::uint64_t>(line));
        }
    }
    counts_.erase("not_sent");
    rows_ += batch.elements().size() - by_line.size();
    for (const auto& row : batch.elements())
        if (by_line.contains(row["line"].integer().value_or(0))) left.rows.push(row);
    return left;
}

void ImportReport::note_content(const SourceRow& row) {
    if (!row.json.empty() && seen_.add(row.json)) ++repeated_;
}

std::uint64_t ImportReport::count(const std::string& outcome) const {
    auto found = counts_.find(outcome);
    return found == counts_.end() ? 0 : found->second;
}

void ImportReport::print(Terminal& terminal, Instant now) const {
    if (terminal.wants_json())
        terminal.result_json(to_json(now - began_));
    else
        terminal.result(text(now - began_));
}

json::Value ImportReport::to_json(Duration took) const {
    json::Value out, codes = json::Value::object(), filled = json::Value::object();
    out.set("file", file_).set("endpoint", endpoint_).set("dry_run", dry_run_).set("rows", rows_);
    if (dry_run_)
        out.set("good", count("would_pass")).set("repeated", repeated_);
    else
        out.set("accepted", count("accepted")).set("already_in", count("already_in")).set("merged", count("merged"));
    out.set("refused", refused()).set("not_kept", not_kept_);
    for (const auto& [code, reason] : reasons_) {
        auto lines = json::Value::array();
        for (auto line : reason.lines) lines.push(line);
        codes.set(code, json::Value().set("rows", reason.rows).set("lines", std::move(lines)).set("detail", reason.detail));
    }
    for (const auto& [field, n] : filled_) filled.set(field, n);
    out.set("codes", std::move(codes));
    if (dry_run_) out.set("filled", std::move(filled));
    return out.set("seconds", static_cast<double>(took.count()) / 1000);
}

std::string ImportReport::text(Duration took) const {
    auto per_second = static_cast<double>(rows_) * 1000 / static_cast<double>(std::max<std::int64_t>(took.count(), 1));
    auto out = fmt::format("{} to {}{}: {} in {} ({}/s)\n", printable(file_), endpoint_, dry_run_ ? ", nothing sent" : "",
                           counted(rows_, "row"), age_text(took), grouped(static_cast<std::uint64_t>(per_second)));
    auto line = [&](std::string_view name, std::uint64_t n, std::string_view remark = "") {
        out += fmt::format("  {:<11} {:>11}{}{}\n", name, grouped(n), remark.empty() ? "" : "  ", remark);
    };
    if (dry_run_)
        line("good", count("would_pass"));
    else
        line("accepted", count("accepted"));
    if (count("already_in") > 0) line("already in", count("already_in"), "the same row of the same file");
    if (count("merged") > 0) line("merged", count("merged"), "another record says the same");
    line("refused", refused(), refused() == 0 || dry_run_ ? "" : "forebay rejects ls --source " + file_);
    out += reasons_text();
    if (not_kept_ > 0) line("not kept", not_kept_, "refused, and only in the file: the quarantine is full or the endpoint discards");
    if (!dry_run_) return out;
    line("repeated", repeated_,
         seen_.is_full() ? "say what an earlier row says, among the first 8 million" : "say what an earlier row says");
    auto good = std::max<std::uint64_t>(count("would_pass"), 1);
    if (!filled_.empty()) out += "  of the good rows have the field\n";
    for (const auto& [field, n] : filled_)
        out += fmt::format("    {:<20} {:>11}  {:3.0f}%\n", printable(field), grouped(n),
                           static_cast<double>(n) * 100 / static_cast<double>(good));
    return out;
}

std::string ImportReport::reasons_text() const {
    std::vector<std::pair<std::string, const Reason*>> most_first;
    for (const auto& [code, reason] : reasons_) most_first.emplace_back(code, &reason);
    std::stable_sort(most_first.begin(), most_first.end(), [](auto& a, auto& b) { return a.second->rows > b.second->rows; });
    std::string out;
    for (const auto& [code, reason] : most_first) {
        std::string lines;
        for (auto line : reason->lines) lines += (lines.empty() ? "" : ", ") + std::to_string(line);
        out +=
            fmt::format("    {:>11}  {}  {} {}{}{}\n", grouped(reason->rows), printable(code), reason->rows == 1 ? "line" : "lines", lines,
                        reason->rows > reason->lines.size() ? ", …" : "", reason->detail.empty() ? "" : ": " + printable(reason->detail));
    }
    return out;
}

}  // namespace forebay::cli
