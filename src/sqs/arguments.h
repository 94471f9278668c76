#pragma once
// The members of a request, or of one structure inside it, as both codecs deliver them: a JSON object of the
// JSON protocol's names. Reads them with AWS's errors for what is missing or of the wrong type. Texts are moved
// out, so a member is read once.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "sqs/error.h"

namespace forebay::sqs {

/// Query has only text, so numbers arrive as such; in JSON a text is no number.
enum class Typing { strict, text_only };

class Arguments {
  public:
    Arguments(json::Value& members, Typing typing) : members_(&members), typing_(typing) {}

    bool has(std::string_view name) const;
    Result<std::optional<std::string>, Error> text(std::string_view name);
    /// Errors: missing_parameter, also for an empty text.
    Result<std::string, Error> required_text(std::string_view name);
    Result<std::optional<std::int64_t>, Error> integer(std::string_view name);
    /// A list of texts; empty when absent.
    Result<std::vector<std::string>, Error> texts(std::string_view name);
    /// A map of text to text; empty when absent.
    Result<std::vector<std::pair<std::string, std::string>>, Error> text_map(std::string_view name);
    /// A list of structures; empty when absent.
    Result<std::vector<Arguments>, Error> structures(std::string_view name);
    /// A map of text to structures; empty when absent.
    Result<std::vector<std::pair<std::string, Arguments>>, Error> structure_map(std::string_view name);

  private:
    /// The member of that name unless it is absent or null.
    json::Value* find(std::string_view name) const;
    Result<std::string, Error> text_of(json::Value& value) const;
    Result<std::optional<json::Value*>, Error> find_object(std::string_view name) const;

    json::Value* members_;
    Typing typing_;
};

}  // namespace forebay::sqs
