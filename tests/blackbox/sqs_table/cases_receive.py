"""ReceiveMessage, and what becomes of what was received: DeleteMessage, ChangeMessageVisibility, their batches, dead letters."""
from sqs_table import errors
from sqs_table.case import INTEGER, Matches, Q, SomeOf, TEXT, UUID, Unordered, arn, call, case, received, saved, sent, url
from sqs_table.cases_attributes import are, redrive
from sqs_table.cases_send import bad, md5

HANDLE = saved("got.Messages.0.ReceiptHandle")
EVERYTHING = {"SenderId": Matches("[0-9]{12}"), "SentTimestamp": Matches("[0-9]{13}"), "ApproximateReceiveCount": "1",
     "ApproximateFirstReceiveTimestamp": Matches("[0-9]{13}")}


def receive(answer, of=Q, **members):
    return call("ReceiveMessage", {"QueueUrl": of, **members}, answer)


def message(body="x", **more):
    return {"MessageId": UUID, "ReceiptHandle": TEXT, "MD5OfBody": md5(body), "Body": body, **more}


def delete(handle, answer=None, of=Q):
    return call("DeleteMessage", {"QueueUrl": of, "ReceiptHandle": handle}, {} if answer is None else answer)


def change(handle, seconds, answer=None, of=Q):
    return call("ChangeMessageVisibility", {"QueueUrl": of, "ReceiptHandle": handle, "VisibilityTimeout": seconds}, {} if answer is None else answer)


def counts(ready, in_flight):
    return are({"ApproximateNumberOfMessages": str(ready), "ApproximateNumberOfMessagesNotVisible": str(in_flight)})


case("ReceiveMessage", "one unless more are asked for", *sent("x", "y"), receive({"Messages": [message("x")]}), receive({"Messages": [message("y")]}), receive({}))
case("ReceiveMessage", "nothing there is no list", receive({}), receive({}, WaitTimeSeconds=0))
case("ReceiveMessage", "ten at most", *sent(*"abcdefghijk"), receive({"Messages": [message(body) for body in "abcdefghij"]}, MaxNumberOfMessages=10),
     receive({"Messages": [message("k")]}, MaxNumberOfMessages=10),
     limit="receive")
for count in (0, 11, -1):
    case("ReceiveMessage", f"MaxNumberOfMessages of {count}", receive(errors.value(count, "MaxNumberOfMessages", "Must be between 1 and 10, if provided."),
         MaxNumberOfMessages=count), limit="receive")
for seconds in (-1, 21):
    case("ReceiveMessage", f"WaitTimeSeconds of {seconds}", receive(errors.value(seconds, "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided."),
         WaitTimeSeconds=seconds), limit="wait")
for seconds in (-1, 43201):
    case("ReceiveMessage", f"VisibilityTimeout of {seconds}", receive(errors.value(seconds, "VisibilityTimeout", "Must be >= 0 and <= 43200, if provided."),
         VisibilityTimeout=seconds), limit="visibility")
case("ReceiveMessage", "WaitTimeSeconds of 20 ends when something is there", *sent("x"), receive({"Messages": [message()]}, WaitTimeSeconds=20), limit="wait")
case("ReceiveMessage", "a wait that ends with nothing", receive({}, WaitTimeSeconds=1), wires=("json", "query"))
case("ReceiveMessage", "the queue's wait holds where the call says none", receive({}), queues={"q": {"ReceiveMessageWaitTimeSeconds": "1"}}, wires=("json", "query"))
case("ReceiveMessage", "VisibilityTimeout of 0 leaves it visible", *sent("x"), receive({"Messages": [message()]}, VisibilityTimeout=0),
     receive({"Messages": [message()]}), limit="visibility")
case("ReceiveMessage", "VisibilityTimeout of 43,200 hides it", *sent("x"), receive({"Messages": [message()]}, VisibilityTimeout=43200), receive({}),
     limit="visibility")
case("ReceiveMessage", "it comes again when its timeout is over", *sent("x"), receive({"Messages": [message()]}, VisibilityTimeout=1),
     receive({"Messages": [message(Attributes={"ApproximateReceiveCount": "2"})]}, WaitTimeSeconds=10, AttributeNames=["ApproximateReceiveCount"]),
     wires=("json", "query"))
case("ReceiveMessage", "the queue's timeout holds where the call says none", *sent("x"), receive({"Messages": [message()]}), receive({"Messages": [message()]}),
     queues={"q": {"VisibilityTimeout": "0"}})
case("ReceiveMessage", "an attempt id on a standard queue is not looked at", *sent("x"), receive({"Messages": [message()]}, ReceiveRequestAttemptId="a"),
     receive({}, ReceiveRequestAttemptId="a"))

