"""AddPermission and RemovePermission: statements of the queue's policy."""
import json

from sqs_table import errors
from sqs_table.case import ACCOUNT, Later, Q, call, case
from sqs_table.cases_attributes import are_not

OTHER = "111122223333"


def add(label, answer=None, accounts=(OTHER,), actions=("SendMessage",)):
    return call("AddPermission", {"QueueUrl": Q, "Label": label, "AWSAccountIds": list(accounts), "Actions": list(actions)}, {} if answer is None else answer)


def remove(label, answer=None):
    return call("RemovePermission", {"QueueUrl": Q, "Label": label}, {} if answer is None else answer)


def statement(label, accounts, actions):
    return {"Sid": label, "Effect": "Allow", "Principal": {"AWS": accounts}, "Action": actions, "Resource": "{}"}


def policy_is(*statements):
    policy = json.dumps({"Version": "2008-10-17", "Id": "{}/SQSDefaultPolicy", "Statement": list(statements)}, separators=(",", ":"))
    return call("GetQueueAttributes", {"QueueUrl": Q, "AttributeNames": ["Policy"]}, {"Attributes": {"Policy": Later("arn", "q", policy)}})


def of_label(given, reason):
    return errors.value(given, "Label", reason)


ROOT = f"arn:aws:iam::{OTHER}:root"
ONE = statement("one", ROOT, "SQS:SendMessage")
case("AddPermission", "the policy is written as AWS writes it", add("one"), policy_is(ONE))
case("AddPermission", "several accounts and actions are lists", add("two", accounts=(OTHER, ACCOUNT), actions=("ReceiveMessage", "*")),
     policy_is(statement("two", [ROOT, f"arn:aws:iam::{ACCOUNT}:root"], ["SQS:ReceiveMessage", "SQS:*"])))
case("AddPermission", "a label that is there already", add("one"), add("one", of_label("one", "Already exists.")))
LABEL_RULE = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length."
case("AddPermission", "a label of 80 characters", add(76 * "x" + "A0-_"), limit="policy")
for label in (81 * "x", "a b", "ü"):
    case("AddPermission", f"a label that is none: {label[:12]} of {len(label)}", add(label, of_label(label, LABEL_RULE)), limit="policy")
SEVEN = ["SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes", "GetQueueUrl", "PurgeQueue"]
case("AddPermission", "seven actions", add("a", actions=SEVEN), limit="policy")
case("AddPermission", "eight actions", add("a", errors.Refusal("OverLimit", "8 Actions were found, maximum allowed is 7."), actions=[*SEVEN, "*"]), limit="policy")
case("AddPermission", "twenty statements", *(add(f"n{n}") for n in range(20)),
     add("n20", errors.Refusal("OverLimit", "21 Statements were found, maximum allowed is 20.")), limit="policy")
case("AddPermission", "an action that only the owner may do", add("a", errors.value("SQS:RemovePermission", "ActionName",
     "Only the queue owner is allowed to invoke this action."), actions=["RemovePermission"]))
case("AddPermission", "an action that SQS does not know", add("a", errors.value("SQS:Sing", "ActionName",
     "Please refer to the appropriate WSDL for a list of valid actions."), actions=["Sing"]))
case("AddPermission", "an account that is none", add("a", errors.value("[12]", "PrincipalId", "Unable to verify."), accounts=["12"]),
     differs="AWS refuses an account that does not exist. Here any account of 12 digits is taken.")
case("AddPermission", "without accounts", call("AddPermission", {"QueueUrl": Q, "Label": "a", "Actions": ["SendMessage"]},
     errors.value("[]", "PrincipalId", "Unable to verify.")))
case("AddPermission", "without actions", call("AddPermission", {"QueueUrl": Q, "Label": "a", "AWSAccountIds": [OTHER]}, errors.missing("Actions")))
case("AddPermission", "without a label", call("AddPermission", {"QueueUrl": Q, "AWSAccountIds": [OTHER], "Actions": ["SendMessage"]}, errors.missing("Label")))
case("RemovePermission", "the statement of the label goes, and the policy with the last", add("one"), add("two"), remove("two"), policy_is(ONE),
     remove("one"), are_not("Policy"))
case("RemovePermission", "a label that is not there", add("one"), remove("two", of_label("two", "can't find label.")))
case("RemovePermission", "without a label", call("RemovePermission", {"QueueUrl": Q}, errors.missing("Label")))
