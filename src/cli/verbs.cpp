// The table of verbs.
#include "cli/verbs/verbs.h"

#include "cli/console.h"
#include "cli/run_verbs.h"

namespace forebay::cli {
namespace {

const Option dry_run = {"dry-run", 0, "", "says what would be done and does nothing"};
const Option reason = {"reason", 0, "TEXT", "why; kept in the log"};

constexpr std::string_view names_help = "core:* (a group), store (a worker), store:1 (a process), node, all";
constexpr std::string_view moments =
    "A moment is a UTC date (2026-09-19), a date and time (\"2026-09-19 08:00\", 2026-09-19T08:00:00+02:00) or how long ago it was (2h, "
    "7d).";

constexpr std::string_view audit_help =
    "Accepted, from the log, must be settled + open + dead + discarded + erased, from queues and ledger; what remains is missing. Exit "
    "code 0: balanced. 1: it is not, and the ids are named. 4: something could not be read.\n\nA moment is a UTC date (2026-09-19), a "
    "date and time (\"2026-09-19 08:00\") or how long ago it was (24h, 7d).";

constexpr std::string_view discard_help =
    "The effect is never run; its worker notes it as discarded, with the reason, and forebay audit counts it so. The record itself stays: "
    "forebay show, forebay export.\n\nA moment is a UTC date (2026-09-19), a date and time (\"2026-09-19 08:00\") or how long ago it was "
    "(2h, 7d).";

/// The options that choose among dead letters, before others.
std::vector<Option> with_dead_choice(std::vector<Option> others) {
    std::vector<Option> options = {{"effect", 0, "WORKER", "only of this effect"},
                                   {"endpoint", 0, "NAME", "only of this endpoint"},
                                   {"cause", 0, "TEXT", "only where this stands in the reason"},
                                   {"since", 0, "MOMENT", "only what died from then on"},
                                   {"where", 0, "CONDITION", "only records for which it holds (docs/conditions.md)"}};
    options.insert(options.end(), others.begin(), others.end());
    return options;
}
constexpr std::string_view import_more =
    "A row is the same row when its file's name, its line and what it says are the same: then it is taken once, however often it is "
    "imported. A file that has other rows under the same name needs --name. Refused rows are kept with the refused posts: forebay "
    "rejects ls --source NAME. With --dry-run nothing is sent: how many rows are good, what is wrong with the others, and how many "
    "have each field. Exit code 1: some rows were refused. 75: it stopped, and --resume goes on.";

constexpr std::string_view export_more =
    "Fields are written in clear. In CSV a column is a field of the endpoint's rules, _other holds the fields that have none, as JSON, and "
    "what a spreadsheet would calculate begins with a quotation mark. import reads what export writes, and leaves out the columns _record, "
    "_endpoint, _received_at, _value, _currency and _effects. A moment is a UTC date (2026-09-19), a date and time (\"2026-09-19 "
    "08:00\") or how long ago it was (2h, 7d).";

constexpr std::string_view backup_more =
    "What was accepted before it began is in it. Workers wait while the file of their SQLite database is copied; posts do not. Databases "
    "on "
    "servers have backups of their own: they must be as new as this one or newer, and then nothing is done twice, since what was done is "
    "found there. It holds the secrets of the data directory, and the configuration it does not. Exit code 75: try again.";

constexpr std::string_view erase_more =
    "Messages leave their queues, refused posts the quarantine; in the log, its history included, the bodies are written over, and that "
    "there was a record stays: show, export and replay never give it back. The ledger forgets what find looks for and what was answered. "
    "Rows go by [worker.NAME.sql] erase. Workers with a SQLite file rest for a moment. What cannot be reached is said: backups, exports, "
    "what programs and partners have. The whole log is read; with much history that takes a while.";

std::vector<Verb> make_verbs() {
    using C = Completes;
    return {
        {"run it", "dev", "everything in one go: sample configuration, data in ./forebay-data", {}, {}, run_dev},
        {"run it",
         "serve",
         "the node and its workers, supervised",
         {},
         {{"role", 0, "R", "only this role, in the foreground: intake, queue, workers or admin; may be repeated"}},
         run_serve},
        {"run it",
         "check",
         "reads the configuration and says what is wrong with it",
         {{"FILE", "instead of ./forebay.toml", false}},
         {{"warnings-as-errors", 0, "", "exit 78 for a warning too"}},
         run_check,
         C::files},
        {"run it",
         "config show",
         "every setting with its value and where it comes from",
         {},
         {{"given", 0, "", "only what the files and the environment set"}},
         run_config_show},
        {"run it", "config diff", "what differs between the files and what is running", {}, {}, run_config_diff},
        {"run it", "config schema", "JSON schema of forebay.toml, for editors", {}, {}, run_config_schema},
        {"run it",
         "node",
         "intake, queues and the operator's interface in this process",
         {},
         {{"dev", 0, "", "unsigned requests are taken unless [sqs] verify says otherwise"}},
         run_node},
        {"run it",
         "work",
         "one worker process in the foreground",
         {{"WORKER", "its name"}, {"N", "its number, 1 if it is not given", false}},
         {},
         run_work,
         C::workers,
         "Of handler = \"program\" it becomes the program, with the environment that the parent would give it."},

        {"workers",
         "status",
         "the node, its processes and queues",
         {{"NAME", names_help, false, true}},
         {},
         run_status,
         C::processes,
         "Exit code 3: some process is not RUNNING. 4: it cannot be told."},
        {"workers",
         "tail",
         "the last lines of a process's log",
         {{"WORKER", "store, or one process: store:2"}},
         {{"follow", 'f', "", "goes on printing"}, {"lines", 0, "N", "how many lines; 20 if it is not given"}},
         run_tail,
         C::processes},
        {"workers", "start", "starts processes", {{"NAME", names_help, true, true}}, {dry_run, reason}, run_start, C::processes},
        {"workers",
         "stop",
         "stops processes; they finish what they have in hand",
         {{"NAME", names_help, true, true}},
         {dry_run, reason},
         run_stop,
         C::processes},
        {"workers",
         "restart",
         "restarts processes one after the other",
         {{"NAME", names_help, true, true}},
         {dry_run, reason, {"all-at-once", 0, "", "not one after the other"}},
         run_restart,
         C::processes},

        {"workers",
         "schedule ls",
         "what is run at which times: when next, what came of the last run, what was missed",
         {},
         {},
         run_schedule_ls},
        {"workers",
         "schedule run",
         "runs what a schedule runs, now and here",
         {{"NAME", "a [schedule.NAME]"}},
         {},
         run_schedule_run,
         C::nothing,
         "The exit code is that of what it runs. 75: it is running already. Nobody is asked, as at its times."},

        {"records",
         "find",
         "where is Jane's lead? records by e-mail, phone, reference or id",
         {{"WHAT", "e-mail address, phone number, reference, id or its first 8 characters"}},
         {},
         run_find},
        {"records",
         "show",
         "one record with what was done for it",
         {{"ID", "36 characters, or the first 8 and more"}},
         {{"raw", 0, "", "the body as it was posted, and nothing else"},
          {"effects", 0, "", "only what was done for it"},
          {"reveal", 0, "", "personal fields in clear"}},
         run_show},

        {"records",
         "watch",
         "what is accepted and what becomes of it, as it happens; ends with Ctrl-C",
         {},
         {{"endpoint", 0, "NAME", "only of this endpoint"},
          {"where", 0, "CONDITION", "only records it holds for, such as 'state in [\"CA\", \"TX\"]'"}},
         run_watch,
         C::nothing,
         "Personal fields are masked. With --json each line is an object."},

        {"records",
         "erase",
         "what is known of a person goes: log, queues, ledger",
         {{"ID", "36 characters", false, true}},
         {{"email", 0, "ADDRESS", "every record in which a field says it"}, dry_run, reason},
         run_erase,
         C::nothing,
         erase_more},

        {"queues", "queue ls", "every queue with its counts", {}, {}, run_queue_ls},
        {"queues", "queue show", "one queue: its kind, counts and settings", {{"QUEUE", "its name"}}, {}, run_queue_show, C::queues},
        {"queues",
         "queue peek",
         "messages, without receiving them",
         {{"QUEUE", "its name"}},
         {{"max", 0, "N", "how many; 10 if it is not given"}, {"after", 0, "SEQ", "goes on after this sequence number"}},
         run_queue_peek,
         C::queues},
        {"queues",
         "queue send",
         "sends a message, for a test",
         {{"QUEUE", "its name"}, {"BODY", "the message; - reads standard input"}},
         {{"group", 0, "GROUP", "message group; a FIFO queue needs one"},
          {"deduplication-id", 0, "ID", "of a FIFO queue that does not deduplicate by content"},
          dry_run},
         run_queue_send,
         C::queues},
        {"queues",
         "queue purge",
         "deletes every message of a queue; asks for its name",
         {{"QUEUE", "its name"}},
         {dry_run, reason},
         run_queue_purge,
         C::queues},
        {"queues",
         "queue redrive",
         "moves dead letters back to their queue",
         {{"QUEUE", "the dead-letter queue"}},
         {{"to", 0, "QUEUE", "to this queue instead"}, {"rate", 0, "N", "at most so many messages a second, 1 to 500"}, dry_run, reason},
         run_queue_redrive,
         C::queues},

        {"dead",
         "dead ls",
         "what workers gave up, by cause, with counts and money",
         {},
         with_dead_choice({{"by", 0, "WHAT", "cause, or record: one by one"}, {"max", 0, "N", "how many records; 50 if it is not given"}}),
         run_dead_ls,
         C::nothing,
         moments},
        {"dead",
         "dead show",
         "one dead record: why, its fields, and what was changed",
         {{"ID", "of the record"}},
         {{"reveal", 0, "", "personal fields in clear"}},
         run_dead_show},
        {"dead",
         "dead retry",
         "runs what is dead again, in the background",
         {{"ID", "of dead records; without any, those that the options choose", false, true}},
         with_dead_choice({{"all", 0, "", "everything that is dead"}, {"rate", 0, "RATE", "how fast, such as 50/s"}, dry_run, reason}),
         run_dead_retry,
         C::nothing,
         moments},
        {"dead",
         "dead discard",
         "gives up what is dead for good, in the background",
         {{"ID", "of dead records; without any, those that the options choose", false, true}},
         with_dead_choice({{"all", 0, "", "everything that is dead"}, {"rate", 0, "RATE", "how fast, such as 50/s"}, dry_run, reason}),
         run_dead_discard,
         C::nothing,
         discard_help},
        {"dead",
         "dead edit",
         "changes fields of a dead record and runs it again",
         {{"ID", "of the record"}, {"FIELD=VALUE", "what to change; FIELD= takes it away", true, true}},
         {{"effect", 0, "WORKER", "where the record is dead for several"}, dry_run, reason},
         run_dead_edit,
         C::nothing,
         "The endpoint's rules check what is changed. What the fields were stays in the record: forebay dead show, forebay show."},
        {"refused",
         "rejects ls",
         "refused posts, with their reasons",
         {},
         {{"endpoint", 0, "NAME", "only of this endpoint"},
          {"code", 0, "CODE", "only with this reason, such as enum or missing_api_key"},
          {"source", 0, "FILE", "only rows of an imported file, or one: leads.csv:42"},
          {"since", 0, "MOMENT", "only from then on"},
          {"max", 0, "N", "how many; 50 if it is not given"}},
         run_rejects_ls,
         C::nothing,
         moments},
        {"refused", "rejects show", "one refused post as it came", {{"ID", "of the refused post"}}, {}, run_rejects_show},
        {"refused",
         "rejects readmit",
         "checks refused posts again and takes those that pass now",
         {{"ID", "of refused posts; without any, those that the options choose", false, true}},
         {{"endpoint", 0, "NAME", "only of this endpoint"},
          {"code", 0, "CODE", "only with this reason"},
          {"source", 0, "FILE", "only rows of an imported file, or one: leads.csv:42"},
          {"since", 0, "MOMENT", "only from then on"},
          dry_run,
          reason},
         run_rejects_readmit,
         C::nothing,
         moments},

        {"replay",
         "replay",
         "runs an effect for the accepted records that lack it",
         {},
         {{"from", 0, "MOMENT", "first moment of acceptance"},
          {"to", 0, "MOMENT", "end; if it is not given now, or as far as the effect's worker has got"},
          {"endpoint", 0, "NAME", "only of this endpoint"},
          {"where", 0, "CONDITION", "only records for which it holds: 'state == \"CA\"' (docs/conditions.md)"},
          {"effect", 0, "WORKER", "the effect: a worker's name"},
          {"queue", 0, "QUEUE", "instead of --effect: sends every message again that was sent to this queue, a record or not"},
          {"rate", 0, "RATE", "how fast, such as 50/s"},
          {"again", 0, "", "once more for records that have it, instead of for those that lack it"},
          dry_run,
          reason},
         run_replay,
         C::nothing,
         "Only what is missing is run: what is done, skipped, dead or waiting in a queue is counted and left. --again runs what is done,\n"
         "and nothing else, once more as WORKER again-1: a command gets \"again\": 1 in the record, a row that is there stays as it is.\n"
         "Broken off, the same command goes on from there. Exit code 75: the effect's\n"
         "worker has yet to take a record of the range out of its queue.\n"
         "A moment is a UTC date (2026-09-19), a date and time (\"2026-09-19 08:00\", 2026-09-19T08:00:00+02:00) or how long ago it was "
         "(2h, "
         "7d)."},

        {"proof",
         "audit",
         "whether every accepted record is accounted for",
         {},
         {{"since", 0, "MOMENT", "from the hour in which that was, up to now; 24h if nothing is given"},
          {"from", 0, "MOMENT", "instead of --since: first moment of acceptance"},
          {"to", 0, "MOMENT", "end; now if it is not given"},
          {"against", 0, "DB", "counts the rows in this database too: a [db.NAME]"},
          {"table", 0, "T", "the table there that an sql worker writes"},
          {"id-column", 0, "COLUMN", "its column with the record's id; id if it is not given"},
          {"repair", 0, "", "puts what is missing on its queue again"},
          {"fail-on-mismatch", 0, "", "exit 1 although everything could be repaired"},
          dry_run,
          reason},
         run_audit,
         C::nothing,
         audit_help},

        {"databases",
         "db migrate",
         "makes the ledger's tables, or brings them to this version",
         {},
         {dry_run},
         run_db_migrate,
         C::nothing,
         "In the database of each sql worker, of [ledger] db, and the effects files of exec workers. Workers do it themselves where the "
         "user of the database may create tables; what is there is never dropped. Exit code 74: one could not be brought so far."},
        {"servers",
         "db check",
         "whether databases are set so that a commit lasts",
         {{"DB", "a [db.NAME]; all if none is given", false, true}},
         {},
         run_db_check,
         C::nothing,
         "Each node of a [db.NAME.cluster] is looked at by itself too. Exit code 1: something is an error."},
        {"servers",
         "db probe",
         "connects to each reader and writer and says how long it took",
         {{"DB", "a [db.NAME]; all if none is given", false, true}},
         {},
         run_db_probe,
         C::nothing,
         "Exit code 69: one does not answer."},
        {"servers",
         "db schema-diff",
         "what tables and columns the sql workers need and the databases lack",
         {{"DB", "a [db.NAME]; all if none is given", false, true}},
         {},
         run_db_schema_diff,
         C::nothing,
         "Exit code 1: something is missing."},
        {"servers",
         "dbcheck",
         "tells a balancer over HTTP whether the database server beside it is well",
         {},
         {{"listen", 0, "ADDRESS", "where it answers GET /writer and /reader with 200 or 503; 127.0.0.1:9200 if it is not given"},
          {"db", 0, "DB", "a [db.NAME], for driver, user and password; not needed when there is only one"},
          {"server", 0, "ADDRESS", "the server it looks at; 127.0.0.1 with the driver's usual port if it is not given"}},
         run_dbcheck,
         C::nothing,
         "Run it on each database node. /reader: the server takes reads (Galera: synced, ready, in the primary component). /writer: it is "
         "not "
         "read-only either. A server that hangs is 503 within a second."},
        {"servers",
         "generate haproxy",
         "a file for HAProxy in front of the databases of the configuration",
         {},
         {{"db", 0, "", "for [db.NAME.cluster]: a port that reads and a port that writes"},
          {"out", 0, "FILE", "where to write it, readable for its owner only"}},
         run_generate_haproxy,
         C::nothing,
         "haproxy -c -f FILE says whether HAProxy takes it."},
        {"servers",
         "generate galera",
         "settings of each MariaDB node, SQL for the users, and a script with the steps",
         {{"DB", "a [db.NAME] with a cluster; not needed when there is only one", false}},
         {{"out", 0, "FOLDER", "where to write NODE.cnf, users.sql and galera.sh"}},
         run_generate_galera,
         C::nothing,
         "galera.sh without arguments tells the steps: bootstrap, join, maintain, recover."},
        {"servers",
         "generate supervisord",
         "a file for supervisord, which then runs node and workers instead of forebay serve",
         {},
         {{"out", 0, "FILE", "where to write it"}},
         run_generate_supervisord,
         C::nothing,
         "store:1 is core:store_1 there. It holds no secrets; what supervisord does otherwise stands at its head."},
        {"servers",
         "generate systemd",
         "a hardened systemd service for forebay serve",
         {},
         {{"split", 0, "", "the node and each worker as services of their own, and a target"},
          {"socket", 0, "", "systemd listens for posts, also while the service starts again"},
          {"out", 0, "FILE", "where to write it; a folder if it is there, or with --split and --socket"}},
         run_generate_systemd,
         C::nothing,
         "How to install it stands at its head, and how to loosen it for programs that need more. systemd-analyze verify FILE checks it."},
        {"data",
         "import",
         "takes the rows of a file as if they were posted: CSV with a heading, or JSON lines",
         {{"FILE", "- reads standard input"}},
         {{"endpoint", 0, "NAME", "whose rules they must pass, and whose queue they go to"},
          {"resume", 0, "", "goes on where an import of this file stopped"},
          {"map", 0, "COLUMN=FIELD", "takes a column as this field; may be repeated"},
          {"format", 0, "FORMAT", "csv or jsonl, if the name of the file does not say it"},
          {"delimiter", 0, "C", "between the columns: one character, or tab; otherwise seen from the heading"},
          {"name", 0, "NAME", "what the file is called; its own name if it is not given"},
          dry_run},
         run_import,
         C::files,
         import_more},

        {"data",
         "export",
         "accepted records as CSV or JSON lines, from the log",
         {},
         {{"since", 0, "MOMENT", "first moment of acceptance; the beginning of the log if it is not given"},
          {"from", 0, "MOMENT", "the same"},
          {"to", 0, "MOMENT", "end; now if it is not given"},
          {"endpoint", 0, "NAME", "only of this endpoint"},
          {"where", 0, "CONDITION", "only records it holds for, such as 'state in [\"CA\", \"TX\"]'"},
          {"format", 0, "FORMAT", "csv, which it is if it is not given, or jsonl"},
          {"fields", 0, "NAMES", "only these, with commas between them"},
          {"effects", 0, "", "what was done for each record too"},
          {"out", 0, "FILE", "instead of standard output; only its owner may read it"}},
         run_export,
         C::nothing,
         export_more},

        {"data",
         "backup",
         "copies the log and the SQLite databases into a new folder while everything runs",
         {{"DIR", "a folder that is not there yet, or empty"}},
         {dry_run},
         run_backup,
         C::files,
         backup_more},
        {"data",
         "restore",
         "makes a new data directory of a backup",
         {{"DIR", "of forebay backup"}},
         {{"dry-run", 0, "", "reads and checks the backup, and writes nothing"}},
         run_restore,
         C::files,
         "Where it goes is node.data_dir and the paths of the databases in the configuration; nothing that is there is written over."},

        {"keys",
         "key new",
         "makes a key for [key.NAME]; it is shown once",
         {{"NAME", "what it is called in forebay.toml", false}},
         {},
         run_key_new},
        {"keys",
         "access new",
         "makes a key for [access.NAME], a client of the queue port; it is shown once",
         {{"NAME", "what it is called in forebay.toml"}},
         {},
         run_access_new},

        {"misc",
         "completion",
         "what a shell needs to complete forebay's words",
         {{"SHELL", "bash, zsh or fish"}},
         {},
         run_completion,
         C::shells},
        {"misc", "help", "more about one command", {{"COMMAND", "its name", false, true}}, {}, run_help, C::verbs},
        {"misc", "list", "this list", {}, {}, run_list},
        {"misc", "version", "the version", {}, {}, run_version},
        {"", "_complete", "candidates for the last word", {{"WORD", "the command line so far", false, true}}, {}, run_complete},
    };
}

}  // namespace

const std::vector<Verb>& verbs() {
    static const std::vector<Verb> table = make_verbs();
    return table;
}

const std::vector<Option>& global_options() {
    static const std::vector<Option> options = {
        {"help", 'h', "", "help for the command"},
        {"quiet", 'q', "", "errors only; with --json the result too"},
        {"verbose", 'v', "", "more talk: -v, -vv, -vvv"},
        {"version", 'V', "", "the version"},
        {"no-interaction", 'n', "", "never asks"},
        {"yes", 0, "", "the answer to every question"},
        {"config", 'c', "FILE", "instead of ./forebay.toml ($FOREBAY_CONFIG)"},
        {"env", 'e', "ENV", "lays forebay.ENV.toml over it"},
        {"node", 0, "URL", "the operator's interface of another node ($FOREBAY_NODE)"},
        {"json", 0, "", "results as JSON"},
        {"ansi", 0, "", "colours, terminal or not"},
        {"no-ansi", 0, "", "no colours"},
        {"no-color", 0, "", "no colours ($NO_COLOR)"},
    };
    return options;
}

}  // namespace forebay::cli
