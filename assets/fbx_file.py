# SPDX-License-Identifier: GPL-3.0-or-later
"""The tree of a binary FBX, walked without recursion, with every length held against the file."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .facts import Facts
from .gltf_file import Bytes, mapped

_MAGIC = b"Kaydara FBX Binary  \0\x1a\0"
_SINGLE = {"Y": "<h", "C": "<b", "B": "<b", "I": "<i", "F": "<f", "D": "<d", "L": "<q"}
_ARRAYS = {"f": "<f4", "d": "<f8", "l": "<i8", "i": "<i4", "b": "<i1", "c": "<i1"}
_DEPTH = 32
_NODES = 4_000_000
_CHUNK = 1 << 20


@dataclass
class Packed:
    """An array in the file: where its bytes are, how they are packed."""

    kind: str
    count: int
    packed: bool
    start: int
    length: int


@dataclass
class FbxNode:
    """One node: names of its ancestors and itself, its properties (arrays as ``Packed``), the numbers of the first two."""

    path: tuple[str, ...]
    owner: int
    """a number for each node of the second level, so that its children can be told apart"""
    values: list[Any]


class FbxFile:
    """An open binary FBX. ``nodes`` walks it in order. Raises InputError where it is damaged."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.data: Bytes = mapped(facts.path)
        head = self.data[:27].tobytes()
        if len(head) < 27 or not head.startswith(_MAGIC):
            todo = "Export it as binary FBX, or as glTF."
            raise facts.bad("is a text FBX or none, which Blender can't read", todo)
        self.version = int.from_bytes(head[23:27], "little")
        if not 7100 <= self.version <= 8000:
            raise facts.bad(
                f"is FBX of version {self.version}; Blender reads 7100 and later", "Export it as FBX 2013."
            )
        self.wide = self.version >= 7500
        self._unpacked = 0

    def nodes(self) -> Iterator[FbxNode]:
        """Every node of the tree, parents before children."""
        at, stack, path, count, owner = 27, [len(self.data)], list[str](), 0, 0
        head = struct.Struct("<QQQB" if self.wide else "<IIIB")
        while stack:
            if at + head.size > stack[-1] and len(stack) == 1:
                return
            if at == stack[-1] and path:
                stack.pop()
                path.pop()
                continue
            if at + head.size > stack[-1]:
                raise self.facts.bad("has a node that is cut off")
            end, properties, length, name_length = head.unpack(self.data[at : at + head.size].tobytes())
            at += head.size
            if end == 0:  # the null record that closes a list of children
                if len(stack) == 1:
                    return
                at = stack.pop()
                path.pop()
                continue
            count += 1
            self.facts.most(count, _NODES, "nodes")
            start = at + name_length
            if not start + length <= end <= stack[-1]:
                raise self.facts.bad("has a node that reaches beyond the one it is in")
            path.append(self.data[at:start].tobytes().decode("ascii", "replace"))
            owner += len(path) == 2
            yield FbxNode(tuple(path), owner, self._properties(start, start + length, properties))
            stack.append(end)
            at = start + length
            self.facts.most(len(stack), _DEPTH, "levels of nodes")

    def _properties(self, at: int, end: int, count: int) -> list[Any]:
        self.facts.most(count, end - at, "properties in a node")
        values: list[Any] = []
        for _ in range(count):
            if at >= end:
                raise self.facts.bad("has a node with fewer properties than it says")
            code = chr(self.data[at])
            value, at = self._value(code, at + 1, end)
            values.append(value)
        if at != end:
            raise self.facts.bad("has a node with other properties than it says")
        return values

    def _value(self, code: str, at: int, end: int) -> tuple[Any, int]:
        if code in _SINGLE:
            form = struct.Struct(_SINGLE[code])
            self._inside(at + form.size, end)
            return form.unpack(self.data[at : at + form.size].tobytes())[0], at + form.size
        if code in "SR":
            self._inside(at + 4, end)
            length = int.from_bytes(self.data[at : at + 4].tobytes(), "little")
            self._inside(at + 4 + length, end)
            return self.data[at + 4 : at + 4 + length], at + 4 + length
        if code not in _ARRAYS:
            raise self.facts.bad("has a property of an unknown kind")
        self._inside(at + 12, end)
        count, packed, length = struct.unpack("<III", self.data[at : at + 12].tobytes())
        self._inside(at + 12 + length, end)
        found = Packed(_ARRAYS[code], count, packed == 1, at + 12, length)
        self._check_packed(found)
        return found, at + 12 + length

    def _inside(self, at: int, end: int) -> None:
        if at > end:
            raise self.facts.bad("has a property that reaches beyond its node")

    def _check_packed(self, found: Packed) -> None:
        """The array unpacks to just the size it claims; unpacked a piece at a time and thrown away."""
        size = found.count * np.dtype(found.kind).itemsize
        self._unpacked += size
        self.facts.most(self._unpacked, self.facts.limits.memory_bytes, "bytes in its arrays")
        if size != (self._inflated(found, size) if found.packed else found.length):
            raise self.facts.bad("has an array of another size than it claims")

    def _inflated(self, found: Packed, most: int) -> int:
        total, engine = 0, zlib.decompressobj()
        rest = self.data[found.start : found.start + found.length].tobytes()
        try:
            while not engine.eof and total <= most:
                piece = engine.decompress(rest, _CHUNK)
                rest = engine.unconsumed_tail
                total += len(piece)
                if not piece and not rest:
                    return -1
        except zlib.error:
            return -1
        return total

    def array(self, found: Packed) -> NDArray[Any]:
        """(count,) of an array property that has been checked."""
        data = self.data[found.start : found.start + found.length].tobytes()
        return np.frombuffer(zlib.decompress(data) if found.packed else data, found.kind)


def words(value: Any) -> str:
    """A text property as text; "" for anything else."""
    return value[:4096].tobytes().decode("utf-8", "replace") if isinstance(value, np.ndarray) else ""
