#pragma once
// Writes an envelope (FORMAT.md) as JSON straight into a string, field by field, without a tree.

#include <span>
#include <string>
#include <string_view>

#include "base/time.h"
#include "base/uuid.h"

namespace forebay::record {

/// What comes behind the fields. Empty members that FORMAT.md calls optional are left out.
struct EnvelopeEnd {
    std::string_view raw_type;
    std::string_view raw;
    bool raw_is_text = true;  ///< UTF-8; else it goes as base64
    std::span<const std::string> flags;
    std::string_view client_ip;
    std::string_view value;     ///< a JSON number
    std::string_view currency;  ///< of value
    std::string_view orders{};  ///< further members, each with a comma before it
};

class EnvelopeWriter {
  public:
    /// Appends to `out`, which must outlive the writer.
    EnvelopeWriter(std::string& out, const Uuid& id, std::string_view endpoint, Timestamp received_at);
    /// The envelope so far, to be ended in another way in `out`.
    EnvelopeWriter copy(std::string& out) const;
    void text(std::string_view name, std::string_view value);
    /// `json` must be one well-formed JSON value.
    void json(std::string_view name, std::string_view json);
    /// Ends the object; nothing may be written after it.
    void finish(const EnvelopeEnd& end);

  private:
    EnvelopeWriter(std::string& out, bool first) : out_(out), first_(first) {}
    void name(std::string_view name);
    std::string& out_;
    bool first_ = true;
};

}  // namespace forebay::record
