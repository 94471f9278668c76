"""Queues: made, found, listed, purged, deleted; tags."""
from sqs_table import errors
from sqs_table.case import Q, Having, Later, Matches, SomeOf, call, case, name, received, saved, sent, url

NAME_RULE = errors.parameter("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
EXISTS = "A queue already exists with the same name and a different value for attribute {}"
GONE = errors.NO_QUEUE


def url_at(label):
    return Later("future_url", label)


case("CreateQueue", "a queue is made, and its url is made of the host that the client called",
     call("CreateQueue", {"QueueName": name("new")}, {"QueueUrl": url_at("new")}),
     call("GetQueueUrl", {"QueueName": name("new")}, {"QueueUrl": url_at("new")}),
     call("DeleteQueue", {"QueueUrl": url_at("new")}, {}))
case("CreateQueue", "the same queue again is the same queue",
     call("CreateQueue", {"QueueName": name("q"), "Attributes": {"VisibilityTimeout": "5"}}, {"QueueUrl": Q}),
     call("CreateQueue", {"QueueName": name("q"), "Attributes": {"VisibilityTimeout": "5"}}, {"QueueUrl": Q}),
     call("CreateQueue", {"QueueName": name("q")}, {"QueueUrl": Q}), queues={"q": {"VisibilityTimeout": "5"}})
case("CreateQueue", "the same queue with other tags is the same queue and keeps its tags",
     call("TagQueue", {"QueueUrl": Q, "Tags": {"a": "b"}}), call("CreateQueue", {"QueueName": name("q"), "tags": {"c": "d"}}, {"QueueUrl": Q}),
     call("ListQueueTags", {"QueueUrl": Q}, {"Tags": {"a": "b"}}))
case("CreateQueue", "the same name with another attribute is refused",
     call("CreateQueue", {"QueueName": name("q"), "Attributes": {"VisibilityTimeout": "6"}}, errors.Refusal("QueueNameExists", EXISTS.format("VisibilityTimeout"))),
     queues={"q": {"VisibilityTimeout": "5"}})
case("CreateQueue", "tags are kept", call("CreateQueue", {"QueueName": name("tagged"), "tags": {"team": "core", "empty": ""}}, {"QueueUrl": url_at("tagged")}),
     call("ListQueueTags", {"QueueUrl": url_at("tagged")}, {"Tags": {"empty": "", "team": "core"}}), call("DeleteQueue", {"QueueUrl": url_at("tagged")}))
case("CreateQueue", "a name of 80 characters", call("CreateQueue", {"QueueName": name("", "{}" + 62 * "x")}, {"QueueUrl": Matches("http://.*" + 62 * "x")},
     save="long"),
     call("DeleteQueue", {"QueueUrl": saved("long.QueueUrl")}), limit="queue name")
case("CreateQueue", "a name of 81 characters", call("CreateQueue", {"QueueName": 81 * "x"}, NAME_RULE), limit="queue name")
for wrong in ("with space", "dot.dot", "slash/", "ü", "x.fifo.x"):
    case("CreateQueue", f"a name that is none: {wrong}", call("CreateQueue", {"QueueName": wrong}, NAME_RULE), limit="queue name")
case("CreateQueue", "without a name", call("CreateQueue", {}, errors.missing("QueueName")))
case("CreateQueue", "a name that ends in .fifo without FifoQueue", call("CreateQueue", {"QueueName": name("x.fifo")}, NAME_RULE))
case("CreateQueue", "every character of a name", call("CreateQueue", {"QueueName": name("AZaz09_-")}, {"QueueUrl": url_at("AZaz09_-")}),
     call("DeleteQueue", {"QueueUrl": url_at("AZaz09_-")}))

case("GetQueueUrl", "a queue is found by its name", call("GetQueueUrl", {"QueueName": name("q")}, {"QueueUrl": Q}), queues={"q": {}})
case("GetQueueUrl", "the owner's account may be said", 
     call("GetQueueUrl", {"QueueName": name("q"), "QueueOwnerAWSAccountId": "123456789012"}, {"QueueUrl": Q}), queues={"q": {}})
case("GetQueueUrl", "a queue that is not there", call("GetQueueUrl", {"QueueName": name("none")}, GONE))
case("GetQueueUrl", "a name that is none", call("GetQueueUrl", {"QueueName": "a b"}, GONE))
case("GetQueueUrl", "without a name", call("GetQueueUrl", {}, errors.missing("QueueName")))

LISTED = {"a": {}, "b": {}, "c": {}}
case("ListQueues", "by the beginning of the name, in order", call("ListQueues", {"QueueNamePrefix": name("")}, {"QueueUrls": [url("a"), url("b"), url("c")]}),
     queues=LISTED)
case("ListQueues", "page by page", call("ListQueues", {"QueueNamePrefix": name(""), "MaxResults": 2},
     {"QueueUrls": [url("a"), url("b")], "NextToken": Matches(".+")}, save="page"),
     call("ListQueues", {"QueueNamePrefix": name(""), "MaxResults": 2, "NextToken": saved("page.NextToken")}, {"QueueUrls": [url("c")]}), queues=LISTED)
case("ListQueues", "a page that holds all has no token", call("ListQueues", {"QueueNamePrefix": name(""), "MaxResults": 3},
     {"QueueUrls": [url("a"), url("b"), url("c")]}), queues=LISTED)
case("ListQueues", "nothing found is no list", call("ListQueues", {"QueueNamePrefix": name("none")}, {}))
case("ListQueues", "without anything, all", call("ListQueues", {}, {"QueueUrls": Having(Q)}), queues={"q": {}})
for count in (1, 1000):
    case("ListQueues", f"{count} results at most", call("ListQueues", {"QueueNamePrefix": name(""), "MaxResults": count}, SomeOf({"QueueUrls": [url("a")]})),
         queues={"a": {}}, limit="list")
for count in (0, 1001):
    case("ListQueues", f"{count} results are refused",
         call("ListQueues", {"MaxResults": count}, errors.value(count, "MaxResults", "Must be between 1 and 1000, if provided.")), limit="list")
case("ListQueues", "a token that is none", call("ListQueues", {"MaxResults": 1, "NextToken": "?"}, errors.value("?", "NextToken", "Not a token of this service.")))

REDRIVE = {"RedrivePolicy": Later("arn", "dead", '{"deadLetterTargetArn":"{}","maxReceiveCount":3}')}
SOURCES = {"dead": {}, "a": REDRIVE, "b": REDRIVE, "other": {}}
case("ListDeadLetterSourceQueues", "the queues whose dead letters come here", call("ListDeadLetterSourceQueues", {"QueueUrl": url("dead")},
     {"queueUrls": [url("a"), url("b")]}), queues=SOURCES)
case("ListDeadLetterSourceQueues", "page by page",
     call("ListDeadLetterSourceQueues", {"QueueUrl": url("dead"), "MaxResults": 1}, {"queueUrls": [url("a")], "NextToken": Matches(".+")}, save="page"),
     call("ListDeadLetterSourceQueues", {"QueueUrl": url("dead"), "MaxResults": 1, "NextToken": saved("page.NextToken")}, {"queueUrls": [url("b")]}), queues=SOURCES)
case("ListDeadLetterSourceQueues", "of nobody: the list is there and empty in JSON", call("ListDeadLetterSourceQueues", {"QueueUrl": url("other")},
     {"queueUrls": []}),
     queues=SOURCES, wires=("json", "json at the queue"))
case("ListDeadLetterSourceQueues", "of nobody: nothing is there in XML", call("ListDeadLetterSourceQueues", {"QueueUrl": url("other")}, {}),
     queues=SOURCES, wires=("query", "query at the queue", "query by GET"))
for count in (0, 1001):
    case("ListDeadLetterSourceQueues", f"{count} results are refused", call("ListDeadLetterSourceQueues", {"QueueUrl": Q, "MaxResults": count},
         errors.value(count, "MaxResults", "Must be between 1 and 1000, if provided.")), limit="list")

COUNTS = {f"ApproximateNumberOfMessages{state}": "0" for state in ("", "NotVisible", "Delayed")}
BUSY = Later("name", "q", "Only one PurgeQueue operation on {} is allowed every 60 seconds.")
case("DeleteQueue", "a queue and its messages are gone, and its name is taken for 60 seconds", *sent("x"), call("DeleteQueue", {"QueueUrl": Q}, {}),
     call("ListQueues", {"QueueNamePrefix": name("q")}, {}), cool_off=True)
case("CreateQueue", "within 60 seconds of the delete of its name", call("DeleteQueue", {"QueueUrl": Q}, {}), call("CreateQueue", {"QueueName": name("q")},
     errors.Refusal("QueueDeletedRecently", "You must wait 60 seconds after deleting a queue before you can create another with the same name.")), cool_off=True)
case("DeleteQueue", "without a cool-off its name is free at once", *sent("x"), call("DeleteQueue", {"QueueUrl": Q}, {}),
     call("CreateQueue", {"QueueName": name("q")}, {"QueueUrl": Q}), call("ReceiveMessage", {"QueueUrl": Q}, {}),
     differs="`[sqs] cool_off = false` leaves AWS's 60 seconds out: the delete is done when it is answered. With it, and by default in `forebay serve`, it is as on AWS.")
case("PurgeQueue", "what is ready, in flight or delayed is gone", *sent("flying"), received(), *sent("ready"), *sent("late", DelaySeconds=900),
     call("PurgeQueue", {"QueueUrl": Q}, {}), call("GetQueueAttributes", {"QueueUrl": Q, "AttributeNames": list(COUNTS)}, {"Attributes": COUNTS}))
case("PurgeQueue", "a second purge within 60 seconds", call("PurgeQueue", {"QueueUrl": Q}, {}),
     call("PurgeQueue", {"QueueUrl": Q}, errors.Refusal("PurgeQueueInProgress", BUSY)), cool_off=True)
case("PurgeQueue", "without a cool-off a purge may follow at once", call("PurgeQueue", {"QueueUrl": Q}, {}), call("PurgeQueue", {"QueueUrl": Q}, {}),
     differs="`[sqs] cool_off = false` leaves AWS's 60 seconds out.")
case("PurgeQueue", "what is sent after the purge stays", *sent("x"), call("PurgeQueue", {"QueueUrl": Q}, {}), *sent("y"),
     call("ReceiveMessage", {"QueueUrl": Q}, {"Messages": [SomeOf({"Body": "y"})]}))

case("TagQueue", "tags are added and replaced", call("TagQueue", {"QueueUrl": Q, "Tags": {"a": "1", "ü": "€ = +-_.:/@"}}, {}),
     call("TagQueue", {"QueueUrl": Q, "Tags": {"a": "2", "b": ""}}, {}),
     call("ListQueueTags", {"QueueUrl": Q}, {"Tags": {"a": "2", "b": "", "ü": "€ = +-_.:/@"}}))
case("TagQueue", "a key of 128 and a value of 256 characters", call("TagQueue", {"QueueUrl": Q, "Tags": {128 * "k": 256 * "v"}}, {}), limit="tags")
TAG_KEY = errors.parameter("Tag keys must be between 1 and 128 characters in length.")
case("TagQueue", "a key of 129 characters", call("TagQueue", {"QueueUrl": Q, "Tags": {129 * "k": "v"}}, TAG_KEY), limit="tags")
case("TagQueue", "an empty key", call("TagQueue", {"QueueUrl": Q, "Tags": {"": "v"}}, TAG_KEY), limit="tags")
case("TagQueue", "a value of 257 characters", call("TagQueue", {"QueueUrl": Q, "Tags": {"k": 257 * "v"}},
     errors.parameter("Tag values must be between 0 and 256 characters in length.")), limit="tags")
case("TagQueue", "a key that AWS reserves", call("TagQueue", {"QueueUrl": Q, "Tags": {"aws:x": "v"}},
     errors.parameter("Tag keys must not start with aws:, which AWS reserves.")), limit="tags")
FIFTY = {f"k{n:02}": "v" for n in range(50)}
case("TagQueue", "50 tags", call("TagQueue", {"QueueUrl": Q, "Tags": FIFTY}, {}), call("ListQueueTags", {"QueueUrl": Q}, {"Tags": FIFTY}), limit="tags")
case("TagQueue", "51 tags", call("TagQueue", {"QueueUrl": Q, "Tags": {**FIFTY, "k50": "v"}},
     errors.parameter("Too many tags added for queue: at most 50 are allowed.")), limit="tags")
case("TagQueue", "a 51st tag", call("TagQueue", {"QueueUrl": Q, "Tags": FIFTY}), call("TagQueue", {"QueueUrl": Q, "Tags": {"k50": "v"}},
     errors.parameter("Too many tags added for queue: at most 50 are allowed.")), limit="tags")
case("TagQueue", "without tags", call("TagQueue", {"QueueUrl": Q}, errors.missing("Tags")))
case("UntagQueue", "tags are taken away, also what is not there", call("TagQueue", {"QueueUrl": Q, "Tags": {"a": "1", "b": "2"}}),
     call("UntagQueue", {"QueueUrl": Q, "TagKeys": ["a", "none"]}, {}),
     call("ListQueueTags", {"QueueUrl": Q}, {"Tags": {"b": "2"}}))
case("UntagQueue", "without keys", call("UntagQueue", {"QueueUrl": Q}, errors.missing("TagKeys")))
case("ListQueueTags", "without tags there are none", call("ListQueueTags", {"QueueUrl": Q}, {}))
