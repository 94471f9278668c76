"""Attributes of queues: each one set, read, at its bounds and beyond them."""
import json

from sqs_table import errors
from sqs_table.case import Q, INTEGER, Later, Unordered, arn, call, case, name, received, saved, sent, url

DEFAULTS = {"VisibilityTimeout": "30", "DelaySeconds": "0", "ReceiveMessageWaitTimeSeconds": "0", "MessageRetentionPeriod": "345600",
     "MaximumMessageSize": "1048576",
            "SqsManagedSseEnabled": "false", "QueueArn": arn("q"), "ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0",
            "ApproximateNumberOfMessagesDelayed": "0", "CreatedTimestamp": INTEGER, "LastModifiedTimestamp": INTEGER}
BOUNDS = {"VisibilityTimeout": (0, 43200, "visibility"), "DelaySeconds": (0, 900, "delay"), "ReceiveMessageWaitTimeSeconds": (0, 20, "wait"),
          "MessageRetentionPeriod": (60, 1209600, "retention"), "MaximumMessageSize": (1024, 1048576, "message size"),
          "KmsDataKeyReusePeriodSeconds": (60, 86400, "KMS reuse period")}


def set_to(attributes, answer=None, of=Q):
    return call("SetQueueAttributes", {"QueueUrl": of, "Attributes": attributes}, {} if answer is None else answer)


def are(attributes, of=Q):
    return call("GetQueueAttributes", {"QueueUrl": of, "AttributeNames": list(attributes)}, {"Attributes": attributes})


def are_not(*names):
    return call("GetQueueAttributes", {"QueueUrl": Q, "AttributeNames": list(names)}, {})


case("GetQueueAttributes", "All of a new queue", call("GetQueueAttributes", {"QueueUrl": Q, "AttributeNames": ["All"]}, {"Attributes": DEFAULTS}),
     differs="`SqsManagedSseEnabled` is `true` at AWS until it is set, and `false` here: nothing is encrypted because of it.")
for one, value in DEFAULTS.items():
    case("GetQueueAttributes", f"{one} alone", call("GetQueueAttributes", {"QueueUrl": Q, "AttributeNames": [one]}, {"Attributes": {one: value}}))
case("GetQueueAttributes", "without names there are no attributes", call("GetQueueAttributes", {"QueueUrl": Q}, {}),
     call("GetQueueAttributes", {"QueueUrl": Q, "AttributeNames": []}, {}))
case("GetQueueAttributes", "a name and All together", call("GetQueueAttributes", {"QueueUrl": Q, "AttributeNames": ["QueueArn", "All"]}, {"Attributes": DEFAULTS}))
case("GetQueueAttributes", "what a standard queue does not have is left out",
     call("GetQueueAttributes", {"QueueUrl": Q, "AttributeNames": ["FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit", "Policy",
     "RedrivePolicy",
                                                                  "RedriveAllowPolicy", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "DelaySeconds"]},
          {"Attributes": {"DelaySeconds": "0"}}))
case("GetQueueAttributes", "a name that SQS does not know", call("GetQueueAttributes", {"QueueUrl": Q, "AttributeNames": ["Nonsense"]},
     errors.attribute_name("Nonsense")))
case("GetQueueAttributes", "messages are counted where they are", *sent("flying"), received(), *sent("late", DelaySeconds=900), *sent("one", "two"),
     are({"ApproximateNumberOfMessages": "2", "ApproximateNumberOfMessagesNotVisible": "1", "ApproximateNumberOfMessagesDelayed": "1"}))

for one, (least, most, limit) in BOUNDS.items():
    for value in (least, most):
        case("SetQueueAttributes", f"{one} of {value}", set_to({one: str(value)}), are({one: str(value)}), limit=limit)
        case("CreateQueue", f"{one} of {value}", are({one: str(value)}), call("CreateQueue", {"QueueName": name("q"), "Attributes": {one: str(value)}},
             {"QueueUrl": Q}),
             queues={"q": {one: str(value)}}, limit=limit)
    for value in (least - 1, most + 1, "x", "", "1.5", "99999999999999999999"):
        refused = errors.attribute_value(one)
        case("SetQueueAttributes", f"{one} of {value!r}", set_to({one: str(value)}, refused), limit=limit)
        case("CreateQueue", f"{one} of {value!r}", call("CreateQueue", {"QueueName": name("none"), "Attributes": {one: str(value)}}, refused),
             call("GetQueueUrl", {"QueueName": name("none")}, errors.NO_QUEUE), limit=limit)
