"""AddPermission and RemovePermission."""
from sqs_table import errors
from sqs_table.case import Q, call, case

NOT_HERE = errors.Refusal("UnsupportedOperation", "Permissions are not in this version of Forebay.")
case("AddPermission", "is refused", call("AddPermission", {"QueueUrl": Q, "Label": "l", "AWSAccountIds": ["123456789012"], "Actions": ["SendMessage"]}, NOT_HERE),
     differs="Permissions are not in this version.")
case("RemovePermission", "is refused", call("RemovePermission", {"QueueUrl": Q, "Label": "l"}, NOT_HERE), differs="Permissions are not in this version.")
