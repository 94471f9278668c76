#include "cli/config/load.h"

namespace forebay::cli {

std::string default_dev_config() {
    return R"(# Forebay's configuration. `forebay dev` wrote this one for a first look; it is yours now.
# What is not written here has a safe default: `forebay config show` prints every setting.
# After a change: `forebay check` says what is wrong with it, as a compiler would.

[node]
data_dir = "forebay-data"            # the journal, the queues, logs; and the SQLite file below

[intake]
listen      = ["127.0.0.1:8080"]     # posts come in here
drain_delay = "0s"                   # behind a balancer: 10s, so that it sees /readyz fail first

[admin]
listen = ["127.0.0.1:8090"]          # the operator's page and what `forebay status` asks

[sqs]
listen   = ["127.0.0.1:9324"]        # every queue, for any Amazon SQS client
cool_off = false                     # true: after a delete a name is taken for 60 s, as on Amazon

[log]
format = "text"                      # json and logfmt are for machines
level  = "debug"                     # info leaves out the line for every accepted record

# What may be posted, as JSON, as a form or with files:
#   curl localhost:8080/v1/lead -d email=jane@example.com -d first_name=Jane
# http://127.0.0.1:8080/demo shows it as a form.
[endpoint.lead]
path  = "/v1/lead"
queue = "leads"
title = "Your quote"

[endpoint.lead.form]
honeypot = "_gotcha"                 # a field that people do not see; robots fill it in

# Each line is a field. `required`, `min`, `max`, `pattern`, `values`, `clean`, `aliases` are the usual checks.
# A post that fails one gets 422 and is kept: `forebay rejects ls`.
[endpoint.lead.fields]
email      = { type = "email", required = true, clean = ["trim", "lower"] }
first_name = { type = "string", required = true, max = 80, clean = ["trim"], aliases = ["first", "fname"] }
last_name  = { type = "string", max = 80, clean = ["trim"], aliases = ["last", "lname"] }
phone      = { type = "phone", region = "US" }
state      = { type = "enum", values = "@us_states", clean = ["trim", "upper"] }
zip        = { type = "string", pattern = '^\d{5}(-\d{4})?$', clean = ["trim"] }
campaign   = { type = "string", max = 64, clean = ["trim"] }

# Where accepted records wait for a worker. A queue declared here never drops one.
[queue.leads]
visibility_timeout = "30s"           # a worker that dies gives its records back after this
max_receive_count  = 20              # records that kill their worker this often go to the next queue
dead_letter        = "leads-dead"

[queue.leads-dead]
retention = "14d"                    # older ones raise an alarm; none is dropped

[db.main]
driver = "sqlite"
path   = "forebay-data/forebay.db"

# Who carries them: one process that writes each record as a row. While the database is away it waits and
# spends no attempt.
[worker.store]
queue   = "leads"
handler = "sql"

[worker.store.sql]
db     = "main"
table  = "leads"                     # id, received_at and the fields above; or write your own `statement`
create = true                        # the table, and columns that you add as fields later

# Counts every hour whether what was accepted is settled, waiting or dead, and whether the rows agree: `forebay audit`.
[schedule.audit]
every = "1h"
run   = "audit --since 24h --against main --table leads"
)";
}

}  // namespace forebay::cli
