"""Every limit of SQS, as the table's cases name them; and where those are proved that the table cannot reach in seconds."""

LIMITS = {
    "message size": "1 byte to 1,048,576 bytes with names, types and values of attributes; `MaximumMessageSize` of 1,024 to 1,048,576",
    "batch": "1 to 10 entries of 1,048,576 bytes in all",
    "batch id": "1 to 80 of `A-Za-z0-9_-`, distinct",
    "characters": "#x9, #xA, #xD, #x20 to #xD7FF, #xE000 to #xFFFD, #x10000 to #x10FFFF",
    "visibility": "0 to 43,200 seconds, and 43,200 in all from the receive",
    "retention": "60 to 1,209,600 seconds",
    "delay": "0 to 900 seconds",
    "wait": "0 to 20 seconds",
    "receive": "1 to 10 messages",
    "message attributes": "10; a name of 1 to 256 characters; a type of 1 to 256",
    "group id": "group, deduplication id and attempt: 1 to 128 of letters, digits and punctuation",
    "queue name": "1 to 80 of `A-Za-z0-9_-`, `.fifo` counted",
    "list": "1 to 1,000 results",
    "tags": "50; a key of 1 to 128, a value of 0 to 256 characters",
    "policy": "8,192 bytes, 20 statements, 50 principals, 10 conditions; a label of 1 to 80 characters and 1 to 7 actions of AddPermission",
    "maxReceiveCount": "1 to 1,000",
    "RedriveAllowPolicy": "`byQueue` with 1 to 10 ARNs",
    "move task": "one running for a source; 1 to 500 messages a second; 1 to 10 results",
    "KMS reuse period": "60 to 86,400 seconds",
}
# limit: the test that proves it
ELSEWHERE = {
    "120,000 messages in flight (what happens at the bound, shown at a lower one)": "tests/unit/broker/turn_test.cpp",
    "120,000 messages in flight of a FIFO queue (likewise)": "tests/unit/broker/fifo_test.cpp",
    "a message is gone when its retention is over": "tests/unit/broker/turn_test.cpp",
    "deduplication ids and receive attempts are remembered for five minutes": "tests/unit/broker/fifo_test.cpp",
    "the sixty seconds after a delete and between purges end": "tests/unit/broker/queues_test.cpp",
    "a move task keeps its rate": "tests/unit/broker/moves_test.cpp",
    "which groups of a standard queue are noisy, and who goes first": "tests/unit/queue/fair_test.cpp",
}
