#include "cli/verb.h"
#include "cli/verbs/verbs.h"
namespace forebay::cli {
static int pending(Invocation& invocation) { invocation.terminal().complain("not in this version"); return exit_code::bug; }
int run_config_show(Invocation& i) { return pending(i); }
int run_config_diff(Invocation& i) { return pending(i); }
int run_config_schema(Invocation& i) { return pending(i); }
int run_status(Invocation& i) { return pending(i); }
int run_tail(Invocation& i) { return pending(i); }
int run_start(Invocation& i) { return pending(i); }
int run_stop(Invocation& i) { return pending(i); }
int run_restart(Invocation& i) { return pending(i); }
int run_find(Invocation& i) { return pending(i); }
int run_show(Invocation& i) { return pending(i); }
int run_queue_ls(Invocation& i) { return pending(i); }
int run_queue_peek(Invocation& i) { return pending(i); }
int run_queue_send(Invocation& i) { return pending(i); }
int run_queue_purge(Invocation& i) { return pending(i); }
int run_queue_redrive(Invocation& i) { return pending(i); }
int run_rejects_ls(Invocation& i) { return pending(i); }
int run_rejects_show(Invocation& i) { return pending(i); }
int run_rejects_readmit(Invocation& i) { return pending(i); }
int run_replay(Invocation& i) { return pending(i); }
int run_key_new(Invocation& i) { return pending(i); }
int run_completion(Invocation& i) { return pending(i); }
int run_complete(Invocation& i) { return pending(i); }
}
