# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what an MP4 says about its video track, and writes the colour tag where an encoder left it out.

Box layouts: ISO/IEC 14496-12 (moov, trak, mdhd, stsd, stts, stsz, colr) and 14496-15 (avc1).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from .errors import InputError
from .store import write_bytes

BT709 = (1, 1, 1)
"""Primaries, transfer and matrix code points of Rec. ITU-R BT.709 (ISO/IEC 23091-2)."""
_CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl"}
_SAMPLE_ENTRY_HEAD = 78
"""Bytes of a VisualSampleEntry before its own boxes."""


@dataclass(frozen=True)
class Box:
    """``start`` and ``end`` are byte offsets of the whole box, ``body`` that of its contents."""

    kind: bytes
    start: int
    body: int
    end: int


@dataclass(frozen=True)
class VideoTrack:
    """What the container says: ``colour`` is (primaries, transfer, matrix) or None where it is not tagged."""

    codec: str
    size: tuple[int, int]
    frames: int
    fps: Fraction
    colour: tuple[int, int, int] | None
    full_range: bool | None
    fast_start: bool


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes that lie one after another in ``data[start:end]``. Raises InputError at a broken size."""
    end = len(data) if end is None else end
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        body = start + 8
        if size == 1 and body + 8 <= end:
            size, body = struct.unpack_from(">Q", data, body)[0], body + 8
        elif size == 0:
            size = end - start
        if size < body - start or start + size > end:
            raise InputError("The MP4 is cut off or damaged", todo="Run Finish again.")
        yield Box(kind, start, body, start + size)
        start += size


def _tree(data: bytes, start: int, end: int) -> Iterator[Box]:
    for box in boxes(data, start, end):
        yield box
        if box.kind in _CONTAINERS:
            yield from _tree(data, box.body, box.end)


def _video_boxes(data: bytes) -> dict[bytes, Box]:
    """The boxes of the first video track by kind, with ``avc1`` (any sample entry) and its inner boxes."""
    for trak in (box for box in _tree(data, 0, len(data)) if box.kind == b"trak"):
        found = {box.kind: box for box in _tree(data, trak.body, trak.end)}
        hdlr = found.get(b"hdlr")
        if hdlr is None or data[hdlr.body + 8 : hdlr.body + 12] != b"vide" or b"stsd" not in found:
            continue
        entry = next(boxes(data, found[b"stsd"].body + 8, found[b"stsd"].end))
        inner = {box.kind: box for box in boxes(data, entry.body + _SAMPLE_ENTRY_HEAD, entry.end)}
        return {**found, **inner, b"entry": entry}
    raise InputError("The MP4 has no video track", todo="Run Finish again.")


def _rate(data: bytes, found: dict[bytes, Box]) -> Fraction:
    mdhd, stts = found[b"mdhd"], found[b"stts"]
    wide = data[mdhd.body] == 1
    timescale = int(struct.unpack_from(">I", data, mdhd.body + (20 if wide else 12))[0])
    entries = int(struct.unpack_from(">I", data, stts.body + 4)[0])
    runs = [struct.unpack_from(">II", data, stts.body + 8 + 8 * index) for index in range(entries)]
    samples, ticks = sum(run[0] for run in runs), sum(run[0] * run[1] for run in runs)
    return Fraction(timescale * samples, ticks) if ticks else Fraction(0)


def read_video_track(path: Path) -> VideoTrack:
    """The first video track of an MP4. Raises InputError if there is none or the file is damaged."""
    data = path.read_bytes()
    found = _video_boxes(data)
    entry, colr = found[b"entry"], found.get(b"colr")
    width, height = struct.unpack_from(">HH", data, entry.body + 24)
    colour, full = None, None
    if colr is not None and data[colr.body : colr.body + 4] == b"nclx":
        colour = struct.unpack_from(">HHH", data, colr.body + 4)
        full = bool(data[colr.body + 10] & 0x80)
    top = [box.kind for box in boxes(data)]
    return VideoTrack(
        codec=entry.kind.decode("latin-1"),
        size=(width, height),
        frames=int(struct.unpack_from(">I", data, found[b"stsz"].body + 8)[0]),
        fps=_rate(data, found),
        colour=colour,
        full_range=full,
        fast_start=b"mdat" in top and top.index(b"moov") < top.index(b"mdat"),
    )


def _shift_chunks(data: bytearray, by: int, after: int) -> None:
    """Moves the chunk offsets that point behind ``after``, since ``by`` bytes were put in there."""
    for box in list(_tree(bytes(data), 0, len(data))):
        if box.kind not in (b"stco", b"co64"):
            continue
        form, width = (">I", 4) if box.kind == b"stco" else (">Q", 8)
        for index in range(struct.unpack_from(">I", data, box.body + 4)[0]):
            place = box.body + 8 + index * width
            offset = struct.unpack_from(form, data, place)[0]
            if offset >= after:
                struct.pack_into(form, data, place, offset + by)


def tag_bt709(path: Path, *, full_range: bool = False) -> bool:
    """Makes the ``colr`` box say BT.709 and the range; True if the file had to be changed.

    The pixels are not touched: the encoder must have used the BT.709 matrix. Raises InputError or StorageError.
    """
    data = bytearray(path.read_bytes())
    found = _video_boxes(bytes(data))
    wanted = b"nclx" + struct.pack(">HHHB", *BT709, 0x80 if full_range else 0)
    colr = found.get(b"colr")
    if colr is not None and colr.end - colr.body == len(wanted):
        if bytes(data[colr.body : colr.end]) == wanted:
            return False
        data[colr.body : colr.end] = wanted
    else:
        box = struct.pack(">I4s", 8 + len(wanted), b"colr") + wanted
        place = found[b"entry"].end
        for holder in (b"entry", b"stsd", b"stbl", b"minf", b"mdia", b"trak", b"moov"):
            start = _holder(bytes(data), holder, found).start
            struct.pack_into(">I", data, start, struct.unpack_from(">I", data, start)[0] + len(box))
        data[place:place] = box
        _shift_chunks(data, len(box), place)
    write_bytes(path, bytes(data))
    return True


def _holder(data: bytes, kind: bytes, found: dict[bytes, Box]) -> Box:
    if kind in found:
        return found[kind]
    entry = found[b"entry"]  # moov and trak are above the track's own boxes
    return next(b for b in _tree(data, 0, len(data)) if b.kind == kind and b.start <= entry.start < b.end)