case("SetQueueAttributes", "several at once", set_to({"VisibilityTimeout": "7", "DelaySeconds": "8"}), are({"VisibilityTimeout": "7", "DelaySeconds": "8"}))
case("SetQueueAttributes", "of several none is set when one is wrong", set_to({"VisibilityTimeout": "7", "DelaySeconds": "901"},
     errors.attribute_value("DelaySeconds")),
     are({"VisibilityTimeout": "30", "DelaySeconds": "0"}))
case("SetQueueAttributes", "without attributes", call("SetQueueAttributes", {"QueueUrl": Q}, errors.missing("Attribute.Name")))
for one in ("Nonsense", "QueueArn", "ApproximateNumberOfMessages", "CreatedTimestamp", "All"):
    case("SetQueueAttributes", f"{one} cannot be set", set_to({one: "x"}, errors.attribute_name(one)))
for one in ("FifoQueue", "ContentBasedDeduplication"):
    for value in ("true", "false"):
        case("SetQueueAttributes", f"{one} {value} on a standard queue", set_to({one: value}, errors.attribute_name(one)))
for one, value in (("FifoQueue", "false"), ("ContentBasedDeduplication", "true"), ("ContentBasedDeduplication", "false")):
    case("CreateQueue", f"{one} {value} on a standard name", call("CreateQueue", {"QueueName": name("none"), "Attributes": {one: value}},
         errors.attribute_name(one)))
for one, value in (("DeduplicationScope", "queue"), ("FifoThroughputLimit", "perQueue")):
    refused = errors.Refusal("InvalidAttributeValue", f"You can specify the {one} only when FifoQueue is set to true.")
    case("CreateQueue", f"{one} on a standard name", call("CreateQueue", {"QueueName": name("none"), "Attributes": {one: value}}, refused))
    case("SetQueueAttributes", f"{one} on a standard queue", set_to({one: value}, refused))

STATEMENT = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}


def policy(*statements, **more):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements), **more})


POLICY = policy(STATEMENT)
KEPT = {"KmsMasterKeyId": "alias/aws/sqs", "SqsManagedSseEnabled": "true", "Policy": POLICY}
for one, value in KEPT.items():
    case("SetQueueAttributes", f"{one} is kept", set_to({one: value}), are({one: value}),
         differs="Obeyed where requests are verified, with accounts and keys of this server for principals; kept and given back elsewhere." if one == "Policy" else
         f"`{one}` is kept and given back, and nothing follows from it.")
    case("CreateQueue", f"{one} is kept", are({one: value}), call("CreateQueue", {"QueueName": name("q"), "Attributes": {one: value}}, {"QueueUrl": Q}),
         queues={"q": {one: value}})
case("SetQueueAttributes", "KmsMasterKeyId and SqsManagedSseEnabled together", set_to({"KmsMasterKeyId": "alias/aws/sqs", "SqsManagedSseEnabled": "true"}),
     are({"KmsMasterKeyId": "alias/aws/sqs", "SqsManagedSseEnabled": "true"}),
     differs="At AWS they exclude each other. Here neither has an effect, and both are kept.")
for one in ("Policy", "KmsMasterKeyId"):
    case("SetQueueAttributes", f"an empty {one} takes it away", set_to({one: KEPT[one]}), set_to({one: ""}), are_not(one))
case("SetQueueAttributes", "a reuse period of 300 is the default and not shown", set_to({"KmsDataKeyReusePeriodSeconds": "60"}),
     set_to({"KmsDataKeyReusePeriodSeconds": "300"}),
     are_not("KmsDataKeyReusePeriodSeconds"))
for value in ("True", "FALSE"):
    case("SetQueueAttributes", f"{value} is kept in lower case", set_to({"SqsManagedSseEnabled": value}), are({"SqsManagedSseEnabled": value.lower()}))
case("SetQueueAttributes", "SqsManagedSseEnabled that is neither true nor false", set_to({"SqsManagedSseEnabled": "maybe"},
     errors.attribute_value("SqsManagedSseEnabled")))
def bad_policy(reason):
    return errors.Refusal("InvalidAttributeValue", f"Invalid value for the parameter Policy. Reason: {reason}")


def principals(count):
    return {**STATEMENT, "Principal": {"AWS": [f"{n:012}" for n in range(count)]}}


def conditions(count):
    return {**STATEMENT, "Condition": {"StringEquals": {f"aws:PrincipalTag/k{n}": "x" for n in range(count)}}}


