"""Reads a stopped store's log as src/journal/FORMAT.md describes it, and nothing else: this file was written from that page
without a look at the program, so that the two must agree about what is on the disk.

`read_journal(STORE)` gives the records that count, in order, and says of everything that is not as the page says: a *damage*
(a rule is broken, or a durable record is missing) or a *note* (legal after a crash: a tail nobody was answered for).
"""
import dataclasses
import pathlib
import re
import struct

import crcmod.predefined

crc32c = crcmod.predefined.mkPredefinedCrcFun("crc-32c")
HEADER = struct.Struct("<8sHHI16sQQQQQqIIQ28xI")
FRAME = struct.Struct("<IIQIIQIIqIIQ")
RECORD = struct.Struct("<IIIBBBBQ")
MARK = struct.Struct("<8sQ16sQQII")
HISTORY = struct.Struct("<8sHHIQQII20xI")
FRAME_MAGIC = struct.pack("<4s", b"FBBT")
FIRST_FRAME, SECTOR = 4096, 512
LIVE_NAME = re.compile(r"log-([0-9a-f]{16})\.seg$")
HISTORY_NAME = re.compile(r"log-([0-9a-f]{16})\.(seg|fbz)$")


def seeded(salt, offset, data):
    return crc32c(struct.pack("<QQ", salt, offset) + data)


@dataclasses.dataclass
class Record:
    position: int
    type: int
    flags: int
    marks: int
    body: bytes
    segment: int
    offset: int  # of its header in the segment
    length: int  # header and body, without the zeros behind
    wall_ms: int
    doubtful: bool = False  # at or above what is proven durable
    behind_hole: bool = False  # in the doubtful tail, after something that is missing


@dataclasses.dataclass
class Frame:
    offset: int
    first: int
    count: int
    length: int
    durable_upto: int
    chain: int
    payload_crc: int
    wall_ms: int
    epoch: int
    number_low: int
    salt: int

    @property
    def end(self):
        return (self.offset + FRAME.size + self.length + SECTOR - 1) // SECTOR * SECTOR


class Findings:
    def __init__(self):
        self.damages, self.notes = [], []

    def damage(self, text):
        self.damages.append(text)

    def note(self, text):
        self.notes.append(text)


