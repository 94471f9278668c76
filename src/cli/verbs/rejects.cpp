// `rejects ls|show|readmit`: refused posts are kept with their reasons, and taken after all once the rule is
// mended.
#include <algorithm>

#include "base/digest.h"
#include "cli/admin_client.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "cli/verbs/verbs.h"
#include "cli/words.h"
#include "http/message.h"

namespace forebay::cli {
namespace {

constexpr std::size_t outcomes_shown = 20;
constexpr std::uint64_t listed_max = 1000;

/// `email: email_invalid, state: enum`, or the code of the whole post.
std::string reasons_of(const json::Value& reject) {
    std::string out;
    for (const auto& error : reject["errors"].elements()) {
        const auto& field = error["field"].text();
        out += (out.empty() ? "" : ", ") + (field.empty() ? "" : field + ": ") + error["code"].text();
    }
    if (out.empty()) out = reject["code"].text();
    return reject["source"].text().empty() ? out : reject["source"].text() + "  " + out;
}

std::string when_of(const json::Value& reject, Timestamp now) {
    auto at = parse_timestamp(reject["received_at"].text());
    return at ? moment_text(*at, now) : reject["received_at"].text();
}

/// --since as milliseconds; an empty text if it was not given; nothing if it is no moment.
std::optional<std::string> since_of(Invocation& invocation) {
    auto given = invocation.value("since");
    if (!given) return std::string();
    auto at = parse_moment(*given, invocation.world().clock.wall());
    return at ? std::optional(std::to_string(at->ms)) : std::nullopt;
}

int bad_moment(Invocation& invocation) { return invocation.misused("--since must be a moment such as 2h or \"2026-09-19 08:00\""); }

void print_raw(Terminal& terminal, const json::Value& reject) {
    terminal.result("\n" + terminal.painted(reject["raw_type"].text().empty() ? "body" : reject["raw_type"].text(), Colour::heading) +
                    "\n");
    const auto& encoded = reject["raw_base64"].text();
    auto raw = encoded.empty() ? reject["raw"].text() : from_base64(encoded).value_or("");
    std::string line;
    for (std::size_t at = 0; at < raw.size();) {
        auto end = std::min(raw.find('\n', at), raw.size());
        line += printable(std::string_view(raw).substr(at, end - at)) + "\n";
        at = end + 1;
    }
    terminal.result(line);
}

std::string outcome_line(const json::Value& result) {
    auto line = result["id"].text() + "  " + result["endpoint"].text() + "  " + result["outcome"].text();
    auto reasons = reasons_of(result);
    if (!reasons.empty()) line += "  " + reasons;
    if (!result["what"].text().empty()) line += "  " + result["what"].text();
    return printable(line) + "\n";
}

/// What passes and what does not, with the first of each by name.
std::string account_of(const json::Value& answer) {
    bool dry_run = answer["dry_run"].boolean();
    std::string out;
    std::size_t shown = 0;
    for (const auto& result : answer["results"].elements())
        if (shown++ < outcomes_shown) out += outcome_line(result);
    if (shown > outcomes_shown) out += "… and " + std::to_string(shown - outcomes_shown) + " more (--json lists them)\n";
    return out + (dry_run ? "would pass " : "readmitted ") + answer["readmitted"].text() + ", still refused " +
           answer["still_refused"].text() + "\n";
}

json::Value request_of(const Invocation& invocation, const std::string& since) {
    json::Value body;
    if (!invocation.words().empty()) {
        auto ids = json::Value::array();
        for (const auto& id : invocation.words()) ids.push(id);
        body.set("ids", std::move(ids));
    }
    if (auto endpoint = invocation.value("endpoint")) body.set("endpoint", *endpoint);
    if (auto code = invocation.value("code")) body.set("code", *code);
    if (auto source = invocation.value("source")) body.set("source", *source);
    if (!since.empty()) body.set("since", json::Value::number(since));
    return body;
}

/// One of the ids that the node said nothing about. Its list of outcomes is complete for as many as fit a command line.
std::optional<std::string> not_kept(const std::vector<std::string>& ids, const json::Value& preview) {
    const auto& results = preview["results"].elements();
    for (const auto& id : ids)
        if (std::none_of(results.begin(), results.end(), [&](const auto& result) { return result["id"].text() == id; })) return id;
    return std::nullopt;
}

}  // namespace

int run_rejects_ls(Invocation& invocation) {
    auto since = since_of(invocation);
    if (!since) return bad_moment(invocation);
    auto max = invocation.number("max", 50, 1, listed_max);
    if (!max) return invocation.misused("--max must be a number from 1 to " + std::to_string(listed_max));
    auto query = query_of({{"endpoint", invocation.value("endpoint").value_or("")},
                           {"code", invocation.value("code").value_or("")},
                           {"source", invocation.value("source").value_or("")},
                           {"since", *since},
                           {"max", std::to_string(*max)}});
    auto answer = AdminClient(invocation).get("/api/rejects" + query);
    if (!answer) return failed(invocation, answer.error());
    auto& terminal = invocation.terminal();
    if (terminal.wants_json()) {
        terminal.result_json(*answer);
        return exit_code::done;
    }
    Table table({"ID", "ENDPOINT", "WHEN", ">STATUS", "WHY"});
    auto now = invocation.world().clock.wall();
    for (const auto& reject : (*answer)["rejects"].elements())
        table.add({reject["id"].text(), reject["endpoint"].text(), when_of(reject, now), reject["status"].text(), reasons_of(reject)});
    bool all_are_asked_for = true;
    for (auto filter : {"endpoint", "code", "source", "since"}) all_are_asked_for = all_are_asked_for && !invocation.value(filter);
    if (table.is_empty())
        terminal.talk(all_are_asked_for ? "No refused posts are kept." : "No refused post that is kept is like that.");
    else
        terminal.result(table.text(terminal));
    if (!(*answer)["next"].is_null()) terminal.talk("There are more: --max N, or choose with --endpoint, --code, --since.");
    return exit_code::done;
}

int run_rejects_show(Invocation& invocation) {
    auto answer = AdminClient(invocation).get("/api/rejects/" + http::percent_encode(invocation.word(0)));
    if (!answer) return failed(invocation, answer.error());
    auto& terminal = invocation.terminal();
    if (terminal.wants_json()) {
        terminal.result_json(*answer);
        return exit_code::done;
    }
    const auto& reject = *answer;
    std::string head = "REFUSED " + reject["id"].text() + "  " + reject["endpoint"].text() + "  " +
                       when_of(reject, invocation.world().clock.wall()) + "  status " + reject["status"].text() + "  " +
                       reject["code"].text();
    if (!reject["key"].text().empty()) head += "  key " + reject["key"].text();
    if (!reject["ip"].text().empty()) head += "  from " + reject["ip"].text();
    terminal.result(printable(head) + "\n");
    for (const auto& error : reject["errors"].elements())
        terminal.result("  " +
                        printable(error["field"].text() + ": " + error["code"].text() +
                                  (error["detail"].text().empty() ? "" : ", " + error["detail"].text())) +
                        "\n");
    print_raw(terminal, reject);
    return exit_code::done;
}

int run_rejects_readmit(Invocation& invocation) {
    auto& terminal = invocation.terminal();
    auto since = since_of(invocation);
    if (!since) return bad_moment(invocation);
    auto body = request_of(invocation, *since);
    if (body.is_null()) return invocation.misused("say which: an ID, --endpoint, --code, --source or --since");
    AdminClient admin(invocation);
    auto preview = admin.post("/api/rejects/readmit", json::Value(body).set("dry_run", true));
    if (!preview) return failed(invocation, preview.error());
    if (auto unknown = not_kept(invocation.words(), *preview)) {
        terminal.complain("no refused post with the id " + *unknown + " is kept");
        return exit_code::data;
    }
    auto passing = static_cast<std::uint64_t>((*preview)["readmitted"].integer().value_or(0));
    if (invocation.has("dry-run") || passing == 0) {
        if (terminal.wants_json())
            terminal.result_json(*preview);
        else
            terminal.result(account_of(*preview));
        return invocation.has("dry-run") || passing > 0 ? exit_code::done : exit_code::check_failed;
    }
    if (!invocation.is_agreed("Readmit " + counted(passing, "post") + "? Still refused: " + (*preview)["still_refused"].text() + "."))
        return exit_code::done;
    auto reason = invocation.reason();
    if (reason.empty()) return invocation.misused("readmission needs --reason");
    auto answer = admin.post("/api/rejects/readmit", body.set("reason", reason));
    if (!answer) return failed(invocation, answer.error());
    if (terminal.wants_json())
        terminal.result_json(*answer);
    else
        terminal.result(account_of(*answer));
    return exit_code::done;
}

}  // namespace forebay::cli
