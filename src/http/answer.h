#pragma once
// A Response as bytes: one status line, our fields, the handler's fields, the body.

#include <ctime>
#include <string>

#include "http/message.h"

namespace forebay::http {

/// What the request says about the form of its answer.
struct AnswerForm {
    bool without_body = false;  ///< HEAD: the fields of the body, not the body
    bool close = false;
    bool is_http10 = false;
};

class AnswerWriter {
  public:
    /// Control characters in field values become spaces, so no value can start a field of its own.
    void append(std::string& out, const Response& response, AnswerForm form);

  private:
    void append_date(std::string& out);
    std::time_t second_ = 0;
    std::string date_;  ///< the whole field for second_
};

}  // namespace forebay::http
