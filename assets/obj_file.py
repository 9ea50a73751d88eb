# SPDX-License-Identifier: GPL-3.0-or-later
"""Wavefront OBJ and its MTL, read in blocks: the checker and the reader follow the same stream."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .facts import Facts
from .images import check_image_file
from .lines import blocks, floats, ints
from .uri import beside

_LONGEST = 4096
_MOST_MTL = 16 * 1024 * 1024
_UNUSED = (b"vn", b"vp", b"s ", b"# ", b"#", b"l ", b"p ")
_OPTION = re.compile(r"^-\w+(?:\s+(?:on|off|[-+.\d][-+.\deE]*|[rgbmlz](?=\s)))*\s+")


@dataclass
class ObjBlock:
    """Some lines of one kind. ``kind``: v, vt, f, usemtl, mtllib or o."""

    kind: str
    values: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 3)))
    sizes: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    """corners of each face"""
    corners: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    """(K, 2) vertex and UV of each corner, from 0; -1 for no UV"""
    name: str = ""


def obj_blocks(facts: Facts) -> Iterator[ObjBlock]:
    """The content of an OBJ in order. Raises InputError for what is no OBJ; indices may still be out of range."""
    seen = {"v": 0, "vt": 0}
    with facts.path.open("rb") as stream:
        for lines in blocks(facts, stream, b"\\"):
            # normals and smoothing are made anew; without them v, vn, v, vn is one run, not a run for each line
            used = [line for line in lines if line[:2] not in _UNUSED and line]
            for word, group in groupby(used, _keyword):
                yield from _block(facts, word, list(group), seen)


def _keyword(line: bytes) -> bytes:
    if line[:1] == b"v":
        return b"v"
    return line[:2].strip() if line[:1] == b"f" else line.split(None, 1)[0]


def _block(facts: Facts, word: bytes, lines: list[bytes], seen: dict[str, int]) -> Iterator[ObjBlock]:
    if word == b"v":
        for kind, width in (("v", 3), ("vt", 2)):
            values = _rows(
                facts, [line for line in lines if line[:2].strip().decode("latin-1") == kind], width
            )
            seen[kind] += len(values)
            facts.most(seen[kind], 4 * facts.limits.vertices, f"lines of {kind}")
            yield ObjBlock(kind, values)
    elif word == b"f":
        yield _faces(facts, lines, seen)
    elif word in (b"usemtl", b"mtllib", b"o", b"g"):
        for line in lines:
            name = line[len(word) :].strip().decode("utf-8", "replace")
            yield ObjBlock("o" if word == b"g" else word.decode(), name=name)


def _rows(facts: Facts, lines: list[bytes], width: int) -> NDArray[np.float64]:
    """(N, width) of "v x y z ..." lines; more values, such as colours, are left out, a lone u gets v = 0."""
    rows = [line.split()[1 : width + 1] for line in lines]
    if not rows:
        return np.zeros((0, width))
    if any(len(row) < width for row in rows):
        if width == 3 or any(not row for row in rows):
            raise facts.bad("has a vertex with fewer than three coordinates")
        rows = [[*row, b"0"][:width] for row in rows]
    return floats(facts, rows)


def _faces(facts: Facts, lines: list[bytes], seen: dict[str, int]) -> ObjBlock:
    rows = [line.split()[1:] for line in lines]
    sizes = np.array([len(row) for row in rows], np.int64)
    if int(sizes.min()) < 3:
        facts.note("Faces of fewer than three corners are left out.")
        rows = [row for row in rows if len(row) > 2]
        sizes = sizes[sizes > 2]
    words = list(chain.from_iterable(rows))
    parts = words[0].count(b"/") + 1 if words else 1
    if all(word.count(b"/") + 1 == parts for word in words):
        text = b" ".join(words)
        text = (text + b" ").replace(b"//", b"/0/").replace(b"/ ", b"/0 ").replace(b"/", b" ")
        values = ints(facts, text.split())
    elif any(word.count(b"/") > 2 for word in words):
        raise facts.bad("has a face whose corners can't be read")
    else:
        split = [[*word.split(b"/"), b"0"][:2] for word in words]
        values, parts = ints(facts, [part or b"0" for pair in split for part in pair]), 2
    if parts > 3 or values.size != parts * len(words):
        raise facts.bad("has a face whose corners can't be read")
    table = values.reshape(len(words), parts)[:, :2]
    if parts == 1:
        table = np.column_stack([table, np.zeros(len(words), np.int64)])
    counts = np.array([seen["v"], seen["vt"]])
    corners = np.where(table < 0, table + counts, table - 1)
    if (table[:, 0] == 0).any() or (corners[:, 0] < 0).any() or (corners[:, 1] < -1).any():
        raise facts.bad("has a face of vertices that it does not have")
    return ObjBlock("f", sizes=sizes, corners=corners)


def check_obj(facts: Facts) -> None:
    """Fills in the facts of an OBJ and of its material files. Raises InputError."""
    facts.format = "OBJ"
    counts, largest, objects = {"v": 0, "vt": 0}, np.full(2, -1, np.int64), 0
    materials, libraries = set[str](), list[str]()
    for block in obj_blocks(facts):
        if block.kind in counts:
            counts[block.kind] += len(block.values)
        elif block.kind == "f" and len(block.corners):
            largest = np.maximum(largest, block.corners.max(axis=0))
            facts.triangles += int((block.sizes - 2).sum())
            facts.most(facts.triangles, facts.limits.triangles, "triangles")
        elif block.kind == "usemtl":
            materials.add(block.name)
        elif block.kind == "mtllib":
            libraries.append(block.name)
        objects += block.kind == "o"
        facts.most(max(objects, len(materials), len(libraries)), facts.limits.nodes, "objects or materials")
    if largest[0] >= counts["v"] or largest[1] >= counts["vt"]:
        raise facts.bad("has a face of vertices that it does not have")
    if not counts["v"]:
        raise facts.bad("holds no vertices")
    facts.vertices, facts.meshes, facts.instances = counts["v"], max(objects, 1), max(objects, 1)
    facts.most(facts.vertices, facts.limits.vertices, "vertices")
    facts.materials = len(materials)
    for name in dict.fromkeys(libraries):
        for texture in check_mtl(facts, name):
            check_image_file(facts, texture)


def check_mtl(facts: Facts, name: str) -> list[str]:
    """The names of the pictures in one material file; none where it is missing. Raises InputError."""
    path = beside(facts, name, "material file")
    if path is None:
        facts.note(f"Its material file {name[:80]} is missing: it comes without materials.")
        return []
    facts.most(path.stat().st_size, _MOST_MTL, "bytes of materials")
    return [picture for _material, picture in mtl_pictures(facts, path)]


def mtl_pictures(facts: Facts, path: Path) -> list[tuple[str, str]]:
    """(material, picture) of every map in a material file, once each. Raises InputError for too many."""
    found, material = dict[tuple[str, str], None](), ""
    for line in path.read_text("utf-8", "replace").splitlines():
        word, _space, rest = line.strip().partition(" ")
        if word.lower() == "newmtl":
            material = rest.strip()
        elif word.lower().startswith("map_") or word.lower() in ("bump", "disp", "decal", "refl", "norm"):
            rest = rest.strip() + " "
            if len(rest) > _LONGEST:
                raise facts.bad("names a texture by a line that is too long")
            for _ in range(16):
                rest = _OPTION.sub("", rest, count=1)
            if rest.strip():
                found[material, rest.strip()] = None
        facts.most(len(found), facts.limits.nodes, "pictures in its materials")
    return list(found)
