#include "cli/backup/manifest.h"

#include <fstream>
#include <iterator>

#include "base/json.h"

namespace forebay::cli {
namespace {

constexpr int manifest_version = 1;

/// What a manifest names must lie in the backup, whoever wrote it.
bool is_inside(const std::string& path) {
    return !path.empty() && path.front() != '/' && ("/" + path + "/").find("/../") == std::string::npos;
}

}  // namespace

std::uint64_t Manifest::bytes() const {
    std::uint64_t sum = 0;
    for (const auto& file : files) sum += file.bytes;
    return sum;
}

std::string to_text(const Manifest& manifest) {
    auto files = json::Value::array();
    for (const auto& file : manifest.files) {
        json::Value one;
        one.set("path", file.path).set("bytes", file.bytes).set("sha256", file.sha256);
        if (!file.database.empty()) one.set("database", file.database);
        files.push(std::move(one));
    }
    return json::to_pretty_text(json::Value()
                                    .set("backup", manifest_version)
                                    .set("forebay", manifest.version)
                                    .set("at", to_rfc3339(manifest.at))
                                    .set("position", manifest.position)
                                    .set("files", std::move(files))) +
           "\n";
}

Result<Manifest, std::string> read_manifest(const std::string& directory) {
    auto path = directory + "/" + std::string(manifest_name);
    std::ifstream in(path, std::ios::binary);
    if (!in) return Failure{directory + " holds no backup that was finished: there is no " + std::string(manifest_name)};
    std::string text((std::istreambuf_iterator<char>(in)), {});
    auto read = json::parse(text);
    if (!read.ok()) return Failure{path + " is damaged: " + read.error().what};
    if ((*read)["backup"].integer() != manifest_version) return Failure{path + " is of another version of forebay"};
    Manifest manifest;
    manifest.version = (*read)["forebay"].text();
    auto at = parse_timestamp((*read)["at"].text());
    auto position = (*read)["position"].integer();
    if (!at || !position) return Failure{path + " is damaged: \"at\" or \"position\" is missing"};
    manifest.at = *at;
    manifest.position = static_cast<std::uint64_t>(*position);
    for (const auto& one : (*read)["files"].elements()) {
        auto bytes = one["bytes"].integer();
        if (!is_inside(one["path"].text()) || !bytes || *bytes < 0) return Failure{path + " is damaged: a file without path or size"};
        manifest.files.push_back({one["path"].text(), one["database"].text(), static_cast<std::uint64_t>(*bytes), one["sha256"].text()});
    }
    if (manifest.files.empty()) return Failure{path + " is damaged: it names no files"};
    return manifest;
}

}  // namespace forebay::cli
