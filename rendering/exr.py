# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the multilayer OpenEXR files that Blender writes for us; OpenCV can't.

Only what Blender writes there when asked so: one part, scan lines, no compression or ZIP.
Source: the OpenEXR file layout, https://openexr.com/en/latest/OpenEXRFileLayout.html.
"""

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..pipeline.errors import InputError
from ..pipeline.pictures import F32

MAGIC = 20000630
_TYPES: dict[int, Any] = {0: np.dtype("<u4"), 1: np.dtype("<f2"), 2: np.dtype("<f4")}
_LINES_A_BLOCK = {0: 1, 2: 1, 3: 16}
"""By the number of the compression: none, ZIPS, ZIP."""
_TILED_DEEP_OR_PARTS = 0x1A00


@dataclass(frozen=True)
class _Header:
    channels: tuple[tuple[str, Any], ...]
    size: tuple[int, int]
    top: int
    compression: int
    end: int

    @property
    def row_bytes(self) -> int:
        return sum(kind.itemsize for _, kind in self.channels) * self.size[0]


def read_channels(path: Path) -> dict[str, F32]:
    """Every channel by its full name ("ViewLayer.Depth.Z"), (H, W) float32. Raises InputError."""
    try:
        data = path.read_bytes()
        return _read(data)
    except OSError as error:
        raise InputError(f"{path.name} is missing", where=str(path)) from error
    except (struct.error, ValueError, KeyError, IndexError, zlib.error) as error:
        raise InputError(
            f"{path.name} is not an OpenEXR file that Blender wrote whole", where=str(path)
        ) from error


def is_whole(path: Path) -> bool:
    """True if the file's last block of lines is there: Blender writes them in order."""
    try:
        with path.open("rb") as stream:
            header = _header(stream.read(1 << 16))
            blocks = -(-header.size[1] // _LINES_A_BLOCK[header.compression])
            stream.seek(header.end)
            last = max(struct.unpack(f"<{blocks}Q", stream.read(8 * blocks)))
            stream.seek(last)
            _, length = struct.unpack("<ii", stream.read(8))
            return last > 0 and path.stat().st_size >= last + 8 + length
    except (OSError, struct.error, ValueError, KeyError, IndexError):
        return False


def size_of(path: Path) -> tuple[int, int]:
    """Width and height of a single-part OpenEXR file, whatever its compression; (0, 0) if it is none."""
    try:
        with path.open("rb") as stream:
            return _header(stream.read(1 << 16)).size
    except (OSError, struct.error, ValueError, KeyError, IndexError):
        return 0, 0


def _read(data: bytes) -> dict[str, F32]:
    header = _header(data)
    if header.compression == 0:
        return _read_plain(data, header)
    width, height = header.size
    planes = {name: np.empty((height, width), kind) for name, kind in header.channels}
    lines = _LINES_A_BLOCK[header.compression]
    for offset in struct.unpack_from(f"<{-(-height // lines)}Q", data, header.end):
        top, length = struct.unpack_from("<ii", data, offset)
        top -= header.top
        rows = min(lines, height - top)
        block = _unpacked(data[offset + 8 : offset + 8 + length], header, rows)
        start = 0
        for name, kind in header.channels:
            stop = start + kind.itemsize * width
            planes[name][top : top + rows] = np.ascontiguousarray(block[:, start:stop]).view(kind)
            start = stop
    return {name: plane.astype(np.float32, copy=False) for name, plane in planes.items()}


def _read_plain(data: bytes, header: _Header) -> dict[str, F32]:
    """Channels of a file without compression, as views of it: every line has its number, its length and its channels."""
    width, height = header.size
    offsets = np.array(struct.unpack_from(f"<{height}Q", data, header.end))
    step = 8 + header.row_bytes
    start = int(offsets.min())
    if not np.array_equal(np.sort(offsets), start + step * np.arange(height)):
        raise ValueError("lines out of order")
    lines = np.frombuffer(data, np.uint8, step * height, start).reshape(height, step)
    if not np.array_equal(offsets, np.sort(offsets)):  # written from the bottom up
        lines = lines[np.argsort(np.argsort(offsets))]
    planes, place = {}, 8
    for name, kind in header.channels:
        stop = place + kind.itemsize * width
        planes[name] = np.ascontiguousarray(lines[:, place:stop]).view(kind).astype(np.float32, copy=False)
        place = stop
    return planes


def _unpacked(block: bytes, header: _Header, rows: int) -> NDArray[np.uint8]:
    """(rows, row bytes) uint8; undoes ZIP: deflate, then differences, then even and odd bytes apart."""
    size = header.row_bytes * rows
    if header.compression and len(block) < size:
        packed = np.frombuffer(zlib.decompress(block), np.uint8).copy()
        packed[1:] += 128
        packed = np.cumsum(packed, dtype=np.uint8)
        plain = np.empty_like(packed)
        plain[0::2], plain[1::2] = np.split(packed, [(len(packed) + 1) // 2])
    else:
        plain = np.frombuffer(block, np.uint8)
    return plain.reshape(rows, header.row_bytes)


def _header(data: bytes) -> _Header:
    magic, flags = struct.unpack_from("<II", data, 0)
    if magic != MAGIC or flags & _TILED_DEEP_OR_PARTS:
        raise ValueError("another kind of file")
    place, fields = 8, {}
    while data[place]:
        name, place = _text(data, place)
        _, place = _text(data, place)
        (length,) = struct.unpack_from("<i", data, place)
        fields[name] = data[place + 4 : place + 4 + length]
        place += 4 + length
    left, top, right, bottom = struct.unpack("<4i", fields["dataWindow"])
    size = (right - left + 1, bottom - top + 1)
    return _Header(_channels(fields["channels"]), size, top, fields["compression"][0], place + 1)


def _channels(field: bytes) -> tuple[tuple[str, Any], ...]:
    channels: list[tuple[str, Any]] = []
    place = 0
    while field[place]:
        name, place = _text(field, place)
        (kind,) = struct.unpack_from("<i", field, place)
        channels.append((name, _TYPES[kind]))
        place += 16
    return tuple(channels)


def _text(data: bytes, place: int) -> tuple[str, int]:
    end = data.index(0, place)
    return data[place:end].decode(), end + 1
