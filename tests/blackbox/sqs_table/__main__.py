"""Writes docs/sqs-table.md to standard output."""
import sys

from sqs_table import document

sys.stdout.write(document.text())
