"""Reads the checkpoints of a store, by src/broker/FORMAT.md §2-§4, and compares them with what the log alone gives. They are a
cache: whatever they say must follow from the log."""
import dataclasses
import re
import struct

import broker_records as format
from journal_reader import crc32c

NAME = re.compile(r"at-([0-9a-f]{16})$")
PAGE_BYTES, PAGE_SLOTS = 57344, 1024
SLOT = struct.Struct("<qqQIIIIIIIHBB")
ONCE = struct.Struct("<16s12s16sI")
LIVE, IN_FLIGHT, DELAYED, OFFERED = 1, 2, 4, 8


@dataclasses.dataclass
class Page:
    number: int
    due: int
    live: int
    in_flight: int
    delayed: int
    slot: int
    crc: int


@dataclasses.dataclass
class SavedQueue:
    setting: format.QueueSet
    next_sequence: int
    bytes: int
    deduplicates_from: int
    pages: list


@dataclasses.dataclass
class Window:
    first_chunk: int
    next_entry: int
    forgotten: int
    chunks: list


class Checkpoint:
    def __init__(self, path):
        raw = path.read_bytes()
        if len(raw) < 12 or struct.unpack("<I", raw[-4:])[0] != crc32c(raw[:-4]):
            raise format.Malformed("its checksum does not hold")
        reader = format.Reader(raw[:-4])
        magic, self.number, self.position, self.segment, self.first, self.now_ms, self.next_queue_id = reader.take("8sQQIIqI")
        if magic != b"FBCKPT\0\2":
            raise format.Malformed(f"its magic is {magic}")
        if self.number != int(NAME.match(path.name)[1], 16):
            raise format.Malformed(f"its number is {self.number:#x}")
        self.queues = [self.queue(reader) for _ in range(reader.take("I"))]
        self.segments = {number: (live, accepted) for number, live, accepted in (reader.take("IQQ") for _ in range(reader.take("I")))}
        self.once, self.deduplication = self.window(reader), self.window(reader)
        format.move_sets(reader)
        reader.end()

    def window(self, reader):
        first, next_entry, forgotten, chunks = reader.take("QQQI")
        return Window(first, next_entry, forgotten, [reader.take("II") for _ in range(chunks)])

    def queue(self, reader):
        setting = format.queue_set(reader)
        next_sequence, size, deduplicates_from, pages = reader.take("QQQI")
        return SavedQueue(setting, next_sequence, size, deduplicates_from, [Page(*reader.take("QqIIIII")) for _ in range(pages)])