NO_POLICY = {"[]": "It must be an object with a Statement.", "{}": "It must be an object with a Statement.",
     '{"Statement":[]}': "Its Statement must be a list of statements.",
             '{"Statement":[{"Effect":"Allow"}]}': "A statement must have Effect, Principal and Action.",
             policy(STATEMENT, Version="2020-01-01"): "Its Version must be 2012-10-17 or 2008-10-17.",
             policy(STATEMENT, Nonsense="x"): "It has no element Nonsense."}
for value, reason in NO_POLICY.items():
    case("SetQueueAttributes", f"a Policy that is none: {value[:40]} ({reason})", set_to({"Policy": value}, bad_policy(reason)),
         differs="AWS says what is wrong in other words." if value == "[]" else None)
SIZED = {"20 statements": policy(*[STATEMENT] * 20), "50 principals": policy(principals(50)), "10 conditions": policy(conditions(10)),
         "8,192 bytes": policy(STATEMENT, Id=(8192 - len(policy(STATEMENT, Id=""))) * "x")}
for what, value in SIZED.items():
    case("SetQueueAttributes", f"a Policy of {what}", set_to({"Policy": value}), are({"Policy": value}), limit="policy")
BEYOND = {"It has more than 20 statements.": policy(*[STATEMENT] * 21), "It has more than 50 principals.": policy(principals(51)),
          "It has more than 10 conditions.": policy(conditions(11)), "It is longer than 8192 bytes.": policy(STATEMENT,
          Id=(8193 - len(policy(STATEMENT, Id=""))) * "x")}
for reason, value in BEYOND.items():
    case("SetQueueAttributes", f"a Policy beyond a limit: {reason}", set_to({"Policy": value}, bad_policy(reason)), limit="policy")


def redrive(count, dead="dead"):
    return Later("arn", dead, json.dumps({"deadLetterTargetArn": "{}", "maxReceiveCount": count}, separators=(",", ":")))


DEAD = {"dead": {}, "q": {}}
for count in (1, 1000):
    case("SetQueueAttributes", f"a RedrivePolicy of {count} receives", set_to({"RedrivePolicy": redrive(count)}), are({"RedrivePolicy": redrive(count)}),
         queues=DEAD, limit="maxReceiveCount")
case("SetQueueAttributes", "the count of a RedrivePolicy as text is kept as a number", set_to({"RedrivePolicy": redrive("5")}), are({"RedrivePolicy": redrive(5)}),
     queues=DEAD)
case("CreateQueue", "with a RedrivePolicy", are({"RedrivePolicy": redrive(5)}, of=url("a")),
     call("CreateQueue", {"QueueName": name("a"), "Attributes": {"RedrivePolicy": redrive(5)}}, {"QueueUrl": url("a")}),
     queues={"dead": {}, "a": {"RedrivePolicy": redrive(5)}})
case("SetQueueAttributes", "an empty RedrivePolicy takes it away", set_to({"RedrivePolicy": redrive(5)}), set_to({"RedrivePolicy": ""}), are_not("RedrivePolicy"),
     queues=DEAD)


def bad_redrive(given, reason):
    text = given.form if isinstance(given, Later) else given
    refusal = errors.value(text, "RedrivePolicy", reason)
    return errors.about(given, refusal) if isinstance(given, Later) else refusal


for count in (0, 1001):
    case("SetQueueAttributes", f"a RedrivePolicy of {count} receives", set_to({"RedrivePolicy": redrive(count)}, bad_redrive(redrive(count),
         f"Invalid value for maxReceiveCount: {count}, valid values are from 1 to 1000 both inclusive.")), queues=DEAD, limit="maxReceiveCount")
case("SetQueueAttributes", "a RedrivePolicy that is no JSON", set_to({"RedrivePolicy": "{"},
     bad_redrive("{", "Amazon SQS can't create the redrive policy, as it's in an unsupported format.")))
case("SetQueueAttributes", "a RedrivePolicy without its target", set_to({"RedrivePolicy": '{"maxReceiveCount":5}'},
     bad_redrive('{"maxReceiveCount":5}', "Redrive policy does not contain mandatory attribute: deadLetterTargetArn.")))
NO_COUNT = Later("arn", "dead", '{"deadLetterTargetArn":"{}"}')
case("SetQueueAttributes", "a RedrivePolicy without its count", set_to({"RedrivePolicy": NO_COUNT},
     bad_redrive(NO_COUNT, "Redrive policy does not contain mandatory attribute: maxReceiveCount.")))
