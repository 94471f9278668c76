"""Queues that come and go: AWS's pauses after a delete and a purge, and queues that left the configuration."""
import sqs_clients

DECLARED = """
[queue.leads]
dead_letter = "leads-dead"
[queue.other]
"""


def test_sixty_seconds_after_a_delete_and_between_purges(forebay, monkeypatch):
    monkeypatch.setenv("FOREBAY__SQS__COOL_OFF", "true")
    node = forebay()
    query, js = sqs_clients.boto(node.sqs), sqs_clients.Json(node.sqs)
    url = js.create_queue(QueueName="q")["QueueUrl"]
    js.purge_queue(QueueUrl=url)
    for sqs in (query, js):
        assert sqs_clients.refused(sqs.purge_queue, QueueUrl=url) == (
            403, "AWS.SimpleQueueService.PurgeQueueInProgress", "Only one PurgeQueue operation on q is allowed every 60 seconds.")
    node.run("queue", "purge", "q", "--yes", "--reason", "an operator does not wait")
    js.delete_queue(QueueUrl=url)
    for sqs in (query, js):
        assert sqs_clients.refused(sqs.create_queue, QueueName="q") == (
            400, "AWS.SimpleQueueService.QueueDeletedRecently",
            "You must wait 60 seconds after deleting a queue before you can create another with the same name.")
    node.kill9()
    js.create_queue(QueueName="q")  # a restart ends the pause


def test_without_cool_off_nobody_waits(forebay):
    sqs = sqs_clients.Json(forebay().sqs)
    for _ in range(2):
        url = sqs.create_queue(QueueName="q")["QueueUrl"]
        sqs.purge_queue(QueueUrl=url)
        sqs.purge_queue(QueueUrl=url)
        sqs.delete_queue(QueueUrl=url)


def test_a_queue_that_left_the_configuration_keeps_its_messages(forebay):
    node = forebay(DECLARED)
    sqs = sqs_clients.boto(node.sqs)
    url = sqs.get_queue_url(QueueName="leads")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody='{"email":"a@example.com"}')
    sqs.create_queue(QueueName="mine")
    assert made_by(node) == {"leads": (True, True), "leads-dead": (True, True), "other": (True, True), "mine": (False, False)}
    node.stop()
    text = node.text.replace(DECLARED, "\n[queue.other]\n")
    assert text != node.text
    node.write(text)
    node.start()
    assert made_by(node) == {"leads": (False, True), "leads-dead": (False, True), "other": (True, True), "mine": (False, False)}
    assert "queue.unconfigured" in node.output()
    said = node.run("queue", "ls")
    assert [line.split()[:5] for line in said.splitlines() if line.startswith("leads ")] == [["leads", "standard", "no", "longer", "configured"]]
    for call, more in ((sqs.delete_queue, {}), (sqs.purge_queue, {}), (sqs.set_queue_attributes, {"Attributes": {"DelaySeconds": "5"}})):
        status, code, sentence = sqs_clients.refused(call, QueueUrl=url, **more)
        assert (status, code) == (400, "AWS.SimpleQueueService.UnsupportedOperation") and "is not any more: what it holds is kept" in sentence
    sqs.delete_queue(QueueUrl=url + "-dead")  # it is empty
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert message["Body"] == '{"email":"a@example.com"}'
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    sqs.delete_queue(QueueUrl=url)
    assert made_by(node) == {"other": (True, True), "mine": (False, False)}


def test_a_queue_that_is_declared_again_is_as_before(forebay):
    node = forebay(DECLARED)
    sqs = sqs_clients.boto(node.sqs)
    url = sqs.get_queue_url(QueueName="leads")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x")
    text = node.text
    for configuration in (text.replace(DECLARED, ""), text):
        node.stop()
        node.write(configuration)
        node.start()
    assert made_by(node)["leads"] == (True, True)
    assert "declared in the configuration" in sqs_clients.refused(sqs.delete_queue, QueueUrl=url)[2]
    assert len(sqs.receive_message(QueueUrl=url)["Messages"]) == 1


def made_by(node):
    """(of the configuration, carries records) of each queue but Forebay's own."""
    queues = node.json("queue", "ls")["queues"]
    return {q["name"]: (q["declared"], q["carries_records"]) for q in queues if q["name"] != "forebay-quarantine"}
