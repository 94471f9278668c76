// `dead ls|show|retry|discard|edit`: what workers gave up, by cause, and what is done with it.
#include <algorithm>

#include "cli/admin_client.h"
#include "cli/mask.h"
#include "cli/money.h"
#include "cli/similar.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "cli/verbs/verbs.h"
#include "cli/where.h"
#include "cli/words.h"
#include "http/message.h"
#include "ledger/ledger.h"

namespace forebay::cli {
namespace {

constexpr std::size_t cause_characters = 60;
constexpr std::uint64_t listed_max = 1000;

std::uint64_t count_of(const json::Value& value) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(value.integer().value_or(0), 0));
}

std::string when_of(const json::Value& text, Timestamp now) {
    auto at = parse_timestamp(text.text());
    return at ? moment_text(*at, now) : text.text();
}

/// The options that choose among dead letters, checked. Empty texts are not given.
struct Choice {
    std::string effect, endpoint, cause, since, where;
    bool is_empty() const { return effect.empty() && endpoint.empty() && cause.empty() && since.empty() && where.empty(); }

    std::string query(std::initializer_list<std::pair<std::string_view, std::string>> more = {}) const {
        auto out = query_of({{"effect", effect}, {"endpoint", endpoint}, {"cause", cause}, {"since", since}, {"where", where}});
        auto rest = query_of(more);
        if (!rest.empty() && !out.empty()) rest[0] = '&';
        return out + rest;
    }
    json::Value body() const {
        auto out = json::Value::object();
        for (auto [key, value] : {std::pair{"effect", &effect}, {"endpoint", &endpoint}, {"cause", &cause}, {"where", &where}})
            if (!value->empty()) out.set(key, *value);
        if (!since.empty()) out.set("since", json::Value::number(since));
        return out;
    }
};

int refuse_name(Invocation& invocation, const std::string& what, const std::string& name, const std::vector<std::string>& known) {
    auto meant = nearest(name, known);
    return invocation.misused("there is no " + what + " \"" + name + "\"" + (meant.empty() ? "" : "; did you mean \"" + meant + "\"?"));
}

Result<Choice, int> read_choice(Invocation& invocation, const Configuration& configuration) {
    Choice choice;
    choice.effect = invocation.value("effect").value_or("");
    choice.endpoint = invocation.value("endpoint").value_or("");
    choice.cause = invocation.value("cause").value_or("");
    std::vector<std::string> workers, endpoints;
    for (const auto& worker : configuration.workers) workers.push_back(worker.name);
    for (const auto& endpoint : configuration.endpoints) endpoints.push_back(endpoint.name);
    auto is_known = [](const std::string& name, const std::vector<std::string>& known) {
        return name.empty() || std::find(known.begin(), known.end(), name) != known.end();
    };
    auto worker = std::string(ledger::split_effect(choice.effect).first);
    if (!is_known(worker, workers)) return Failure{refuse_name(invocation, "effect", worker, workers)};
    if (!is_known(choice.endpoint, endpoints)) return Failure{refuse_name(invocation, "endpoint", choice.endpoint, endpoints)};
    if (auto given = invocation.value("since")) {
        auto at = parse_moment(*given, invocation.world().clock.wall());
        if (!at) return Failure{invocation.misused("--since must be a moment such as 2h or \"2026-09-19 08:00\"")};
        choice.since = std::to_string(at->ms);
    }
    TRY_ASSIGN(choice.where, read_where(invocation, configuration));
    return choice;
}

std::string money_of(const json::Value& letter) {
    Money money;
    money.add(letter["value"].text(), letter["currency"].text());
    return money.text();
}

void print_acts(Terminal& terminal, const json::Value& answer, Timestamp now, bool all) {
    for (const auto& act : answer["acts"].elements()) {
        bool is_running = act["state"].text() == "running";
        if (!is_running && !all) continue;
        auto line = std::string(is_running ? "RUNNING " : "") + act["act"].text() + " since " + when_of(act["started_at"], now) + ": " +
                    grouped(count_of(act["done"])) + " of " + grouped(count_of(act["letters"]));
        if (count_of(act["left_out"]) > 0) line += ", left out " + grouped(count_of(act["left_out"])) + " (" + act["why"].text() + ")";
        terminal.result(printable(line + "  " + act["reason"].text()) + "\n");
    }
}

