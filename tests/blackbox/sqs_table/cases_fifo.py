"""FIFO queues: order and groups, deduplication, attempts, handles, dead letters."""
import hashlib

from sqs_table import errors
from sqs_table.case import Matches, TEXT, UUID, arn, call, case, name, saved, url
from sqs_table.cases_attributes import DEFAULTS, bad_redrive, redrive, set_to
from sqs_table.cases_moves import ended
from sqs_table.cases_queues import NAME_RULE, url_at
from sqs_table.cases_receive import EVERYTHING, change, delete, message, receive
from sqs_table.cases_send import PUNCTUATION, bad, entry, good, md5

F = url("q.fifo")
SEQUENCE = Matches("[0-9]{20}")
NOT_FOR_FIFO = "The request include parameter that is not valid for this queue type."
BY_CONTENT = {"q.fifo": {"ContentBasedDeduplication": "true"}}
HANDLE = saved("got.Messages.0.ReceiptHandle")
FIFO_DEFAULTS = {**DEFAULTS, "QueueArn": arn("q.fifo"), "FifoQueue": "true", "ContentBasedDeduplication": "false", "DeduplicationScope": "queue",
     "FifoThroughputLimit": "perQueue"}


def send(body="x", answer=None, group="g", id="d", save=None, **more):
    members = {"QueueUrl": F, "MessageBody": body, **({"MessageGroupId": group} if group is not None else {}),
         **({"MessageDeduplicationId": id} if id is not None else {}), **more}
    return call("SendMessage", members, {"MessageId": UUID, "MD5OfMessageBody": md5(body), "SequenceNumber": SEQUENCE} if answer is None else answer, save=save)


def sent(*bodies, group="g"):
    """Sends each under its own body as its id."""
    return [send(body, group=group, id=body) for body in bodies]


def got(*bodies, save="got", of=F, **more):
    """A receive of up to ten that gives these."""
    return call("ReceiveMessage", {"QueueUrl": of, "MaxNumberOfMessages": 10, **more}, {"Messages": [message(body) for body in bodies]} if bodies else {}, save=save)


def handle(n, of="got"):
    return saved(f"{of}.Messages.{n}.ReceiptHandle")


case("CreateQueue", "a FIFO queue, with all its attributes", call("GetQueueAttributes", {"QueueUrl": F, "AttributeNames": ["All"]}, {"Attributes": FIFO_DEFAULTS}),
     call("CreateQueue", {"QueueName": name("q.fifo"), "Attributes": {"FifoQueue": "true"}}, {"QueueUrl": F}))
case("CreateQueue", "FifoQueue in any case", call("CreateQueue", {"QueueName": name("new.fifo"), "Attributes": {"FifoQueue": "True"}},
     {"QueueUrl": url_at("new.fifo")}),
     call("GetQueueAttributes", {"QueueUrl": url_at("new.fifo"), "AttributeNames": ["FifoQueue"]}, {"Attributes": {"FifoQueue": "true"}}),
     call("DeleteQueue", {"QueueUrl": url_at("new.fifo")}))
FIFO_NAME = errors.parameter("The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length")
case("CreateQueue", "FifoQueue with a name that does not end in .fifo", call("CreateQueue", {"QueueName": name("x"), "Attributes": {"FifoQueue": "true"}},
     FIFO_NAME))
case("CreateQueue", "a name that ends in .fifo with FifoQueue false", call("CreateQueue", {"QueueName": name("x.fifo"), "Attributes": {"FifoQueue": "false"}},
     NAME_RULE))
case("CreateQueue", "a FIFO name of 80 characters, .fifo counted", call("CreateQueue", {"QueueName": name("", "{}" + 57 * "x" + ".fifo"),
     "Attributes": {"FifoQueue": "true"}},
     {"QueueUrl": Matches("http://.*x.fifo")}, save="long"), call("DeleteQueue", {"QueueUrl": saved("long.QueueUrl")}), limit="queue name")
