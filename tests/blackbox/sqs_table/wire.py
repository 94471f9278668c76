"""One call in either protocol of SQS: rendered as bytes on a connection that is kept, and its answer read into the same form.

A call is (action, members as AWS JSON names them; bytes are binary). An answer is (status, members) or (status, Error).
"""
import base64
import dataclasses
import http.client
import json
import threading
import urllib.parse
import xml.etree.ElementTree

NAMESPACE = "{http://queue.amazonaws.com/doc/2012-11-05/}"
# How Query names what JSON names differently: lists, and maps with the names of key and value.
LISTS = {"AttributeNames": "AttributeName", "MessageAttributeNames": "MessageAttributeName", "MessageSystemAttributeNames": "MessageSystemAttributeName",
         "TagKeys": "TagKey", "AWSAccountIds": "AWSAccountId", "Actions": "ActionName"}
MAPS = {"Attributes": ("Attribute", "Name", "Value"), "MessageAttributes": ("MessageAttribute", "Name", "Value"),
        "MessageSystemAttributes": ("MessageSystemAttribute", "Name", "Value"), "Tags": ("Tag", "Key", "Value"), "tags": ("Tag", "Key", "Value")}
ANSWER_LISTS = {"Message": "Messages", "BatchResultErrorEntry": "Failed", "ListMessageMoveTasksResultEntry": "Results", "SendMessageBatchResultEntry": "Successful",
                "DeleteMessageBatchResultEntry": "Successful", "ChangeMessageVisibilityBatchResultEntry": "Successful"}
NUMBERS = {"ApproximateNumberOfMessagesMoved", "ApproximateNumberOfMessagesToMove", "MaxNumberOfMessagesPerSecond", "StartedTimestamp"}
WITHOUT_RESULT = {"AddPermission", "ChangeMessageVisibility", "DeleteMessage", "DeleteQueue", "PurgeQueue", "RemovePermission", "SetQueueAttributes",
                  "TagQueue", "UntagQueue"}
QUERY_BYTES_OF_A_GET = 8000


@dataclasses.dataclass(frozen=True)
class Error:
    code: str
    message: str
    shape: str | None  # with its namespace; Query does not tell it
    fault: str = "Sender"


class Connection:
    """One kept connection a thread."""

    def __init__(self, url):
        self.host = urllib.parse.urlsplit(url).netloc
        self.mine = threading.local()

    def ask(self, method, path, body=None, headers=None):
        if not hasattr(self.mine, "http"):
            self.mine.http = http.client.HTTPConnection(self.host, timeout=60)
        self.mine.http.request(method, path, body, headers or {})
        answer = self.mine.http.getresponse()
        return answer, answer.read()


def path_of(members):
    return urllib.parse.urlsplit(members["QueueUrl"]).path if "QueueUrl" in members else "/"


class Json:
    """AWS JSON 1.0. `at_queue` posts to the queue's own path, as the SDKs for JavaScript and PHP do."""

    def __init__(self, connection, at_queue=False):
        self.connection, self.at_queue = connection, at_queue

    def call(self, action, members):
        path = path_of(members) if self.at_queue else "/"
        body = json.dumps(members, default=lambda value: base64.b64encode(value).decode())
        answer, text = self.connection.ask("POST", path, body, {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"AmazonSQS.{action}"})
        return self.read(answer, text)

    @staticmethod
    def read(answer, text):
        assert answer.headers["Content-Type"] == "application/x-amz-json-1.0", answer.headers
        assert len(answer.headers["x-amzn-RequestId"]) == 36
        members = json.loads(text)
        if answer.status == 200:
            assert "x-amzn-query-error" not in answer.headers
            return 200, members
        assert sorted(members) == ["__type", "message"], members
        code, fault = answer.headers["x-amzn-query-error"].split(";")
        return answer.status, Error(code, members["message"], members["__type"], fault)


