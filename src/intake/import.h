#pragma once
// A row of a file on its way in: checked like a post to its endpoint, made durable like one, and if refused kept
// like one. Nobody waits at the other end, so nothing is asked of who sends it.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/uuid.h"

namespace forebay::intake {

/// Where a row stands. The same row at the same place of the same source is the same record: its id is made of these
/// and of what the row says.
struct RowPlace {
    std::string source;  ///< "leads.csv"
    std::uint64_t line = 0;
};

/// A row that could not even be made into fields: kept as it came.
struct BadRow {
    std::string raw;
    std::string raw_type;  ///< media type: "text/csv"
    std::string code;      ///< "csv_columns"
    std::string detail;    ///< a sentence
};

struct RowResult {
    enum class Outcome {
        accepted,    ///< durable
        would_pass,  ///< check_row(): the rules accept it
        already_in,  ///< this row was taken before: nothing was added
        merged,      ///< says what another record says, and the endpoint merges those: nothing was added
        refused,     ///< see errors
        not_sent,    ///< the queue is not taking anything just now, or the disk is full: send it again
    };
    struct Error {
        std::string field, code, detail;
    };
    Outcome outcome = Outcome::not_sent;
    Uuid id;
    std::vector<Error> errors;
    bool kept = false;                ///< refused: it is in quarantine
    std::string what;                 ///< a sentence for not_sent
    std::vector<std::string> filled;  ///< check_row(): names of the fields that hold something
};

}  // namespace forebay::intake
