#include "record/envelope_writer.h"

#include "base/digest.h"
#include "record/text.h"

namespace forebay::record {

EnvelopeWriter::EnvelopeWriter(std::string& out, const Uuid& id, std::string_view endpoint, Timestamp received_at) : out_(out) {
    out_ += R"({"v":1,"id":")";
    append_text(out_, id);
    out_ += R"(","endpoint":)";
    append_json_string(out_, endpoint);
    out_ += R"(,"received_at":")";
    append_timestamp(out_, received_at);
    out_ += R"(","fields":{)";
}

EnvelopeWriter EnvelopeWriter::copy(std::string& out) const {
    out = out_;
    return {out, first_};
}

void EnvelopeWriter::name(std::string_view name) {
    if (!first_) out_ += ',';
    first_ = false;
    append_json_string(out_, name);
    out_ += ':';
}

void EnvelopeWriter::text(std::string_view name, std::string_view value) {
    this->name(name);
    append_json_string(out_, value);
}

void EnvelopeWriter::json(std::string_view name, std::string_view json) {
    this->name(name);
    out_ += json;
}

void EnvelopeWriter::finish(const EnvelopeEnd& end) {
    out_ += R"(},"raw_type":)";
    append_json_string(out_, end.raw_type);
    if (end.raw_is_text) {
        out_ += R"(,"raw":)";
        append_json_string(out_, end.raw);
    } else {
        out_.append(R"(,"raw_base64":")").append(to_base64(end.raw)).append("\"");
    }
    out_ += R"(,"flags":[)";
    for (std::size_t i = 0; i < end.flags.size(); ++i) {
        if (i > 0) out_ += ',';
        append_json_string(out_, end.flags[i]);
    }
    out_ += R"(],"ip":)";
    append_json_string(out_, end.client_ip);
    if (!end.value.empty()) {
        out_.append(R"(,"value":)").append(end.value);
        if (!end.currency.empty()) {
            out_ += R"(,"currency":)";
            append_json_string(out_, end.currency);
        }
    }
    out_.append(end.orders).append("}");
}

}  // namespace forebay::record
