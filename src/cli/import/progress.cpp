#include "cli/import/progress.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "base/digest.h"
#include "base/json.h"
#include "cli/words.h"

namespace forebay::cli {
namespace {
constexpr Duration shown_every = 200ms;
constexpr std::size_t bar_width = 20;
}  // namespace

ProgressNote::ProgressNote(const std::string& data_dir, const std::string& file, const std::string& endpoint, std::string_view beginning)
    : directory_(data_dir + "/imports"), mark_(to_hex(sha256(beginning))) {
    std::error_code ignored;
    file_ = std::filesystem::absolute(file, ignored).string();
    path_ = directory_ + "/" + to_hex(sha256(file_ + "\n" + endpoint)).substr(0, 32) + ".json";
}

std::optional<Progress> ProgressNote::read() const {
    std::ifstream in(path_);
    std::string text((std::istreambuf_iterator<char>(in)), {});
    auto note = json::parse(text);
    if (!note.ok() || (*note)["begins"].text() != mark_) return std::nullopt;
    auto offset = (*note)["offset"].integer(), line = (*note)["line"].integer();
    if (!offset || !line || *offset < 0 || *line < 1) return std::nullopt;
    return Progress{static_cast<std::uint64_t>(*offset), static_cast<std::uint64_t>(*line)};
}

bool ProgressNote::write(const Progress& progress) const {
    std::error_code failed;
    std::filesystem::create_directories(directory_, failed);
    json::Value note;
    note.set("file", file_).set("begins", mark_).set("offset", progress.offset).set("line", progress.line);
    auto unfinished = path_ + ".tmp";
    std::ofstream out(unfinished, std::ios::trunc);
    out << json::to_text(note) << '\n';
    out.close();
    if (!out) return false;
    std::filesystem::rename(unfinished, path_, failed);
    return !failed;
}

void ProgressNote::remove() const {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
}

void ProgressLine::show(std::uint64_t offset, std::uint64_t rows, std::uint64_t refused, const std::string& remark) {
    auto now = clock_.now();
    if (!first_offset_) first_offset_ = offset;
    if (remark.empty() && shown_at_ && now - *shown_at_ < shown_every) return;
    shown_at_ = now;
    auto seconds = std::max(0.001, static_cast<double>((now - began_).count()) / 1000);
    std::string line = name_ + "  ";
    if (bytes_ > 0) {
        auto share = std::min(1.0, static_cast<double>(offset) / static_cast<double>(bytes_));
        auto full = static_cast<std::size_t>(share * bar_width);
        line += fmt::format("{:3.0f}% [{}{}]  ", share * 100, std::string(full, '#'), std::string(bar_width - full, '.'));
    }
    line += counted(rows, "row") + "  " + grouped(static_cast<std::uint64_t>(static_cast<double>(rows) / seconds)) + "/s";
    if (refused > 0) line += "  refused " + grouped(refused);
    if (bytes_ > offset && offset > *first_offset_) {
        auto left = static_cast<double>(bytes_ - offset) / static_cast<double>(offset - *first_offset_) * seconds;
        line += "  " + age_text(Duration(static_cast<std::int64_t>(left * 1000))) + " left";
    }
    if (!remark.empty()) line += "  " + remark;
    terminal_.progress(line);
}

}  // namespace forebay::cli
