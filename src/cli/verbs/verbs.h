#pragma once
// The functions behind the rows of verbs.cpp; each lives in the file of its name and returns the exit code.

namespace forebay::cli {

class Invocation;

int run_check(Invocation& invocation);
int run_config_show(Invocation& invocation);
int run_config_diff(Invocation& invocation);
int run_reload(Invocation& invocation);
int run_config_schema(Invocation& invocation);

int run_status(Invocation& invocation);
int run_tail(Invocation& invocation);
int run_start(Invocation& invocation);
int run_stop(Invocation& invocation);
int run_restart(Invocation& invocation);
int run_upgrade(Invocation& invocation);
int run_scale(Invocation& invocation);
int run_top(Invocation& invocation);
int run_pause(Invocation& invocation);
int run_resume(Invocation& invocation);
int run_drain(Invocation& invocation);
int run_ctl(Invocation& invocation);
int run_pid(Invocation& invocation);
int run_signal(Invocation& invocation);
int run_clear(Invocation& invocation);
int run_avail(Invocation& invocation);
int run_maintail(Invocation& invocation);
int run_shutdown(Invocation& invocation);

int run_find(Invocation& invocation);
int run_show(Invocation& invocation);

int run_queue_ls(Invocation& invocation);
int run_queue_show(Invocation& invocation);
int run_queue_peek(Invocation& invocation);
int run_queue_send(Invocation& invocation);
int run_queue_purge(Invocation& invocation);
int run_queue_redrive(Invocation& invocation);

int run_rejects_ls(Invocation& invocation);
int run_rejects_show(Invocation& invocation);
int run_rejects_readmit(Invocation& invocation);

int run_dead_ls(Invocation& invocation);
int run_dead_show(Invocation& invocation);
int run_dead_retry(Invocation& invocation);
int run_dead_discard(Invocation& invocation);
int run_dead_edit(Invocation& invocation);

int run_schedule_ls(Invocation& invocation);
int run_schedule_run(Invocation& invocation);

int run_watch(Invocation& invocation);
int run_erase(Invocation& invocation);
int run_import(Invocation& invocation);
int run_export(Invocation& invocation);
int run_backup(Invocation& invocation);
int run_restore(Invocation& invocation);
int run_replay(Invocation& invocation);
int run_replay_queue(Invocation& invocation);  ///< `replay` with --queue
int run_audit(Invocation& invocation);
int run_db_migrate(Invocation& invocation);
int run_key_new(Invocation& invocation);
int run_access_new(Invocation& invocation);

int run_db_check(Invocation& invocation);
int run_db_probe(Invocation& invocation);
int run_db_schema_diff(Invocation& invocation);
int run_dbcheck(Invocation& invocation);
int run_generate_haproxy(Invocation& invocation);
int run_generate_galera(Invocation& invocation);
int run_generate_supervisord(Invocation& invocation);
int run_generate_systemd(Invocation& invocation);

int run_list(Invocation& invocation);
int run_help(Invocation& invocation);
int run_version(Invocation& invocation);
int run_completion(Invocation& invocation);
int run_complete(Invocation& invocation);

}  // namespace forebay::cli
