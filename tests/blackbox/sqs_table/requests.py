"""Requests as bytes: what the two protocols are on the wire, and what is no request at all. None of them changes the queue `raw`,
which holds one message, "a\\rb".

{base} stands for the url of the port, {id} in answers for the id of the request.
"""
import dataclasses
import json

REQUESTS = []
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
XMLNS = 'xmlns="http://queue.amazonaws.com/doc/2012-11-05/"'
UNKNOWN = "com.amazon.coral.service#UnknownOperationException"
MALFORMED = "com.amazon.coral.service#SerializationException"
URL = "/123456789012/raw"


@dataclasses.dataclass(frozen=True)
class Request:
    sentence: str
    method: str
    path: str
    headers: dict
    body: bytes
    status: int
    headers_back: dict  # header: exact value
    answer: str  # a regular expression that the whole body matches
    protocol: str
    differs: str | None


def request(sentence, method, path, headers, body, status, headers_back, answer, protocol, differs=None):
    body = body.encode() if isinstance(body, str) else body
    REQUESTS.append(Request(sentence, method, path, headers, body, status, headers_back, answer, protocol, differs))


def in_json(sentence, body, status, answer, target="ReceiveMessage", path="/", headers=None, code=None, **more):
    given = {"Content-Type": "application/x-amz-json-1.0", **({"X-Amz-Target": f"AmazonSQS.{target}"} if target is not None else {}), **(headers or {})}
    back = {"Content-Type": "application/x-amz-json-1.0", **({"x-amzn-query-error": code} if code else {})}
    body = body if isinstance(body, (str, bytes)) else json.dumps(body)
    request(sentence, "POST", path, given, body, status, back, answer, "json", **more)


def refused_json(sentence, body, type, message, code, status=400, **more):
    in_json(sentence, body, status, rf'\{{"__type":"{type}","message":"{message}"\}}', code=f"{code};Sender", **more)


def in_query(sentence, form, status, answer, path="/", method="POST", headers=None, **more):
    where, body = (f"{path}?{form}", b"") if method == "GET" else (path, form)
    request(sentence, method, where, FORM if method == "POST" and headers is None else headers or {}, body, status, {"Content-Type": "text/xml"}, answer, "query",
         **more)


def refused_query(sentence, form, code, message, status=400, **more):
    in_query(sentence, form, status,
         rf'<\?xml version="1.0"\?><ErrorResponse {XMLNS}><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message><Detail/></Error>'
             r"<RequestId>{id}</RequestId></ErrorResponse>", **more)


# What every answer looks like.
in_query("an answer in XML", "Action=GetQueueUrl&QueueName=raw&Version=2012-11-05", 200,
     rf'<\?xml version="1.0"\?><GetQueueUrlResponse {XMLNS}><GetQueueUrlResult><QueueUrl>{{base}}{URL}</QueueUrl>'
         r"</GetQueueUrlResult><ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></GetQueueUrlResponse>")
in_query("an action without a result has no element for it", "Action=TagQueue&QueueUrl=raw&Tag.1.Key=a&Tag.1.Value=b", 200,
         rf'<\?xml version="1.0"\?><TagQueueResponse {XMLNS}><ResponseMetadata><RequestId>{{id}}</RequestId></ResponseMetadata></TagQueueResponse>')
in_query("a receive of nothing", "Action=ReceiveMessage&QueueUrl=empty", 200,
     r'<\?xml version="1.0"\?><ReceiveMessageResponse [^>]*><ReceiveMessageResult/><ResponseMetadata>.*')
in_query("a carriage return is written so that a parser keeps it", "Action=ReceiveMessage&QueueUrl=raw&VisibilityTimeout=0", 200, r".*<Body>a&#13;b</Body>.*")
in_query("lists and maps are flat", "Action=GetQueueAttributes&QueueUrl=raw&AttributeName.1=DelaySeconds&AttributeName.2=VisibilityTimeout", 200,
         r".*<GetQueueAttributesResult>(<Attribute><Name>[A-Za-z]+</Name><Value>\d+</Value></Attribute>){2}</GetQueueAttributesResult>.*")
