# SPDX-License-Identifier: GPL-3.0-or-later
"""The quality card of a mesh: each number with the faces, edges or vertices that it is about.

Vertices in exactly one place count as one: files keep a vertex for each UV. 1.6 million triangles took 1.8 GB.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..pipeline.context import Context
from .crossing import crossings
from .distance import sample
from .mesh import F64, I64, Mask, Mesh, areas, first_alike, welded
from .rays import first_hits
from .shells import Shells, measure
from .symmetry import Symmetry, find_symmetry
from .topology import Loop, Topology
from .unwrapping import look_at

WALL_M = 0.001
"""A wall thinner than this is called thin: what an FDM printer and a glTF viewer both lose."""
_WALLS_ASKED, _THICK = 2000, 0.02
"""Places where walls are measured; those thicker than this part of the size are not."""
_FLAT = 1e-7
"""A triangle is degenerate if it is lower than this part of its longest edge."""
NOTHING = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Number:
    """One line of the card. ``where`` are indices into what ``of`` says: faces (K,), vertices (K,), edges (K, 2) of
    vertices; empty where there is nothing to show. ``good`` is None where it is neither good nor bad."""

    key: str
    label: str
    value: float | str
    of: str = ""
    where: I64 = field(default_factory=lambda: NOTHING)
    good: bool | None = None
    says: str = ""

    def to_json(self, most: int = 10_000) -> dict[str, Any]:
        """As it travels from the worker; not more than ``most`` places, the first ones."""
        places = self.where[:most].tolist()
        return {"key": self.key, "label": self.label, "value": self.value, "of": self.of, "where": places,
                "count": len(self.where), "good": self.good, "says": self.says}  # fmt: skip


@dataclass(frozen=True)
class Card:
    """The numbers in the order in which they are shown."""

    numbers: tuple[Number, ...]

    def __getitem__(self, key: str) -> Number:
        return next(number for number in self.numbers if number.key == key)

    def value(self, key: str) -> Any:
        """The value of one number."""
        return self[key].value

    def to_json(self, most: int = 10_000) -> list[dict[str, Any]]:
        """As it travels from the worker."""
        return [number.to_json(most) for number in self.numbers]


class Looked:
    """What the numbers are taken from: the mesh joined where vertices coincide, without triangles of two vertices."""

    def __init__(self, mesh: Mesh) -> None:
        self.mesh, self.points = mesh, mesh.points
        self.one = welded(mesh.points)
        joined = self.one[mesh.triangles]
        self.flat = degenerate(mesh.points, joined)
        self.doubled = duplicates(joined, self.flat)
        self.kept = np.flatnonzero(~repeated(joined))  # the other flat ones hold their neighbours together
        self.triangles = joined[self.kept]
        self.topology = Topology(len(mesh.points), self.triangles)
        self.shells: Shells = measure(self.points, self.triangles, self.topology)
        self.loops: list[Loop] = self.topology.loops(self.points)

    def faces(self, which: I64) -> I64:
        """Indices of the mesh's own triangles, of those without the degenerate ones."""
        return self.kept[which]

    @property
    def watertight(self) -> bool:
        """Every edge has just two triangles."""
        return (
            bool(len(self.triangles)) and not len(self.topology.boundary) and not len(self.topology.crowded)
        )

    @property
    def turned(self) -> I64:
        """Triangles that face another way than most of their patch, by area."""
        patches, turn = self.topology.sides
        area = areas(self.points, self.triangles)
        count = int(patches.max()) + 1 if len(patches) else 0
        minority = np.bincount(patches, area * turn, count) > np.bincount(patches, area * ~turn, count)
        lost = np.zeros(len(turn), np.bool_)
        lost[self.topology.one_sided] = True
        return self.kept[(turn != minority[patches]) & ~lost] if count else NOTHING


def repeated(triangles: I64) -> Mask:
    """(M,) whether a triangle has a vertex twice."""
    a, b, c = triangles.T
    return (a == b) | (b == c) | (c == a)


def degenerate(points: F64, triangles: I64) -> Mask:
    """(M,) whether a triangle has a vertex twice, or next to no area."""
    a, b, c = triangles.T
    longest = np.max(
        [np.linalg.norm(points[p] - points[q], axis=1) for p, q in ((a, b), (b, c), (c, a))], axis=0
    )
    return repeated(triangles) | (2.0 * areas(points, triangles) <= _FLAT * longest**2)


