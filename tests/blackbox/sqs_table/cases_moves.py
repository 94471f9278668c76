"""Message move tasks: dead letters go back."""
from sqs_table import errors
from sqs_table.case import INTEGER, Later, Matches, SomeOf, TEXT, arn, call, case, saved, sent, url
from sqs_table.cases_attributes import redrive
from sqs_table.cases_receive import message, receive

QUEUES = {"dead": {}, "q": {"RedrivePolicy": redrive(1), "VisibilityTimeout": "0"}, "other": {}}
DEAD, SOURCE = url("dead"), arn("dead")
NO_SOURCE = errors.Refusal("ResourceNotFoundException", "The resource that you specified for the SourceArn parameter doesn't exist.")
NO_DESTINATION = errors.Refusal("ResourceNotFoundException", "The resource that you specified for the DestinationArn parameter doesn't exist.")
RATE = errors.parameter("Value for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: You must enter a number that's between 1 and 500.")


def form_of(parameter):
    return errors.parameter(f"You must use this format to specify the {parameter}: arn:<partition>:<service>:<region>:<account-id>:<resource-id>")


def died(*bodies):
    """Calls that make dead letters of these."""
    poll = call("ReceiveMessage", {"QueueUrl": url("q"), "MaxNumberOfMessages": 10})
    there = {"Attributes": {"ApproximateNumberOfMessages": str(len(bodies))}}
    return [*sent(*bodies), poll, poll, call("GetQueueAttributes", {"QueueUrl": DEAD, "AttributeNames": ["ApproximateNumberOfMessages"]}, there, until=True)]


# Dead letters of which the first is in somebody's hands: a task moves the other one and goes on.
HELD = [*died("x", "y"), call("ReceiveMessage", {"QueueUrl": DEAD, "VisibilityTimeout": 600}, {"Messages": [message("x")]})]


def start(answer=None, **members):
    return call("StartMessageMoveTask", {"SourceArn": SOURCE, **members}, {"TaskHandle": TEXT} if answer is None else answer, save=None if answer else "task")


def tasks(*results, until=False, **members):
    return call("ListMessageMoveTasks", {"SourceArn": SOURCE, **members}, {"Results": list(results)} if results else {}, until=until)


def ended(status="COMPLETED", moved=0, to_move=0, **more):
    return {"Status": status, "SourceArn": SOURCE, "ApproximateNumberOfMessagesMoved": moved, "ApproximateNumberOfMessagesToMove": to_move,
            "StartedTimestamp": Matches("[0-9]{13}"), **more}


RUNNING = {"TaskHandle": saved("task.TaskHandle"), **ended("RUNNING", moved=1, to_move=2)}
case("StartMessageMoveTask", "dead letters go back to where they came from", *died("x"), start(), tasks(ended(moved=1, to_move=1), until=True),
     receive({"Messages": [message(Attributes={"ApproximateReceiveCount": "1"})]}, AttributeNames=["ApproximateReceiveCount"]), receive({}, of=DEAD), queues=QUEUES)
case("StartMessageMoveTask", "or to the queue that is named", *died("x"), start(DestinationArn=arn("other")),
     tasks(ended(moved=1, to_move=1, DestinationArn=arn("other")), until=True),
     receive({"Messages": [message()]}, of=url("other")), queues=QUEUES)
for rate in (1, 500):
    case("StartMessageMoveTask", f"at {rate} a second", *died("x"), start(MaxNumberOfMessagesPerSecond=rate),
         tasks(ended(moved=1, to_move=1, MaxNumberOfMessagesPerSecond=rate), until=True), queues=QUEUES,
         limit="move task")
for rate in (0, 501):
    case("StartMessageMoveTask", f"at {rate} a second", start(RATE, MaxNumberOfMessagesPerSecond=rate), queues=QUEUES, limit="move task")
case("StartMessageMoveTask", "one at a time", *HELD, start(), tasks(RUNNING, until=True), start(errors.Refusal("UnsupportedOperation",
     "There is already a task running. Only one active task is allowed for a source queue arn at a given time.")), queues=QUEUES, limit="move task")
case("StartMessageMoveTask", "a source that is nobody's dead-letter queue", call("StartMessageMoveTask", {"SourceArn": arn("other")},
     errors.parameter("Source queue must be configured as a Dead Letter Queue.")), queues=QUEUES)
