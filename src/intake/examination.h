#pragma once
// One post, read and held against its endpoint's rules. Used again for the next post of the same thread,
// so that its buffers are made once.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "intake/check_field.h"
#include "intake/post.h"
#include "intake/rules.h"
#include "record/envelope_writer.h"

namespace forebay::intake {

struct FieldError {
    std::string field;      ///< the rule's name; empty = the post as a whole
    std::string_view code;  ///< a literal
    std::string detail;     ///< a sentence without the field's name
};

class Examination {
  public:
    /// Reads the body and sorts its fields; the error is a 400.
    Result<void, ReadError> read(const PreparedEndpoint& endpoint, const MediaType& type, std::string_view body);

    /// Fields with a meaning of their own; empty if they were not sent.
    std::string_view special(Special which) const;
    /// Everything that was sent, as it came.
    const std::vector<Input>& inputs() const { return post_.inputs(); }
    /// Names and values as they came, sorted, without the special fields: equal for the same submission sent
    /// as JSON, form or multipart (D11).
    const std::string& canonical();

    /// Checks every rule and writes the cleaned fields. With errors, what was written is of no use.
    std::vector<FieldError> check_and_write(record::EnvelopeWriter& writer);
    /// After check_and_write: the money at stake that a field gave ("as = value"), empty if none did.
    const std::string& value() const { return value_; }
    /// After check_and_write: names and cleaned values of the fields that idempotency.content lists; empty if none came.
    const std::string& content() const { return content_; }
    /// After check_and_write: what the checks noticed without refusing.
    const std::vector<std::string>& flags() const { return flags_; }

  private:
    struct Unlisted {
        const Input* input;
    };
    void check_rule(std::size_t index, record::EnvelopeWriter& writer, std::vector<FieldError>& errors);
    void write_unlisted(record::EnvelopeWriter& writer, std::vector<FieldError>& errors);

    const PreparedEndpoint* endpoint_ = nullptr;
    Post post_;
    std::vector<const Input*> of_rule_;  ///< by rule, null = not sent
    std::vector<const Input*> unlisted_;
    const Input* special_[6] = {};
    std::string scratch_, canonical_, value_, content_;
    std::vector<std::string> flags_;
};

}  // namespace forebay::intake