class Checkpoints:
    """`newest` is the one that counts: the newest that is whole."""

    def __init__(self, store, findings):
        self.folder, self.findings, self.whole = store / "checkpoint", findings, []
        paths = sorted(p for p in self.folder.glob("at-*") if NAME.match(p.name))
        for path in paths:
            try:
                self.whole.append(Checkpoint(path))
            except format.Malformed as why:
                findings.damage(f"checkpoint {path.name}: {why}")
        if (self.folder / "distrusted").exists():
            findings.note("the checkpoints are distrusted: the next start reads the whole log")
            self.whole = []
        self.newest = self.whole[-1] if self.whole else None

    def page(self, slot, crc, what):
        with open(self.folder / "pages", "rb") as file:
            file.seek(slot * PAGE_BYTES)
            raw = file.read(PAGE_BYTES)
        if len(raw) < PAGE_BYTES or crc32c(raw) != crc:
            self.findings.damage(f"{what}: its page in slot {slot} does not match its checksum")
            return None
        return raw

    def compare(self, checkpoint, replay):
        """`replay` played the log up to the checkpoint's position."""
        named = [page.slot for queue in checkpoint.queues for page in queue.pages]
        named += [slot for window in (checkpoint.once, checkpoint.deduplication) for slot, _ in window.chunks]
        if len(set(named)) != len(named):
            self.say(checkpoint, "names a slot twice")
        if {queue.setting.id for queue in checkpoint.queues} != set(replay.queues):
            self.say(checkpoint, f"has the queues {[q.setting.name for q in checkpoint.queues]}, the log {[q.setting.name for q in replay.queues.values()]}")
            return
        for saved in checkpoint.queues:
            self.compare_queue(checkpoint, saved, replay.queues[saved.setting.id])
        self.compare_segments(checkpoint, replay)
        self.compare_keys(checkpoint, "once-keys", checkpoint.once, replay.keys)
        self.compare_keys(checkpoint, "deduplication ids", checkpoint.deduplication, replay.deduplication)
        if checkpoint.deduplication.forgotten:
            self.say(checkpoint, f"{checkpoint.deduplication.forgotten} deduplication ids were forgotten")

    def say(self, checkpoint, text):
        self.findings.damage(f"checkpoint at-{checkpoint.number:016x}: {text}")

    def compare_queue(self, checkpoint, saved, queue):
        name = saved.setting.name
        if saved.setting != queue.setting or saved.next_sequence != queue.next_sequence:
            self.say(checkpoint, f"{name}: its settings or next number {saved.next_sequence} are not the log's ({queue.next_sequence})")
        if saved.deduplicates_from != queue.deduplicates_from:
            self.say(checkpoint, f"{name}: deduplicates from {saved.deduplicates_from}, the log from {queue.deduplicates_from}")
        slots = {}
        for page in saved.pages:
            raw = self.page(page.slot, page.crc, f"checkpoint at-{checkpoint.number:016x}, {name}")
            if raw is None:
                return
            slots.update(self.live_slots(checkpoint, name, page, raw))
        if set(slots) != set(queue.waiting):
            self.say(checkpoint, f"{name}: has {len(slots)} messages, the log {len(queue.waiting)}; "
                                 f"only in one: {sorted(set(slots) ^ set(queue.waiting))[:5]}")
            return
        if saved.bytes != sum(w.place[2] for w in queue.waiting.values()):
            self.say(checkpoint, f"{name}: counts {saved.bytes} bytes")
        for sequence, slot in slots.items():
            self.compare_message(checkpoint, f"{name} number {sequence}", slot, queue.waiting[sequence])

    def live_slots(self, checkpoint, name, page, raw):
        live = {page.number * PAGE_SLOTS + n: slot for n, slot in enumerate(SLOT.iter_unpack(raw)) if slot[-1] & LIVE}
        counts = tuple(sum(1 for slot in live.values() if slot[-1] & flag) for flag in (LIVE, IN_FLIGHT, DELAYED))
        if counts != (page.live, page.in_flight, page.delayed):
            self.say(checkpoint, f"{name}: page {page.number} counts {page.live, page.in_flight, page.delayed}, and holds {counts}")
        earliest = min((slot[0] for slot in live.values() if not slot[-1] & OFFERED), default=page.due)
        if page.due > earliest:
            self.say(checkpoint, f"{name}: page {page.number} is due at {page.due}, but a message already at {earliest}")
        return live

    def compare_message(self, checkpoint, what, slot, waiting):
        visible_at, first_received_at, group, segment, offset, length, generation, epoch, received_s, _, receives, attempts, _ = slot
        state = format.State(visible_at, first_received_at, generation, epoch, received_s, receives, attempts)
        if (segment, offset, length) != waiting.place:
            self.say(checkpoint, f"{what}: lies at {(segment, offset, length)}, in the log at {waiting.place}")
        if group != waiting.message.group_hash():
            self.say(checkpoint, f"{what}: its group is {group:#x}, by the log {waiting.message.group!r}")
        if state != waiting.state:
            self.say(checkpoint, f"{what}: is {state}, by the log {waiting.state}")

    def compare_segments(self, checkpoint, replay):
        live = {}
        for queue in replay.queues.values():
            for waiting in queue.waiting.values():
                live[waiting.place[0]] = live.get(waiting.place[0], 0) + waiting.place[2]
        counted = {number: size for number, (size, _) in checkpoint.segments.items() if size}
        if counted != live:
            self.say(checkpoint, f"counts live bytes {counted}, the log has {live}")
        if dead := [number for number in live if number < checkpoint.first]:
            self.say(checkpoint, f"would drop segments {dead}, in which messages live")

    def compare_keys(self, checkpoint, what, window, keys):
        """A key whose window has not ended is in the list, unless it was counted as forgotten."""
        listed = set()
        for number, (slot, crc) in enumerate(window.chunks, window.first_chunk):
            raw = self.page(slot, crc, f"checkpoint at-{checkpoint.number:016x}, {what}")
            if raw is None:
                return
            count = min(PAGE_SLOTS, window.next_entry - number * PAGE_SLOTS)
            listed.update(entry for n, entry in enumerate(ONCE.iter_unpack(raw[:ONCE.size * PAGE_SLOTS])) if n < count)
        wanted = [key for key in keys if key.until_s * 1000 > checkpoint.now_ms]
        missing = [key for key in wanted if (key.key, key.content, key.record, key.until_s) not in listed]
        if len(missing) > window.forgotten:
            self.say(checkpoint, f"{len(missing)} of {len(wanted)} {what} are missing")