case("StartMessageMoveTask", "to itself", start(errors.parameter("Source queue arn and destination queue arn cannot be the same."), DestinationArn=SOURCE),
     queues=QUEUES)
case("StartMessageMoveTask", "a source that is not there", call("StartMessageMoveTask", {"SourceArn": arn("none")}, NO_SOURCE), queues=QUEUES)
case("StartMessageMoveTask", "a destination that is not there", start(NO_DESTINATION, DestinationArn=arn("none")), queues=QUEUES)
case("StartMessageMoveTask", "a source that is no ARN", call("StartMessageMoveTask", {"SourceArn": "dead"}, form_of("SourceArn")))
case("StartMessageMoveTask", "a destination that is no ARN", start(form_of("DestinationArn"), DestinationArn="dead"), queues=QUEUES)
case("StartMessageMoveTask", "without a source", call("StartMessageMoveTask", {}, errors.missing("SourceArn")))
case("StartMessageMoveTask", "what was sent to the dead-letter queue itself has nowhere to go back to", *sent("x", to=DEAD), start(), tasks(ended(
     "FAILED", to_move=1, FailureReason="CouldNotDetermineMessageSource"), until=True), receive({"Messages": [message()]}, of=DEAD), queues=QUEUES)

case("ListMessageMoveTasks", "a running task has its handle", *HELD, start(), tasks(RUNNING, until=True), queues=QUEUES)
case("ListMessageMoveTasks", "none yet", tasks(), queues=QUEUES)
MANY = [call("StartMessageMoveTask", {"SourceArn": SOURCE}, save="task"), tasks(ended(), until=True)]
case("ListMessageMoveTasks", "the latest, or as many as asked for, newest first", *MANY, start(DestinationArn=arn("other")),
     tasks(ended(DestinationArn=arn("other")), until=True),
     tasks(ended(DestinationArn=arn("other")), ended(), MaxResults=10), tasks(ended(DestinationArn=arn("other")), MaxResults=1), queues=QUEUES, limit="move task")
for count in (0, 11):
    case("ListMessageMoveTasks", f"{count} results", call("ListMessageMoveTasks", {"SourceArn": SOURCE, "MaxResults": count}, errors.parameter(
         "Value for parameter MaxResults is invalid. Reason: You must enter a number that's between 1 and 10.")), queues=QUEUES, limit="move task")
case("ListMessageMoveTasks", "a source that is not there", call("ListMessageMoveTasks", {"SourceArn": arn("none")}, NO_SOURCE), queues=QUEUES)
case("ListMessageMoveTasks", "a source that is no ARN", call("ListMessageMoveTasks", {"SourceArn": "dead"}, form_of("SourceArn")))
case("ListMessageMoveTasks", "without a source", call("ListMessageMoveTasks", {}, errors.missing("SourceArn")))


def cancel(handle, answer):
    return call("CancelMessageMoveTask", {"TaskHandle": handle}, answer)


case("CancelMessageMoveTask", "what is moved stays moved, the rest stays", *HELD, start(), tasks(RUNNING, until=True),
     cancel(saved("task.TaskHandle"), {"ApproximateNumberOfMessagesMoved": 1}),
     tasks(ended("CANCELLED", moved=1, to_move=2)), queues=QUEUES,
     differs="AWS may say CANCELLING for a while. Here the task has ended when the cancel is answered.")
case("CancelMessageMoveTask", "a task that has ended", *MANY, cancel(saved("task.TaskHandle"), errors.Refusal("ResourceNotFoundException",
     "Task does not exist or is not running: only a running task can be cancelled.")), queues=QUEUES)
for wrong in ("x", "eyJ0YXNrSWQiOiJ4In0="):
    case("CancelMessageMoveTask", f"a handle that is none: {wrong}", cancel(wrong, errors.parameter("Value for parameter TaskHandle is invalid.")))
NOBODYS = Later("handle", "dead")
case("CancelMessageMoveTask", "a task that never was", cancel(NOBODYS, errors.Refusal("ResourceNotFoundException", "Task does not exist.")), queues=QUEUES)
case("CancelMessageMoveTask", "without a handle", call("CancelMessageMoveTask", {}, errors.missing("TaskHandle")))
