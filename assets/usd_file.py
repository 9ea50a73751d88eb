# SPDX-License-Identifier: GPL-3.0-or-later
"""USD in its three forms: text, crate, and the zip of both. Containers and the names in them are held to their rules."""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from .facts import Facts
from .gltf_file import mapped
from .images import check_image, check_image_file
from .lines import blocks
from .uri import beside, trick_in

_ASSET = re.compile(rb"@{1,3}([^@\n]{1,2048}?)@{1,3}")
_LAYERS = (".usd", ".usda", ".usdc", ".usdz")
_PICTURES = (
    ".png",
    ".jpg",
    ".jpeg",
    ".webp",
    ".exr",
    ".hdr",
    ".tif",
    ".tiff",
    ".ktx2",
    ".bmp",
    ".gif",
    ".tga",
)
_MOST_NAMES = 16 * 1024 * 1024
"""Bytes of names in a crate: unpacked by Python, a few megabytes a second."""
_DEPTH = 128


def check_usd(facts: Facts) -> None:
    """Fills in the facts of a .usd, .usda, .usdc or .usdz and of the layers that it names. Raises InputError."""
    facts.meshes = facts.vertices = facts.triangles = facts.materials = facts.instances = -1
    facts.note("USD: containers and names are looked at; what its meshes are is told after the import.")
    head = mapped(facts.path)[:8].tobytes()
    if head[:2] == b"PK":
        facts.format = "USDZ"
        _check_zip(facts)
        return
    facts.format = "USDC" if head == b"PXR-USDC" else "USDA"
    seen, todo = set[Path](), [facts.path]
    while todo:
        path = todo.pop()
        seen.add(path)
        for name in _names(facts, path):
            if name.lower().endswith(_LAYERS):
                layer = beside(facts, name, "layer")
                if layer is not None and layer not in seen and layer not in todo:
                    todo.append(layer)
            elif name.lower().endswith(_PICTURES):
                check_image_file(facts, name)
            elif trick_in(name):
                beside(facts, name, "file")  # says which trick it is


def _names(facts: Facts, path: Path) -> list[str]:
    """The names of files in one layer, by its first bytes."""
    data = mapped(path)
    head = data[:8].tobytes()
    if head == b"PXR-USDC":
        return _crate(facts, memoryview(data.data))
    if head[:5] == b"#usda":
        with path.open("rb") as stream:
            return _text(facts, blocks(facts, stream))
    raise facts.bad(f"is no USD file, or names one that is none: {path.name}")


def _text(facts: Facts, lines: Iterator[list[bytes]]) -> list[str]:
    names, depth = dict[str, None](), 0
    for block in lines:
        for line in block:
            if b"@" in line:
                names |= {m.decode("utf-8", "replace"): None for m in _ASSET.findall(line)}
            if line[-1:] in (b"{", b"}") or line[:1] == b"}":
                depth += line.count(b"{") - line.count(b"}")
            if depth > _DEPTH:
                raise facts.bad(f"has nodes nested more than {_DEPTH} deep")
            if line.startswith((b"point3f[] points", b"float3[] extent")) and re.search(
                rb"\b(nan|-?inf)\b", line
            ):
                raise facts.bad("has coordinates that are not finite numbers")
        facts.most(len(names), facts.limits.side_files, "files that it names")
    return list(names)


def _crate(facts: Facts, view: memoryview) -> list[str]:
    """The names in a crate that look like files."""
    if len(view) < 88:
        raise facts.bad("is cut off")
    toc = struct.unpack_from("<q", view, 16)[0]
    if not 88 <= toc <= len(view) - 8:
        raise facts.bad("has a table of contents outside the file")
    (count,) = struct.unpack_from("<Q", view, toc)
    if count > 64 or toc + 8 + count * 32 > len(view):
        raise facts.bad("has a table of contents that is cut off")
    sections = {}
    for n in range(count):
        name, start, size = struct.unpack_from("<16sqq", view, toc + 8 + n * 32)
        if start < 0 or size < 0 or start + size > len(view):
            raise facts.bad("has a section that reaches beyond the file")
        sections[name.rstrip(b"\0")] = (start, size)
    if b"TOKENS" not in sections:
        raise facts.bad("has no names")
    start, size = sections[b"TOKENS"]
    tokens = _tokens(facts, bytes(view[start : start + size]), tuple(view[8:10]))
    return [token for token in tokens if token.lower().endswith(_LAYERS + _PICTURES)]


