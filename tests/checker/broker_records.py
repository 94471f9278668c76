"""Takes apart the bodies of the log's records and the checkpoint, as src/broker/FORMAT.md describes them. Written from that page
alone. A body that does not follow the page raises `Malformed`."""
import dataclasses
import hashlib
import struct

PREAMBLE, ENQUEUED, TOUCHED, DELETED, MOVED, COPIED, QUEUE_SET, QUEUE_DELETED, PURGED, MOVE_SET = 0, 8, 9, 10, 11, 12, 13, 14, 15, 16
BELIEVED_BEHIND_A_HOLE = {PREAMBLE, ENQUEUED, COPIED, QUEUE_SET}
ACCEPTED, HAS_KEY, HAS_ABOUT_KEY, DEDUPLICATED, WITHIN_GROUP = 1, 2, 4, 8, 16
FIFO, CONTENT_DEDUPLICATION, DEDUPLICATION_PER_GROUP, THROUGHPUT_PER_GROUP = 1, 2, 4, 8
DEDUPLICATION_MS = 300_000
FLAGS = {PURGED: 1, DELETED: 1}  # by expiry; lost


class Malformed(Exception):
    pass


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        size = struct.calcsize("<" + form)
        if self.at + size > len(self.data):
            raise Malformed(f"ends at {len(self.data)}, where {size} bytes at {self.at} were due")
        values = struct.unpack_from("<" + form, self.data, self.at)
        self.at += size
        return values if len(values) > 1 else values[0]

    def bytes(self):
        return self.raw(self.take("I"))

    def raw(self, size):
        if self.at + size > len(self.data):
            raise Malformed(f"ends at {len(self.data)}, where {size} bytes at {self.at} were due")
        self.at += size
        return self.data[self.at - size:self.at]

    def rest(self):
        return self.raw(len(self.data) - self.at)

    def end(self):
        if self.at != len(self.data):
            raise Malformed(f"{len(self.data) - self.at} bytes too many")


@dataclasses.dataclass
class Key:
    key: bytes
    content: bytes
    record: bytes
    until_s: int


@dataclasses.dataclass
class Message:
    id: bytes
    sent_at: int
    source: int
    group: bytes
    attributes: dict
    system: dict
    deduplication: bytes
    body: bytes

    def group_hash(self):
        return max(1, int.from_bytes(hashlib.sha256(self.group).digest()[:8], "little")) if self.group else 0


@dataclasses.dataclass
class State:
    visible_at: int
    first_received_at: int = 0
    generation: int = 0
    epoch: int = 0
    received_s: int = 0
    receives: int = 0
    attempts: int = 0


@dataclasses.dataclass
class QueueSet:
    id: int
    name: str
    declared: int
    visibility: int
    delay: int
    retention: int
    receive_wait: int
    message_bytes_max: int
    carries_records: int
    fifo: int
    redrive: tuple | None
    settings: dict


def message(reader):
    id, sent_at, source = reader.take("16sqI")
    group = reader.bytes()
    sets = []
    for _ in range(2):
        sets.append({})
        for _ in range(reader.take("B")):
            name, kind, value = reader.bytes(), reader.bytes(), reader.bytes()
            if name in sets[-1]:
                raise Malformed(f"the attribute {name} twice")
            sets[-1][name.decode()] = (kind.decode(), value)
    deduplication = reader.raw(reader.take("B"))
    return Message(id, sent_at, source, group, *sets, deduplication, reader.rest())


def deduplication_key(queue, sequence, flags, message):
    """What the window remembers of a message sent under a deduplication id."""
    group = message.group if flags & WITHIN_GROUP else b""
    parts = struct.pack("<II", queue, len(group)) + group + struct.pack("<I", len(message.deduplication)) + message.deduplication
    until_s = (message.sent_at + DEDUPLICATION_MS) // 1000 + 1
    return Key(hashlib.sha256(parts).digest()[:16], struct.pack("<Q4x", sequence), message.id, until_s)


