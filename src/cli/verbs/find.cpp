// `find`: where is Jane's lead? The ledger knows what workers have had in hand; what still waits is looked for
// in the queues, and what was refused among the refused.
#include <algorithm>
#include <cctype>

#include "base/digest.h"
#include "cli/admin_client.h"
#include "cli/effects.h"
#include "cli/verb.h"
#include "cli/verbs/seen_database.h"
#include "cli/verbs/verbs.h"
#include "cli/words.h"
#include "http/message.h"
#include "intake/intake.h"

namespace forebay::cli {
namespace {

/// Messages of one queue that are looked through; a backlog of millions is not.
constexpr std::size_t messages_looked_at = 1000;

struct Found {
    std::string id, endpoint, state;
    Timestamp received_at;
};

std::string queue_of(const Configuration& configuration, const std::string& endpoint) {
    for (const auto& known : configuration.endpoints)
        if (known.name == endpoint) return known.queue;
    return {};
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

std::string digits_of(std::string_view text) {
    std::string out;
    for (char c : text)
        if (c >= '0' && c <= '9') out += c;
    if (out.size() == 11 && out[0] == '1') out.erase(0, 1);
    return out;
}

/// Whether a value of the record, or its id, is what is looked for.
class Wanted {
  public:
    explicit Wanted(const std::string& what) : text_(lower(what)), digits_(what.find('@') == std::string::npos ? digits_of(what) : "") {}

    bool is_id(const std::string& id) const { return text_.size() >= 8 && lower(id).starts_with(text_); }
    bool is_value(const std::string& value) const {
        return lower(value) == text_ || (digits_.size() >= 7 && digits_of(value) == digits_ && value.find('@') == std::string::npos);
    }
    bool is_in(const json::Value& record) const {
        if (is_id(record["id"].text())) return true;
        const auto& fields = record["fields"].members();
        return std::any_of(fields.begin(), fields.end(), [&](const auto& field) { return is_value(field.second.text()); });
    }
    /// A refused body has no fields: the text is looked for as it was posted.
    bool is_in_refused(const json::Value& reject) const {
        auto raw = reject["raw_base64"].text().empty() ? reject["raw"].text() : from_base64(reject["raw_base64"].text()).value_or("");
        return is_id(reject["id"].text()) || lower(http::percent_decode(raw, true)).find(text_) != std::string::npos;
    }

  private:
    std::string text_, digits_;
};

class Search {
  public:
    Search(Invocation& invocation, const Configuration& configuration)
        : invocation_(invocation),
          configuration_(configuration),
          admin_(invocation),
          wanted_(invocation.word(0)),
          now_(invocation.world().clock.wall()) {}

    /// The exit code of a failure, or done.
    int run() {
        complain_of_gone(configuration_, invocation_.terminal());
        ledger::Ledger ledger(ledger_sources(configuration_));
        auto stories = ledger.find(invocation_.word(0));
        if (!stories) {
            invocation_.terminal().complain(stories.error().what);
            return exit_code::io;
        }
        for (const auto& story : *stories)
            add({story.id, story.endpoint,
                 summary_of(states_of(configuration_, queue_of(configuration_, story.endpoint), story.effects), story.received_at, now_),
                 story.received_at});
        look_into_queues();
        std::sort(found_.begin(), found_.end(), [](const Found& a, const Found& b) { return a.received_at > b.received_at; });
        return exit_code::done;
    }
    const std::vector<Found>& found() const { return found_; }
    const std::string& why_not_everywhere() const { return why_not_everywhere_; }

  private:
    void add(Found found) {
        bool is_known = std::any_of(found_.begin(), found_.end(), [&](const Found& known) { return known.id == found.id; });
        if (!is_known) found_.push_back(std::move(found));
    }

    void look_into_queues() {
        auto queues = admin_.get("/api/queues");
        if (!queues) {
            why_not_everywhere_ = queues.error().what;
            return;
        }
        for (const auto& queue : (*queues)["queues"].elements()) {
            const auto& name = queue["name"].text();
            bool is_refused = name == intake::quarantine_queue;
            if (!is_refused && !queue["carries_records"].boolean()) continue;
            auto page =
                admin_.get("/api/queues/" + http::percent_encode(name) + "/peek" + query_of({{"max", std::to_string(messages_looked_at)}}));
            if (!page) continue;
            for (const auto& message : (*page)["messages"].elements()) look_at(message["body"].text(), name, is_refused);
        }
    }

    void look_at(const std::string& body, const std::string& queue, bool is_refused) {
        auto record = json::parse(body);
        if (!record && !is_refused) {
            auto decoded = from_base64(body);
            if (decoded) record = json::parse(*decoded);
        }
        if (!record || !(is_refused ? wanted_.is_in_refused(*record) : wanted_.is_in(*record))) return;
        auto at = parse_timestamp((*record)["received_at"].text()).value_or(Timestamp{});
        auto state = is_refused ? "refused: " + (*record)["code"].text() : "waits in " + queue;
        add({(*record)["id"].text(), (*record)["endpoint"].text(), state, at});
    }

    Invocation& invocation_;
    const Configuration& configuration_;
    AdminClient admin_;
    Wanted wanted_;
    Timestamp now_;
    std::vector<Found> found_;
    std::string why_not_everywhere_;
};

void print(Terminal& terminal, const std::vector<Found>& found, Timestamp now) {
    for (const auto& one : found) {
        auto is_refused = one.state.starts_with("refused");
        terminal.result(printable(one.id + "  " + one.endpoint + "  " + (is_refused ? "came " : "accepted ") +
                                  moment_text(one.received_at, now) + "  " + one.state) +
                        "\n");
    }
}

}  // namespace

int run_find(Invocation& invocation) {
    auto& terminal = invocation.terminal();
    if (invocation.word(0).find_first_not_of(' ') == std::string::npos)
        return invocation.misused("say what to find: an e-mail address, a phone number or an id");
    auto configuration = invocation.configuration();
    if (!configuration) return exit_code::configuration;
    Search search(invocation, *configuration);
    if (int code = search.run(); code != exit_code::done) return code;
    if (terminal.wants_json()) {
        auto list = json::Value::array();
        for (const auto& one : search.found())
            list.push(json::Value()
                          .set("id", one.id)
                          .set("endpoint", one.endpoint)
                          .set("received_at", to_rfc3339(one.received_at))
                          .set("state", one.state));
        terminal.result_json(json::Value().set("records", std::move(list)));
    } else {
        print(terminal, search.found(), invocation.world().clock.wall());
    }
    if (!search.why_not_everywhere().empty()) terminal.talk("The queues were not looked into: " + search.why_not_everywhere());
    if (!search.found().empty()) return exit_code::done;
    terminal.talk("Nothing found.");
    return search.why_not_everywhere().empty() ? exit_code::check_failed : exit_code::unreachable;
}

}  // namespace forebay::cli