def _tokens(facts: Facts, section: bytes, version: tuple[int, ...]) -> list[str]:
    if version < (0, 4) or len(section) < 24:
        raise facts.bad("is a crate of a version that is not read any more")
    count, full, packed = struct.unpack_from("<QQQ", section)
    facts.most(full, _MOST_NAMES, "bytes of names")
    if packed > len(section) - 24 or count > full + 1:
        raise facts.bad("has names that are cut off")
    data = unpack(section[24 : 24 + packed], full)
    if data is None:
        raise facts.bad("has names that can't be unpacked")
    return [token.decode("utf-8", "replace") for token in data.split(b"\0")]


def unpack(data: bytes, size: int) -> bytes | None:
    """LZ4 in the pieces that a crate uses, to exactly ``size`` bytes; None if it is damaged."""
    if not data:
        return None
    if data[0] == 0:
        out = lz4_block(data[1:], size)
        return out if out is not None and len(out) == size else None
    at, parts, total = 1, list[bytes](), 0
    for _ in range(data[0]):
        length = int.from_bytes(data[at : at + 4], "little")
        piece = lz4_block(data[at + 4 : at + 4 + length], size - total)
        if piece is None or at + 4 + length > len(data):
            return None
        parts.append(piece)
        total += len(piece)
        at += 4 + length
    return b"".join(parts) if total == size else None


def lz4_block(data: bytes, most: int) -> bytes | None:
    """One block of LZ4, at most ``most`` bytes; None if it is damaged. Format: lz4_Block_format.md of its project."""
    out, at, end = bytearray(), 0, len(data)
    while at < end:
        token = data[at]
        length, at = _length(data, at + 1, token >> 4)
        out += data[at : at + length]
        at += length
        if at >= end:
            return bytes(out) if at == end and len(out) <= most else None
        offset = int.from_bytes(data[at : at + 2], "little")
        length, at = _length(data, at + 2, token & 15)
        length += 4
        if not 0 < offset <= len(out) or len(out) + length > most:
            return None
        piece = bytes(out[-offset:])
        out += (piece * (length // offset + 1))[:length]
    return None


def _length(data: bytes, at: int, first: int) -> tuple[int, int]:
    if first < 15:
        return first, at
    while at < len(data):
        first += data[at]
        at += 1
        if data[at - 1] < 255:
            break
    return first, at


def _check_zip(facts: Facts) -> None:
    """A USDZ is a zip of stored, unencrypted files, whose first is a layer; anything else is refused unread."""
    limits = facts.limits
    try:
        with zipfile.ZipFile(facts.path) as archive:
            entries = archive.infolist()
            facts.most(len(entries), limits.side_files, "files in it")
            _check_entries(facts, entries)
            for entry in entries:
                suffix = PurePosixPath(entry.filename).suffix.lower()
                with archive.open(entry) as stream:
                    if suffix in _PICTURES:
                        check_image(
                            facts, entry.filename, stream.read(1 << 20), entry.file_size, embedded=True
                        )
                    elif suffix in _LAYERS[:3]:
                        _check_layer(facts, entry, stream.read())
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        EOFError,
        OSError,
        RuntimeError,
        ValueError,
        struct.error,
    ):
        raise facts.bad("is a damaged zip") from None


def _check_entries(facts: Facts, entries: list[zipfile.ZipInfo]) -> None:
    if not entries or not entries[0].filename.lower().endswith(_LAYERS[:3]):
        raise facts.bad("is a zip that does not begin with a USD layer")
    facts.most(sum(entry.file_size for entry in entries), facts.limits.file_bytes, "bytes when unpacked")
    end = 0
    for entry in sorted(entries, key=lambda one: one.header_offset):
        if trick := trick_in(entry.filename):
            raise facts.bad(f"is a zip with a file by {trick}")
        if (
            entry.compress_type != zipfile.ZIP_STORED
            or entry.flag_bits & 1
            or entry.compress_size != entry.file_size
        ):
            raise facts.bad("is a zip whose files are packed or locked, which USDZ does not allow")
        if entry.header_offset < end:
            raise facts.bad("is a zip whose files overlap")
        end = entry.header_offset + 30 + entry.compress_size


def _check_layer(facts: Facts, entry: zipfile.ZipInfo, data: bytes) -> None:
    """The names in a layer inside the zip; what it names must be in the zip, so nothing is opened."""
    if data[:8] == b"PXR-USDC":
        names = _crate(facts, memoryview(data))
    elif data[:5] == b"#usda":
        names = _text(facts, iter([data.splitlines()]))
    else:
        raise facts.bad(f"holds {entry.filename}, which is no USD layer")
    for name in names:
        plain = name.removeprefix("./").split("[")[0]
        if trick := trick_in(plain):
            raise facts.bad(f"names a file by {trick}: {name[:80]}")
