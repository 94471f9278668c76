#pragma once
// What a backup holds: one JSON file beside the others, written last, so that a backup with one is whole.

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace forebay::cli {

inline constexpr std::string_view manifest_name = "manifest.json";

struct BackupFile {
    std::string path;      ///< in the backup: store/…, secrets/…, effects/…, db/NAME.db
    std::string database;  ///< [db.NAME] whose file it is; else empty
    std::uint64_t bytes = 0;
    std::string sha256;  ///< hex
};

struct Manifest {
    std::string version;         ///< of the program that made it
    Timestamp at;                ///< everything accepted by then is in it
    std::uint64_t position = 0;  ///< of the log, below which everything is in it
    std::vector<BackupFile> files;

    std::uint64_t bytes() const;
};

std::string to_text(const Manifest& manifest);
/// The error is a sentence.
Result<Manifest, std::string> read_manifest(const std::string& directory);

}  // namespace forebay::cli