def state(reader):
    visible_at, first_received_at, generation, epoch, received_s, _sent_s, receives, attempts = reader.take("qqIIIIHB")
    return State(visible_at, first_received_at, generation, epoch, received_s, receives, attempts)


def queue_set(reader):
    id, name = reader.take("I"), reader.bytes().decode()
    _created, _modified, declared, visibility, delay, retention, wait, size, carries, fifo, redrive = reader.take("qqBqqqqQBBB")
    if not id or declared > 1 or carries > 1 or redrive > 1 or fifo > 15 or (fifo and not fifo & FIFO):
        raise Malformed(f"queue {id} {name}: declared {declared}, carries_records {carries}, fifo {fifo}, redrive {redrive}")
    target = (reader.bytes().decode(), reader.take("I")) if redrive else None
    settings = {}
    for _ in range(reader.take("I")):
        key = reader.bytes()
        settings[key] = reader.bytes()
    return QueueSet(id, name, declared, visibility, delay, retention, wait, size, carries, fifo, target, settings)


def move_set(reader):
    id, source, destination, name = reader.raw(16), *reader.take("II"), reader.bytes().decode()
    _below, started_at, rate, state, to_move, done = reader.take("QqHBQQ")
    reader.bytes()
    if not source or state > 3 or rate > 500 or done > to_move or bool(destination) != bool(name) or not started_at:
        raise Malformed(f"move task {id.hex()}: source {source}, state {state}, rate {rate}, {done} of {to_move} moved")
    return id


def move_sets(reader):
    """How a preamble and a checkpoint end, unless they are from before there were move tasks."""
    return [move_set(reader) for _ in range(reader.take("I"))] if reader.at < len(reader.data) else []


def preamble(reader):
    next_id, count = reader.take("II")
    queues = [(queue_set(reader), reader.take("Q")) for _ in range(count)]
    move_sets(reader)
    return next_id, queues


def enqueued(reader, flags):
    if flags & ~(ACCEPTED | HAS_KEY | HAS_ABOUT_KEY | DEDUPLICATED | WITHIN_GROUP) or flags & (DEDUPLICATED | WITHIN_GROUP) == WITHIN_GROUP:
        raise Malformed(f"flags {flags}")
    queue, sequence, visible_at = reader.take("IQq")
    keys = [Key(*reader.take("16s12s16sI")) for flag in (HAS_KEY, HAS_ABOUT_KEY) if flags & flag]
    return queue, sequence, State(visible_at), keys, message(reader)


def touched(reader):
    queue, at, count = reader.take("IqI")
    touches = []
    for _ in range(count):
        sequence, visible_at, first_received_at, generation, epoch, received_s, receives, attempts = reader.take("QqqIIIHB")
        touches.append((sequence, State(visible_at, first_received_at, generation, epoch, received_s, receives, attempts)))
    return queue, at, touches


def deleted(reader):
    queue, count = reader.take("II")
    return queue, [reader.take("Q") for _ in range(count)]


def moved(reader):
    return (*reader.take("IQIQ"), state(reader), message(reader))


def copied(reader):
    return (*reader.take("IQ"), state(reader), message(reader))


READERS = {PREAMBLE: preamble, TOUCHED: touched, DELETED: deleted, MOVED: moved, COPIED: copied, QUEUE_SET: queue_set,
           QUEUE_DELETED: lambda reader: reader.take("I"), PURGED: lambda reader: reader.take("IQ"), MOVE_SET: move_set}


def decode(record):
    """What a record says, whole to its last byte."""
    reader = Reader(record.body)
    if record.type == ENQUEUED:
        said = enqueued(reader, record.flags)
    elif record.type in READERS:
        if record.flags & ~FLAGS.get(record.type, 0):
            raise Malformed(f"flags {record.flags}")
        said = READERS[record.type](reader)
    else:
        raise Malformed(f"type {record.type}")
    reader.end()
    return said
