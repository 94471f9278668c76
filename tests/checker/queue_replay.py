"""Plays the records of a log from its beginning, by the rules of src/broker/FORMAT.md: which queues there are, what waits in
them, and what was ever accepted. Doubt keeps a message: only a record that says so removes one."""
import dataclasses
import uuid

import broker_records as format
from envelope import NoRecord, record_id

SALVAGED = 1


@dataclasses.dataclass
class Waiting:
    """A message that is there. `place` is the segment, offset and length of the record that holds it."""
    state: format.State
    message: format.Message
    place: tuple
    accepted: bool


class Queue:
    def __init__(self, setting):
        self.setting, self.next_sequence = setting, 0
        self.deduplication = {}
        self.waiting, self.removed, self.purged_below, self.deduplicates_from = {}, set(), 0, 0

    def add(self, sequence, waiting):
        self.waiting[sequence] = waiting
        self.next_sequence = max(self.next_sequence, sequence + 1)

    def remove(self, sequence):
        self.removed.add(sequence)
        return self.waiting.pop(sequence, None)

    def is_removed(self, sequence):
        return sequence in self.removed or sequence < self.purged_below


class Replay:
    """`queues` by id; `accepted` record id to the places where it was accepted; `keys` of idempotency in order of arrival; `damages` what
    breaks a rule. With `below`, only what lies before that position."""

    def __init__(self, journal, below=None):
        self.queues, self.accepted, self.keys, self.deduplication = {}, {}, [], []
        self.next_queue_id, self.damages = 1, []
        self.first_segment = journal.segments[0].number if journal.segments else 0
        for record in journal.records:
            if below is not None and record.position >= below:
                break
            if (record.behind_hole or record.marks & SALVAGED) and record.type not in format.BELIEVED_BEHIND_A_HOLE:
                continue
            try:
                said = format.decode(record)
            except (format.Malformed, UnicodeDecodeError) as why:
                self.damages.append(f"record {record.position} of segment {record.segment:#x}: {why}")
                continue
            self.apply(record, said)

    def apply(self, record, said):
        {format.PREAMBLE: self.preamble, format.ENQUEUED: self.enqueued, format.TOUCHED: self.touched, format.DELETED: self.deleted,
         format.MOVED: self.moved, format.COPIED: self.copied, format.QUEUE_SET: self.queue_set, format.QUEUE_DELETED: self.queue_deleted,
         format.PURGED: self.purged, format.MOVE_SET: lambda record, said: None}[record.type](record, said)

    def preamble(self, record, said):
        next_id, queues = said
        named = {setting.id for setting, _ in queues}
        if record.segment != self.first_segment and named != set(self.queues):
            self.damages.append(f"segment {record.segment:#x}: its preamble has the queues {sorted(named)}, the log has {sorted(self.queues)}")
        for setting, next_sequence in queues:
            self.queue_set(record, setting)
            queue = self.queues[setting.id]
            if next_sequence < queue.next_sequence:
                self.damages.append(f"segment {record.segment:#x}: its preamble would give number {next_sequence} of {setting.name} again")
            queue.next_sequence = max(queue.next_sequence, next_sequence)
        if next_id < self.next_queue_id:
            self.damages.append(f"segment {record.segment:#x}: its preamble would give queue id {next_id} again")
        self.next_queue_id = max(self.next_queue_id, next_id)

    def queue_set(self, record, setting):
        if setting.id in self.queues:
            self.queues[setting.id].setting = setting
        else:
            self.queues[setting.id] = Queue(setting)
        self.next_queue_id = max(self.next_queue_id, setting.id + 1)

    def queue_of(self, record, id):
        if id not in self.queues:
            self.damages.append(f"record {record.position} of segment {record.segment:#x}: speaks of queue {id}, which is not there")
        return self.queues.get(id)

    def enqueued(self, record, said):
        id, sequence, state, keys, message = said
        queue = self.queue_of(record, id)
        if queue is None:
            return
        if sequence < queue.next_sequence and record.marks == 0 and not record.doubtful and not self.is_same(queue, sequence, message):
            self.damages.append(f"record {record.position}: number {sequence} of {queue.setting.name} is given twice")
        self.keys += keys
        if record.flags & format.DEDUPLICATED:
            self.deduplicate(record, queue, format.deduplication_key(id, sequence, record.flags, message))
        accepted = bool(record.flags & format.ACCEPTED)
        if not queue.is_removed(sequence):
            queue.add(sequence, Waiting(state, message, self.place(record), accepted))
        if accepted:
            self.note_accepted(record, queue, message, keys)

    def deduplicate(self, record, queue, key):
        """Within an id's window no second message is taken, unless the queue was purged."""
        if not queue.setting.fifo:
            self.damages.append(f"record {record.position}: {queue.setting.name} is no FIFO queue, and its message counts for deduplication")
        sent_s = key.until_s - format.DEDUPLICATION_MS // 1000 - 1
        before = queue.deduplication.get(key.key)
        if before and before.until_s > sent_s and before.content != key.content and record.marks == 0 and not record.doubtful \
                and int.from_bytes(before.content[:8], "little") >= queue.deduplicates_from:
            self.damages.append(f"record {record.position}: {queue.setting.name} took the id of number "
                                f"{int.from_bytes(before.content[:8], 'little')} again within its window")
        queue.deduplication[key.key] = key
        self.deduplication.append(key)

    def is_same(self, queue, sequence, message):
        there = queue.waiting.get(sequence)
        return there is not None and there.message.id == message.id

    def note_accepted(self, record, queue, message, keys):
        try:
            id = record_id(message)
        except NoRecord as why:
            self.damages.append(f"record {record.position} of {queue.setting.name}: counts as accepted, but {why}")
            return
        for key in keys:
            if str(uuid.UUID(bytes=key.record)) != id:
                self.damages.append(f"record {record.position}: its key belongs to {uuid.UUID(bytes=key.record)}, its body is {id}")
        self.accepted.setdefault(id, []).append((queue.setting.name, self.place(record)))

    def id_of(self, message):
        try:
            return record_id(message)
        except NoRecord:
            return None

    def touched(self, record, said):
        id, _, touches = said
        queue = self.queue_of(record, id)
        for sequence, state in touches if queue else ():
            if sequence in queue.waiting:
                queue.waiting[sequence].state = state

    def deleted(self, record, said):
        id, sequences = said
        queue = self.queue_of(record, id)
        for sequence in sequences if queue else ():
            if queue.remove(sequence) and record.flags:
                self.damages.append(f"record {record.position}: number {sequence} of {queue.setting.name} was given up as lost")

    def moved(self, record, said):
        source, from_sequence, target, to_sequence, state, message = said
        queue, into = self.queue_of(record, source), self.queue_of(record, target)
        gone = queue.remove(from_sequence) if queue else None
        if gone and gone.message.body != message.body:
            self.damages.append(f"record {record.position}: the message moved to queue {target} has another body")
        if into and not into.is_removed(to_sequence):
            into.add(to_sequence, Waiting(state, message, self.place(record), bool(gone and gone.accepted)))

    def copied(self, record, said):
        id, sequence, state, message = said
        queue = self.queue_of(record, id)
        if queue is None or queue.is_removed(sequence):
            return
        there = queue.waiting.get(sequence)
        if there and there.message != message:
            self.damages.append(f"record {record.position}: the copy of number {sequence} of {queue.setting.name} is not like it")
        queue.add(sequence, Waiting(state, message, self.place(record), bool(there and there.accepted)))

    def queue_deleted(self, record, said):
        if self.queue_of(record, said):
            del self.queues[said]

    def purged(self, record, said):
        id, below = said
        if queue := self.queue_of(record, id):
            if not record.flags & format.FLAGS[format.PURGED]:
                queue.deduplicates_from = max(queue.deduplicates_from, below)
            queue.purged_below = max(queue.purged_below, below)
            for sequence in [s for s in queue.waiting if s < below]:
                queue.remove(sequence)

    def place(self, record):
        return record.segment, record.offset, record.length
