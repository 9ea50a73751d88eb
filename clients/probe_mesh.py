# SPDX-License-Identifier: GPL-3.0-or-later
"""Does a binary glTF hold what it says it holds? A few hundred bytes may claim more points than any memory has."""

import struct
from pathlib import Path
from typing import Any, BinaryIO

from .calls import parsed, table_of, tables_of

JSON, BINARY = 0x4E4F534A, 0x004E4942
MOST_JSON = 64 << 20
MOST_UNSTORED = 256 << 20
"""Bytes of points that a file may name without holding them: zeros, or unpacked from a compressed form."""
WIDTHS = {5120: 1, 5121: 1, 5122: 2, 5123: 2, 5125: 4, 5126: 4}
PARTS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}


def problem(path: Path, picture: Any) -> str:
    """What is wrong with a GLB, as the end of "The result ..."; "" if nothing is. ``picture(stream)`` says the same of one
    that is inside. Raises OSError."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        magic, version, length = struct.unpack("<4sII", stream.read(12).ljust(12, b"\0"))
        chunk, kind = struct.unpack("<II", stream.read(8).ljust(8, b"\0"))
        if magic != b"glTF" or version != 2 or length > size or 20 + chunk > size or kind != JSON:
            return "is a mesh that is cut off"
        if chunk > MOST_JSON:
            return "is a mesh whose description is too large to be honest"
        try:
            scene = table_of(parsed(stream.read(chunk)))
        except ValueError:
            return "is a damaged mesh"
        held, kind = struct.unpack("<II", stream.read(8).ljust(8, b"\0"))
        start = 20 + chunk + 8
        if kind != BINARY or start + held > size:
            held = 0
        return _points(scene, held) or _pictures(scene, stream, start, held, picture)


def _points(scene: dict[str, Any], held: int) -> str:
    views, unstored = tables_of(scene.get("bufferViews")), 0
    for accessor in tables_of(scene.get("accessors")):
        count = accessor.get("count")
        each = WIDTHS.get(_number(accessor, "componentType"), 0) * PARTS.get(str(accessor.get("type")), 0)
        if not isinstance(count, int) or count < 0 or not each:
            return "is a damaged mesh"
        at = accessor.get("bufferView")
        view = views[at] if isinstance(at, int) and 0 <= at < len(views) else None
        if view is None or view.get("extensions") or _number(view, "buffer"):
            unstored += count * each
            continue
        step = _number(view, "byteStride") or each
        end = _number(accessor, "byteOffset") + step * max(count - 1, 0) + (each if count else 0)
        if (
            end > _number(view, "byteLength")
            or _number(view, "byteOffset") + _number(view, "byteLength") > held
        ):
            return "is a mesh that names more points than it holds"
    return "is a mesh that names more points than it holds" if unstored > MOST_UNSTORED else ""


def _pictures(scene: dict[str, Any], stream: BinaryIO, start: int, held: int, picture: Any) -> str:
    views = tables_of(scene.get("bufferViews"))
    for image in tables_of(scene.get("images")):
        at = image.get("bufferView")
        if not isinstance(at, int) or not 0 <= at < len(views):
            continue
        offset, length = _number(views[at], "byteOffset"), _number(views[at], "byteLength")
        if offset < 0 or length < 0 or offset + length > held:
            return "is a mesh whose pictures are cut off"
        stream.seek(start + offset)
        if says := picture(stream.read(length)):
            return str(says)
    return ""


def _number(table: dict[str, Any], name: str) -> int:
    found = table.get(name, 0)
    return found if isinstance(found, int) else -1
