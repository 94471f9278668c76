"""SendMessage and SendMessageBatch: bodies, sizes, delays, groups, entries."""
import hashlib

from sqs_table import errors
from sqs_table.case import INTEGER, Q, SomeOf, UUID, call, case, received, sent

MIB = 1048576
AWKWARD = 'ü€😀 "quoted" <tag attr=\'x\'>&amp;</tag> \t line\r\nline\rline\n ]]> {"json": [1, 2]} \\ % + = é'
EDGES = "\t\n\r \ud7ff\ue000\ufffd\U00010000\U0010ffff"


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def send(body, answer=None, **more):
    return call("SendMessage", {"QueueUrl": Q, "MessageBody": body, **more}, answer or {"MessageId": UUID, "MD5OfMessageBody": md5(body)})


def comes(*bodies, **more):
    return call("ReceiveMessage", {"QueueUrl": Q, "MaxNumberOfMessages": 10, **more}, {"Messages": [SomeOf({"Body": body}) for body in bodies]})


def batch(entries, answer):
    return call("SendMessageBatch", {"QueueUrl": Q, "Entries": entries}, answer)


def entry(id, body="x", **more):
    return {"Id": id, "MessageBody": body, **more}


def good(id, body="x", **more):
    return {"Id": id, "MessageId": UUID, "MD5OfMessageBody": md5(body), **more}


def bad(id, refusal):
    return {"Id": id, "SenderFault": True, "Code": errors.SHAPES[refusal.shape][0], "Message": refusal.message}


case("SendMessage", "what is sent is received", send(AWKWARD), comes(AWKWARD))
case("SendMessage", "every character at the edge of what is allowed", send(EDGES), comes(EDGES), limit="characters")
for forbidden in ("\u0000", "\u0001", "\u000b", "\u001f", "\ufffe", "\uffff"):
    case("SendMessage", f"U+{ord(forbidden):04X} is refused", send(f"a{forbidden}b", errors.CHARACTERS), limit="characters")