class Segment:
    """One file of the log: its header, its valid frames in order, and the records in them."""

    def __init__(self, name, number, data, findings):
        self.name, self.number, self.data, self.findings = name, number, data, findings
        self.frames, self.records = [], []
        self.bad = []  # (the position that was due, what is wrong): damage below the bound, legal above
        if self.read_header():
            self.walk()

    def read_header(self):
        copies = [self.header_copy(at) for at in (0, 2048)]
        fields = copies[0] or copies[1]
        if fields is None:
            return self.rebuild_header()
        for at, copy in zip((0, 2048), copies):
            if copy is None:
                self.findings.damage(f"{self.name}: the copy of its header at {at} is bad")
            elif copy != fields:
                self.findings.damage(f"{self.name}: its two headers differ")
        (_, version, self.flags, self.epoch, self.store, number, self.salt, self.base, self.resumes_at, self.proven_upto, self.wall_ms,
         self.previous_crc, zero, self.segment_bytes, _) = fields
        if version != 1:
            self.findings.damage(f"{self.name}: version {version} is not 1")
            return False
        if number != self.number:
            self.findings.damage(f"{self.name}: its header says number {number:#x}")
        if self.flags & ~1 or zero or any(self.data[128:2048]) or any(self.data[2048 + 128:FIRST_FRAME]):
            self.findings.damage(f"{self.name}: something stands where the header page must be zero")
        if len(self.data) > self.segment_bytes:
            self.findings.damage(f"{self.name}: {len(self.data)} bytes, more than the {self.segment_bytes} of its header")
        return True

    def header_copy(self, at):
        raw = self.data[at:at + HEADER.size]
        if len(raw) < HEADER.size or raw[:8] != b"FBSEG001":
            return None
        fields = HEADER.unpack(raw)
        return fields[:-1] + (0,) if crc32c(struct.pack("<Q", at) + raw[:124]) == fields[-1] and not any(raw[96:124]) else None

    def rebuild_header(self):
        """Both copies bad: the first frame repeats what matters."""
        frame = self.frame_at(FIRST_FRAME, believing=True)
        if frame is None:
            self.findings.damage(f"{self.name}: both headers and the first frame are bad: its records are missing")
            self.salt = None
            return False
        self.findings.damage(f"{self.name}: both headers are bad; rebuilt from the first frame")
        self.flags, self.epoch, self.store, self.salt, self.base = 1, frame.epoch, None, frame.salt, frame.first
        self.resumes_at, self.proven_upto, self.previous_crc, self.wall_ms = frame.durable_upto, 0, None, frame.wall_ms
        return True

    def frame_at(self, offset, believing=False):
        """The frame whose header at `offset` holds, or nothing. `believing` takes the salt from the frame itself."""
        raw = self.data[offset:offset + FRAME.size]
        if len(raw) < FRAME.size or raw[:4] != FRAME_MAGIC:
            return None
        fields = FRAME.unpack(raw)
        frame = Frame(offset, *fields[2:])
        salt = frame.salt if believing else self.salt
        if fields[1] != seeded(salt, offset, raw[8:]) or frame.salt != salt or frame.number_low != self.number & 0xffffffff:
            return None
        payload = self.data[offset + FRAME.size:offset + FRAME.size + frame.length]
        return frame if not believing or frame.payload_crc == seeded(salt, offset, payload) else None

    def next_frame(self, offset):
        """The next valid frame header at or behind `offset`, in steps of a sector."""
        while (offset := self.data.find(FRAME_MAGIC, offset)) >= 0:
            if offset % SECTOR == 0 and (frame := self.frame_at(offset)):
                return frame
            offset += 1
        return None

    def walk(self):
        offset, expected, chain = FIRST_FRAME, self.base, 0
        while True:
            frame = self.frame_at(offset) or self.next_frame(offset)
            if frame is None:
                break
            if frame.offset != offset:
                self.bad.append((expected, f"{self.at(offset)}: no valid frame before the one at {frame.offset}"))
                self.read_one_by_one(offset, frame.offset, wall_ms=0)
                # Without the frame before it, nothing is known about the chain.
                chain = frame.chain if frame.first != expected or not self.frames else chain
            elif frame.chain != chain:
                self.findings.damage(f"{self.at(offset)}: the chain is broken: {frame.chain:#x} after {chain:#x}")
            if frame.first < expected:
                self.findings.damage(f"{self.at(offset)}: begins at position {frame.first}, which was given already")
            self.check_frame(frame)
            self.read_records(frame)
            self.frames.append(frame)
            offset, expected, chain = frame.end, max(expected, frame.first + frame.count), frame.payload_crc
        self.end, self.next_position = offset, expected
        if not self.frames:
            self.findings.damage(f"{self.name}: has no valid frame")
        if any_set(self.data, offset):
            self.read_one_by_one(offset, len(self.data), wall_ms=0)
            if not self.flags & 1:
                self.findings.note(f"{self.at(offset)}: bytes of no valid frame at the end")

    def read_one_by_one(self, begin, end, wall_ms):
        """Each record has a checksum of its own, and begins at a multiple of 8 bytes."""
        end = min(end, len(self.data))
        written = min(begin + len(self.data[begin:end].rstrip(b"\0")) + RECORD.size, end)
        found = []
        for phase in (begin, begin + 8, begin + 16):
            headers = RECORD.iter_unpack(self.data[phase:phase + max(written - phase, 0) // RECORD.size * RECORD.size])
            found += [phase + RECORD.size * n for n, (_, length, _, kind, _, codec, marks, key) in enumerate(headers)
                      if key == 0 and codec == 0 and marks < 2 and kind and phase + RECORD.size * (n + 1) + length <= end]
        for offset in sorted(found):
            self.record_at(offset, end, wall_ms)

    def check_frame(self, frame):
        if frame.epoch != self.epoch:
            self.findings.damage(f"{self.at(frame.offset)}: boot epoch {frame.epoch}, the segment's is {self.epoch}")
        if self.frames and frame.durable_upto < self.frames[-1].durable_upto:
            self.findings.damage(f"{self.at(frame.offset)}: durable_upto went back to {frame.durable_upto}")
        if frame.durable_upto > frame.first:
            self.findings.damage(f"{self.at(frame.offset)}: says {frame.durable_upto} durable before {frame.first} was written")
        if not self.frames and (frame.count != 0 or frame.first != self.base or frame.chain != 0):
            self.findings.damage(f"{self.at(frame.offset)}: the first frame is no preamble's")
        if self.frames and frame.count == 0:
            self.findings.damage(f"{self.at(frame.offset)}: a frame without records")
        if any_set(self.data, frame.offset + FRAME.size + frame.length, frame.end):
            self.findings.damage(f"{self.at(frame.offset)}: not filled up with zeros")

    def read_records(self, frame):
        begin, end = frame.offset + FRAME.size, frame.offset + FRAME.size + frame.length
        whole = seeded(self.salt, frame.offset, self.data[begin:end]) == frame.payload_crc and end <= len(self.data)
        if not whole:
            self.bad.append((frame.first, f"{self.at(frame.offset)}: the frame's payload does not match its checksum"))
            self.read_one_by_one(begin, end, frame.wall_ms)
            return
        offset, expected = begin, frame.first
        while offset < end:
            record = self.record_at(offset, end, frame.wall_ms)
            if record is None:
                self.findings.damage(f"{self.at(offset)}: a frame whose checksum holds has a record whose checksum does not")
                return
            if record.position != expected or (record.type == 0) != (frame.count == 0):
                self.findings.damage(f"{self.at(offset)}: record {record.position} of type {record.type} where {expected} was due")
            padded = record.length + -record.length % 8
            if any_set(self.data, offset + record.length, offset + padded):
                self.findings.damage(f"{self.at(offset)}: the record is not filled up with zeros")
            offset, expected = offset + padded, expected + 1
        if expected - frame.first != max(frame.count, 1) or offset != end:
            self.findings.damage(f"{self.at(frame.offset)}: says {frame.count} records in {frame.length} bytes, and that is not so")

    def record_at(self, offset, end, wall_ms):
        """Takes up the record at `offset` when its checksum holds."""
        raw = self.data[offset:offset + RECORD.size]
        if len(raw) < RECORD.size:
            return None
        crc, body_length, index, kind, flags, codec, marks, key = RECORD.unpack(raw)
        stop = offset + RECORD.size + body_length
        if stop > end or crc != seeded(self.salt, offset, self.data[offset + 4:stop]):
            return None
        if codec or key or marks & ~1 or 1 <= kind <= 7:
            self.findings.damage(f"{self.at(offset)}: codec {codec}, key {key}, marks {marks}, type {kind} are not version 1")
        body = bytes(self.data[offset + RECORD.size:stop])
        record = Record(self.base + index, kind, flags, marks, body, self.number, offset, stop - offset, wall_ms)
        self.records.append(record)
        return record

    def at(self, offset):
        return f"{self.name} at {offset}"


def any_set(data, begin, end=None):
    part = data[begin:end]
    return part.count(0) != len(part)


def read_history_file(path, number, findings):
    """The raw bytes of a compressed segment; a bad block reads as zeros."""
    import zstandard  # only here: most stores have none
    raw = path.read_bytes()
    magic, version, zero, block_bytes, own_number, length, blocks, index_crc, crc = HISTORY.unpack(raw[:HISTORY.size])
    index = raw[4096:4096 + 16 * blocks]
    if magic != b"FBHIST01" or version != 1 or crc != crc32c(raw[:60]) or index_crc != crc32c(index) or len(index) != 16 * blocks:
        findings.damage(f"{path.name}: its header or index is bad: its records are missing")
        return None
    if own_number != number or zero or any_set(raw, 40, 60):
        findings.damage(f"{path.name}: its header is not as its name or the version says")
    data = bytearray(length)
    for block, (offset, size, block_crc) in enumerate(struct.iter_unpack("<QII", index)):
        part = raw[offset:offset + size]
        begin, want = block * block_bytes, min(block_bytes, length - block * block_bytes)
        if crc32c(part) != block_crc:
            findings.damage(f"{path.name}: block {block} is bad")
            continue
        data[begin:begin + want] = zstandard.ZstdDecompressor().decompress(part, max_output_size=want)
    return bytes(data)


@dataclasses.dataclass
class Mark:
    count: int
    store: bytes
    durable_upto: int
    next_position: int


def read_mark(store, findings):
    """The second witness; a hint, may be missing or bad."""
    path = store / "commit.mark"
    best = None
    if not path.exists():
        findings.note("commit.mark is missing")
        return None
    raw = path.read_bytes()
    for at in (0, 4096):
        slot = raw[at:at + MARK.size]
        if len(slot) < MARK.size or not any(slot):
            continue
        magic, count, uuid, durable_upto, next_position, _, crc = MARK.unpack(slot)
        if magic != b"FBMARK01" or crc != seeded(0, at, slot[:52]):
            findings.note(f"commit.mark: the slot at {at} is bad")
        elif best is None or count > best.count:
            best = Mark(count, uuid, durable_upto, next_position)
    return best


class Journal:
    """`records` in the order of their positions; `durable_upto` is D of the page; `segments` by number."""

    def __init__(self, store, checkpoint_position=0):
        self.store, self.findings = pathlib.Path(store), Findings()
        self.checkpoint_position = checkpoint_position
        self.segments = self.read_segments()
        self.mark = read_mark(self.store, self.findings)
        self.records, self.durable_upto, self.next_position = [], 0, 0
        self.check_segments()
        self.choose_records()

    def read_segments(self):
        files = {}
        for path in sorted((self.store / "history").glob("*")):
            if match := HISTORY_NAME.match(path.name):
                number = int(match[1], 16)
                if match[2] == "fbz" or number not in files:
                    files[number] = path
        for path in self.store.glob("log-*"):
            if match := LIVE_NAME.match(path.name):
                number = int(match[1], 16)
                if number in files:
                    self.findings.damage(f"segment {number:#x} is live and in the history")
                files[number] = path
        segments = []
        for number, path in sorted(files.items()):
            compressed = path.suffix == ".fbz"
            data = read_history_file(path, number, self.findings) if compressed else path.read_bytes()
            if data is None:
                continue
            segment = Segment(path.name, number, data, self.findings)
            segment.data = None  # one at a time: each has 64 MiB
            segment.in_history = path.parent.name == "history"
            if segment.salt is not None:
                segments.append(segment)
        return segments

    def check_segments(self):
        stores = {s.store for s in self.segments if s.store} | ({self.mark.store} if self.mark else set())
        if len(stores) > 1:
            self.findings.damage("files of more than one store: " + ", ".join(sorted(s.hex() for s in stores)))
        if not self.segments:
            self.findings.damage("there is no segment")
        seen = 0
        for before, segment in zip([None, *self.segments], self.segments):
            if before:
                self.check_pair(before, segment)
                if segment.base < seen:
                    self.findings.damage(f"{segment.name}: its base {segment.base} is below position {seen}, which was given")
            seen = max([seen, *(r.position + 1 for r in segment.records if r.type)])

    def check_pair(self, before, segment):
        for number in range(before.number + 1, segment.number):
            # Only what is worth keeping goes into the history; live segments are a gapless run.
            say = self.findings.note if before.in_history else self.findings.damage
            say(f"log-{number:016x}: the segment is missing")
        if segment.epoch < before.epoch:
            self.findings.damage(f"{segment.name}: its boot epoch went back")
        if segment.resumes_at > segment.base:
            self.findings.damage(f"{segment.name}: resumes_at {segment.resumes_at} is above its base {segment.base}")
        last = before.frames[-1].payload_crc if before.frames else 0
        if segment.previous_crc is not None and segment.number == before.number + 1 and segment.previous_crc != last:
            self.findings.damage(f"{segment.name}: follows a frame of checksum {segment.previous_crc:#x}, but {before.name} ends with {last:#x}")

    def choose_records(self):
        bound, later = None, None  # bound: resumes_at of what comes later
        chosen = []
        for segment in reversed(self.segments):
            if later is None:
                chosen.append(self.of_last(segment, self.end_of_proof(segment)))
            else:
                chosen.append(self.of_earlier(segment, bound, later.number == segment.number + 1))
            bound, later = segment.resumes_at if bound is None else min(bound, segment.resumes_at), segment
        for records in reversed(chosen):
            self.records += records

    def end_of_proof(self, segment):
        witnesses = [segment.proven_upto, self.checkpoint_position, *(f.durable_upto for f in segment.frames)]
        if self.mark:
            witnesses.append(self.mark.durable_upto)
        self.durable_upto = max(witnesses)
        self.next_position = max(segment.next_position, self.mark.next_position if self.mark else 0)
        return self.durable_upto

    def of_earlier(self, segment, bound, next_is_there):
        kept = [r for r in segment.records if r.type == 0 or r.position < bound]
        self.check_whole(segment, kept, bound if next_is_there else segment.next_position)
        return kept

    def of_last(self, segment, durable_upto):
        proven = [r for r in segment.records if r.type == 0 or r.position < durable_upto]
        self.check_whole(segment, proven, durable_upto)
        expected = max(durable_upto, segment.base)
        for record in segment.records:
            if record.type and record.position >= durable_upto:
                record.doubtful, record.behind_hole = True, record.position != expected
                expected = record.position + 1 if record.position == expected else expected
        return segment.records

    def check_whole(self, segment, records, bound):
        """Every position from the segment's base up to the bound must be there, once, in frames that hold."""
        for position, what in segment.bad:
            (self.findings.damage if position < bound else self.findings.note)(what)
        expected = segment.base
        for position in sorted(r.position for r in records if r.type):
            if position != expected:
                what = f"positions {expected} to {position - 1} are missing" if position > expected else f"position {position} is there twice"
                self.findings.damage(f"{segment.name}: {what}, and they were durable")
            expected = position + 1
        if expected < bound:
            self.findings.damage(f"{segment.name}: positions {expected} to {bound - 1} are missing, and they were durable")


def read_journal(store, checkpoint_position=0):
    return Journal(store, checkpoint_position)
