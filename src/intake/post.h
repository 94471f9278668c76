#pragma once
// What a client sent, as a flat list of names and values: the one form that JSON objects, form posts and
// multipart posts are read into. Reading is strict and bounded. Views point into the body or into buffers
// of the Post, and are valid until it reads the next body.

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "intake/endpoint.h"

namespace forebay::intake {

struct Input {
    /// `nested` is an object or array, as JSON text.
    enum class Kind : std::uint8_t { text, number, boolean, null, nested };
    std::string_view name;
    std::string_view text;  ///< of a number its digits as written; "true", "false"; "" for null
    Kind kind = Kind::text;
};

/// Why a body could not be read: always a 400.
struct ReadError {
    std::string_view code;  ///< a literal: "json_invalid", "utf8_invalid", …
    std::string detail;     ///< a sentence
};

/// What a Content-Type header says.
struct MediaType {
    std::optional<MediaKind> kind;  ///< nothing = not one of ours
    std::string_view boundary;      ///< of multipart
    bool charset_ok = true;         ///< no charset, or UTF-8 (ASCII is part of it)
};
MediaType media_type_of(std::string_view content_type);

class Post {
  public:
    Post() = default;
    Post(const Post&) = delete;
    Post& operator=(const Post&) = delete;

    /// Reads `body`; on an error inputs() is what was read until then.
    Result<void, ReadError> read(const MediaType& type, std::string_view body, const PostLimits& limits);
    const std::vector<Input>& inputs() const { return inputs_; }

  private:
    Result<void, ReadError> read_json(std::string_view body, const PostLimits& limits);
    Result<void, ReadError> read_form(std::string_view body, const PostLimits& limits);
    Result<void, ReadError> read_multipart(std::string_view boundary, std::string_view body, const PostLimits& limits);
    Result<void, ReadError> read_part(std::string_view head, std::string_view content);
    /// Makes one list of the values of each name that ends in "[]".
    void gather_lists();
    std::optional<ReadError> find_duplicate() const;

    std::vector<Input> inputs_;
    std::string decoded_;            ///< percent-decoded form text
    std::deque<std::string> owned_;  ///< texts that are made, not found
};

}  // namespace forebay::intake