case("SetQueueAttributes", "a RedrivePolicy to what is no ARN", set_to({"RedrivePolicy": '{"deadLetterTargetArn":"dead","maxReceiveCount":5}'},
     bad_redrive('{"deadLetterTargetArn":"dead","maxReceiveCount":5}', "Invalid value for deadLetterTargetArn.")))
NOWHERE = bad_redrive(redrive(5, "none"), "Dead letter target does not exist.")
case("SetQueueAttributes", "a RedrivePolicy to a queue that is not there", set_to({"RedrivePolicy": redrive(5, "none")}, NOWHERE))
case("CreateQueue", "with a RedrivePolicy to a queue that is not there", call("CreateQueue",
     {"QueueName": name("a"), "Attributes": {"RedrivePolicy": redrive(5, "none")}}, NOWHERE))
case("SetQueueAttributes", "a RedrivePolicy to the queue itself", set_to({"RedrivePolicy": redrive(5, "q")},
     bad_redrive(redrive(5, "q"), "Dead letter target does not exist.")))


def allow(permission, *sources):
    """A RedriveAllowPolicy; {} stands for the ARN of q."""
    return Later("arn", "q", json.dumps({"redrivePermission": permission, **({"sourceQueueArns": list(sources)} if sources else {})}))


def bad_allow(reason):
    return errors.Refusal("InvalidAttributeValue", f"Invalid value for the parameter RedriveAllowPolicy. Reason: {reason}")


ELSEWHERE = "arn:aws:sqs:us-east-1:123456789012:elsewhere"
for policy in (allow("allowAll"), allow("denyAll"), allow("byQueue", "{}"), allow("byQueue", *([ELSEWHERE] * 10))):
    what = json.loads(policy.form)
    case("SetQueueAttributes", f"RedriveAllowPolicy {what['redrivePermission']} of {len(what.get('sourceQueueArns', []))}", set_to({"RedriveAllowPolicy": policy}),
         are({"RedriveAllowPolicy": policy}), limit="RedriveAllowPolicy")
case("CreateQueue", "with a RedriveAllowPolicy", are({"RedriveAllowPolicy": allow("denyAll")}),
     call("CreateQueue", {"QueueName": name("q"), "Attributes": {"RedriveAllowPolicy": allow("denyAll")}}, {"QueueUrl": Q}),
     queues={"q": {"RedriveAllowPolicy": allow("denyAll")}})
case("SetQueueAttributes", "an empty RedriveAllowPolicy takes it away", set_to({"RedriveAllowPolicy": allow("denyAll")}), set_to({"RedriveAllowPolicy": ""}),
     are_not("RedriveAllowPolicy"))
LIST = "The redrivePermission byQueue needs sourceQueueArns, a list of 1 to 10."
WRONG = {"{": "It must be a JSON object.", "[]": "It must be a JSON object.",
     '{"redrivePermission":"some"}': "redrivePermission must be allowAll, denyAll or byQueue.",
         '{"redrivePermission":"byQueue"}': LIST, '{"redrivePermission":"byQueue","sourceQueueArns":[]}': LIST, allow("byQueue", *([ELSEWHERE] * 11)).form: LIST,
         allow("byQueue", "q").form: "sourceQueueArns must be ARNs of queues.", allow("denyAll",
         ELSEWHERE).form: "sourceQueueArns is only for the redrivePermission byQueue."}
for policy, reason in WRONG.items():
    case("SetQueueAttributes", f"a RedriveAllowPolicy that is none: {policy[:60]} of {len(policy)}", set_to({"RedriveAllowPolicy": policy}, bad_allow(reason)),
         limit="RedriveAllowPolicy",
         differs="AWS's sentence is not on record." if policy == "{" else None)
NOT_ALLOWED = bad_redrive(redrive(5), "The RedriveAllowPolicy of the dead-letter queue does not allow this source queue.")
for what, policy, answer in (("allowAll", allow("allowAll"), None), ("denyAll", allow("denyAll"), NOT_ALLOWED), ("byQueue, this one", allow("byQueue", "{}"), None),
                             ("byQueue, another", allow("byQueue", ELSEWHERE), NOT_ALLOWED)):
    case("SetQueueAttributes", f"a RedrivePolicy to a queue that has RedriveAllowPolicy {what}", set_to({"RedrivePolicy": redrive(5)}, answer),
         queues={"dead": {"RedriveAllowPolicy": policy}, "q": {}}, limit="RedriveAllowPolicy")
