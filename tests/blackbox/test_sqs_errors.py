"""What the queue port says no to, on the wire: AWS's codes and sentences, declared queues, web pages, nonsense."""
import requests

import sqs_clients

DECLARED = """
[queue.leads]
"""


def test_errors_are_amazons(forebay):
    node = forebay(DECLARED)
    query, js = sqs_clients.boto(node.sqs), sqs_clients.Json(node.sqs)
    url = js.create_queue(QueueName="q")["QueueUrl"]
    for sqs in (query, js):
        none = url.replace("/q", "/none")
        status, code, sentence = sqs_clients.refused(sqs.send_message, QueueUrl=none, MessageBody="x")
        assert (status, code) == (400, "AWS.SimpleQueueService.NonExistentQueue")
        assert sentence == "The specified queue does not exist" + (" for this wsdl version." if sqs is query else ".")
        assert sqs_clients.refused(sqs.delete_message, QueueUrl=none, ReceiptHandle="x")[1] == "AWS.SimpleQueueService.NonExistentQueue"
        assert sqs_clients.refused(sqs.delete_message_batch, QueueUrl=none, Entries=[{"Id": "a", "ReceiptHandle": "x"}])[1] == "AWS.SimpleQueueService.NonExistentQueue"
        assert sqs_clients.refused(sqs.delete_message, QueueUrl=url, ReceiptHandle="x") == (
            400, "ReceiptHandleIsInvalid", 'The input receipt handle "x" is not a valid receipt handle.')
        assert sqs_clients.refused(sqs.receive_message, QueueUrl=url, MaxNumberOfMessages=11)[1] == "InvalidParameterValue"
        assert sqs_clients.refused(sqs.send_message, QueueUrl=url, MessageBody="\u0001")[1] == "InvalidMessageContents"
        assert sqs_clients.refused(sqs.add_permission, QueueUrl=url, Label="l", AWSAccountIds=["1"], Actions=["*"])[1] == "InvalidParameterValue"


def test_a_handle_of_one_queue_is_none_of_another(forebay):
    sqs = sqs_clients.Json(forebay().sqs)
    one, two = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("one", "two"))
    sqs.send_message(QueueUrl=one, MessageBody="x")
    (message,) = sqs.receive_message(QueueUrl=one)["Messages"]
    handle = message["ReceiptHandle"]
    assert sqs_clients.refused(sqs.delete_message, QueueUrl=two, ReceiptHandle=handle)[1] == "ReceiptHandleIsInvalid"
    forged = handle[:-2] + ("AA" if not handle.endswith("AA") else "BB")
    assert sqs_clients.refused(sqs.delete_message, QueueUrl=one, ReceiptHandle=forged)[1] == "ReceiptHandleIsInvalid"
    sqs.delete_message(QueueUrl=one, ReceiptHandle=handle)


def test_a_declared_queue_keeps_its_records(forebay):
    node = forebay(DECLARED)
    sqs = sqs_clients.boto(node.sqs)
    url = sqs.get_queue_url(QueueName="leads")["QueueUrl"]
    assert sqs.create_queue(QueueName="leads")["QueueUrl"] == url
    sqs.send_message(QueueUrl=url, MessageBody='{"email":"a@example.com"}')
    for call in (lambda: sqs_clients.refused(sqs.delete_queue, QueueUrl=url), lambda: sqs_clients.refused(sqs.purge_queue, QueueUrl=url),
                 lambda: sqs_clients.refused(sqs.set_queue_attributes, QueueUrl=url, Attributes={"DelaySeconds": "5"})):
        status, code, sentence = call()
        assert code == "AWS.SimpleQueueService.UnsupportedOperation" and "declared in the configuration" in sentence
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert message["Body"] == '{"email":"a@example.com"}'


def test_a_web_page_of_another_site_cannot_purge_a_queue(forebay):
    node = forebay()
    sqs = sqs_clients.Json(node.sqs)
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x")
    form = {"Action": "PurgeQueue", "QueueUrl": url}
    assert requests.post(node.sqs, data=form, headers={"Origin": "https://evil.example"}).status_code == 403
    assert requests.get(node.sqs, params=form, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert len(sqs.receive_message(QueueUrl=url)["Messages"]) == 1


def test_nonsense_is_refused_and_never_a_server_error(forebay):
    node = forebay()
    sqs = sqs_clients.Json(node.sqs)
    sqs.create_queue(QueueName="q")
    bodies = [b"", b"{", b"[]", b"null", b"nonsense", b'{"QueueUrl":5}', b'{"QueueUrl":"q","MessageBody":["x"]}', b"\xff\xfe", b"[" * 100000,
              b'{"QueueUrl":"q","MessageBody":"\xff"}', b'{"QueueUrl":"q","QueueUrl":"q","MessageBody":"x"}', b'{"QueueUrl":"q","MessageBody":"x","DelaySeconds":1e999}']
    for body in bodies:
        for action in ("SendMessage", "ReceiveMessage", "SendMessageBatch", "CreateQueue", "Nonsense", ""):
            answer = sqs.post(action, body)
            if action == "ReceiveMessage" and body.startswith(b'{"QueueUrl":"q"') and answer.status_code == 200:
                continue  # a member it does not know does not concern it
            assert answer.status_code in (400, 403, 404), (action, body[:40], answer.status_code, answer.text[:200])
            assert answer.json()["message"]
    for form in ("", "Action", "Action=", "Action=%", "Action=SendMessage", "Action=Nope", "Action=SendMessage&QueueUrl=q&MessageBody=%ff", "a" * 100000):
        answer = requests.post(node.sqs, data=form, headers={"Content-Type": "application/x-www-form-urlencoded"})
        assert answer.status_code in (400, 404), (form[:40], answer.status_code)
    assert "Messages" not in sqs.receive_message(QueueUrl="q")
