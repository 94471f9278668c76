"""Every action of SQS, every member, limit and error, in both protocols: the table of `sqs_table`, and the document made of it."""
import concurrent.futures
import contextlib
import os
import re

import botocore.session
import conftest
import pytest

from sqs_table import REQUESTS, TABLE, document, errors, limits, wire
from sqs_table.case import World
from sqs_table.members import ACTIONS, NEVER

WIRES = ("json", "query", "json at the queue", "query at the queue", "query by GET")


def wires_of(case):
    return case.wires or (WIRES if case.succeeds() else WIRES[:2])


RUNS = [(case, over) for case in TABLE for over in wires_of(case)]
NAMES = [re.sub(r"[^\w .:'+-]", "?", f"{over}: {case.action}: {case.sentence}") for case, over in RUNS]


@contextlib.contextmanager
def running(cool_off):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FOREBAY__SQS__COOL_OFF", str(cool_off).lower())
        with conftest.running() as process:
            yield process


@pytest.fixture(scope="module")
def node():
    with running(cool_off=False) as process:
        yield process


@pytest.fixture(scope="module")
def cooling():
    with running(cool_off=True) as process:
        yield process


@pytest.fixture(scope="module")
def runs(node, cooling):
    """Every run of the table, started side by side: most of them wait for the disk or for a timeout."""
    def world(case, over):
        base, connection = (cooling.sqs, to_cooling) if case.cool_off else (node.sqs, to_node)
        return World(wire.wires(connection)[over], wire.Json(connection).call, base, case, over)

    to_node, to_cooling = wire.Connection(node.sqs), wire.Connection(cooling.sqs)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        started = [pool.submit(world(case, over).run) for case, over in RUNS]
        yield started
        for one in started:
            one.cancel()


@pytest.mark.parametrize("n", range(len(RUNS)), ids=NAMES)
def test_case(runs, n):
    runs[n].result(timeout=120)


@pytest.fixture(scope="module")
def raw(node):
    """A connection, and a function that tells all that a request could have changed."""
    connection = wire.Connection(node.sqs)
    helper = wire.Json(connection).call
    for queue in ("raw", "empty"):
        helper("CreateQueue", {"QueueName": queue})
    helper("TagQueue", {"QueueUrl": "raw", "Tags": {"a": "b"}})
    helper("SendMessage", {"QueueUrl": "raw", "MessageBody": "a\rb"})

    def state():
        told = [helper("GetQueueAttributes", {"QueueUrl": queue, "AttributeNames": ["All"]}) for queue in ("raw", "empty")]
        return told, helper("ListQueueTags", {"QueueUrl": "raw"}), helper("ListQueues", {"QueueNamePrefix": "other"})

    return connection, state


@pytest.mark.parametrize("one", REQUESTS, ids=[re.sub(r"[^\w .:'+-]", "?", f"{one.protocol}: {one.sentence}") for one in REQUESTS])
def test_request(node, raw, one):
    connection, state = raw
    before = state()
    answer, body = connection.ask(one.method, one.path, one.body, one.headers)
    text = body.decode()
    assert answer.status == one.status, text[:500]
    for header, value in one.headers_back.items():
        assert answer.headers[header] == value
    pattern = one.answer.replace("{base}", re.escape(node.sqs)).replace("{id}", answer.headers["x-amzn-RequestId"] or "")
    assert re.fullmatch(pattern, text, re.DOTALL), f"{text[:1000]}\nis not\n{pattern}"
    after = state()
    if answer.status != 200:
        assert after == before


def test_every_member_has_a_case_in_both_protocols():
    counts = document.covered()
    bare = [(protocol, action, kind, member) for action, kinds in ACTIONS.items() for kind, members in zip(("request", "answer"), kinds) for member in members
            for protocol in ("json", "query") if counts[protocol, action, kind, member] == 0 and not (kind == "answer" and member in NEVER)]
    assert not bare


def test_no_case_uses_a_member_that_sqs_does_not_have():
    known = {(action, kind, member) for action, kinds in ACTIONS.items() for kind, members in zip(("request", "answer"), kinds) for member in members}
    strange = {where[1:] for where in document.covered() if where[1:] not in known}
    # What is ignored or refused for just that: unknown members and names, attributes that cannot be set or sent.
    on_purpose = ("Nonsense", "Lists", "Maps", "Attributes.", "AttributeNames.Nonsense", "MessageSystemAttributeNames.Nonsense", "MessageSystemAttributes.SenderId")
    assert not {where for where in strange if not where[2].startswith(on_purpose)}


def test_every_limit_and_every_error_has_a_case():
    assert {one.limit for one in TABLE if one.limit} == set(limits.LIMITS)
    counts = document.refusals()
    assert not [shape for shape in errors.SHAPES if counts[shape] == 0]
    assert all(os.path.exists(conftest.ROOT / where) for where in limits.ELSEWHERE.values())


def test_no_member_of_the_sdk_is_missing():
    sqs = botocore.session.get_session().get_service_model("sqs")
    for action in sqs.operation_names:
        operation = sqs.operation_model(action)
        for shape, members in zip((operation.input_shape, operation.output_shape), ACTIONS[action]):
            missing = members_of(shape) - set(members)
            assert not missing, (action, missing)


def members_of(shape, at=""):
    """The members of a model's shape, as sqs_table.members has them."""
    if shape is None:
        return set()
    if shape.type_name == "structure":
        inside = {f"{at}.{name}" if at else name: member for name, member in shape.members.items()}
        return set(inside).union(*(members_of(member, path) for path, member in inside.items()))
    if shape.type_name == "list":
        return members_of(shape.member, at)
    if shape.type_name == "map":
        return set().union(*(members_of(shape.value, f"{at}.{key}") for key in shape.key.enum)) if shape.key.enum else members_of(shape.value, at)
    return set()


def test_the_document_is_what_the_table_makes():
    with open(conftest.ROOT / "docs/sqs-table.md") as f:
        assert f.read() == document.text(), f"docs/sqs-table.md is not what the table makes. Make it again: {document.COMMAND}"
