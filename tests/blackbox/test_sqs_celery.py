"""Celery with its SQS transport, unchanged: examples/celery through kills of the node."""
import os
import sqlite3

from sqs_programs import KEY, SECRET, messages_left, programs, start_node, wait_until

TASKS = 300


def test_every_task_that_was_sent_is_done(forebay, tmp_path):
    node = start_node(forebay)
    broker = {"CELERY_BROKER_URL": node.sqs.replace("http://", f"sqs://{KEY}:{SECRET}@") + "//"}
    with programs("celery", tmp_path) as start:
        worker = start("/usr/bin/python3", "-m", "celery", "-A", "tasks", "worker", "--pool", "solo", "--loglevel", "WARNING", name="worker", **broker)
        sender = start("/usr/bin/python3", "send.py", str(TASKS), name="sender", **broker)

        def done():
            if not os.path.exists(os.path.join(start.folder, "calls.db")):
                return set()
            with sqlite3.connect(f"file:{start.folder}/calls.db?mode=ro", uri=True, timeout=30) as db:
                try:
                    return {task for (task,) in db.execute("SELECT task FROM calls")}
                except sqlite3.OperationalError:
                    return set()

        def story():
            return "\n".join(worker.lines()[-30:] + sender.lines()[-5:])

        for kill in range(1, 4):
            wait_until(lambda: len(sender.lines()) > kill * TASKS // 5 and len(done()) > (kill - 1) * 10, told=story)
            node.kill9()
        sent = {line for line in sender.wait() if len(line) == 36}
        assert len(sent) == TASKS
        wait_until(lambda: messages_left(node, "calls") == 0, told=story)
        assert sent <= done()