int list_causes(Invocation& invocation, const Choice& choice) {
    AdminClient admin(invocation);
    auto& terminal = invocation.terminal();
    auto answer = admin.get("/api/dead/causes" + choice.query());
    if (!answer) return failed(invocation, answer.error());
    auto acts = admin.get("/api/dead/acts");
    if (!acts) return failed(invocation, acts.error());
    if (terminal.wants_json()) {
        terminal.result_json(answer->set("acts", (*acts)["acts"]));
        return exit_code::done;
    }
    auto causes = std::move((*answer)["causes"]).elements();
    std::stable_sort(causes.begin(), causes.end(),
                     [](const auto& a, const auto& b) { return count_of(a["letters"]) > count_of(b["letters"]); });
    auto now = invocation.world().clock.wall();
    Table table({">DEAD", ">MONEY", "EFFECT", "ENDPOINT", "SINCE", "LAST", "CAUSE", "SUCH AS"});
    std::uint64_t all = 0;
    Money money;
    for (const auto& cause : causes) {
        auto sum = Money::of_json(cause["money"]);
        all += count_of(cause["letters"]);
        money.add(sum);
        table.add({grouped(count_of(cause["letters"])), sum.text().empty() ? "-" : sum.text(),
                   cause["effect"].text().empty() ? "-" : cause["effect"].text(),
                   cause["endpoint"].text().empty() ? "-" : cause["endpoint"].text(), when_of(cause["since"], now),
                   when_of(cause["last"], now), shortened(printable(cause["cause"].text()), cause_characters), cause["example"].text()});
    }
    if (table.is_empty())
        terminal.talk(choice.is_empty() ? "Nothing is dead." : "Nothing that is dead is like that.");
    else
        terminal.result(table.text(terminal) + counted(all, "dead letter") + money.in_brackets() + "\n");
    print_acts(terminal, *acts, now, false);
    return exit_code::done;
}

int list_letters(Invocation& invocation, const Choice& choice, std::uint64_t max) {
    auto& terminal = invocation.terminal();
    auto answer = AdminClient(invocation).get("/api/dead" + choice.query({{"max", std::to_string(max)}}));
    if (!answer) return failed(invocation, answer.error());
    if (terminal.wants_json()) {
        terminal.result_json(*answer);
        return exit_code::done;
    }
    auto now = invocation.world().clock.wall();
    Table table({"ID", "EFFECT", "ENDPOINT", "DEAD SINCE", ">MONEY", "WHY"});
    for (const auto& letter : (*answer)["letters"].elements())
        table.add({letter["id"].text(), letter["effect"].text(), letter["endpoint"].text(), when_of(letter["dead_since"], now),
                   money_of(letter), shortened(printable(letter["reason"].text()), cause_characters)});
    if (table.is_empty())
        terminal.talk(choice.is_empty() ? "Nothing is dead." : "Nothing that is dead is like that.");
    else
        terminal.result(table.text(terminal));
    if (!(*answer)["next"].is_null())
        terminal.talk("There are more: --max N, or choose with --effect, --cause, --endpoint, --since, --where.");
    return exit_code::done;
}

/// The fields as they are; beside those that somebody changed, what they were when the record came.
void print_fields(Terminal& terminal, const json::Value& envelope, const std::vector<std::string>& masked_names, bool reveal) {
    auto was = json::Value::object();
    for (const auto& edit : envelope["edited"].elements())
        for (const auto& [name, value] : edit["was"].members())
            if (was.find(name) == nullptr) was.set(name, value);
    auto fields = envelope["fields"];
    for (const auto& [name, value] : was.members())
        if (fields.find(name) == nullptr) fields.set(name, json::Value());
    auto shown = reveal ? fields : mask_fields(fields, masked_names), before = reveal ? was : mask_fields(was, masked_names);
    auto text_of = [](const json::Value& value) {
        return value.is_null() ? std::string("(none)") : printable(value.is_string() ? value.text() : json::to_text(value));
    };
    Table table(was.members().empty() ? std::vector<std::string>{"FIELD", "VALUE"}
                                      : std::vector<std::string>{"FIELD", "VALUE", "AS IT CAME"});
    for (const auto& [name, value] : shown.members()) {
        std::vector<Cell> row = {printable(name), text_of(value)};
        if (const auto* first = before.find(name))
            row.emplace_back(text_of(*first));
        else if (!was.members().empty())
            row.emplace_back("");
        table.add(std::move(row));
    }
    terminal.result(table.text(terminal));
    for (const auto& edit : envelope["edited"].elements())
        terminal.result("edited " + edit["at"].text() + ": " + printable(edit["reason"].text()) + "\n");
}

