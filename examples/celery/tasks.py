"""A Celery application as one writes it for Amazon SQS. Nothing in it knows of Forebay: where the queue is, says CELERY_BROKER_URL."""
import sqlite3

from celery import Celery

app = Celery("tasks")
app.conf.update(
    task_default_queue="calls",
    task_acks_late=True,  # a task leaves the queue when it is done: what its worker dies over comes again
    task_ignore_result=True,
    broker_transport_options={"region": "us-east-1", "visibility_timeout": 10, "wait_time_seconds": 10, "polling_interval": 0},
    worker_prefetch_multiplier=10,
    worker_enable_remote_control=False,  # SQS has no fanout
)


@app.task(bind=True)
def call_back(self, name, phone):
    """Puts somebody on the list of calls, once however often the task comes."""
    with sqlite3.connect("calls.db", timeout=30) as db:
        db.execute("CREATE TABLE IF NOT EXISTS calls (task TEXT PRIMARY KEY, name TEXT, phone TEXT)")
        db.execute("INSERT INTO calls VALUES (?, ?, ?) ON CONFLICT (task) DO NOTHING", (self.request.id, name, phone))
