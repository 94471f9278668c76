#include "admin/admin.h"

#include "admin/call.h"
#include "admin/dead_acts.h"
#include "admin/dead_edit.h"
#include "admin/desk.h"
#include "admin/drain.h"
#include "admin/erase.h"
#include "admin/import.h"
#include "admin/node_page.h"
#include "admin/pauses.h"
#include "admin/queues.h"
#include "admin/records.h"
#include "admin/rejects.h"
#include "admin/scale.h"
#include "http/router.h"

namespace forebay::admin {
namespace {
constexpr std::size_t requests_waiting_max = 64;
constexpr std::size_t query_pairs_max = 32;

json::Value to_json(const NodeFacts& facts) {
    json::Value out;
    out.set("name", facts.name).set("version", facts.version).set("uptime_s", facts.uptime.count() / 1000);
    out.set("ready", facts.ready).set("draining", facts.draining).set("ack", facts.ack);
    if (facts.drained) out.set("drained", pause_json(*facts.drained));
    if (!facts.why_not_ready.empty()) out.set("why_not_ready", facts.why_not_ready);
    out.set("disk_free", facts.disk_free).set("journal_bytes", facts.journal_bytes);
    out.set("accepted", facts.accepted).set("refused", facts.refused);
    return out;
}

constexpr std::string_view said_once[] = {"Content-Type", "Origin", "Sec-Fetch-Site"};

/// A page of another origin must not act here, even on a port that asks for no password.
bool is_foreign(const http::Request& request) {
    auto site = request.find("Sec-Fetch-Site");
    if (site == "cross-site" || site == "same-site") return true;
    auto origin = request.find("Origin");
    if (origin.empty()) return false;
    auto scheme_end = origin.find("://");
    return scheme_end == std::string_view::npos || origin.substr(scheme_end + 3) != request.find("Host");
}
}  // namespace

class Admin::Inside {
  public:
    explicit Inside(Parts given)
        : parts(std::move(given)),
          acts(parts.commands, parts.routes, parts.clock, parts.dead_acts_path),
          pauses(parts.commands, parts.clock, parts.paused_queues_path),
          desk(requests_waiting_max) {
        add_routes();
    }

    using Action = http::Response (Inside::*)(const Call&);
    void add(std::string_view method, std::string_view pattern, Action action) {
        bool acts = method != "GET";
        router.add(method, pattern,
                   [this, action, acts](const http::Request& request, const http::Captures& captures, http::Responder responder) {
                       if (auto header = request.repeated(said_once); !header.empty())
                           return responder(bad_request("The header " + std::string(header) + " may be given once."));
                       if (acts && is_foreign(request))
                           return responder(http::problem(403, "foreign_origin", "A page of another origin may not act here."));
                       Call call{captures, {}, {}};
                       if (!http::parse_query(request.query, query_pairs_max, call.query))
                           return responder(bad_request("Too many query parameters."));
                       for (auto name : {"max", "since", "from", "to"})
                           if (!call.is_number_or_missing(name))
                               return responder(bad_request("\"" + std::string(name) + "\" must be a whole number."));
                       if (!request.body.empty()) {
                           auto body = json::parse(request.body);
                           if (!body.ok()) return responder(bad_request("The body is not JSON: " + body.error().what + "."));
                           if (!body->is_object()) return responder(bad_request("The body is not a JSON object."));
                           call.body = std::move(*body);
                       }
                       desk.submit([this, action, call = std::move(call), responder = std::move(responder)](bool work) mutable {
                           if (work) return responder((this->*action)(call));
                           responder(http::problem(503, "overloaded", "Too many admin requests are waiting; try again in a second."));
                       });
                   });
    }

    /// Answered where it is asked: who polls it is not to wait for a long look into history.
    void add_scale(std::string_view pattern) {
        router.add("GET", pattern, [this](const http::Request&, const http::Captures& captures, http::Responder responder) {
            responder(show_scale(parts.scales ? parts.scales() : json::Value::array(), captures.empty() ? "" : captures[0]));
        });
    }

    void add_routes() {
        add("GET", "/", &Inside::page);
        add("GET", "/api/node", &Inside::node);
        add("GET", "/metrics", &Inside::metrics);
        add("GET", "/api/queues", &Inside::queues);
        add("GET", "/api/queues/{}/peek", &Inside::queue_peek);
        add("POST", "/api/queues/{}/send", &Inside::queue_send);
        add("POST", "/api/queues/{}/purge", &Inside::queue_purge);
        add("POST", "/api/queues/{}/redrive", &Inside::queue_redrive);
        add("POST", "/api/queues/{}/pause", &Inside::queue_pause);
        add("POST", "/api/queues/{}/resume", &Inside::queue_resume);
        add("POST", "/api/drain", &Inside::drain);
        add("POST", "/api/undrain", &Inside::undrain);
        add("POST", "/api/queues/{}/replay", &Inside::queue_replay);
        add("GET", "/api/rejects", &Inside::rejects_list);
        add("GET", "/api/rejects/{}", &Inside::rejects_show);
        add("POST", "/api/rejects/readmit", &Inside::rejects_readmit);
        add("GET", "/api/endpoints", &Inside::endpoints_list);
        add("POST", "/api/import", &Inside::import_some);
        add("GET", "/api/records", &Inside::records_list);
        add("GET", "/api/watch", &Inside::records_new);
        add("GET", "/api/records/{}", &Inside::records_show);
        add("POST", "/api/replay", &Inside::replay_records);
        add("GET", "/api/audit", &Inside::audit_kept);
        add("POST", "/api/audit", &Inside::audit_keep);
        add("GET", "/api/audit/accepted", &Inside::audit_accepted);
        add("GET", "/api/audit/waiting/{}", &Inside::audit_waiting);
        add("GET", "/api/dead", &Inside::dead_list);
        add("GET", "/api/dead/causes", &Inside::dead_causes);
        add("GET", "/api/dead/acts", &Inside::dead_acts);
        add("GET", "/api/dead/{}", &Inside::dead_show);
        add("POST", "/api/dead/retry", &Inside::dead_retry);
        add("POST", "/api/dead/discard", &Inside::dead_discard);
        add("POST", "/api/dead/edit", &Inside::dead_edit);
        add("POST", "/api/erase", &Inside::erase);
        add("POST", "/api/erase/find", &Inside::erase_find);
        add("POST", "/api/hold", &Inside::hold);
        add_scale("/v1/scale");
        add_scale("/v1/scale/{}");
    }