class Query:
    """Query, answered in XML. `at_queue` says the queue by the path alone."""

    def __init__(self, connection, method="POST", at_queue=False):
        self.connection, self.method, self.at_queue = connection, method, at_queue

    def call(self, action, members):
        path = path_of(members) if self.at_queue else "/"
        if path != "/":
            members = {name: value for name, value in members.items() if name != "QueueUrl"}
        form = urllib.parse.urlencode([("Action", action), ("Version", "2012-11-05"), *parameters(action, members)])
        if self.method == "GET" and len(form) <= QUERY_BYTES_OF_A_GET:
            answer, text = self.connection.ask("GET", f"{path}?{form}")
        else:
            answer, text = self.connection.ask("POST", path, form, {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"})
        return self.read(action, answer, text)

    @staticmethod
    def read(action, answer, text):
        assert answer.headers["Content-Type"] == "text/xml", answer.headers
        root = xml.etree.ElementTree.fromstring(text)
        if answer.status == 200:
            assert root.tag == f"{NAMESPACE}{action}Response"
            assert root.find(f"{NAMESPACE}ResponseMetadata/{NAMESPACE}RequestId").text == answer.headers["x-amzn-RequestId"]
            result = root.find(f"{NAMESPACE}{action}Result")
            assert (result is None) == (action in WITHOUT_RESULT)
            assert len(root) == (1 if result is None else 2)
            return 200, {} if result is None else members_of(action, result)
        assert root.tag == f"{NAMESPACE}ErrorResponse"
        error, request_id = root
        assert request_id.tag == f"{NAMESPACE}RequestId" and request_id.text == answer.headers["x-amzn-RequestId"]
        said = {element.tag.removeprefix(NAMESPACE): element.text for element in error}
        assert list(said) == ["Type", "Code", "Message", "Detail"] and said["Detail"] is None, said
        return answer.status, Error(said["Code"], said["Message"], None, said["Type"])


def parameters(action, value, at=""):
    """(name, text) of Query for members as JSON has them."""
    if isinstance(value, bool):
        yield at, "true" if value else "false"
    elif isinstance(value, bytes):
        yield at, base64.b64encode(value).decode()
    elif isinstance(value, list):
        for n, one in enumerate(value, 1):
            yield from parameters(action, one, f"{at}.{n}")
        if not value:
            yield at, ""
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from named_parameters(action, name, inner, f"{at}." if at else "")
    else:
        yield at, str(value)


def named_parameters(action, name, value, before):
    if name in MAPS and isinstance(value, dict):
        wire, key_name, value_name = MAPS[name]
        for n, (key, inner) in enumerate(value.items(), 1):
            yield f"{before}{wire}.{n}.{key_name}", key
            yield from parameters(action, inner, f"{before}{wire}.{n}.{value_name}")
    else:
        wire = f"{action}RequestEntry" if name == "Entries" else LISTS.get(name, name)
        yield from parameters(action, value, before + wire)


def members_of(action, element):
    """The members of an answer as JSON has them."""
    out = {}
    for child in element:
        name = child.tag.removeprefix(NAMESPACE)
        if name in ("Attribute", "MessageAttribute", "Tag"):
            key, value = child
            inner = members_of(action, value) if len(value) else value.text or ""
            out.setdefault(name + "s", {})[key.text] = inner
        elif name == "QueueUrl" and action in ("ListQueues", "ListDeadLetterSourceQueues"):
            out.setdefault("QueueUrls" if action == "ListQueues" else "queueUrls", []).append(child.text)
        elif name in ANSWER_LISTS and not (name == "Message" and action != "ReceiveMessage"):
            out.setdefault(ANSWER_LISTS[name], []).append(members_of(action, child))
        elif name == "SenderFault":
            out[name] = {"true": True, "false": False}[child.text]
        else:
            out[name] = int(child.text) if name in NUMBERS else child.text or ""
    return out


def wires(connection):
    """Every way to say the same, by name."""
    return {"json": Json(connection), "query": Query(connection), "json at the queue": Json(connection, at_queue=True),
            "query at the queue": Query(connection, at_queue=True), "query by GET": Query(connection, "GET")}
