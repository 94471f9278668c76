"""Attributes of messages: types, names, sizes, digests, and which come back."""
import base64
import hashlib
import struct

from sqs_table import errors
from sqs_table.case import Q, SomeOf, TEXT, UUID, call, case
from sqs_table.cases_send import AWKWARD, MIB, bad, batch, entry, good, md5


def text(value, type="String"):
    return {"DataType": type, "StringValue": value}


def binary(value, type="Binary"):
    return {"DataType": type, "BinaryValue": value}


def digest(attributes):
    """AWS's MD5 of attributes, from its description."""
    def part(value):
        return struct.pack(">I", len(value)) + value
    out = b""
    for name, one in sorted(attributes.items()):
        kind, value = (b"\2", one["BinaryValue"]) if "BinaryValue" in one else (b"\1", one["StringValue"].encode())
        out += part(name.encode()) + part(one["DataType"].encode()) + kind + part(value)
    return hashlib.md5(out).hexdigest()


def send(attributes, answer=None, body="x", **more):
    success = {"MessageId": UUID, "MD5OfMessageBody": md5(body), "MD5OfMessageAttributes": digest(attributes)} if answer is None else answer
    return call("SendMessage", {"QueueUrl": Q, "MessageBody": body, "MessageAttributes": attributes, **more}, success)


def base64_of(one):
    return {key: base64.b64encode(value).decode() if isinstance(value, bytes) else value for key, value in one.items()}


def comes(attributes, names):
    more = {"MD5OfMessageAttributes": digest(attributes), "MessageAttributes": {name: base64_of(one) for name, one in attributes.items()}} if attributes else {}
    members = {"MessageAttributeNames": names} if names is not None else {}
    return call("ReceiveMessage", {"QueueUrl": Q, "VisibilityTimeout": 0, **members}, {"Messages": [
        {"MessageId": UUID, "ReceiptHandle": TEXT, "MD5OfBody": md5("x"), "Body": "x", **more}]})


GIVEN = {"text": text(AWKWARD), "number": text("-1.5e3", "Number"), "bytes": binary(bytes(range(256))), "labelled": text("x", "String.label"),
     "labelled.number": text("7", "Number.int"),
         "labelled.bytes": binary(b"\0", "Binary.gif")}
case("SendMessage", "attributes of every type", send(GIVEN), comes(GIVEN, ["All"]), comes(GIVEN, [".*"]))
case("ReceiveMessage", "attributes come only when they are asked for", send(GIVEN), comes({}, None), comes({}, []), comes({}, ["none"]))
case("ReceiveMessage", "the digest is of the attributes that come, not of those that were sent", send(GIVEN), comes({"number": GIVEN["number"]}, ["number"]),
     comes({name: one for name, one in GIVEN.items() if name.startswith("labelled")}, ["labelled.*"]),
     comes({name: one for name, one in GIVEN.items() if name.startswith("labelled.")}, ["labelled.number", "labelled.b.*"]))
TEN = {f"a{n}": text("x") for n in range(10)}
case("SendMessage", "ten attributes", send(TEN), comes(TEN, ["All"]), limit="message attributes")
case("SendMessage", "eleven attributes", send({**TEN, "a10": text("x")}, errors.parameter("Number of message attributes [11] exceeds the allowed maximum [10].")),
     limit="message attributes")
NAMES = {"256 characters": 256 * "n", "every character": "azAZ09_-.x", "an accented letter": "né", "AWS without a period": "AWSx", "one period": "a.b"}
for what, one in NAMES.items():
    case("SendMessage", f"an attribute's name: {what}", send({one: text("x")}), comes({one: text("x")}, ["All"]), limit="message attributes")
case("SendMessage", "an attribute's name of 257 characters",
     send({257 * "n": text("x")}, errors.parameter("Message (user) attribute name must be 1 to 256 characters long.")), limit="message attributes")
case("SendMessage", "an attribute's name of none", send({"": text("x")}, errors.parameter("Message (user) attribute name must be 1 to 256 characters long.")),
     limit="message attributes")
for one in ("a b", ".a", "a.", "a..b", "a/b"):
    case("SendMessage", f"an attribute's name that is none: {one}", send({one: text("x")}, errors.parameter(
        f"The message (user) attribute name '{one}' can only contain letters, digits, hyphens, underscores and periods, and no period at its start, at its end or twice in a row.")),
        limit="message attributes")
for one in ("AWS.x", "aws.x", "Amazon.x", "AmAzOn.x"):
    case("SendMessage", f"an attribute's name that AWS reserves: {one}", send({one: text("x")}, errors.parameter(
        f"The message (user) attribute name '{one}' must not start with a prefix that AWS reserves (AWS., Amazon.).")), limit="message attributes")
case("SendMessage", "an attribute's type of 256 characters", send({"a": text("x", "String." + 249 * "t")}), limit="message attributes")
SUPPORTED = "You must use only the following supported type prefixes: Binary, Number, String."
for type in ("String." + 250 * "t", "Text", "string", "Stringy"):
    case("SendMessage", f"an attribute's type that is none: {type[:12]} of {len(type)}", send({"a": text("x", type)},
         errors.parameter(f"The type of message (user) attribute 'a' is invalid. {SUPPORTED}")),
         limit="message attributes")
case("SendMessage", "an attribute without a type",
     send({"a": {"StringValue": "x"}}, errors.parameter("The message (user) attribute 'a' must contain a non-empty message attribute type.")))