    http::Response node(const Call&) { return json_response(to_json(parts.facts())); }
    http::Response metrics(const Call&) { return {200, {}, "text/plain; version=0.0.4", parts.metrics()}; }
    http::Response page(const Call&) { return node_page(parts.facts(), broker::ask(parts.commands, broker::ListQueues{})); }
    http::Response queues(const Call&) { return list_queues(parts.commands, parts.clock); }
    http::Response queue_peek(const Call& call) { return peek_queue(parts.commands, call); }
    http::Response queue_send(const Call& call) { return send_to_queue(parts.commands, call); }
    http::Response queue_purge(const Call& call) { return purge_queue(parts.commands, call); }
    http::Response queue_redrive(const Call& call) { return redrive_queue(parts.commands, call); }
    http::Response queue_pause(const Call& call) { return pauses.pause(call); }
    http::Response queue_resume(const Call& call) { return pauses.resume(call); }
    http::Response drain(const Call& call) { return drain_node(parts, call); }
    http::Response undrain(const Call& call) { return undrain_node(parts, call); }
    http::Response queue_replay(const Call& call) { return replay_queue(parts.history, parts.clock, parts.commands, call); }
    http::Response rejects_list(const Call& call) { return list_rejects(parts.commands, call); }
    http::Response rejects_show(const Call& call) { return show_reject(parts.commands, call); }
    http::Response rejects_readmit(const Call& call) { return readmit_rejects(parts.commands, parts.intake, call); }
    http::Response endpoints_list(const Call&) { return list_endpoints(parts.intake); }
    http::Response import_some(const Call& call) { return import_rows(parts.intake, call); }
    http::Response records_list(const Call& call) { return list_records(parts.history, parts.clock, call); }
    http::Response records_new(const Call& call) { return new_records(parts.history, parts.clock, call); }
    http::Response records_show(const Call& call) { return show_record(parts.history, parts.clock, call); }
    http::Response audit_kept(const Call&) { return json_response(parts.audits.kept()); }
    http::Response audit_keep(const Call& call) { return keep_audit(parts.audits, call); }
    http::Response audit_accepted(const Call& call) { return list_accepted_ids(parts.history, call); }
    http::Response audit_waiting(const Call& call) { return list_waiting_ids(parts.commands, call); }
    http::Response replay_records(const Call& call) { return replay(parts.history, parts.clock, parts.commands, call); }

    http::Response dead_list(const Call& call) { return list_dead(parts.commands, parts.routes, call); }
    http::Response dead_causes(const Call& call) { return show_causes_of_death(parts.commands, parts.routes, call); }
    http::Response dead_acts(const Call&) { return list_dead_acts(acts); }
    http::Response dead_show(const Call& call) { return show_dead(parts.commands, parts.routes, call); }
    http::Response act(DeadAct::Kind kind, const Call& call) {
        return act_on_dead(parts.commands, parts.routes, acts, parts.clock, kind, call);
    }
    http::Response dead_retry(const Call& call) { return act(DeadAct::Kind::retry, call); }
    http::Response dead_discard(const Call& call) { return act(DeadAct::Kind::discard, call); }
    http::Response dead_edit(const Call& call) { return edit_dead(parts.commands, parts.routes, parts.intake, parts.clock, call); }
    http::Response erase(const Call& call) { return erase_records(parts.disk, parts.commands, parts.log, call); }
    http::Response erase_find(const Call& call) { return find_to_erase(parts.disk, call); }
    http::Response hold(const Call& call) { return hold_log(parts.log, parts.clock, call); }

    Parts parts;
    DeadActs acts;
    QueuePauses pauses;
    http::Router router;
    Desk desk;  // last: its thread ends before what its jobs use goes
};

Admin::Admin(Parts parts) : inside_(std::make_unique<Inside>(std::move(parts))) {}
Admin::~Admin() = default;

void Admin::handle(const http::Request& request, http::Responder responder) { inside_->router(request, std::move(responder)); }

void Admin::refuse_host(const http::Request& request, http::Responder responder) {
    responder(http::problem(421, "foreign_host",
                            "This port does not answer to the name \"" + std::string(request.find("host").substr(0, 255)) +
                                "\". Call it by its address or as localhost, or list the name in [admin] hosts."));
}

void Admin::find_envelope(const Uuid& id, UniqueFunction<void(std::optional<std::string>)> done) {
    inside_->desk.submit([this, id, done = std::move(done)](bool work) mutable {
        if (!work) return done(std::nullopt);
        auto found = find_record(inside_->parts.history, inside_->parts.clock, id);
        done(found ? std::optional(record::to_json(found->envelope)) : std::nullopt);
    });
}

}  // namespace forebay::admin