for wrong in (76 * "x" + ".fifo", ".fifo"):
    case("CreateQueue", f"a FIFO name that is none: {wrong[-8:]} of {len(wrong)}", call("CreateQueue", {"QueueName": wrong, "Attributes": {"FifoQueue": "true"}},
         FIFO_NAME), limit="queue name")
PER_GROUP = {"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
for attributes in ({"ContentBasedDeduplication": "true"}, {"DeduplicationScope": "messageGroup"}, {"DeduplicationScope": "queue"},
     {"FifoThroughputLimit": "perQueue"}, PER_GROUP):
    case("CreateQueue", f"FIFO with {attributes}", call("GetQueueAttributes", {"QueueUrl": F, "AttributeNames": list(attributes)}, {"Attributes": attributes}),
         call("CreateQueue", {"QueueName": name("q.fifo"), "Attributes": {"FifoQueue": "true", **attributes}}, {"QueueUrl": F}), queues={"q.fifo": attributes})
    case("SetQueueAttributes", f"FIFO with {attributes}",
         set_to(attributes, of=F), call("GetQueueAttributes", {"QueueUrl": F, "AttributeNames": list(attributes)}, {"Attributes": attributes}),
         differs="`FifoThroughputLimit` is kept and given back; neither value slows anything down." if attributes is PER_GROUP else None)
for one in ("ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"):
    case("SetQueueAttributes", f"FIFO with {one} of nonsense", set_to({one: "nonsense"}, errors.attribute_value(one), of=F))
case("SetQueueAttributes", "FifoThroughputLimit per group without DeduplicationScope per group",
     set_to({"FifoThroughputLimit": "perMessageGroupId"}, errors.Refusal("InvalidAttributeValue",
     "You can specify perMessageGroupId for FifoThroughputLimit only when DeduplicationScope is set to messageGroup."), of=F))
case("SetQueueAttributes", "FifoQueue true on a FIFO queue", set_to({"FifoQueue": "true"}, of=F))
case("SetQueueAttributes", "FifoQueue false on a FIFO queue", set_to({"FifoQueue": "false"}, errors.Refusal("InvalidAttributeValue",
     "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported."), of=F))
OTHER_KIND = "Dead-letter queue must be same type of queue as the source.."
case("SetQueueAttributes", "a standard dead-letter queue of a FIFO queue", set_to({"RedrivePolicy": redrive(5)}, bad_redrive(redrive(5), OTHER_KIND), of=F),
     queues={"dead": {}, "q.fifo": {}})
case("SetQueueAttributes", "a FIFO dead-letter queue of a standard queue", set_to({"RedrivePolicy": redrive(5, "dead.fifo")},
     bad_redrive(redrive(5, "dead.fifo"), OTHER_KIND)), queues={"dead.fifo": {}, "q": {}})

case("SendMessage", "FIFO: group and id", send())
case("SendMessage", "FIFO without a group", send(answer=errors.missing("MessageGroupId"), group=None))
NO_ID = errors.parameter("The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
case("SendMessage", "FIFO without an id", send(answer=NO_ID, id=None))
case("SendMessage", "FIFO without an id, by content", send(id=None), got("x", AttributeNames=[]), queues=BY_CONTENT)
AGAIN = {"MessageId": saved("first.MessageId"), "MD5OfMessageBody": md5("x"), "SequenceNumber": saved("first.SequenceNumber")}
case("SendMessage", "the same id again is the first message", send(save="first"), send(answer=AGAIN), got("x"))
case("SendMessage", "the same id with another body is the first message", send(save="first"), send("y", {**AGAIN, "MD5OfMessageBody": md5("y")}), got("x"))
case("SendMessage", "the same id after the message is deleted", send(save="first"), got("x"), delete(HANDLE, of=F), send(answer=AGAIN), got())
case("SendMessage", "the same id after a purge is a new message", send(save="first"), call("PurgeQueue", {"QueueUrl": F}, {}), send("y"), got("y"))
case("SendMessage", "the same content again is the first message, whatever its attributes", send(id=None, save="first"),
     send(id=None, answer={**AGAIN, "MD5OfMessageAttributes": TEXT}, MessageAttributes={"a": {"DataType": "String", "StringValue": "b"}}), got("x"),
     queues=BY_CONTENT)
case("SendMessage", "an id wins over the content", send(id="one"), send(id="two"), got("x", "x"), queues=BY_CONTENT)
case("SendMessage", "the same id in another group is the first message", send(save="first"), send(answer=AGAIN, group="other"), got("x"))
case("SendMessage", "the same id in another group is a new message where the scope is the group", send(), send("y", group="other"), got("x", "y"),
     queues={"q.fifo": {"DeduplicationScope": "messageGroup"}})
case("SendMessage", "FIFO with DelaySeconds of 0", send(DelaySeconds=0), got("x"))
for seconds in (1, 901, -1):
    case("SendMessage", f"FIFO with DelaySeconds of {seconds}", send(answer=errors.value(seconds, "DelaySeconds", NOT_FOR_FIFO), DelaySeconds=seconds))
case("SendMessage", "FIFO with DelaySeconds of 0 keeps the queue's delay", send(DelaySeconds=0), got(), queues={"q.fifo": {"DelaySeconds": "900"}}, limit="delay")
for parameter, key in (("MessageGroupId", "group"), ("MessageDeduplicationId", "id")):
    for value in ("x", 128 * "x", "azAZ09" + PUNCTUATION):
        case("SendMessage", f"FIFO with a {parameter} {value[:12]} of {len(value)}", send(**{key: value}),
             receive({"Messages": [message(Attributes={parameter: value})]}, of=F, AttributeNames=[parameter]),
             limit="group id")
    for value in ("", 129 * "x", "with space", "ü"):
        case("SendMessage", f"FIFO with a {parameter} that is none: {value[:12]!r} of {len(value)}", send(answer=errors.value(value, parameter,
             f"{parameter} can only include alphanumeric and punctuation characters. 1 to 128 in length."), **{key: value}), limit="group id")


def batch(entries, answer, save=None):
    return call("SendMessageBatch", {"QueueUrl": F, "Entries": entries}, answer, save=save)


def ordered(id, body="x", group="g", **more):
    return entry(id, body, MessageGroupId=group, MessageDeduplicationId=id, **more)


case("SendMessageBatch", "FIFO: in the order of the entries", batch([ordered(f"n{n}", f"{n}") for n in range(10)],
     {"Successful": [good(f"n{n}", f"{n}", SequenceNumber=SEQUENCE) for n in range(10)]}),
     got(*(f"{n}" for n in range(10))))
case("SendMessageBatch", "FIFO: an entry without a group fails the call", batch([ordered("a"), entry("b", MessageDeduplicationId="b")],
     errors.parameter("The request must contain the parameter MessageGroupId.")))
case("SendMessageBatch", "FIFO: an entry without an id, or with a delay, fails by itself", batch([ordered("a"), entry("b", MessageGroupId="g"),
     ordered("c", DelaySeconds=1)],
     {"Successful": [good("a", SequenceNumber=SEQUENCE)], "Failed": [bad("b", NO_ID), bad("c", errors.value(1, "DelaySeconds", NOT_FOR_FIFO))]}), got("x"))
case("SendMessageBatch", "FIFO: the same id twice in a batch is one message", batch([ordered("a"), {**ordered("b", "y"), "MessageDeduplicationId": "a"}],
     {"Successful": [good("a", SequenceNumber=SEQUENCE), good("b", "y", SequenceNumber=SEQUENCE)]}, save="first"), got("x"))

case("ReceiveMessage", "FIFO: in order", *sent("a", "b", "c"), got("a", "b", "c"))
case("ReceiveMessage", "FIFO: one group fills a receive before the next", *sent("a", group="1"), *sent("b", group="2"), *sent("c", group="1"), got("a", "c", "b"))
case("ReceiveMessage", "FIFO: a group is hidden while one of it is in flight", *sent("a", "b"), *sent("c", group="other"), got("a", MaxNumberOfMessages=1),
     got("c", save="second"), got())
case("ReceiveMessage", "FIFO: when all that was received is deleted the rest of the group comes", *sent("a", "b", "c"), got("a", "b", MaxNumberOfMessages=2),
     delete(handle(0), of=F), got(save="none"),
     delete(handle(1), of=F), got("c", save="rest"))
case("ReceiveMessage", "FIFO: what is given back comes again before what follows it", *sent("a", "b"), got("a", MaxNumberOfMessages=1), change(HANDLE, 0, of=F),
     got("a", "b", save="again"))
case("ReceiveMessage", "FIFO: what times out comes again before what follows it", *sent("a", "b"), got("a", MaxNumberOfMessages=1, VisibilityTimeout=1),
     got("a", "b", save="again", WaitTimeSeconds=10), wires=("json", "query"))
ALL = {**EVERYTHING, "SequenceNumber": SEQUENCE, "MessageGroupId": "g", "MessageDeduplicationId": "d"}
for names in ("AttributeNames", "MessageSystemAttributeNames"):
    case("ReceiveMessage", f"FIFO: All by {names}", send(), receive({"Messages": [message(Attributes=ALL)]}, of=F, **{names: ["All"]}))
    for one in ("SequenceNumber", "MessageGroupId", "MessageDeduplicationId"):
        case("ReceiveMessage", f"FIFO: {one} by {names}", send(), receive({"Messages": [message(Attributes={one: ALL[one]})]}, of=F, **{names: [one]}))
case("ReceiveMessage", "FIFO: an id by content is the SHA-256 of the body", send(id=None),
     receive({"Messages": [message(Attributes={"MessageDeduplicationId": hashlib.sha256(b"x").hexdigest()})]}, of=F,
     AttributeNames=["MessageDeduplicationId"]), queues=BY_CONTENT)
case("ReceiveMessage", "FIFO: the sequence number is the one that the sender was told", send(save="first"),
     receive({"Messages": [message(Attributes={"SequenceNumber": saved("first.SequenceNumber")})]}, of=F,
     AttributeNames=["SequenceNumber"]))
SAME = {"Messages": [{**message("a"), "ReceiptHandle": HANDLE}]}
case("ReceiveMessage", "FIFO: the same attempt again gets the same messages and handles", *sent("a"), *sent("b", group="other"),
     got("a", MaxNumberOfMessages=1, ReceiveRequestAttemptId="once"),
     receive(SAME, of=F, ReceiveRequestAttemptId="once"), got("b", save="second", ReceiveRequestAttemptId="twice"),
     differs="Attempts are remembered in memory, for the 10,000 newest receives: after a restart a repeated receive is a new one.")
case("ReceiveMessage", "FIFO: an attempt whose message is deleted is a new one", *sent("a", "b"), got("a", MaxNumberOfMessages=1, ReceiveRequestAttemptId="once"),
     delete(HANDLE, of=F),
     got("b", save="second", ReceiveRequestAttemptId="once"))
ATTEMPT = "ReceiveRequestAttemptId can only include alphanumeric and punctuation characters. 1 to 128 in length."
for value in (128 * "x", "azAZ09" + PUNCTUATION):
    case("ReceiveMessage", f"FIFO: an attempt {value[:12]} of {len(value)}", *sent("a"), got("a", ReceiveRequestAttemptId=value), limit="group id")
for value in ("", 129 * "x", "with space"):
    case("ReceiveMessage", f"FIFO: an attempt that is none: {value[:12]!r} of {len(value)}",
         call("ReceiveMessage", {"QueueUrl": F, "ReceiveRequestAttemptId": value},
         errors.value(value, "ReceiveRequestAttemptId", ATTEMPT)), limit="group id")

EXPIRED = "The receipt handle has expired."
GONE = "Message does not exist or is not available for visibility timeout change."
case("DeleteMessage", "FIFO: twice is as good as once", send(), got("x"), delete(HANDLE, of=F), delete(HANDLE, of=F))
case("DeleteMessage", "FIFO: after its timeout a handle is refused", send(), got("x", VisibilityTimeout=0),
     delete(HANDLE, errors.about(HANDLE, errors.value("{}", "ReceiptHandle", EXPIRED)), of=F))
case("DeleteMessage", "FIFO: the handle of an earlier receive is refused", send(), got("x", VisibilityTimeout=0), got("x", save="again"),
     delete(HANDLE, errors.about(HANDLE, errors.value("{}", "ReceiptHandle", EXPIRED)), of=F))
case("ChangeMessageVisibility", "FIFO: after its timeout a handle is refused", send(), got("x", VisibilityTimeout=0),
     change(HANDLE, 5, errors.about(HANDLE, errors.value("{}", "ReceiptHandle", GONE)), of=F))
case("ChangeMessageVisibility", "FIFO: longer than it was", send(), got("x"), change(HANDLE, 600, of=F), got(save="none"))
case("DeleteMessageBatch", "FIFO: what has timed out fails by itself", *sent("a"), *sent("b", group="other"), got("a", MaxNumberOfMessages=1, VisibilityTimeout=0),
     got("a", "b", save="again"),
     call("DeleteMessageBatch", {"QueueUrl": F, "Entries": [{"Id": "old", "ReceiptHandle": HANDLE}, {"Id": "new", "ReceiptHandle": handle(1, "again")}]},
          {"Successful": [{"Id": "new"}], "Failed": [{"Id": "old", "SenderFault": True, "Code": "InvalidParameterValue",
          "Message": Matches(f"Value .* for parameter ReceiptHandle is invalid. Reason: {EXPIRED}")}]}))

FIFO_POISON = {"dead.fifo": {}, "q.fifo": {"RedrivePolicy": redrive(1, "dead.fifo"), "VisibilityTimeout": "0"}}
DEAD = [*sent("a", "b"), got("a", "b"), got(save="none"), call("GetQueueAttributes", {"QueueUrl": url("dead.fifo"),
     "AttributeNames": ["ApproximateNumberOfMessages"]},
        {"Attributes": {"ApproximateNumberOfMessages": "2"}}, until=True)]
case("ReceiveMessage", "FIFO: dead letters keep order, group and id", *DEAD, call("ReceiveMessage",
     {"QueueUrl": url("dead.fifo"), "MaxNumberOfMessages": 10, "AttributeNames": [
     "MessageGroupId", "MessageDeduplicationId", "DeadLetterQueueSourceArn"]}, {"Messages": [message(body,
     Attributes={"MessageGroupId": "g", "MessageDeduplicationId": body,
     "DeadLetterQueueSourceArn": arn("q.fifo")}) for body in "ab"]}), queues=FIFO_POISON)
MOVED = {**ended(moved=2, to_move=2), "SourceArn": arn("dead.fifo")}
case("StartMessageMoveTask", "FIFO: they go back in order", *DEAD, call("StartMessageMoveTask", {"SourceArn": arn("dead.fifo")}, {"TaskHandle": TEXT}),
     call("ListMessageMoveTasks", {"SourceArn": arn("dead.fifo")}, {"Results": [MOVED]}, until=True), got("a", "b", save="back"), queues=FIFO_POISON)
case("StartMessageMoveTask", "FIFO: to a standard queue", call("StartMessageMoveTask", {"SourceArn": arn("dead.fifo"), "DestinationArn": arn("q")},
     errors.parameter("The source queue and destination queue must be of the same queue type.")), queues={**FIFO_POISON, "q": {}})
