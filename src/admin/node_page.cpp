#include "admin/node_page.h"

#include <fmt/format.h>

namespace forebay::admin {
namespace {
constexpr std::string_view style =
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1c2733;background:#f6f8fa}"
    "h1{font-size:1.4rem}table{border-collapse:collapse;width:100%;background:#fff}"
    "th,td{padding:.4rem .8rem;border-bottom:1px solid #d8dee4;text-align:right}th:first-child,td:first-child{text-align:left}"
    ".well{color:#1a7f37}.unwell{color:#b3261e}dl{display:grid;grid-template-columns:max-content auto;gap:.2rem 1.5rem}dd{margin:0}";

std::string escaped(std::string_view text) {
    std::string out;
    for (char c : text) {
        if (c == '&')
            out += "&amp;";
        else if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else if (c == '"')
            out += "&quot;";
        else
            out += c;
    }
    return out;
}

std::string queue_rows(const std::vector<broker::QueueStatus>& queues) {
    std::string out;
    for (const auto& queue : queues)
        out += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>", escaped(queue.name), queue.ready,
                           queue.in_flight, queue.delayed, queue.oldest ? to_rfc3339(*queue.oldest) : "-");
    return out;
}
}  // namespace

http::Response node_page(const NodeFacts& facts, const Result<std::vector<broker::QueueStatus>, broker::Refusal>& queues) {
    auto state =
        facts.ready ? "<strong class=well>ready</strong>" : "<strong class=unwell>not ready: " + escaped(facts.why_not_ready) + "</strong>";
    auto html = fmt::format(
        "<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport content=\"width=device-width\">"
        "<meta http-equiv=refresh content=5><title>Forebay {0}</title><style>{1}</style></head><body>"
        "<h1>{0}: {2}</h1><dl><dt>accepted since start</dt><dd>{3}</dd><dt>refused since start</dt><dd>{4}</dd>"
        "<dt>journal</dt><dd>{5} MiB</dd><dt>disk free</dt><dd>{6} MiB</dd><dt>version</dt><dd>{7}</dd></dl>"
        "<h2>Queues</h2><table><tr><th>queue</th><th>ready</th><th>in flight</th><th>delayed</th><th>oldest</th></tr>{8}</table>"
        "</body></html>",
        escaped(facts.name), style, state, facts.accepted, facts.refused, facts.journal_bytes >> 20, facts.disk_free >> 20,
        escaped(facts.version), queues.ok() ? queue_rows(*queues) : "");
    return {200,
            {{"Cache-Control", "no-store"},
             {"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}},
            "text/html; charset=utf-8",
            std::move(html)};
}

}  // namespace forebay::admin