std::optional<double> rate_of(Invocation& invocation) {
    auto given = invocation.value("rate");
    if (!given) return 0;
    auto rate = intake::parse_rate(*given);
    return rate ? std::optional(rate->per_second) : std::nullopt;
}

std::string amount_of(const json::Value& answer) {
    return counted(count_of(answer["letters"]), "dead letter") + Money::of_json(answer["money"]).in_brackets();
}

void tell_left_out(Terminal& terminal, const json::Value& answer) {
    if (count_of(answer["left_out"]) > 0)
        terminal.talk(grouped(count_of(answer["left_out"])) + " would be left out: " + answer["why"].text() + ".");
}

/// retry and discard: chosen by ids or by options, looked at first, then done by the node.
int act(Invocation& invocation, const std::string& verb, const std::string& question, const std::string& doing) {
    auto configuration = invocation.configuration();
    if (!configuration) return exit_code::configuration;
    auto choice = read_choice(invocation, *configuration);
    if (!choice) return choice.error();
    auto rate = rate_of(invocation);
    if (!rate) return invocation.misused("--rate must be a rate such as 50/s");
    auto body = choice->body();
    if (!invocation.words().empty()) {
        auto ids = json::Value::array();
        for (const auto& id : invocation.words()) ids.push(id);
        body.set("ids", std::move(ids));
    }
    if (body.members().empty() && !invocation.has("all"))
        return invocation.misused("say which: an ID, --effect, --cause, --endpoint, --since, --where, or --all");
    body.set("all", invocation.has("all"));
    if (*rate > 0) body.set("rate", *rate);
    AdminClient admin(invocation);
    auto& terminal = invocation.terminal();
    auto preview = admin.post("/api/dead/" + verb, json::Value(body).set("dry_run", true));
    if (!preview) return failed(invocation, preview.error());
    for (const auto& id : (*preview)["not_found"].elements())
        terminal.complain("no dead letter has the id " + id.text() + ": see forebay dead ls");
    if (!(*preview)["not_found"].elements().empty()) return exit_code::data;
    if (invocation.has("dry-run") || count_of((*preview)["letters"]) == 0) {
        tell_left_out(terminal, *preview);
        if (terminal.wants_json())
            terminal.result_json(*preview);
        else
            terminal.result("Would " + verb + " " + amount_of(*preview) + ".\n");
        return exit_code::done;
    }
    tell_left_out(terminal, *preview);
    if (!invocation.is_agreed(question + " " + amount_of(*preview) + "?")) return exit_code::done;
    auto reason = invocation.reason();
    if (reason.empty()) return invocation.misused("dead " + verb + " needs --reason");
    auto answer = admin.post("/api/dead/" + verb, body.set("reason", reason));
    if (!answer) return failed(invocation, answer.error());
    if (terminal.wants_json())
        terminal.result_json(*answer);
    else
        terminal.result(doing + " " + amount_of(*answer) + " in the background. See how far it is: forebay dead ls\n");
    return exit_code::done;
}

}  // namespace

int run_dead_ls(Invocation& invocation) {
    auto configuration = invocation.configuration();
    if (!configuration) return exit_code::configuration;
    auto choice = read_choice(invocation, *configuration);
    if (!choice) return choice.error();
    auto max = invocation.number("max", 50, 1, listed_max);
    if (!max) return invocation.misused("--max must be a number from 1 to " + std::to_string(listed_max));
    auto by = invocation.value("by").value_or("cause");
    if (by != "cause" && by != "record") return invocation.misused("--by must be cause or record");
    return by == "cause" ? list_causes(invocation, *choice) : list_letters(invocation, *choice, *max);
}