def duplicates(triangles: I64, leave: Mask) -> I64:
    """Triangles with the same three vertices as an earlier one, whichever way around; those in ``leave`` aside."""
    first = first_alike(np.sort(triangles, axis=1))
    return np.flatnonzero((first != np.arange(len(triangles))) & ~leave)


def inspect_mesh(mesh: Mesh, context: Context | None = None, *, crossing: bool = True) -> Card:
    """The card of a mesh. ``crossing`` False leaves the self-intersections out, by far the longest part."""
    context = context or Context()
    context.progress(0.0, "Inspecting")
    looked = Looked(mesh)
    parts: tuple[Callable[[Looked], list[Number]], ...]
    parts = (_solid, _faults, _shells, _walls, _symmetry, _unwrap, _size)
    numbers: list[Number] = []
    for n, part in enumerate(parts):
        context.cancel.check()
        context.progress(0.2 + 0.05 * n, "Inspecting")
        numbers += part(looked)
    if crossing:
        context.progress(0.6, "Looking for triangles that cut each other")
        numbers += _crossing(looked)
    context.progress(1.0, "Inspected")
    return Card(tuple(numbers))


def _solid(looked: Looked) -> list[Number]:
    topology, whole = looked.topology, looked.watertight
    inward = float(looked.shells.volume.sum()) < 0.0
    says = "It faces inwards: its volume is negative." if whole and inward else ""
    return [
        Number("triangles", "Triangles", len(looked.mesh.triangles)),
        Number("vertices", "Vertices", len(np.unique(looked.one[looked.mesh.triangles]))),
        Number("watertight", "Watertight", "yes" if whole else "no", good=whole),
        Number("holes", "Holes", len(looked.loops), "edges", topology.edges[topology.boundary], not looked.loops,
               _holes(looked.loops)),
        Number("crowded_edges", "Edges with more than two faces", len(topology.crowded), "edges",
               topology.edges[topology.crowded], not len(topology.crowded)),
        Number("pinched_vertices", "Vertices where surfaces only touch", len(topology.pinched), "vertices",
               topology.pinched, not len(topology.pinched)),
        Number("volume", "Volume, cm³", float(looked.shells.volume.sum()) * 1e6, good=None if whole else False,
               says=says if whole else "Of an open mesh this is a guess."),
        Number("area", "Area, cm²", float(looked.shells.area.sum()) * 1e4),
    ]  # fmt: skip


def _holes(loops: list[Loop]) -> str:
    sizes = [f"{loop.width * 1000:.3g} mm wide, {len(loop.vertices)} edges" for loop in loops[:5]]
    more = f", and {len(loops) - 5} more" if len(loops) > 5 else ""
    return "; ".join(sizes) + more


def _faults(looked: Looked) -> list[Number]:
    flat, doubled, turned = np.flatnonzero(looked.flat), looked.doubled, looked.turned
    lost = looked.faces(looked.topology.one_sided)
    split = np.flatnonzero(looked.one != np.arange(len(looked.one)))
    return [
        Number("degenerate", "Degenerate faces", len(flat), "faces", flat, not len(flat)),
        Number("duplicate_faces", "Duplicate faces", len(doubled), "faces", doubled, not len(doubled)),
        Number("duplicate_vertices", "Vertices in the place of another", len(split), "vertices", split, None,
               "Usual where UVs or normals are split; they count as one here." if len(split) else ""),
        Number("flipped", "Flipped faces", len(turned), "faces", turned, not len(turned)),
        Number("one_sided", "Faces of one-sided surfaces", len(lost), "faces", lost, not len(lost),
               "No turning makes them agree, as in a Moebius strip." if len(lost) else ""),
    ]  # fmt: skip


def _shells(looked: Looked) -> list[Number]:
    shells, label = looked.shells, looked.topology.shells
    inner = (shells.around > 0) & shells.closed
    cavities = inner & (shells.volume < 0.0)
    faces = looked.faces(np.flatnonzero(inner[label])) if len(label) else NOTHING
    biggest = [f"{abs(v) * 1e6:.4g} cm³" for v in sorted(shells.volume, key=abs, reverse=True)[:4]]
    says = f"{int(cavities.sum())} of them face inwards, as the wall of a hollow does." if inner.any() else ""
    return [
        Number("shells", "Shells", len(shells.faces), says=", ".join(biggest)),
        Number(
            "internal_shells", "Shells inside others", int(inner.sum()), "faces", faces, not inner.any(), says
        ),
    ]


