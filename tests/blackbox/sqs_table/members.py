"""The 23 actions of Amazon SQS with every member of their requests and answers, after its public service models.

A member of a list's or map's entries is written behind its collection: `Entries.Id`. Where AWS names what may stand in a map or
list (the attributes of a queue, those of a message), each name is a member: `Attributes.DelaySeconds`, `AttributeNames.QueueArn`.
"""

SETTABLE = ("DelaySeconds MaximumMessageSize MessageRetentionPeriod Policy ReceiveMessageWaitTimeSeconds RedrivePolicy RedriveAllowPolicy "
            "VisibilityTimeout KmsMasterKeyId KmsDataKeyReusePeriodSeconds SqsManagedSseEnabled FifoQueue ContentBasedDeduplication "
            "DeduplicationScope FifoThroughputLimit").split()
TOLD = ("QueueArn ApproximateNumberOfMessages ApproximateNumberOfMessagesNotVisible ApproximateNumberOfMessagesDelayed CreatedTimestamp "
        "LastModifiedTimestamp").split()
OF_A_MESSAGE = ("SenderId SentTimestamp ApproximateReceiveCount ApproximateFirstReceiveTimestamp SequenceNumber MessageDeduplicationId "
                "MessageGroupId AWSTraceHeader DeadLetterQueueSourceArn").split()
VALUE = "DataType StringValue BinaryValue StringListValues BinaryListValues".split()


def below(collection, names):
    return [collection, *(f"{collection}.{name}" for name in names)]


def named(names):
    return below("AttributeNames", ["All", *names])


MESSAGE = ["MessageBody", "DelaySeconds", *below("MessageAttributes", VALUE),
           *below("MessageSystemAttributes", ["AWSTraceHeader", *(f"AWSTraceHeader.{name}" for name in VALUE)]), "MessageDeduplicationId", "MessageGroupId"]
SENT = "MessageId MD5OfMessageBody MD5OfMessageAttributes MD5OfMessageSystemAttributes SequenceNumber".split()
FAILED = below("Failed", "Id SenderFault Code Message".split())
RECEIVED = ["MessageId", "ReceiptHandle", "MD5OfBody", "Body", *below("Attributes", OF_A_MESSAGE), "MD5OfMessageAttributes",
            *below("MessageAttributes", VALUE)]
TASK = ("TaskHandle Status SourceArn DestinationArn MaxNumberOfMessagesPerSecond ApproximateNumberOfMessagesMoved "
        "ApproximateNumberOfMessagesToMove FailureReason StartedTimestamp").split()

# action: (members of the request, members of the answer)
ACTIONS = {
    "AddPermission": (["QueueUrl", "Label", "AWSAccountIds", "Actions"], []),
    "CancelMessageMoveTask": (["TaskHandle"], ["ApproximateNumberOfMessagesMoved"]),
    "ChangeMessageVisibility": (["QueueUrl", "ReceiptHandle", "VisibilityTimeout"], []),
    "ChangeMessageVisibilityBatch": (["QueueUrl", *below("Entries", ["Id", "ReceiptHandle", "VisibilityTimeout"])], [*below("Successful", ["Id"]), *FAILED]),
    "CreateQueue": (["QueueName", *below("Attributes", SETTABLE), "tags"], ["QueueUrl"]),
    "DeleteMessage": (["QueueUrl", "ReceiptHandle"], []),
    "DeleteMessageBatch": (["QueueUrl", *below("Entries", ["Id", "ReceiptHandle"])], [*below("Successful", ["Id"]), *FAILED]),
    "DeleteQueue": (["QueueUrl"], []),
    "GetQueueAttributes": (["QueueUrl", *named(SETTABLE + TOLD)], below("Attributes", SETTABLE + TOLD)),
    "GetQueueUrl": (["QueueName", "QueueOwnerAWSAccountId"], ["QueueUrl"]),
    "ListDeadLetterSourceQueues": (["QueueUrl", "NextToken", "MaxResults"], ["queueUrls", "NextToken"]),
    "ListMessageMoveTasks": (["SourceArn", "MaxResults"], below("Results", TASK)),
    "ListQueueTags": (["QueueUrl"], ["Tags"]),
    "ListQueues": (["QueueNamePrefix", "NextToken", "MaxResults"], ["QueueUrls", "NextToken"]),
    "PurgeQueue": (["QueueUrl"], []),
    "ReceiveMessage": (["QueueUrl", *named(OF_A_MESSAGE), *below("MessageSystemAttributeNames", ["All", *OF_A_MESSAGE]), "MessageAttributeNames",
                        "MaxNumberOfMessages", "VisibilityTimeout", "WaitTimeSeconds", "ReceiveRequestAttemptId"], below("Messages", RECEIVED)),
    "RemovePermission": (["QueueUrl", "Label"], []),
    "SendMessage": (["QueueUrl", *MESSAGE], SENT),
    "SendMessageBatch": (["QueueUrl", *below("Entries", ["Id", *MESSAGE])], [*below("Successful", ["Id", *SENT]), *FAILED]),
    "SetQueueAttributes": (["QueueUrl", *below("Attributes", SETTABLE)], []),
    "StartMessageMoveTask": (["SourceArn", "DestinationArn", "MaxNumberOfMessagesPerSecond"], ["TaskHandle"]),
    "TagQueue": (["QueueUrl", "Tags"], []),
    "UntagQueue": (["QueueUrl", "TagKeys"], []),
}

# Of answers: what AWS reserves and never sends.
NEVER = {"Messages.MessageAttributes.StringListValues", "Messages.MessageAttributes.BinaryListValues"}
# Maps whose keys are the caller's own, and so no members.
OWN_KEYS = {"MessageAttributes", "Tags", "tags"}
# Lists of names that AWS defines.
NAMES = {"AttributeNames", "MessageSystemAttributeNames"}


def used(value, at=""):
    """The members that a request or an answer uses, as in ACTIONS."""
    found = set()
    if isinstance(value, dict):
        collection = at.rsplit(".", 1)[-1]
        for name, inner in value.items():
            if collection in OWN_KEYS and isinstance(inner, dict):
                found |= {f"{at}.{member}" for member in inner}
            elif collection not in OWN_KEYS:
                path = f"{at}.{name}" if at else name
                found |= {path} | used(inner, path)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            is_name = at.rsplit(".", 1)[-1] in NAMES and isinstance(inner, str)
            found |= {f"{at}.{inner}"} if is_name else used(inner, at)
    return found
