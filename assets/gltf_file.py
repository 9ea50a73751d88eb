# SPDX-License-Identifier: GPL-3.0-or-later
"""The container of glTF 2.0: JSON, buffers, views and accessors as arrays, every offset held against what is there."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .facts import Facts
from .fields import Record, child, index, integer, items, parse, text
from .uri import beside, data_uri

Bytes = NDArray[np.uint8]
COMPONENTS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
_MESHOPT = ("EXT_meshopt_compression", "KHR_meshopt_compression")
_NOTHING = np.zeros(0, np.uint8)


def mapped(path: Path) -> Bytes:
    """(N,) uint8 of a file, read from disk only where it is looked at. Raises OSError."""
    if path.stat().st_size == 0:
        return _NOTHING
    with path.open("rb") as stream:
        return np.frombuffer(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)


class GltfFile:
    """An open .glb or .gltf. All access is checked; anything out of bounds raises InputError."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.packed: Bytes | None = None
        data = mapped(facts.path)
        self.doc: Record = self._glb(data) if bytes(data[:4]) == b"glTF" else parse(facts, data.tobytes())
        facts.format = "GLB" if bytes(data[:4]) == b"glTF" else "glTF"
        version = text(facts, child(facts, self.doc, "asset"), "version")
        if version != "2.0":
            raise facts.bad(f"is glTF {version[:10] or 'of no version'}; only 2.0 can be read")
        self.views = items(facts, self.doc, "bufferViews")
        self.accessors = items(facts, self.doc, "accessors")
        self.buffers = [
            self._buffer(n, b) for n, b in enumerate(items(facts, self.doc, "buffers", limit=1000))
        ]
        self._work = 0
        self._finite: dict[int, bool] = {}
        self._largest: dict[int, int] = {}
        for view in self.views:
            self._check_view(view)

    def _glb(self, data: Bytes) -> Record:
        facts = self.facts
        head = data[:20].tobytes()
        version, length, json_length = (int.from_bytes(head[at : at + 4], "little") for at in (4, 8, 12))
        if len(head) < 20 or version != 2 or head[16:20] != b"JSON":
            raise facts.bad("is not GLB 2.0")
        if length != len(data) or 20 + json_length > length:
            raise facts.bad("is cut off or longer than it says")
        document = parse(facts, data[20 : 20 + json_length].tobytes())
        at = 20 + json_length
        if at + 8 <= length:
            size = int.from_bytes(data[at : at + 4].tobytes(), "little")
            if at + 8 + size > length:
                raise facts.bad("has a binary part that is cut off")
            if data[at + 4 : at + 8].tobytes() == b"BIN\0":
                self.packed = data[at + 8 : at + 8 + size]
        return document

    def _buffer(self, number: int, record: Record) -> Bytes:
        """The bytes of one buffer; none for the fallback buffer of meshopt, which no file holds."""
        facts = self.facts
        length = integer(facts, record, "byteLength", 1, facts.limits.file_bytes)
        extensions = child(facts, record, "extensions")
        if any(child(facts, extensions, name).get("fallback") for name in _MESHOPT if name in extensions):
            return _NOTHING
        uri = text(facts, record, "uri")
        if not uri:
            if number or self.packed is None:
                raise facts.bad(f"has a buffer {number} without any bytes")
            data = self.packed
        elif uri.startswith("data:"):
            data = np.frombuffer(data_uri(facts, uri, length + 4, "buffer")[0], np.uint8)
        else:
            path = beside(facts, uri, "buffer")
            if path is None:
                raise facts.bad(f"needs the file {uri[:80]!r}, which is not beside it", "Put it there.")
            data = mapped(path)
        if len(data) < length:
            raise facts.bad(f"has a buffer of {len(data):,} bytes that claims {length:,}")
        return data[:length]

    def _check_view(self, view: Record) -> None:
        facts = self.facts
        buffer = self.buffers[index(facts, view, "buffer", self.buffers)]
        offset = integer(facts, view, "byteOffset", 0, facts.limits.file_bytes, 0)
        length = integer(facts, view, "byteLength", 1, facts.limits.file_bytes)
        integer(facts, view, "byteStride", 1, 255, 4)
        packed = self.compression(view)
        if packed:
            self._check_meshopt(packed)
        elif offset + length > len(buffer):
            raise facts.bad("has a buffer view that reaches beyond its buffer")

    def _check_meshopt(self, packed: Record) -> None:
        facts = self.facts
        buffer = self.buffers[index(facts, packed, "buffer", self.buffers)]
        offset = integer(facts, packed, "byteOffset", 0, facts.limits.file_bytes, 0)
        length = integer(facts, packed, "byteLength", 1, facts.limits.file_bytes)
        count = integer(facts, packed, "count", 0, facts.limits.triangles * 3)
        stride = integer(facts, packed, "byteStride", 1, 256)
        if offset + length > len(buffer):
            raise facts.bad("has compressed data that reaches beyond its buffer")
        facts.most(count * stride, facts.limits.memory_bytes, "bytes in one compressed buffer view")

    def compression(self, view: Record) -> Record:
        """The record of meshopt compression of a buffer view; empty if it is plain."""
        extensions = child(self.facts, view, "extensions")
        return next((child(self.facts, extensions, name) for name in _MESHOPT if name in extensions), {})

    def view_bytes(self, number: int) -> Bytes:
        """(N,) uint8 of a plain buffer view."""
        view = self.views[number]
        if self.compression(view):
            raise self.facts.bad("keeps compressed data where plain bytes are needed")
        offset = integer(self.facts, view, "byteOffset", 0, self.facts.limits.file_bytes, 0)
        return self.buffers[view["buffer"]][offset : offset + int(view["byteLength"])]

    def count(self, number: int) -> int:
        """How many elements an accessor claims."""
        limits = self.facts.limits
        return integer(
            self.facts, self.accessors[number], "count", 1, 3 * max(limits.triangles, limits.vertices)
        )

    def dtype(self, number: int) -> tuple[str, int]:
        """(numpy type of a component, components an element) of an accessor."""
        accessor = self.accessors[number]
        component = integer(self.facts, accessor, "componentType", 5120, 5126)
        kind = text(self.facts, accessor, "type")
        if component not in COMPONENTS or kind not in WIDTHS:
            raise self.facts.bad(f"has an accessor of an unknown type: {kind[:20]} of {component}")
        return COMPONENTS[component], WIDTHS[kind]

    def plain(self, number: int) -> bool:
        """Whether the accessor can be read here: it has bytes, and they are not compressed."""
        accessor = self.accessors[number]
        if "bufferView" not in accessor:
            return "sparse" in accessor
        return not self.compression(self.views[index(self.facts, accessor, "bufferView", self.views)])

    def check_accessor(self, number: int) -> None:
        """Raises InputError if an accessor does not lie in its buffer view; reads nothing."""
        count, accessor = self.count(number), self.accessors[number]
        kind, width = self.dtype(number)
        if "bufferView" in accessor:
            self._strided(accessor, count, kind, width)
        if "sparse" in accessor:
            self._sparse(accessor, count, kind, width)

    def array(self, number: int) -> NDArray[Any]:
        """(count, components) of an accessor, as stored; a view of the file where it is not sparse."""
        count, accessor = self.count(number), self.accessors[number]
        self._work += count
        self.facts.most(self._work, 8 * self.facts.limits.vertices, "values in its accessors")
        kind, width = self.dtype(number)
        values = np.zeros((count, width), kind)
        if "bufferView" in accessor:
            values = self._strided(accessor, count, kind, width)
        if "sparse" in accessor:
            places, replaced = self._sparse(accessor, count, kind, width)
            values = values.copy()
            values[places] = replaced
        return values

    def finite(self, number: int) -> bool:
        """Whether all values of an accessor of floats are finite; looked at once."""
        if number not in self._finite:
            self._finite[number] = bool(np.isfinite(self.array(number)).all())
        return self._finite[number]

    def largest(self, number: int) -> int:
        """The largest value of an accessor of whole numbers; looked at once."""
        if number not in self._largest:
            self._largest[number] = int(self.array(number).max())
        return self._largest[number]

    def _strided(self, record: Record, count: int, kind: str, width: int) -> NDArray[Any]:
        facts = self.facts
        number = index(facts, record, "bufferView", self.views)
        view = self.views[number]
        if self.compression(view):
            return np.zeros((0, width), kind)
        data = self.view_bytes(number)
        size = np.dtype(kind).itemsize
        offset = integer(facts, record, "byteOffset", 0, facts.limits.file_bytes, 0)
        stride = integer(facts, view, "byteStride", 1, 255, size * width)
        if stride < size * width and count > 1:
            raise facts.bad("has a buffer view whose stride is smaller than its elements")
        if offset + (count - 1) * stride + size * width > len(data):
            raise facts.bad("has an accessor that reaches beyond its buffer view")
        return np.ndarray((count, width), kind, data, offset, (stride, size))

    def _sparse(
        self, accessor: Record, count: int, kind: str, width: int
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        facts = self.facts
        sparse = child(facts, accessor, "sparse")
        changed = integer(facts, sparse, "count", 1, count)
        where, what = child(facts, sparse, "indices"), child(facts, sparse, "values")
        component = integer(facts, where, "componentType", 5121, 5125)
        if component not in (5121, 5123, 5125):
            raise facts.bad("has a sparse accessor whose indices are no whole numbers")
        places = self._strided(where, changed, COMPONENTS[component], 1)[:, 0]
        replaced = self._strided(what, changed, kind, width)
        if len(places) != changed or len(replaced) != changed:
            raise facts.bad("has a sparse accessor that is compressed")
        if int(places.max()) >= count:
            raise facts.bad("has a sparse accessor that changes elements beyond its end")
        return places, replaced