in_query("a list of urls is flat", "Action=ListQueues&QueueNamePrefix=raw", 200, rf".*<ListQueuesResult><QueueUrl>{{base}}{URL}</QueueUrl></ListQueuesResult>.*")
in_json("an answer in JSON", {"QueueName": "raw"}, 200, rf'\{{"QueueUrl":"{{base}}{URL}"\}}', target="GetQueueUrl")
in_json("a receive of nothing is an empty object", {"QueueUrl": "empty"}, 200, r"\{\}")
in_json("an empty body is an empty object", "", 200, r'\{"QueueUrls":\[.*\]\}', target="ListQueues")
in_json("null is as good as not given", {"QueueUrl": "empty", "MaxNumberOfMessages": None, "AttributeNames": None}, 200, r"\{\}")
for content_type in ("application/x-amz-json-1.0; charset=utf-8", "application/x-amz-json-1.1", "application/json"):
    in_json(f"the target decides, not the content type: {content_type}", {"QueueUrl": "empty"}, 200, r"\{\}", headers={"Content-Type": content_type})
for other in ("http://elsewhere:1234/123456789012/raw", "https://sqs.eu-west-1.amazonaws.com/123456789012/raw", "https://eu-west-1.queue.amazonaws.com/1/raw", "raw",
     "/raw", "queue/raw"):
    in_json(f"a QueueUrl of any host: {other}", {"QueueUrl": other, "VisibilityTimeout": 0}, 200, r'.*"Body":"a\\rb".*')

# Where and how a call may be made.
for method in ("GET", "POST"):
    in_query(f"the queue's own path says the queue, by {method}", "Action=GetQueueAttributes&AttributeName.1=DelaySeconds", 200, ".*<Value>0</Value>.*", path=URL,
         method=method)
    in_query(f"QueueUrl wins over the path, by {method}", "Action=ReceiveMessage&QueueUrl=empty", 200, ".*<ReceiveMessageResult/>.*", path=URL, method=method)
    in_query(f"GetQueueUrl works at a queue, by {method}", "Action=GetQueueUrl&QueueName=raw", 200, rf".*{URL}</QueueUrl>.*", path=URL, method=method)
    for action in ("CreateQueue&QueueName=other", "ListQueues"):
        refused_query(f"{action.split('&')[0]} does not work at a queue, by {method}", f"Action={action}", "InvalidAction",
             f"The action {action.split('&')[0]} is not valid for this endpoint.", path=URL,
                      method=method)
in_query("parameters of a POST may stand in its URL", "", 200, ".*</GetQueueUrlResponse>", path="/?Action=GetQueueUrl&QueueName=raw")
in_query("a POST without a content type is Query", "Action=GetQueueUrl&QueueName=raw", 200, ".*</GetQueueUrlResponse>", headers={"Accept": "*/*"})
in_query("Accept: application/json is answered in XML", "Action=GetQueueUrl&QueueName=raw", 200, ".*</GetQueueUrlResponse>",
     headers={**FORM, "Accept": "application/json"},
         differs="AWS answers JSON of an old shape to very old clients. Here XML comes back, as to every Query call.")
for path in ("/queue/raw", "/123456789012/raw/", "//raw"):
    in_query(f"of a path the last part counts: {path}", "Action=GetQueueAttributes&AttributeName.1=DelaySeconds", 200, ".*<Value>0</Value>.*", path=path)
refused_query("a path of a queue that is not there", "Action=PurgeQueue", "AWS.SimpleQueueService.NonExistentQueue",
     "The specified queue does not exist for this wsdl version.", path="/123456789012/none")
in_json("JSON at the queue's own path", {"QueueUrl": "raw", "VisibilityTimeout": 0}, 200, r'.*"Body":"a\\rb".*', path=URL)
in_query("any Version is taken", "Action=GetQueueUrl&QueueName=raw&Version=2009-02-01", 200, ".*</GetQueueUrlResponse>")
in_query("a list may begin at any number and have gaps", "Action=GetQueueAttributes&QueueUrl=raw&AttributeName.7=VisibilityTimeout&AttributeName.3=DelaySeconds",
     200,
         ".*(<Attribute>.*</Attribute>){2}.*")

