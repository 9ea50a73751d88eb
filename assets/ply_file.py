# SPDX-License-Identifier: GPL-3.0-or-later
"""PLY, text and binary of either byte order: the checker and the reader share it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .facts import Facts
from .gltf_file import mapped
from .lines import blocks, floats, ints

_TYPES = {
    "char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4", "float": "f4",
    "double": "f8", "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4",
    "float32": "f4", "float64": "f8",
}  # fmt: skip
_FACES = ("vertex_indices", "vertex_index")
_HEADER, _ROWS = 64 * 1024, 50_000


@dataclass
class Property:
    """One property; ``count`` is the type of the length of a list, "" for a single value."""

    name: str
    kind: str
    count: str = ""


@dataclass
class Element:
    """One kind of record and how many of it the file claims."""

    name: str
    count: int
    properties: list[Property] = field(default_factory=list)


@dataclass
class Ply:
    """The arrays of a PLY: points (N, 3); faces as corners of each and all their vertices; UVs (N, 2) or None."""

    points: NDArray[np.float64]
    sizes: NDArray[np.int64]
    corners: NDArray[np.int64]
    uv: NDArray[np.float64] | None = None


def read_ply(facts: Facts) -> Ply:
    """All of a PLY that we use. Raises InputError if it is damaged or its faces name vertices it does not have."""
    data = mapped(facts.path)
    head, body = _split(facts, data[:_HEADER].tobytes())
    form, elements = _header(facts, head)
    for element in elements:
        if element.count > max(len(data) - body, 0):
            raise facts.bad(f"claims {element.count:,} of '{element.name}' in {len(data):,} bytes")
    facts.format = "PLY, text" if form == "ascii" else "PLY, binary"
    ply = Ply(np.zeros((0, 3)), np.zeros(0, np.int64), np.zeros(0, np.int64))
    reader = _Text(facts, body) if form == "ascii" else _Binary(facts, data, body, form)
    for element in elements:
        _take(facts, ply, element, reader)
    if not len(ply.points):
        raise facts.bad("holds no vertices")
    if ply.corners.size and not 0 <= int(ply.corners.min()) <= int(ply.corners.max()) < len(ply.points):
        raise facts.bad("has a face of vertices that it does not have")
    return ply


def _split(facts: Facts, head: bytes) -> tuple[list[list[str]], int]:
    """(words of each line of the header, where the data begin)."""
    for end in (b"end_header\r\n", b"end_header\n", b"end_header\r"):
        at = head.find(end)
        if at >= 0:
            lines = head[:at].decode("latin-1").splitlines()
            return [line.split() for line in lines if line.strip()], at + len(end)
    raise facts.bad("has a header that never ends")


def _header(facts: Facts, lines: list[list[str]]) -> tuple[str, list[Element]]:
    form, elements = "", list[Element]()
    for words in lines[1:]:
        match words:
            case ["comment" | "obj_info", *_rest]:
                continue
            case ["format", "ascii" | "binary_little_endian" | "binary_big_endian" as form, *_rest]:
                continue
            case ["element", name, count] if count.isdecimal() and len(count) < 16 and len(elements) < 64:
                elements.append(Element(name, int(count)))
            case ["property", "list", count, kind, name] if (
                _TYPES.get(count, "f")[0] != "f" and kind in _TYPES
            ):
                _add(facts, elements, Property(name, _TYPES[kind], _TYPES[count]))
            case ["property", kind, name] if kind in _TYPES:
                _add(facts, elements, Property(name, _TYPES[kind]))
            case _:
                raise facts.bad(f"has a header line that can't be read: {' '.join(words)[:60]}")
    if not form or any(not element.properties for element in elements if element.count):
        raise facts.bad("has a header without a format or with an empty element")
    return form, elements


def _add(facts: Facts, elements: list[Element], one: Property) -> None:
    if not elements or len(elements[-1].properties) >= 256:
        raise facts.bad("has a property of nothing, or too many")
    elements[-1].properties.append(one)


def _take(facts: Facts, ply: Ply, element: Element, reader: _Text | _Binary) -> None:
    names = [one.name for one in element.properties]
    lists = [one for one in element.properties if one.count]
    if element.name == "vertex":
        facts.most(element.count, facts.limits.vertices, "vertices")
        if lists or not {"x", "y", "z"} <= set(names):
            raise facts.bad("has vertices without x, y and z")
        ply.points = reader.table(element, ["x", "y", "z"])
        for pair in (["s", "t"], ["u", "v"], ["texture_u", "texture_v"]):
            if set(pair) <= set(names):
                ply.uv = reader.last[:, [names.index(name) for name in pair]]
        if not np.isfinite(ply.points).all():
            raise facts.bad("has coordinates that are not finite numbers")
    elif element.name == "face" and any(one.name in _FACES for one in lists):
        facts.most(element.count, facts.limits.triangles, "faces")
        which = next(n for n, one in enumerate(element.properties) if one.name in _FACES)
        ply.sizes, ply.corners = reader.lists(element, which)
        facts.most(int(np.maximum(ply.sizes - 2, 0).sum()), facts.limits.triangles, "triangles")
    elif lists:
        reader.lists(element, names.index(lists[0].name))
    else:
        reader.table(element, [])


class _Binary:
    def __init__(self, facts: Facts, data: NDArray[np.uint8], at: int, form: str) -> None:
        self.facts, self.data, self.at = facts, data, at
        self.order = "<" if form == "binary_little_endian" else ">"
        self.last = np.zeros((0, 0))

    def _records(self, kind: np.dtype[Any], count: int) -> NDArray[Any]:
        end = self.at + kind.itemsize * count
        if end > len(self.data):
            raise self.facts.bad("is cut off")
        return np.ndarray(count, kind, self.data, self.at)

    def table(self, element: Element, wanted: list[str]) -> NDArray[np.float64]:
        """(count, wanted) of an element without lists; all its columns are in ``last``."""
        fields = [(f"p{n}", self.order + one.kind) for n, one in enumerate(element.properties)]
        kind = np.dtype(fields)
        records = self._records(kind, element.count)
        self.at += kind.itemsize * element.count
        names = [one.name for one in element.properties]
        if not wanted:
            return np.zeros((element.count, 0))
        self.last = np.column_stack([records[name].astype(np.float64) for name, _kind in fields])
        return self.last[:, [names.index(name) for name in wanted]]

    def lists(self, element: Element, which: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(lengths, all values) of one list property of an element."""
        if element.count == 0:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        return self._even(element, which) or self._uneven(element, which)

    def _even(self, element: Element, which: int) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
        """The lists read as records, if all of them are as long as the first; the usual case, and fast."""
        fields: list[tuple[Any, ...]] = []
        at = self.at
        for n, one in enumerate(element.properties):
            if one.count:
                width = np.dtype(one.count).itemsize
                if at + width > len(self.data):
                    raise self.facts.bad("is cut off")
                size = int(np.ndarray(1, self.order + one.count, self.data, at)[0])
                if not 0 <= size <= 256:
                    return None
                fields.append((f"n{n}", self.order + one.count))
                fields.append((f"p{n}", self.order + one.kind, (size,)))
                at += width + size * np.dtype(one.kind).itemsize
            else:
                fields.append((f"p{n}", self.order + one.kind))
                at += np.dtype(one.kind).itemsize
        kind = np.dtype(fields)
        if self.at + kind.itemsize * element.count > len(self.data):
            return None
        records = self._records(kind, element.count)
        lengths = [records[name] for name in kind.names or () if name.startswith("n")]
        if any((length != length[0]).any() for length in lengths):
            return None
        self.at += kind.itemsize * element.count
        values = records[f"p{which}"].astype(np.int64)
        return np.full(element.count, values.shape[1], np.int64), values.ravel()

    def _uneven(self, element: Element, which: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        data, at, end = self.data.tobytes(), self.at, len(self.data)
        sign = "little" if self.order == "<" else "big"
        layout = [(np.dtype(one.kind).itemsize, np.dtype(one.count).itemsize if one.count else 0,
                   one.count.startswith("i")) for one in element.properties]  # fmt: skip
        sizes, parts = [], []
        for _ in range(element.count):
            for n, (width, head, signed) in enumerate(layout):
                size = 1
                if head:
                    size = int.from_bytes(data[at : at + head], sign, signed=signed)  # type: ignore[arg-type]
                    at += head
                if size < 0 or at + size * width > end:
                    raise self.facts.bad("is cut off")
                if n == which:
                    sizes.append(size)
                    parts.append(data[at : at + size * width])
                at += size * width
        self.at = at
        values = np.frombuffer(b"".join(parts), self.order + element.properties[which].kind)
        return np.array(sizes, np.int64), values.astype(np.int64)


class _Text:
    def __init__(self, facts: Facts, at: int) -> None:
        self.facts = facts
        self.rows = self._words(at)
        self.last = np.zeros((0, 0))

    def _words(self, at: int) -> Iterator[list[bytes]]:
        with self.facts.path.open("rb") as stream:
            stream.seek(at)
            for lines in blocks(self.facts, stream):
                yield from (line.split() for line in lines if line)

    def table(self, element: Element, wanted: list[str]) -> NDArray[np.float64]:
        """(count, wanted) of an element without lists; all its columns are in ``last``."""
        width, parts = len(element.properties), [np.zeros((0, len(element.properties)))]
        for rows in self._some(element.count):
            if any(len(row) < width for row in rows):
                raise self.facts.bad("is cut off")
            if wanted:
                parts.append(floats(self.facts, [row[:width] for row in rows]))
        if not wanted:
            return np.zeros((element.count, 0))
        self.last = np.concatenate(parts)
        names = [one.name for one in element.properties]
        return self.last[:, [names.index(name) for name in wanted]]

    def _some(self, count: int) -> Iterator[list[list[bytes]]]:
        """The next ``count`` rows, some thousands at a time: words of Python take far more room than numbers."""
        while count > 0:
            rows = list(islice(self.rows, min(count, _ROWS)))
            if not rows:
                raise self.facts.bad("is cut off")
            count -= len(rows)
            yield rows

    def lists(self, element: Element, which: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(lengths, all values) of one list property of an element."""
        sizes, values = list[int](), [np.zeros(0, np.int64)]
        for rows in self._some(element.count):
            words = list[bytes]()
            for row in rows:
                found = self._list(row, element, which)
                sizes.append(len(found))
                words += found
            values.append(ints(self.facts, words))
        return np.array(sizes, np.int64), np.concatenate(values)

    def _list(self, row: list[bytes], element: Element, which: int) -> list[bytes]:
        at = 0
        for n, one in enumerate(element.properties):
            size = int(ints(self.facts, row[at : at + 1])[:1].sum()) if one.count else 1
            at += 1 if one.count else 0
            if not 0 <= size <= len(row) - at:
                raise self.facts.bad("has a list longer than its line")
            if n == which:
                return row[at : at + size]
            at += size
        return []


def check_ply(facts: Facts) -> None:
    """Fills in the facts of a PLY. Raises InputError."""
    ply = read_ply(facts)
    facts.add_mesh(len(ply.points), int(np.maximum(ply.sizes - 2, 0).sum()))
    facts.instances = 1
    if not len(ply.sizes):
        facts.note("It is a cloud of points: it has no faces.")
