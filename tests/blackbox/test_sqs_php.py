"""A PHP service of its own making: serialized arrays, long polls of ten seconds, its own signatures; through kills of the node."""
from sqs_programs import HERE, Program, messages_left, start_node, wait_until

COUNT = 500


def test_every_message_that_was_sent_is_worked_on(forebay, tmp_path):
    node = start_node(forebay)
    where = {"SQS_ENDPOINT": node.sqs, "SQS_QUEUE": "calls"}
    done = tmp_path / "done"
    worker = Program(["php", HERE / "sqs_php/service.php", "work", done], tmp_path, "worker", **where)
    sender = Program(["php", HERE / "sqs_php/service.php", "send", str(COUNT)], tmp_path, "sender", **where)

    def worked_on():
        return {int(line) for line in done.read_text().split()} if done.exists() else set()

    def story():
        return "\n".join(worker.lines()[-30:] + sender.lines()[-5:])

    try:
        for kill in range(1, 4):
            wait_until(lambda: len(sender.lines()) > kill * COUNT // 5 and len(worked_on()) > (kill - 1) * 10, told=story)
            node.kill9()
        sent = {int(line) for line in sender.wait()}
        assert len(sent) == COUNT
        wait_until(lambda: messages_left(node, "calls") == 0, told=story)
        assert sent <= worked_on()
    finally:
        worker.stop()
        sender.stop()
