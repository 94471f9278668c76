#pragma once
// A record's envelope: what intake accepted, as one JSON object that travels as a message body through
// queues to workers of any language. record/FORMAT.md is the description; this is the C++ form.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"

namespace forebay::record {

inline constexpr int envelope_version = 1;

/// How a queue's consumers want the body (queue.X.body).
enum class BodyForm { json, base64_json, php };

struct Envelope {
    Uuid id;
    std::string endpoint;
    Timestamp received_at;
    json::Value fields = json::Value::object();  ///< cleaned, by field name
    std::string raw_type;                        ///< media type of `raw`
    std::string raw;                             ///< the body as it came
    std::vector<std::string> flags;              ///< "key_reused", "readmitted", …
    std::string client_ip;                       ///< `:_ip` of statements
    std::string value;                           ///< money at stake as written, "42.00"; empty = not known
    std::string currency;
    std::uint32_t again = 0;                    ///< an operator's replay of what is done, by number (FORMAT.md); 0 = none
    std::string discard;                        ///< an operator's reason not to run the effect but to note it as discarded
    json::Value edited = json::Value::array();  ///< what an operator changed, oldest first
};

/// The JSON object: v, id, endpoint, received_at, fields, raw_type, raw or raw_base64, flags, ip.
std::string to_json(const Envelope& envelope);
/// The envelope's JSON text in the queue's form.
std::string in_form(std::string json, BodyForm form);
/// The form of a body that decode() reads; json for any other.
BodyForm form_of(std::string_view body);
/// The message body in the queue's form.
std::string encode(const Envelope& envelope, BodyForm form);

struct DecodeError {
    std::string what;
};
/// Reads any of the three forms. A JSON object without `v` is a record sent straight to the queue: its
/// members become `fields` and it gets `fallback_id` and `now` (D13).
Result<Envelope, DecodeError> decode(std::string_view body, const Uuid& fallback_id, Timestamp now);

}  // namespace forebay::record
