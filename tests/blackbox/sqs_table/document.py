"""docs/sqs-table.md, made of the table."""
import collections
import re

from sqs_table import REQUESTS, TABLE, errors
from sqs_table.limits import ELSEWHERE, LIMITS
from sqs_table.members import ACTIONS, NEVER, used

COMMAND = "cd tests/blackbox && python3 -m sqs_table > ../../docs/sqs-table.md"
HEAD = f"""# What the queue port answers, case by case

Made of the table of cases in `tests/blackbox/sqs_table` by `{COMMAND}`;
`tests/blackbox/test_sqs_table.py` runs each case against the real binary and fails when this page is not what the table makes.

A case is one or more calls, each with the answer or the refusal it must get: shape, code, status and sentence. Every case runs in AWS JSON 1.0 and in Query/XML;
what succeeds runs also at the queue's own path in both, and as a GET. After a refusal everything the port tells of the case's queues must be what it was.
"""


def covered():
    """{(protocol, action, "request" or "answer", member): number of cases}"""
    counts = collections.Counter()
    for one in TABLE:
        seen = set()
        for call in one.asserted():
            seen |= {(call.action, "request", member) for member in used(call.members)}
            seen |= {(call.action, "answer", member) for member in used(plain(call.answer))}
        for protocol in protocols_of(one):
            counts.update((protocol, *where) for where in seen)
    return counts


def plain(answer):
    """An expected answer with dicts and lists where matchers stand."""
    if isinstance(answer, dict):
        return {key: plain(value) for key, value in answer.items()}
    if isinstance(answer, list):
        return [plain(value) for value in answer]
    for inside in ("members", "elements", "element"):
        if hasattr(answer, inside):
            found = getattr(answer, inside)
            return plain([found] if inside == "element" else found)
    return None


def protocols_of(case):
    return [protocol for protocol in ("json", "query") if case.wires is None or any(over.startswith(protocol) for over in case.wires)]


def in_protocol(protocol):
    return sum(1 for one in TABLE if protocol in protocols_of(one))


def cell(text):
    return text.replace("|", "\\|")


def actions(counts):
    out = ["## Actions and members", "", "How many cases use a member, in JSON and in Query.", ""]
    for action, kinds in sorted(ACTIONS.items()):
        cases = [one for one in TABLE if one.action == action]
        refused = sum(1 for one in cases if not one.succeeds())
        out += [f"### {action}", "", f"{len(cases)} cases: {len(cases) - refused} that succeed, {refused} that are refused.", "",
             "| member | of the | JSON | Query |", "|---|---|---|---|"]
        for kind, members in zip(("request", "answer"), kinds):
            out += [f"| `{member}` | {kind} | {counts['json', action, kind, member]} | {counts['query', action, kind, member]} |" for member in members
                    if kind == "request" or member not in NEVER]
        out.append("")
        out += [f"- {cell(one.sentence)}" for one in cases]
        out.append("")
    return out


def bounds():
    counts = collections.Counter(one.limit for one in TABLE)
    out = ["## Limits", "", "Each at its edge and one beyond.", "", "| limit | value | cases |", "|---|---|---|"]
    out += [f"| {limit} | {value} | {counts[limit]} |" for limit, value in LIMITS.items()]
    return out + ["", "Not reached by the table in seconds, and proved elsewhere:", "", *(f"- {limit}: `{where}`" for limit, where in ELSEWHERE.items()), ""]


def refusals():
    """{shape: number of cases}, batch entries included."""
    counts = collections.Counter()
    codes = {code: shape for shape, (code, _, _) in errors.SHAPES.items() if shape != "UnknownOperationException"}
    for one in TABLE:
        shapes = {call.answer.shape for call in one.calls if isinstance(call.answer, errors.Refusal)}
        failed = [entry for call in one.asserted() if isinstance(call.answer, dict) for entry in call.answer.get("Failed", [])]
        counts.update(shapes | {codes[entry["Code"]] for entry in failed})
    for one in REQUESTS:
        counts.update({shape for shape,
             (code, _, _) in errors.SHAPES.items() if f"#{shape}\"" in one.answer or (one.protocol == "query" and f"<Code>{code}</Code>" in one.answer
                       and shape != "UnknownOperationException")})
    return counts


def faults():
    counts = refusals()
    out = ["## Errors", "", "| shape (`__type`) | code | HTTP | cases |", "|---|---|---|---|"]
    out += [f"| {shape} | {code} | {status} | {counts[shape]} |" for shape, (code, status, _) in errors.SHAPES.items()]
    return out + ["", "AWS's own that no case meets:", "", *(f"- `{shape}`: {why}" for shape, why in errors.NEVER.items()), ""]


def differences():
    out = ["## What differs from AWS, and why", "", "| where | case | what and why |", "|---|---|---|"]
    out += [f"| {one.action} | {cell(one.sentence)} | {cell(one.differs)} |" for one in TABLE if one.differs]
    return out + [f"| {one.protocol} | {cell(one.sentence)} | {cell(one.differs)} |" for one in REQUESTS if one.differs] + [""]


def requests():
    out = ["## The wire", "", f"{len(REQUESTS)} requests as bytes, with what must come back. None of those that are refused changes anything.", ""]
    for protocol, name in (("json", "JSON"), ("query", "Query")):
        out += [f"### {name}", "", *(f"- {cell(one.sentence)}: {one.status}" for one in REQUESTS if one.protocol == protocol), ""]
    return out


def text():
    total = f"{len(TABLE)} cases ({in_protocol('json')} in JSON, {in_protocol('query')} in Query) and {len(REQUESTS)} requests as bytes."
    lines = [HEAD, total, "", *differences(), *bounds(), *faults(), *actions(covered()), *requests()]
    return re.sub(r"[\x00-\x08\x0b-\x1f]", "?", "\n".join(lines)).rstrip() + "\n"
