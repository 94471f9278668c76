"""Sends as many tasks as it is told, and writes the id of each that the queue has taken."""
import sys

from tasks import call_back

for n in range(int(sys.argv[1]) if len(sys.argv) > 1 else 1):
    print(call_back.delay(f"Jane {n}", "212-555-0123").id, flush=True)
