# SPDX-License-Identifier: GPL-3.0-or-later
"""PNG files without the notes that Blender puts in: render times would make every run's files differ.

Source: the PNG specification (ISO/IEC 15948), chunk layout.
"""

import struct
from pathlib import Path

from ..pipeline.errors import InputError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
END = b"IEND"
_NOTES = frozenset({b"tEXt", b"zTXt", b"iTXt", b"tIME", b"eXIf"})


def without_notes(data: bytes, name: str) -> bytes:
    """The same picture without text, time and EXIF chunks. Raises InputError if it is cut off or no PNG."""
    kept, place, kind = [SIGNATURE], len(SIGNATURE), b""
    if data.startswith(SIGNATURE):
        while place + 12 <= len(data) and kind != END:
            (length,) = struct.unpack_from(">I", data, place)
            kind = data[place + 4 : place + 8]
            if kind not in _NOTES:
                kept.append(data[place : place + 12 + length])
            place += 12 + length
    if kind != END or place > len(data):
        raise InputError("A rendered picture is not a whole PNG", where=name, todo="Run Ground truth again.")
    return b"".join(kept)


def size_of(path: Path) -> tuple[int, int]:
    """Width and height of a PNG; (0, 0) if it is none."""
    try:
        with path.open("rb") as stream:
            head = stream.read(24)
        width, height = struct.unpack(">II", head[16:24])
    except (OSError, struct.error):
        return 0, 0
    return (width, height) if head.startswith(SIGNATURE) else (0, 0)