int run_dead_show(Invocation& invocation) {
    auto configuration = invocation.whatever_is_configured();
    auto answer = AdminClient(invocation).get("/api/dead/" + http::percent_encode(invocation.word(0)));
    if (!answer) return failed(invocation, answer.error());
    auto& terminal = invocation.terminal();
    if (terminal.wants_json()) {
        terminal.result_json(*answer);
        return exit_code::done;
    }
    auto now = invocation.world().clock.wall();
    for (const auto& letter : (*answer)["letters"].elements()) {
        auto head = "DEAD " + letter["id"].text() + "  " + letter["endpoint"].text() + "  " + letter["effect"].text() + " since " +
                    when_of(letter["dead_since"], now) + "  in " + letter["queue"].text();
        if (!letter["attempts"].is_null()) head += "  " + counted(count_of(letter["attempts"]), "attempt");
        if (auto money = money_of(letter); !money.empty()) head += "  " + money;
        terminal.result(printable(head) + "\n  " + printable(letter["reason"].text()) + "\n");
        if (!letter["worker_is_there"].boolean()) terminal.result("  there is no worker for it any more\n");
        if (letter["is_record"].boolean())
            print_fields(terminal, letter["envelope"], configuration.admin.mask, invocation.has("reveal"));
        else
            terminal.result("  no record: " + shortened(printable(letter["body"].text()), 200) + "\n");
    }
    return exit_code::done;
}

int run_dead_retry(Invocation& invocation) { return act(invocation, "retry", "Run again", "Running again"); }
int run_dead_discard(Invocation& invocation) { return act(invocation, "discard", "Discard", "Discarding"); }

int run_dead_edit(Invocation& invocation) {
    auto& terminal = invocation.terminal();
    auto configuration = invocation.whatever_is_configured();
    json::Value body, set = json::Value::object();
    for (std::size_t i = 1; i < invocation.words().size(); ++i) {
        const auto& word = invocation.words()[i];
        auto equals = word.find('=');
        if (equals == std::string::npos || equals == 0)
            return invocation.misused("\"" + word + "\" is no change: FIELD=VALUE, or FIELD= to take it away");
        auto value = word.substr(equals + 1);
        set.set(word.substr(0, equals), value.empty() ? json::Value() : json::Value(value));
    }
    if (set.members().empty()) return invocation.misused("say what to change: FIELD=VALUE");
    body.set("id", invocation.word(0)).set("effect", invocation.value("effect").value_or("")).set("set", std::move(set));
    AdminClient admin(invocation);
    auto preview = admin.post("/api/dead/edit", json::Value(body).set("dry_run", true));
    if (!preview) return failed(invocation, preview.error());
    auto show = [&](const json::Value& answer) {
        auto was = mask_fields(answer["was"], configuration.admin.mask), is = mask_fields(answer["now"], configuration.admin.mask);
        std::string out;
        for (const auto& [name, value] : is.members())
            out += "  " + printable(name) + ": " + printable(json::to_text(was[name])) + " -> " + printable(json::to_text(value)) + "\n";
        return out;
    };
    if (invocation.has("dry-run")) {
        if (terminal.wants_json())
            terminal.result_json(*preview);
        else
            terminal.result("Would run " + (*preview)["effect"].text() + " for " + (*preview)["id"].text() + " with\n" + show(*preview));
        return exit_code::done;
    }
    if (!terminal.wants_json()) terminal.talk(show(*preview));
    if (!invocation.is_agreed("Run " + (*preview)["effect"].text() + " again like this?")) return exit_code::done;
    auto reason = invocation.reason();
    if (reason.empty()) return invocation.misused("dead edit needs --reason");
    auto answer = admin.post("/api/dead/edit", body.set("reason", reason));
    if (!answer) return failed(invocation, answer.error());
    if (terminal.wants_json())
        terminal.result_json(*answer);
    else
        terminal.result("Sent to be run again for " + (*answer)["effect"].text() + ". What was changed stays beside it: forebay show " +
                        (*answer)["id"].text() + "\n");
    return exit_code::done;
}

}  // namespace forebay::cli
