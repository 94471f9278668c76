"""The record id of a message, by src/record/FORMAT.md."""
import base64
import binascii
import json
import re
import uuid

RECORD_ID = "record-id"
PHP_ID = re.compile(rb's:2:"id";s:36:"([0-9a-f-]{36})";')


class NoRecord(Exception):
    pass


def object_of(body):
    """The members that matter, of a body in any of the three forms."""
    text = body
    if not body.startswith(b"{"):
        try:
            text = base64.b64decode(body, validate=True)
        except binascii.Error:
            raise NoRecord("its body is neither an object nor base64") from None
    if text.startswith(b"a:"):
        # The first member named id is the record's: the members come in the order of the page, and `v` is a number.
        if found := PHP_ID.search(text):
            return {"v": 1, "id": found[1].decode()}
        raise NoRecord("its PHP array has no id")
    try:
        members = json.loads(text, object_pairs_hook=without_repetition)
    except ValueError as why:
        raise NoRecord(f"its body is no JSON: {why}") from None
    if not isinstance(members, dict):
        raise NoRecord("its body is no object")
    return members


def without_repetition(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NoRecord("an object has a name twice")
    return members


def record_id(message):
    """Attribute and envelope must agree. A body without `v` was sent straight to the queue: its record has the message's id."""
    members = object_of(message.body)
    attribute = message.attributes.get(RECORD_ID, (None, None))[1]
    if "v" not in members:
        return str(uuid.UUID(bytes=message.id))
    if members["v"] != 1:
        raise NoRecord(f"its version is {members['v']!r}")
    id = members.get("id", "")
    if str(uuid.UUID(id)) != id:
        raise NoRecord(f"its id {id!r} is not a UUID in lower case")
    if "fields" in members:
        check_members(members)
    if attribute is not None and attribute.decode() != id:
        raise NoRecord(f"its attribute says {attribute!r}, its body {id}")
    return id


def check_members(members):
    for name, kind in (("endpoint", str), ("received_at", str), ("fields", (dict, list))):
        if not isinstance(members.get(name), kind):
            raise NoRecord(f"its member {name} is missing or of another type")
    if ("raw" in members) == ("raw_base64" in members):
        raise NoRecord("it has not exactly one of raw and raw_base64")
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", members["received_at"]):
        raise NoRecord(f"received_at is {members['received_at']!r}")