def _walls(looked: Looked) -> list[Number]:
    mesh = (looked.points, looked.triangles)
    at, faces = sample(*mesh, _WALLS_ASKED)
    if not len(at):
        return [Number("thinnest", "Thinnest wall, mm", "unknown")]
    size = looked.mesh.part(looked.kept).diagonal
    a, b, c = (looked.points[looked.triangles[faces, n]] for n in range(3))
    normal = np.cross(b - a, c - a)
    inward = -normal / np.linalg.norm(normal, axis=1)[:, None]
    step = 1e-7 * size
    thick = step + first_hits(at + inward * step, inward, faces, *mesh, most=size * _THICK)
    thin = thick < WALL_M
    finite = thick[np.isfinite(thick)]
    value = float(finite.min() * 1000.0) if len(finite) else f"over {size * _THICK * 1000.0:.3g}"
    says = f"{100.0 * thin.mean():.1f} % of the surface is thinner than {WALL_M * 1000:g} mm; {len(at)} places asked."
    where = looked.faces(np.unique(faces[thin]))
    return [
        Number(
            "thinnest",
            "Thinnest wall met, mm",
            value,
            "faces",
            where,
            None if not thin.any() else False,
            says,
        )
    ]


def _symmetry(looked: Looked) -> list[Number]:
    found: Symmetry | None = find_symmetry(looked.points, looked.triangles)
    if found is None:
        return [Number("symmetry_mm", "Away from symmetry, mm", "unknown")]
    x, y, z = found.normal
    says = f"Plane with normal ({x:.3f}, {y:.3f}, {z:.3f}) at {found.offset * 1000:.4g} mm; at worst {found.worst * 1000:.3g} mm away."
    return [Number("symmetry_mm", "Away from symmetry, mm", found.mean * 1000.0, says=says)]


def _unwrap(looked: Looked) -> list[Number]:
    mesh = looked.mesh
    told = [
        f"{t.name[:40]} {t.width} x {t.height}" if not t.missing else f"{t.name[:40]} is missing"
        for t in mesh.textures
    ]
    gone = [t for t in mesh.textures if t.missing]
    pictures = Number("textures", "Textures", len(mesh.textures), good=not gone, says="; ".join(told[:8]))
    if mesh.uv is None:
        return [Number("uv_overlap", "UV overlap, %", "no UVs", good=False), pictures]
    found = look_at(mesh.uv)
    return [
        Number("uv_overlap", "UV overlap, %", 100.0 * found.share, "faces", found.overlapping, found.share < 0.01,
               f"Measured on {found.edge} x {found.edge} texels; mirrored and tiled textures overlap on purpose."),
        Number("uv_flat", "Faces without area in UV", len(found.flat), "faces", found.flat, not len(found.flat)),
        pictures,
    ]  # fmt: skip


def _size(looked: Looked) -> list[Number]:
    used = looked.points[looked.mesh.triangles].reshape(-1, 3)
    size = used.max(axis=0) - used.min(axis=0) if len(used) else np.zeros(3)
    longest = float(size.max(initial=0.0))
    plausible = 0.005 <= longest <= 20.0
    guess = "" if plausible else _guess(longest)
    x, y, z = (float(v) * 1000.0 for v in size)
    return [
        Number(
            "size_mm",
            "Longest side, mm",
            longest * 1000.0,
            good=plausible,
            says=f"{x:.4g} x {y:.4g} x {z:.4g} mm. {guess}",
        )
    ]


def _guess(longest: float) -> str:
    """Which unit the numbers of a file may be in, if as metres they make no prop, machine or room."""
    for unit, metres in (("millimetres", 0.001), ("inches", 0.0254), ("centimetres", 0.01)):
        if 0.005 <= longest * metres <= 20.0:
            return f"As {unit} it would be {longest * metres:.3g} m: choose the unit."
    return "No usual unit makes this a prop: set its size."


def _crossing(looked: Looked) -> list[Number]:
    found = crossings(looked.points, looked.triangles)
    faces = looked.faces(found.faces)
    share = (
        f"A sample of {100.0 * found.looked_at:.2g} % of the faces was asked."
        if found.looked_at < 1.0
        else ""
    )
    return [Number("crossing", "Faces that cut others", len(faces), "faces", faces, not len(faces), share)]
