# SPDX-License-Identifier: GPL-3.0-or-later
"""The size of a picture from its header, without decoding it, and whether that size can be true."""

from __future__ import annotations

from pathlib import Path

from ..pipeline.sniff import HEAD, kind_of
from .facts import Facts, Texture
from .uri import beside

_KTX2 = b"\xabKTX 20\xbb\r\n\x1a\n"
_SEEN = 1 << 20
"""Bytes of a picture that are looked at: the frame header of a JPEG comes after its thumbnails and profiles."""
_PER_BYTE = {"png": 8400, "jpeg": 4200, "ktx2": 8192}
"""Most pixels that one byte can stand for: deflate gives 1032 bytes a byte, of 8 pixels each at 1 bit."""


def _png(head: bytes) -> tuple[int, int]:
    if head[12:16] != b"IHDR":
        return 0, 0
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


def _jpeg(data: bytes) -> tuple[int, int]:
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:  # each segment is at least 2 bytes long, so this ends
        marker = data[at + 1]
        if marker in (0xFF, 0x01) or 0xD0 <= marker <= 0xD8:
            at += 1 if marker == 0xFF else 2
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        at += 2 + max(int.from_bytes(data[at + 2 : at + 4], "big"), 2)
    return 0, 0


def _webp(head: bytes) -> tuple[int, int]:
    kind = head[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF
    return 0, 0


def size_of(data: bytes) -> tuple[str, int, int]:
    """(kind, width, height) in pixels of the picture that begins with ``data``; size 0 where it can't be told."""
    if data.startswith(_KTX2) and len(data) >= 28:
        return "ktx2", int.from_bytes(data[20:24], "little"), max(int.from_bytes(data[24:28], "little"), 1)
    if data.startswith(b"BM") and len(data) >= 26:
        width, height = (int.from_bytes(data[at : at + 4], "little", signed=True) for at in (18, 22))
        return "bmp", abs(width), abs(height)
    kind = kind_of(data[:HEAD])
    reader = {"png": _png, "jpeg": _jpeg, "webp": _webp}.get(kind)
    if kind == "gif" and len(data) >= 10:
        return kind, int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    width, height = reader(data) if reader and len(data) >= 30 else (0, 0)
    return kind, width, height


def check_image(facts: Facts, name: str, data: bytes, length: int, *, embedded: bool) -> None:
    """Adds a picture of ``length`` bytes that begins with ``data``. Raises InputError for an absurd size."""
    kind, width, height = size_of(data)
    edge = facts.limits.texture_edge
    if max(width, height) > edge:
        todo = f"Make it at most {edge} pixels wide and high."
        raise facts.bad(f"has a texture of {width:,} x {height:,} pixels: {name}", todo)
    if kind in _PER_BYTE and width * height > _PER_BYTE[kind] * length:
        raise facts.bad(f"has a texture that claims {width} x {height} pixels in {length:,} bytes: {name}")
    if not kind:
        facts.note(f"The texture {name} is of a kind that is not known here.")
    facts.add_texture(Texture(name, kind, width, height, embedded=embedded))


def check_image_file(facts: Facts, name: str) -> None:
    """The same of a picture beside the file; a missing one is a fact, not an error. Raises InputError for tricks."""
    path = beside(facts, name, "texture")
    if path is None:
        facts.add_texture(Texture(name, missing=True))
        return
    check_image(facts, name, head_of(path), path.stat().st_size, embedded=False)


def head_of(path: Path) -> bytes:
    """The first part of a file: enough for the header of any picture. Raises OSError."""
    with path.open("rb") as stream:
        return stream.read(_SEEN)
