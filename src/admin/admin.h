#pragma once
// The admin port: what broker, intake and metrics know, as JSON for the command line and scripts, and one
// page for people. Every request runs on one thread of its own, so that a long look into history holds up
// neither the network loop nor the broker. Acts ask for a reason and are logged.
//
//   GET  /api/node                       what this process is and whether it is ready
//   GET  /api/queues                     every queue with its counts and settings; oldest_age_ms: how long its
//                                        oldest message has been there, null without one
//   GET  /api/queues/NAME/peek           ?max= &after=SEQ   messages, oldest first, without receiving them
//   POST /api/queues/NAME/send           {body}             → {message_id}; not to the quarantine
//   POST /api/queues/NAME/purge          {reason}
//   POST /api/queues/NAME/pause          {reason, by}     → {paused: {since_ms, reason, by}, already}: nobody is handed anything
//   POST /api/queues/NAME/resume         {reason, by}     → {was: {since_ms, reason, by} or null}
//   POST /api/drain                      {reason, by}     → {drained: {…}, already}: /readyz is 503 from now on, and nobody is handed
//   anything POST /api/undrain                    {reason, by}     → {was} POST /api/queues/NAME/replay         {from=MS, to=MS, after,
//   max, run, dry_run, reason}   what was once sent to it, sent again:
//                                        {messages, bytes, sent, next}; `run` tells one replay into a FIFO queue from another
//   GET  /api/rejects                    ?endpoint= &code= &since=MS &max= &after=SEQ
//   GET  /api/rejects                    ?endpoint= &code= &source= &since=MS &max= &after=SEQ
//   GET  /api/rejects/ID                 the refused post as it is kept
//   POST /api/rejects/readmit            {ids | endpoint, code, source, since, dry_run, reason}
//   GET  /api/endpoints                  every endpoint with its fields
//   POST /api/import                     {endpoint, source, dry_run, rows}   rows of a file: admin/import.h
//   GET  /api/records                    ?from=MS &to=MS &endpoint= &where=CONDITION &after= &max=   accepted records, from the log
//   GET  /api/watch                      ?after=CURSOR | from=MS &max=   what was accepted since, with its fields
//   GET  /api/records/ID                 one accepted record with its envelope
//   POST /api/replay                     {ids, queue, effect, reason, again, from=MS, to=MS}   `again`: the effect is run although it
//                                        is done, for the so many-th time; from, to: when the log has the records
//   GET  /api/audit/accepted             ?from=MS &to=MS &after=   ids accepted then: {accepted: [{queue, endpoint, hour, late,
//                                        ids}], next, damage, log_begins}; `late`: received before it was accepted
//   GET  /api/audit/waiting/QUEUE        ?after=SEQ   {ids, next}
//   GET  /api/audit                      what audits have found: {last, today, hours_counted, hours_settled, unsettled}
//   POST /api/audit                      {from, to, verdict, hours: [{hour, endpoint, accepted, settled, open, dead, discarded,
//                                        erased, missing, difference}]}
//   GET  /api/dead                       ?effect= &endpoint= &cause= &since=MS &where= &max= &after=   dead letters one by one
//   GET  /api/dead/causes                the same, counted by effect, endpoint and cause
//   GET  /api/dead/acts                  retries and discards, newest first
//   GET  /api/dead/ID                    the letters of one record
//   POST /api/dead/retry, /discard       {ids | effect, endpoint, cause, since, where | all, rate, reason, dry_run}
//   POST /api/dead/edit                  {id, effect, set: {FIELD: TEXT}, reason, dry_run}
//   POST /api/erase/find                 {text}          ids of records that say it
//   POST /api/erase                      {ids, reason}   out of the queues and the log: admin/erase.h
//   GET  /v1/scale/WORKER                {worker, queue, ready, in_flight, oldest_seconds, processes, desired, min, max, why}: how many
//                                        processes it should have (docs/autoscaling.md); without WORKER of each
//   POST /api/hold                       {seconds}   for whoever copies the log: how far it reaches (admin/backup.h)
// Errors are problem+json.

#include <functional>
#include <memory>
#include <string>

#include "admin/audit.h"
#include "admin/backup.h"
#include "admin/dead_letters.h"
#include "admin/history.h"
#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "base/unique_function.h"
#include "broker/broker.h"
#include "http/message.h"
#include "intake/intake.h"

namespace forebay::admin {

/// What only the node itself knows, asked anew for each request.
struct NodeFacts {
    std::string name, version, ack;
    bool ready = false, draining = false;
    std::optional<broker::QueuePause> drained;  ///< by hand, as forebay drain does
    std::string why_not_ready;
    Duration uptime{};
    std::uint64_t disk_free = 0, journal_bytes = 0, accepted = 0, refused = 0;
};

/// Who else the admin port speaks to; all outlive it.
struct Parts {
    broker::Commands& commands;
    intake::Intake& intake;
    History& history;
    Audits& audits;
    Clock& clock;
    UniqueFunction<NodeFacts()> facts;
    UniqueFunction<std::string()> metrics;  ///< Prometheus text
    Routes routes{};                        ///< whose dead letters are whose
    std::string dead_acts_path{};           ///< where retries are kept
    /// How many processes each worker should have: an array of objects with a `worker`. Any thread; does not wait.
    std::function<json::Value()> scales{};
    std::string paused_queues_path{};  ///< where paused queues are
    /// Takes the node out of service for a pause, durably, or with nothing puts it back.
    UniqueFunction<Result<void, std::string>(std::optional<broker::QueuePause>)> drain;
    disk::Disk& disk;  ///< the store, for looking and for copies that are given their names by `log`
    broker::LogKeeper log;
};

class Admin {
  public:
    explicit Admin(Parts parts);
    /// Waits for the request at work; those still waiting are answered 503.
    ~Admin();
    Admin(const Admin&) = delete;
    Admin& operator=(const Admin&) = delete;

    /// Does not block; answers later from the admin thread, or 503 at once when too many requests wait.
    void handle(const http::Request& request, http::Responder responder);
    /// Answers a request whose Host is not one of this port's names (http/hosts.h).
    static void refuse_host(const http::Request& request, http::Responder responder);
    /// Finds an accepted record's envelope for the receipt URL; `done` runs on the admin thread.
    void find_envelope(const Uuid& id, UniqueFunction<void(std::optional<std::string>)> done);

  private:
    class Inside;
    std::unique_ptr<Inside> inside_;
};

}  // namespace forebay::admin
