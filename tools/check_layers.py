#!/usr/bin/env python3
"""Checks every #include "folder/..." in src/ against the layer table of ARCHITECTURE.md.

A row of the table is `| folder | may include | must never know |`. A folder may include itself, the
folders of its row, and what those may include is none of its business. Exit 1 with one line a finding.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROW = re.compile(r"^\| *([a-z_]+) *\| *([^|]*)\|")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([a-z_]+)/')


def allowed_folders():
    rows = {}
    in_table = False
    for line in (ROOT / "ARCHITECTURE.md").read_text().splitlines():
        if line.startswith("| folder | may include"):
            in_table = True
            continue
        if in_table and not line.startswith("|"):
            break
        match = ROW.match(line) if in_table else None
        if match:
            rows[match[1]] = set(re.findall(r"[a-z_]+", re.sub(r"\([^)]*\)", "", match[2])))
    return rows


def main():
    rows = allowed_folders()
    if len(rows) < 5:
        print("ARCHITECTURE.md: the layer table was not found")
        return 1
    findings = []
    folders = sorted(p for p in (ROOT / "src").iterdir() if p.is_dir())
    for folder in folders:
        if folder.name not in rows:
            findings.append(f"src/{folder.name}: has no row in the layer table of ARCHITECTURE.md")
            continue
        may = rows[folder.name]
        for file in sorted(folder.rglob("*")):
            if file.suffix not in (".h", ".cpp"):
                continue
            for number, line in enumerate(file.read_text().splitlines(), 1):
                match = INCLUDE.match(line)
                target = match[1] if match else None
                if target is None or target == folder.name or "everything" in may or target in may:
                    continue
                findings.append(f"{file.relative_to(ROOT)}:{number}: {folder.name}/ must not include {target}/")
    print("\n".join(findings) if findings else f"{len(folders)} folders, every include points down")
    return 1 if findings else 0


sys.exit(main())