# What is no request.
request("no action at all", "POST", "/", FORM, b"", 404, {"Content-Type": "text/xml"}, "<UnknownOperationException/>", "query")
request("no action at all, by GET", "GET", "/", {}, b"", 404, {"Content-Type": "text/xml"}, "<UnknownOperationException/>", "query")
request("an empty action", "POST", "/", FORM, b"Action=&QueueUrl=raw", 404, {"Content-Type": "text/xml"}, "<UnknownOperationException/>", "query")
for action in ("Nonsense", "purgequeue", "Purge Queue", "AmazonSQS.PurgeQueue"):
    refused_query(f"an action that SQS does not know: {action!r}", f"Action={action}&QueueUrl=raw".replace(" ", "%20"), "InvalidAction",
         f"The action {action} is not valid for this endpoint.")
    refused_json(f"a target that SQS does not know: {action!r}", {"QueueUrl": "raw"}, UNKNOWN, f"There is no action {action}\\.", "InvalidAction", target=action)
for target in (None, ""):
    refused_json(f"a target that is {'missing' if target is None else 'empty'}", {"QueueUrl": "raw"}, UNKNOWN, ".*", "InvalidAction", target=target)
for header in ("AmazonSQS", "PurgeQueue", "DynamoDB_20120810.PurgeQueue", "amazonsqs.PurgeQueue"):
    refused_json(f"a target of another service: {header}", {"QueueUrl": "raw"}, UNKNOWN, "The header X-Amz-Target must be AmazonSQS.ACTION.", "InvalidAction",
         target=None, headers={"X-Amz-Target": header})
for body in ("{", "[]", "null", "nonsense", '"text"', "5", '{"QueueUrl":"raw"', '{"QueueUrl":"raw"}}', '{"QueueUrl":"raw",}', "{'QueueUrl':'raw'}",
     b'\xff\xfe{"QueueUrl":"raw"}',
             b'{"QueueUrl":"raw","x":"\xff"}', '{"QueueUrl":"raw","QueueUrl":"raw"}', 200000 * "[", '{"QueueUrl":"raw","x":' + 300 * "[" + 300 * "]" + "}",
             "<PurgeQueue/>",
             r'{"QueueUrl":"raw","x":"\ud800"}', '{"QueueUrl":"raw\0"}'):
    refused_json(f"no JSON: {body[:24]!r} of {len(body)}", body, MALFORMED, ".*", "MalformedInput", target="PurgeQueue")
WRONG = [
    ("PurgeQueue", {"QueueUrl": 5}, "NUMBER_VALUE can not be converted to String"),
    ("PurgeQueue", {"QueueUrl": ["raw"]}, "START_ARRAY can not be converted to String"),
    ("PurgeQueue", {"QueueUrl": {"raw": 1}}, "START_OBJECT can not be converted to String"),
    ("SendMessage", {"QueueUrl": "raw", "MessageBody": True}, "TRUE_VALUE can not be converted to String"),
    ("SendMessage", {"QueueUrl": "raw", "MessageBody": "x", "DelaySeconds": "5"}, "STRING_VALUE can not be converted to Integer"),
    ("SendMessage", {"QueueUrl": "raw", "MessageBody": "x", "DelaySeconds": False}, "FALSE_VALUE can not be converted to Integer"),
    ("SendMessage", {"QueueUrl": "raw", "MessageBody": "x", "MessageAttributes": []}, "START_ARRAY can not be converted to Map"),
    ("SendMessage", {"QueueUrl": "raw", "MessageBody": "x", "MessageAttributes": {"a": "b"}}, "STRING_VALUE can not be converted to Structure"),
    ("SendMessage", {"QueueUrl": "raw", "MessageBody": "x", "MessageAttributes": {"a": {"DataType": 1, "StringValue": "x"}}},
    "NUMBER_VALUE can not be converted to String"),
    ("SendMessage", {"QueueUrl": "raw", "MessageBody": "x", "MessageAttributes": {"a": {"DataType": "Binary", "BinaryValue": "?"}}},
    "The BinaryValue of 'a' is not base64."),
    ("SendMessageBatch", {"QueueUrl": "raw", "Entries": "x"}, "STRING_VALUE can not be converted to List"),
    ("SendMessageBatch", {"QueueUrl": "raw", "Entries": ["x"]}, "STRING_VALUE can not be converted to Structure"),
    ("SetQueueAttributes", {"QueueUrl": "raw", "Attributes": {"DelaySeconds": 5}}, "NUMBER_VALUE can not be converted to String"),
    ("SetQueueAttributes", {"QueueUrl": "raw", "Attributes": "DelaySeconds"}, "STRING_VALUE can not be converted to Map"),
    ("ReceiveMessage", {"QueueUrl": "raw", "MaxNumberOfMessages": "1"}, "STRING_VALUE can not be converted to Integer"),
    ("ReceiveMessage", {"QueueUrl": "raw", "AttributeNames": "All"}, "STRING_VALUE can not be converted to List"),
    ("ReceiveMessage", {"QueueUrl": "raw", "AttributeNames": [5]}, "NUMBER_VALUE can not be converted to String"),
    ("TagQueue", {"QueueUrl": "raw", "Tags": {"a": None}}, "NULL_VALUE can not be converted to String"),
    ("UntagQueue", {"QueueUrl": "raw", "TagKeys": {"a": "b"}}, "START_OBJECT can not be converted to List"),
]
for target, body, message in WRONG:
    refused_json(f"{target} with a wrong type: {json.dumps(body)[18:]}", body, MALFORMED, message.replace(".", r"\.").replace("?", r"\?"), "MalformedInput",
         target=target)
