"""Every error of SQS: its shape, its code in Query and in x-amzn-query-error, its status; and AWS's sentences."""
import dataclasses

from sqs_table import wire

PREFIX = "AWS.SimpleQueueService."
CORAL, SQS = "com.amazon.coral.service#", "com.amazonaws.sqs#"
# shape: (query code, status, namespace)
SHAPES = {
    "QueueDoesNotExist": (PREFIX + "NonExistentQueue", 400, SQS),
    "QueueNameExists": ("QueueAlreadyExists", 400, SQS),
    **{shape: (PREFIX + shape, 400, SQS) for shape in ("BatchEntryIdsNotDistinct", "BatchRequestTooLong", "EmptyBatchRequest", "InvalidBatchEntryId",
                                                      "TooManyEntriesInBatchRequest", "UnsupportedOperation")},
    "QueueDeletedRecently": (PREFIX + "QueueDeletedRecently", 400, SQS),
    "PurgeQueueInProgress": (PREFIX + "PurgeQueueInProgress", 403, SQS),
    "OverLimit": ("OverLimit", 403, SQS),
    "ResourceNotFoundException": ("ResourceNotFoundException", 404, SQS),
    **{shape: (shape, 400, SQS) for shape in ("ReceiptHandleIsInvalid", "InvalidAttributeName", "InvalidAttributeValue", "InvalidMessageContents")},
    "InvalidParameterValueException": ("InvalidParameterValue", 400, CORAL),
    "MissingRequiredParameterException": ("MissingParameter", 400, CORAL),
    "InvalidAction": ("InvalidAction", 400, CORAL),
    "UnknownOperationException": ("InvalidAction", 400, CORAL),
    "SerializationException": ("MalformedInput", 400, CORAL),
    "AccessDeniedException": ("AccessDenied", 403, CORAL),
}
# Of AWS's and never said here, or not in the table, with the reason.
NEVER = {
    "MessageNotInflight": "AWS has it in its model and answers `InvalidParameterValue` to a change of what is not in flight, as here",
    "InvalidIdFormat": "AWS has it in its model and does not answer it: an id that is none is InvalidParameterValue",
    "RequestThrottled": "what a client should send again is told with 503 ServiceUnavailable, which every SDK repeats",
    "InvalidAddress": "any host of a QueueUrl is taken",
    "InvalidSecurity": "no action needs HTTPS here",
    **{shape: "only where requests are verified: `tests/blackbox/test_sqs_access.py`"
       for shape in ("MissingAuthenticationToken", "IncompleteSignature", "InvalidClientTokenId", "SignatureDoesNotMatch", "RequestExpired")},
    "Kms*": "messages are not encrypted with keys of KMS",
}


@dataclasses.dataclass(frozen=True)
class Refusal:
    shape: str
    message: object  # text, or case.Later
    query_message: str | None = None  # where Query says it otherwise

    def on(self, over, message):
        code, status, namespace = SHAPES[self.shape]
        if isinstance(over, wire.Json):
            return status, wire.Error(code, message, namespace + self.shape)
        return status, wire.Error(code, self.query_message or message, None)


NO_QUEUE = Refusal("QueueDoesNotExist", "The specified queue does not exist.", "The specified queue does not exist for this wsdl version.")
NO_ID = Refusal("InvalidBatchEntryId",
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")
CHARACTERS = Refusal("InvalidMessageContents",
                     "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF")


def parameter(message):
    return Refusal("InvalidParameterValueException", message)


def value(given, name, reason):
    return parameter(f"Value {given} for parameter {name} is invalid. Reason: {reason}")


def missing(name):
    return Refusal("MissingRequiredParameterException", f"The request must contain the parameter {name}.")


def attribute_value(name):
    return Refusal("InvalidAttributeValue", f"Invalid value for the parameter {name}.")


def attribute_name(name):
    return Refusal("InvalidAttributeName", f"Unknown Attribute {name}.")


def handle(given):
    return Refusal("ReceiptHandleIsInvalid", f'The input receipt handle "{given}" is not a valid receipt handle.')


def too_long(bytes_max, in_batch=False):
    return parameter(f"One or more parameters {'cannot be validated' if in_batch else 'are invalid'}. Reason: Message must be shorter than {bytes_max} bytes.")


def about(later, refusal):
    """The refusal whose sentence says {} for what only the run knows."""
    return dataclasses.replace(refusal, message=dataclasses.replace(later, form=refusal.message))