case("SendMessage", "one byte", send("x"), comes("x"), limit="message size")
case("SendMessage", "no byte", send("", errors.missing("MessageBody")), limit="message size")
case("SendMessage", "no body", call("SendMessage", {"QueueUrl": Q}, errors.missing("MessageBody")))
case("SendMessage", "1,048,576 bytes", send(MIB * "x"), comes(MIB * "x"), limit="message size")
case("SendMessage", "1,048,577 bytes", send((MIB + 1) * "x", errors.too_long(MIB)), limit="message size")
case("SendMessage", "bytes count, not characters", send("ü" * (MIB // 2)), send("ü" * (MIB // 2) + "x", errors.too_long(MIB)), limit="message size")
case("SendMessage", "1,024 bytes where MaximumMessageSize is 1,024", send(1024 * "x"), queues={"q": {"MaximumMessageSize": "1024"}}, limit="message size")
case("SendMessage", "1,025 bytes where MaximumMessageSize is 1,024", send(1025 * "x", errors.too_long(1024)), queues={"q": {"MaximumMessageSize": "1024"}},
     limit="message size")

DELAYED = "ApproximateNumberOfMessagesDelayed"
case("SendMessage", "DelaySeconds of 0", send("x", DelaySeconds=0), comes("x"), limit="delay")
case("SendMessage", "DelaySeconds of 900", send("x", DelaySeconds=900), call("ReceiveMessage", {"QueueUrl": Q}, {}),
     call("GetQueueAttributes", {"QueueUrl": Q, "AttributeNames": [DELAYED]}, {"Attributes": {DELAYED: "1"}}), limit="delay")
for seconds in (-1, 901, 99999999999):
    case("SendMessage", f"DelaySeconds of {seconds}", send("x", errors.value(seconds, "DelaySeconds", "DelaySeconds must be >= 0 and <= 900."),
         DelaySeconds=seconds), limit="delay")
case("SendMessage", "a delayed message comes when its delay is over", send("x", DelaySeconds=1), call("ReceiveMessage", {"QueueUrl": Q}, {}),
     comes("x", WaitTimeSeconds=10), wires=("json", "query"))
case("SendMessage", "the queue's delay holds where the message says none", send("x"), send("y", DelaySeconds=0), comes("y"), queues={"q": {"DelaySeconds": "900"}})

PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
GROUP_RULE = "MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length."
for group in ("g", 128 * "g", "azAZ09" + PUNCTUATION):
    case("SendMessage", f"a group on a standard queue: {group[:12]} of {len(group)}", send("x", MessageGroupId=group),
         call("ReceiveMessage", {"QueueUrl": Q, "AttributeNames": ["MessageGroupId"]},
         {"Messages": [SomeOf({"Attributes": {"MessageGroupId": group}})]}), limit="group id")
for group in ("", 129 * "g", "with space", "ü"):
    case("SendMessage", f"a group that is none: {group[:12]!r} of {len(group)}", send("x", errors.value(group, "MessageGroupId", GROUP_RULE), MessageGroupId=group),
         limit="group id")
case("SendMessage", "a deduplication id on a standard queue", send("x", errors.value("d", "MessageDeduplicationId",
     "The request include parameter that is not valid for this queue type."),
     MessageDeduplicationId="d"))

TEN = [f"n{n}" for n in range(10)]
case("SendMessageBatch", "ten entries", batch([entry(id, f"body of {id}") for id in TEN], {"Successful": [good(id, f"body of {id}") for id in TEN]}),
     comes(*(f"body of {id}" for id in TEN)), limit="batch")
case("SendMessageBatch", "eleven entries", batch([entry(f"n{n}") for n in range(11)], errors.Refusal("TooManyEntriesInBatchRequest",
     "Maximum number of entries per request are 10. You have sent 11.")), limit="batch")
case("SendMessageBatch", "no entry", batch([], errors.Refusal("EmptyBatchRequest", "There should be at least one SendMessageBatchRequestEntry in the request.")),
     limit="batch")
case("SendMessageBatch", "without entries", call("SendMessageBatch", {"QueueUrl": Q}, errors.Refusal("EmptyBatchRequest",
     "There should be at least one SendMessageBatchRequestEntry in the request.")))
case("SendMessageBatch", "two entries of one id", batch([entry("a"), entry("a")], errors.Refusal("BatchEntryIdsNotDistinct", "Id a repeated.")))
case("SendMessageBatch", "an id of 80 characters", batch([entry(76 * "x" + "A0-_")], {"Successful": [good(76 * "x" + "A0-_")]}), limit="batch id")
for id in (81 * "x", "with space", "dot.", "ü"):
    case("SendMessageBatch", f"an id that is none: {id[:12]!r} of {len(id)}", batch([entry(id)], errors.NO_ID), limit="batch id")
case("SendMessageBatch", "1,048,576 bytes in all", batch([entry("a", (MIB - 1) * "x"), entry("b", "y")],
     {"Successful": [good("a", (MIB - 1) * "x"), good("b", "y")]}), limit="batch")
case("SendMessageBatch", "1,048,577 bytes in all", batch([entry("a", MIB * "x"), entry("b", "y")], errors.Refusal("BatchRequestTooLong",
     "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.")), limit="batch")
case("SendMessageBatch", "each entry succeeds or fails by itself",
     batch([entry("a"), entry("b", "\u0001"), entry("c", DelaySeconds=901), entry("d", MessageGroupId="a b"), entry("e", MessageDeduplicationId="d")],
           {"Successful": [good("a")],
            "Failed": [bad("b", errors.CHARACTERS), bad("c", errors.value(901, "DelaySeconds", "DelaySeconds must be >= 0 and <= 900.")),
            bad("d", errors.value("a b", "MessageGroupId", GROUP_RULE)),
                       bad("e", errors.value("d", "MessageDeduplicationId", "The request include parameter that is not valid for this queue type."))]}),
     comes("x"))
case("SendMessageBatch", "all entries may fail", batch([entry("b", "\u0001")], {"Failed": [bad("b", errors.CHARACTERS)]}),
     call("ReceiveMessage", {"QueueUrl": Q}, {}))
case("SendMessageBatch", "an entry that is too long for the queue", batch([entry("a", 1024 * "x"), entry("b", 1025 * "x")], {"Successful": [good("a", 1024 * "x")],
     "Failed": [bad("b", errors.too_long(1024, in_batch=True))]}), queues={"q": {"MaximumMessageSize": "1024"}}, limit="message size")
case("SendMessageBatch", "delays and groups of entries", batch([entry("a", DelaySeconds=900), entry("b", "y", MessageGroupId="g")],
     {"Successful": [good("a"), good("b", "y")]}),
     call("ReceiveMessage", {"QueueUrl": Q, "MaxNumberOfMessages": 10, "AttributeNames": ["MessageGroupId"]},
     {"Messages": [SomeOf({"Body": "y", "Attributes": {"MessageGroupId": "g"}})]}))
case("SendMessageBatch", "an entry without a body fails the call", batch([entry("a"), {"Id": "b"}], errors.missing("MessageBody")))
case("SendMessageBatch", "an entry without an id fails the call", batch([entry("a"), {"MessageBody": "x"}], errors.missing("Id")))

OTHERS = {"SendMessage": {"MessageBody": "x"}, "SendMessageBatch": {"Entries": [entry("a")]}, "ReceiveMessage": {}, "DeleteMessage": {"ReceiptHandle": "x"},
          "DeleteMessageBatch": {"Entries": [{"Id": "a", "ReceiptHandle": "x"}]}, "ChangeMessageVisibility": {"ReceiptHandle": "x", "VisibilityTimeout": 1},
          "ChangeMessageVisibilityBatch": {"Entries": [{"Id": "a", "ReceiptHandle": "x", "VisibilityTimeout": 1}]}, "DeleteQueue": {}, "PurgeQueue": {},
          "GetQueueAttributes": {"AttributeNames": ["All"]}, "SetQueueAttributes": {"Attributes": {"DelaySeconds": "1"}}, "TagQueue": {"Tags": {"a": "b"}},
          "UntagQueue": {"TagKeys": ["a"]},
          "ListQueueTags": {}, "ListDeadLetterSourceQueues": {}}
for action, members in OTHERS.items():
    case(action, "of a queue that is not there", call(action, {"QueueUrl": "http://localhost/123456789012/not-there", **members}, errors.NO_QUEUE))
    case(action, "without a queue", call(action, members, errors.missing("QueueUrl")))
    case(action, "members that SQS does not know are ignored", *sent("x"), received(),
         call(action, {"QueueUrl": Q, **members, "Nonsense": "x", "Lists": ["x"], "Maps": {"a": "b"}},
              errors.handle("x") if "ReceiptHandle" in members else None if action != "GetQueueAttributes" else {"Attributes": SomeOf({"CreatedTimestamp": INTEGER})}))
