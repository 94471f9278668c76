#pragma once
// Where a verb prints: results on standard output, talk on standard error. Knows whether somebody can be
// asked and whether colours are wanted; a verb only says what a piece of text is.

#include <functional>
#include <istream>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "base/json.h"

namespace forebay::cli {

enum class Colour { plain, good, bad, warn, heading, name };

struct TerminalOptions {
    bool colour_out = false;  ///< standard output is a terminal that shows colours
    bool colour_err = false;
    bool can_ask = false;          ///< standard input and error are terminals
    bool err_is_terminal = false;  ///< standard error is one that can write over a line
    bool out_is_terminal = false;  ///< standard output is one
};

class Terminal {
  public:
    Terminal(std::istream& in, std::ostream& out, std::ostream& err, TerminalOptions options)
        : in_(in), out_(out), err_(err), options_(options) {}

    /// Of the global options; set by the console before a verb runs.
    void set_quiet(bool quiet) { quiet_ = quiet; }
    void set_verbosity(int level) { verbosity_ = level; }
    void set_colour(bool on) { options_.colour_out = options_.colour_err = on; }
    void set_json(bool on) { json_ = on; }
    void set_can_ask(bool on) { options_.can_ask = options_.can_ask && on; }

    bool wants_json() const { return json_; }
    bool is_quiet() const { return quiet_; }
    int verbosity() const { return verbosity_; }
    bool can_ask() const { return options_.can_ask; }
    bool is_terminal() const { return options_.out_is_terminal; }
    bool colours_errors() const { return options_.colour_err; }

    /// A result, as it is. Nothing with --quiet.
    void result(std::string_view text);
    /// False once a result could not be written: whoever read standard output has gone.
    bool is_readable() const { return out_.good(); }
    /// A result with --json: one value, indented; printed with --quiet too.
    void result_json(const json::Value& value);
    /// A line for the person at the terminal; nothing with --quiet.
    void talk(std::string_view line);
    /// Only with -v (level 1), -vv (2) or -vvv (3).
    void detail(int level, std::string_view line);
    /// `forebay: …` on standard error, always.
    void complain(std::string_view line);
    /// Text as it is on standard error, always.
    void error_text(std::string_view text);
    /// The last line of standard error, written over by the next; an empty text takes it away. Nothing where nobody looks, with --quiet
    /// and with --json.
    void progress(std::string_view line);
    void flush();

    /// One line from the person; nothing when nobody can be asked or they ended the input.
    std::optional<std::string> ask(std::string_view question);

    /// The next line of standard input, whoever writes it; a person is shown the prompt. Nothing at its end.
    std::optional<std::string> read_line(std::string_view prompt);

    /// The text in a colour of standard output, or as it is.
    std::string painted(std::string_view text, Colour colour) const;

  private:
    void take_progress_away();
    std::istream& in_;
    std::ostream& out_;
    std::ostream& err_;
    TerminalOptions options_;
    bool quiet_ = false;
    bool json_ = false;
    bool has_progress_ = false;
    int verbosity_ = 0;
};

}  // namespace forebay::cli