for names in ("AttributeNames", "MessageSystemAttributeNames"):
    case("ReceiveMessage", f"All by {names}", *sent("x"), receive({"Messages": [message(Attributes=EVERYTHING)]}, **{names: ["All"]}))
    for one, value in EVERYTHING.items():
        case("ReceiveMessage", f"{one} by {names}", *sent("x"), receive({"Messages": [message(Attributes={one: value})]}, **{names: [one]}))
    case("ReceiveMessage", f"what the message does not have, by {names}", *sent("x"),
         receive({"Messages": [message()]}, **{names: ["SequenceNumber", "MessageDeduplicationId", "MessageGroupId", "AWSTraceHeader", "DeadLetterQueueSourceArn"]}))
    case("ReceiveMessage", f"a name that SQS does not know, by {names}", *sent("x"), receive(errors.attribute_name("Nonsense"), **{names: ["Nonsense"]}))
case("ReceiveMessage", "both lists of names together", *sent("x"), receive({"Messages": [message(Attributes={"SenderId": EVERYTHING["SenderId"],
     "ApproximateReceiveCount": "1"})]},
     AttributeNames=["SenderId"], MessageSystemAttributeNames=["ApproximateReceiveCount"]))
case("ReceiveMessage", "group and trace header by their names", *sent("x", MessageGroupId="g",
     MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1"}}),
     receive({"Messages": [message(Attributes={"MessageGroupId": "g", "AWSTraceHeader": "Root=1"})]},
     MessageSystemAttributeNames=["MessageGroupId", "AWSTraceHeader"]))

POISON = {"dead": {}, "q": {"RedrivePolicy": redrive(2)}}
ONCE = receive({"Messages": [message()]}, VisibilityTimeout=0)
for names in ("AttributeNames", "MessageSystemAttributeNames"):
    case("ReceiveMessage", f"received too often it is a dead letter, with its source by {names}", *sent("x"), ONCE, ONCE, receive({}),
         receive({"Messages": [message(Attributes={"DeadLetterQueueSourceArn": arn("q"), "ApproximateReceiveCount": "3"})]}, of=url("dead"), WaitTimeSeconds=10,
                 **{names: ["DeadLetterQueueSourceArn", "ApproximateReceiveCount"]}), queues=POISON)

case("DeleteMessage", "what is deleted is gone", *sent("x"), received(), delete(HANDLE), counts(0, 0))
case("DeleteMessage", "twice is as good as once", *sent("x"), received(), delete(HANDLE), delete(HANDLE))
case("DeleteMessage", "the handle of an earlier receive deletes", *sent("x"), received(VisibilityTimeout=0), received("again"), delete(HANDLE), counts(0, 0),
     delete(saved("again.Messages.0.ReceiptHandle")))
case("DeleteMessage", "after its timeout a handle deletes", *sent("x"), received(VisibilityTimeout=0), delete(HANDLE), counts(0, 0))
for action, members in (("DeleteMessage", {}), ("ChangeMessageVisibility", {"VisibilityTimeout": 1})):
    for wrong in ("x", "nonsense\"<>&", "AQEB" + 100 * "A", 1024 * "x"):
        case(action, f"a handle that is none: {wrong[:12]} of {len(wrong)}", call(action, {"QueueUrl": Q, "ReceiptHandle": wrong, **members}, errors.handle(wrong)))
    case(action, "a handle of another queue", *sent("x"), received(), call(action, {"QueueUrl": url("other"), "ReceiptHandle": HANDLE, **members},
         errors.about(HANDLE, errors.handle("{}"))),
         queues={"q": {}, "other": {}})
    case(action, "without a handle", call(action, {"QueueUrl": Q, **members}, errors.missing("ReceiptHandle")))
    case(action, "an empty handle", call(action, {"QueueUrl": Q, "ReceiptHandle": "", **members}, errors.missing("ReceiptHandle")))

case("ChangeMessageVisibility", "0 gives it back", *sent("x"), received(), change(HANDLE, 0),
     receive({"Messages": [message(Attributes={"ApproximateReceiveCount": "2"})]}, AttributeNames=["ApproximateReceiveCount"]),
     limit="visibility")
case("ChangeMessageVisibility", "longer than it was", *sent("x"), received(), change(HANDLE, 600), counts(0, 1))
case("ChangeMessageVisibility", "after its timeout it succeeds, and hides the message", *sent("x"), received(VisibilityTimeout=0), change(HANDLE, 600), receive({}))
case("ChangeMessageVisibility", "of what was received again in the meantime it succeeds and changes nothing", *sent("x"), received(VisibilityTimeout=0),
     received("again"), change(HANDLE, 0), counts(0, 1),
     differs="AWS does not say which receive wins. Here an older handle must not move the timeout of whoever holds the message now: a hung worker's heartbeat would.")
case("ChangeMessageVisibility", "of what is deleted", *sent("x"), received(), delete(HANDLE),
     change(HANDLE, 1, errors.about(HANDLE, errors.value("{}", "ReceiptHandle",
     "Message does not exist or is not available for visibility timeout change."))))
for seconds in (-1, 43201):
    case("ChangeMessageVisibility", f"VisibilityTimeout of {seconds}", *sent("x"), received(), change(HANDLE, seconds, errors.value(seconds, "VisibilityTimeout",
         "VisibilityTimeout must be an integer between 0 and 43200.")), limit="visibility")
case("ChangeMessageVisibility", "to what is left of 43,200 seconds from the receive", *sent("x"), received(), change(HANDLE, 43100), counts(0, 1),
     limit="visibility")
case("ChangeMessageVisibility", "beyond 43,200 seconds from the receive, two seconds ago", *sent("x"), received(), receive({}, WaitTimeSeconds=2),
     change(HANDLE, 43200, errors.value(43200, "VisibilityTimeout",
     "Total VisibilityTimeout for the message is beyond the limit [43200 seconds].")), limit="visibility")
case("ChangeMessageVisibility", "without a timeout", *sent("x"), received(), call("ChangeMessageVisibility", {"QueueUrl": Q, "ReceiptHandle": HANDLE},
     errors.missing("VisibilityTimeout")))


def entries(count, **more):
    return [{"Id": f"n{n}", "ReceiptHandle": saved(f"got.Messages.{n}.ReceiptHandle"), **more} for n in range(count)]


for action, more in (("DeleteMessageBatch", {}), ("ChangeMessageVisibilityBatch", {"VisibilityTimeout": 0})):
    def ask(given, answer, action=action):
        return call(action, {"QueueUrl": Q, "Entries": given}, answer)

    case(action, "ten entries", *sent(*"abcdefghij"), received(), ask(entries(10, **more), {"Successful": [{"Id": f"n{n}"} for n in range(10)]}),
         counts(10 if more else 0, 0), limit="batch")
    case(action, "eleven entries", ask([{"Id": f"n{n}", "ReceiptHandle": "x", **more} for n in range(11)], errors.Refusal("TooManyEntriesInBatchRequest",
         "Maximum number of entries per request are 10. You have sent 11.")), limit="batch")
    EMPTY = errors.Refusal("EmptyBatchRequest", f"There should be at least one {action}RequestEntry in the request.")
    case(action, "no entry", ask([], EMPTY), limit="batch")
    case(action, "two entries of one id", *sent("x"), received(), ask(entries(1, **more) * 2, errors.Refusal("BatchEntryIdsNotDistinct", "Id n0 repeated.")))
    for id in (81 * "x", "a b"):
        case(action, f"an id that is none: {id[:12]} of {len(id)}", ask([{"Id": id, "ReceiptHandle": "x", **more}], errors.NO_ID), limit="batch id")
    case(action, "an id of 80 characters", *sent("x"), received(), ask([{**entries(1, **more)[0], "Id": 80 * "x"}], {"Successful": [{"Id": 80 * "x"}]}),
         limit="batch id")
    case(action, "each entry succeeds or fails by itself", *sent("x"), received(), ask([*entries(1, **more), {"Id": "bad", "ReceiptHandle": "x", **more}],
         {"Successful": [{"Id": "n0"}], "Failed": [bad("bad", errors.handle("x"))]}), counts(1 if more else 0, 0))
    case(action, "all entries may fail", ask([{"Id": "bad", "ReceiptHandle": "x", **more}], {"Failed": [bad("bad", errors.handle("x"))]}))
    case(action, "an entry without a handle fails the call", *sent("x"), received(), ask([*entries(1, **more), {"Id": "b", **more}],
         errors.missing("ReceiptHandle")))
case("ChangeMessageVisibilityBatch", "timeouts of entries, at their bounds and beyond", *sent("a", "b", "c"), received(),
     call("ChangeMessageVisibilityBatch", {"QueueUrl": Q, "Entries": [{**one, "VisibilityTimeout": seconds} for one, seconds in zip(entries(3), (0, 43201, -1))]},
          {"Successful": [{"Id": "n0"}], "Failed": [bad(f"n{n}", errors.value(seconds, "VisibilityTimeout",
          "VisibilityTimeout must be an integer between 0 and 43200."))
                                                    for n, seconds in ((1, 43201), (2, -1))]}), counts(1, 2), limit="visibility")
case("DeleteMessageBatch", "what is gone already succeeds", *sent("x"), received(), delete(HANDLE),
     call("DeleteMessageBatch", {"QueueUrl": Q, "Entries": entries(1)}, {"Successful": [{"Id": "n0"}]}))