for number in ("1.5", "1e3", "99999999999999999999"):
    refused_json(f"an integer that is none: {number}", f'{{"QueueUrl":"raw","MessageBody":"x","DelaySeconds":{number}}}',
         "com.amazon.coral.service#InvalidParameterValueException",
                 f"Value {number} for parameter DelaySeconds is invalid. Reason: Must be an integer.", "InvalidParameterValue", target="SendMessage")
for number in ("x", "1.5", "", "99999999999999999999", "0x1"):
    refused_query(f"an integer that is none: {number!r}", f"Action=SendMessage&QueueUrl=raw&MessageBody=x&DelaySeconds={number}", "InvalidParameterValue",
                  f"Value {number} for parameter DelaySeconds is invalid. Reason: Must be an integer.")
refused_query("text that is not UTF-8", "Action=SendMessage&QueueUrl=raw&MessageBody=%ff", "MalformedInput", "A parameter is not UTF-8.")
refused_query("a parameter twice", "Action=PurgeQueue&QueueUrl=raw&QueueUrl=raw", "MalformedInput", "A parameter is given twice.")
refused_query("two actions", "Action=ReceiveMessage&Action=PurgeQueue&QueueUrl=raw", "MalformedInput", "A parameter is given twice.")
refused_query("too many parameters", "Action=PurgeQueue&QueueUrl=raw&" + "&".join(f"x{n}=1" for n in range(20000)), "MalformedInput",
     "The request has too many parameters.")
refused_query("a parameter that is nested too deep", "Action=PurgeQueue&QueueUrl=raw&a.b.c.d.e.f.g.h.i.j=x", "MalformedInput", "A parameter is nested too deep.")
refused_query("a binary value that is not base64",
              "Action=SendMessage&QueueUrl=raw&MessageBody=x&MessageAttribute.1.Name=a&MessageAttribute.1.Value.DataType=Binary&MessageAttribute.1.Value.BinaryValue=%3F",
              "MalformedInput", "The BinaryValue of 'a' is not base64.")
request("an XML document", "POST", "/", {"Content-Type": "text/xml"}, b"<PurgeQueue><QueueUrl>raw</QueueUrl></PurgeQueue>", 404, {"Content-Type": "text/xml"},
     "<UnknownOperationException/>", "query")
for method in ("PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"):
    request(f"{method} is not of SQS", method, "/?Action=PurgeQueue&QueueUrl=raw", {}, b"", 405, {"Allow": "POST, GET"}, ".*", "query")
for origin in ("https://evil.example", "null"):
    refused_json(f"a web page of another origin: {origin}", {"QueueUrl": "raw"}, "com.amazon.coral.service#AccessDeniedException", ".*", "AccessDenied", status=403,
         target="PurgeQueue", headers={"Origin": origin},
                 differs="AWS asks for a signature. Here a web page in someone's browser must not reach a queue on the same machine.")