for type, empty in (("String", text("")), ("Number", text("", "Number")), ("Binary", binary(b"")), ("String", {"DataType": "String"}),
     ("Binary", {"DataType": "Binary", "StringValue": "x"}),
                    ("String", {"DataType": "String", "BinaryValue": b"x"})):
    case("SendMessage", f"an attribute of no value: {sorted(empty)} of {type}", send({"a": empty},
         errors.parameter(f"Message (user) attribute 'a' must contain a non-empty value of type '{type}'.")))
for number in ("1", "-1", "+1", ".5", "5.", "1e10", "-1.5E-3", "123456789012345678901234567890"):
    case("SendMessage", f"a number: {number}", send({"n": text(number, "Number")}), comes({"n": text(number, "Number")}, ["n"]))
for number in ("x", "1x", "-", ".", "e5", "1e", "0x1", " 1"):
    case("SendMessage", f"no number: {number!r}",
         send({"n": text(number, "Number")}, errors.parameter("Can't cast the value of message (user) attribute 'n' to a number.")))
case("SendMessage", "a forbidden character in an attribute", send({"a": text("\u0001")}, errors.Refusal("InvalidMessageContents",
     "Message (user) attribute 'a' holds characters that are not allowed.")), limit="characters")
case("SendMessage", "lists of values are reserved by AWS and ignored", send({"a": {**text("x"), "StringListValues": ["y"], "BinaryListValues": [b"z"]}},
     {"MessageId": UUID, "MD5OfMessageBody": md5("x"), "MD5OfMessageAttributes": digest({"a": text("x")})}), comes({"a": text("x")}, ["All"]),
     differs="AWS refuses `StringListValues` and `BinaryListValues` (`UnsupportedOperation`); here they are ignored like any member that has no meaning.")
ROOM = MIB - len("nameString")
case("SendMessage", "name, type and value count: 1,048,576 bytes", send({"name": text((ROOM - 1) * "v")}), limit="message size")
case("SendMessage", "name, type and value count: 1,048,577 bytes", send({"name": text(ROOM * "v")}, errors.too_long(MIB)), limit="message size")

TRACE = {"AWSTraceHeader": text("Root=1-5759e988-bd862e3fe1be46a994272793")}
BOTH = {"MessageId": UUID, "MD5OfMessageBody": md5("x"), "MD5OfMessageAttributes": digest({"a": text("b")}), "MD5OfMessageSystemAttributes": digest(TRACE)}
case("SendMessage", "a trace header has a digest of its own", send({"a": text("b")}, BOTH, MessageSystemAttributes=TRACE),
     call("ReceiveMessage", {"QueueUrl": Q, "AttributeNames": ["AWSTraceHeader"]},
     {"Messages": [SomeOf({"Attributes": {"AWSTraceHeader": TRACE["AWSTraceHeader"]["StringValue"]}})]}))
case("SendMessage", "a trace header does not count towards the size", send({}, {"MessageId": UUID, "MD5OfMessageBody": md5(MIB * "x"),
     "MD5OfMessageSystemAttributes": digest(TRACE)}, body=MIB * "x",
     MessageSystemAttributes=TRACE), limit="message size")
case("SendMessage", "a system attribute that cannot be sent", send({}, errors.parameter("Message system attribute name 'SenderId' is invalid."),
     MessageSystemAttributes={"SenderId": text("x")}))
case("SendMessage", "a trace header that is no text", send({}, errors.parameter("Message system attribute 'AWSTraceHeader' must be of type 'String'."),
     MessageSystemAttributes={"AWSTraceHeader": binary(b"x")}))
case("SendMessage", "a trace header's lists are ignored as an attribute's are", send({}, {"MessageId": UUID, "MD5OfMessageBody": md5("x"),
     "MD5OfMessageSystemAttributes": digest(TRACE)},
     MessageSystemAttributes={"AWSTraceHeader": {**TRACE["AWSTraceHeader"], "StringListValues": ["y"], "BinaryListValues": [b"z"]}}),
     differs="AWS refuses the lists of a trace header too.")

case("SendMessageBatch", "attributes of entries", batch([entry("a", MessageAttributes=GIVEN, MessageSystemAttributes=TRACE),
     entry("b", MessageAttributes={"a": text("")}),
     entry("c", MessageSystemAttributes={"AWSTraceHeader": binary(b"x")}), entry("d", MessageAttributes={"a": {**text("x"), "StringListValues": ["y"],
     "BinaryListValues": [b"z"]}},
     MessageSystemAttributes={"AWSTraceHeader": {**TRACE["AWSTraceHeader"], "StringListValues": ["y"], "BinaryListValues": [b"z"]}})],
     {"Successful": [good("a", MD5OfMessageAttributes=digest(GIVEN), MD5OfMessageSystemAttributes=digest(TRACE)),
                     good("d", MD5OfMessageAttributes=digest({"a": text("x")}), MD5OfMessageSystemAttributes=digest(TRACE))],
      "Failed": [bad("b", errors.parameter("Message (user) attribute 'a' must contain a non-empty value of type 'String'.")),
                 bad("c", errors.parameter("Message system attribute 'AWSTraceHeader' must be of type 'String'."))]}))
case("SendMessageBatch", "attributes count towards the size of the whole", batch([entry("a", MessageAttributes={"name": text((ROOM - 2) * "v")}), entry("b")],
     {"Successful": [good("a", MD5OfMessageAttributes=digest({"name": text((ROOM - 2) * "v")})), good("b")]}),
     batch([entry("a", MessageAttributes={"name": text((ROOM - 1) * "v")}), entry("b")], errors.Refusal("BatchRequestTooLong",
           "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.")), limit="batch")
