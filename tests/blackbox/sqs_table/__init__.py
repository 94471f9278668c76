"""The table of cases that proves what the queue port answers. `python3 -m sqs_table` in this folder's parent writes docs/sqs-table.md."""
from sqs_table import cases_attributes, cases_fifo, cases_message_attributes, cases_moves, cases_permissions, cases_queues, cases_receive, cases_send  # noqa: F401
from sqs_table.case import CASES as TABLE  # noqa: F401
from sqs_table.requests import REQUESTS  # noqa: F401
