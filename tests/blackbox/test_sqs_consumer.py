"""BBC's sqs-consumer and sqs-producer, unchanged: examples/sqs_consumer through kills of the node."""
import json
import os

from sqs_programs import HERE, messages_left, programs, start_node, wait_until

COUNT = 1000


def test_every_message_that_was_sent_is_worked_on(forebay, tmp_path):
    node = start_node(forebay)
    where = {"AWS_ENDPOINT_URL_SQS": node.sqs}
    with programs("sqs_consumer", tmp_path) as start:
        os.symlink(HERE / "sqs_js/node_modules", os.path.join(start.folder, "node_modules"))  # by tools/install
        consumer = start("node", "consumer.mjs", name="consumer", **where)
        producer = start("node", "producer.mjs", str(COUNT), name="producer", **where)

        def worked_on():
            try:
                with open(os.path.join(start.folder, "calls.jsonl")) as f:
                    return {json.loads(line)["n"] for line in f.read().splitlines(True) if line.endswith("\n")}
            except FileNotFoundError:
                return set()

        def story():
            return "\n".join(consumer.lines()[-30:] + producer.lines()[-5:])

        for kill in range(1, 4):
            wait_until(lambda: len(producer.lines()) > kill * COUNT // 5 and len(worked_on()) > (kill - 1) * 10, told=story)
            node.kill9()
        sent = {int(line) for line in producer.wait() if line.isdigit()}
        assert len(sent) == COUNT
        wait_until(lambda: messages_left(node, "calls") == 0, told=story)
        assert sent <= worked_on()
