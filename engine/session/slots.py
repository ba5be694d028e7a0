"""Values in shared memory: two slots written alternately, so that one is whole whatever happens.

A slot is a header (magic, sequence number, length, checksum) and a payload. While a slot is written its
sequence number is zero; a reader copies, then checks. The slot with the highest number that passes is newest.
"""

from __future__ import annotations

import pickle
import struct
import zlib
from collections.abc import Sequence
from typing import Any

from engine.session.segments import Segment

MAGIC = b"MTZSLOT1"
_HEADER = struct.Struct("<8sQQI")
HEADER_BYTES = 64


class SlotFull(Exception):
    """The value does not fit; `needed` bytes would do."""

    def __init__(self, needed: int) -> None:
        super().__init__(f"{needed} bytes")
        self.needed = needed


Parts = list["memoryview[int] | bytes"]


def pack(value: Any) -> Parts:
    """The value as pieces of memory, large arrays without a copy; `unpack` of their sum gives it back."""
    buffers: list[pickle.PickleBuffer] = []
    body = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    raw = [b.raw() for b in buffers]
    lengths = struct.pack(f"<{len(raw) + 2}Q", len(raw), len(body), *(r.nbytes for r in raw))
    return [lengths, body, *raw]


def packed_bytes(parts: Parts) -> int:
    return sum(memoryview(p).nbytes for p in parts)


def unpack(data: bytearray) -> Any:
    """The value; its arrays share the memory of `data`, which must be the caller's own copy."""
    view = memoryview(data)
    count, body = struct.unpack_from("<2Q", view)
    lengths = struct.unpack_from(f"<{count}Q", view, 16)
    at = 16 + 8 * count
    pickled = view[at : at + body]
    at += body
    buffers = []
    for length in lengths:
        buffers.append(view[at : at + length])
        at += length
    return pickle.loads(pickled, buffers=buffers)


def write(segment: Segment, parts: Parts, sequence: int) -> None:
    """Write one slot. Raises SlotFull, with the slot untouched, when it is too small."""
    needed = HEADER_BYTES + packed_bytes(parts)
    if needed > segment.size:
        raise SlotFull(needed)
    buf = segment.buf
    _HEADER.pack_into(buf, 0, MAGIC, 0, 0, 0)  # not valid from here on
    at, crc = HEADER_BYTES, 0
    for part in parts:
        piece = memoryview(part).cast("B")
        buf[at : at + piece.nbytes] = piece
        crc = zlib.crc32(piece, crc)
        at += piece.nbytes
    _HEADER.pack_into(buf, 0, MAGIC, 0, at - HEADER_BYTES, crc)
    _HEADER.pack_into(buf, 0, MAGIC, sequence, at - HEADER_BYTES, crc)


def sequence_of(segment: Segment) -> int:
    """The slot's number; 0 when it never was finished."""
    magic, sequence, length, _ = _HEADER.unpack_from(segment.buf, 0)
    return int(sequence) if magic == MAGIC and HEADER_BYTES + length <= segment.size else 0


def read(segment: Segment) -> tuple[int, bytearray] | None:
    """A copy of the slot's payload with its number; None unless it is whole."""
    sequence = sequence_of(segment)
    if not sequence:
        return None
    _, _, length, crc = _HEADER.unpack_from(segment.buf, 0)
    copy = bytearray(segment.buf[HEADER_BYTES : HEADER_BYTES + length])
    if zlib.crc32(copy) != crc or sequence_of(segment) != sequence:
        return None
    return sequence, copy


def newest(segments: Sequence[Segment]) -> Any | None:
    """The value of the newest whole slot, or None."""
    for segment in sorted(segments, key=sequence_of, reverse=True):
        found = read(segment)
        if found is not None:
            return unpack(found[1])
    return None


class Writer:
    """Writes values alternately into two slots; a new writer goes on where the one before stopped."""

    def __init__(self, first: Segment, second: Segment, sequence: int = 0) -> None:
        self._pair = (first, second)
        known = [s[0] if (s := read(each)) is not None else 0 for each in self._pair]
        self.sequence = max(sequence, *known)
        self._next = 0 if known[0] <= known[1] else 1

    def write(self, parts: Parts) -> int:
        """Write into the older slot; which one. Raises SlotFull."""
        at = self._next
        write(self._pair[at], parts, self.sequence + 1)
        self.sequence += 1
        self._next = 1 - at
        return at

    def close(self) -> None:
        for segment in self._pair:
            segment.close()
