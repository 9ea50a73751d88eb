# SPDX-License-Identifier: GPL-3.0-or-later
"""Real size, up and origin of what is brought in: which way stands it, how much is it scaled, where is its middle.

Blender is not needed for any of it. All points are (V, 3) in metres, triangles (T, 3) indices, matrices (4, 4) that are
multiplied from the left.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..physics.axis import find_cylinder
from ..physics.mass import weigh_solid
from ..physics.rigid import Array
from ..pipeline.errors import InputError

Triangles = NDArray[np.int64]
AXES = {"X": (1.0, 0.0, 0.0), "Y": (0.0, 1.0, 0.0), "Z": (0.0, 0.0, 1.0), "-X": (-1.0, 0.0, 0.0),
        "-Y": (0.0, -1.0, 0.0), "-Z": (0.0, 0.0, -1.0)}  # fmt: skip
"""What may be up in a file."""
SURE = 1.5
"""How much better another side must be to stand on than the usual one, before a guess departs from what is usual."""
LIKELY_M = (0.001, 20.0)
"""Between these a longest side is taken at its word; beyond, the file was most likely not in metres."""


@dataclass(frozen=True)
class Posed:
    """``whole`` brings the file's points into place; ``notes`` say what was guessed."""

    whole: Array
    up: str
    scale: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Middle:
    """Where an object's origin goes (3,), and what a person should know of it."""

    point: Array
    note: str = ""


def pose(
    points: Array, triangles: Triangles, *, up: str = "AUTO", told_up: bool = True, size_mm: float = 0.0,
    measure: str = "LONGEST", floor: bool = True,
) -> Posed:  # fmt: skip
    """How all of a file is turned, scaled and moved, in that order.

    ``up`` is one of AXES, or AUTO: as it is where the file's kind tells (``told_up``), else found. ``size_mm`` is the real
    length of the LONGEST side or of the HEIGHT; 0 keeps the file's own. ``floor`` stands it on z = 0 with its middle over
    the world's. Raises InputError for a size that it can't have.
    """
    notes: list[str] = []
    if up == "AUTO":
        up = "Z" if told_up else up_axis(points, triangles)
        if up != "Z":
            notes.append(f"it was found to stand on its {opposite(up)} side: set Up if that is wrong")
    turn = turned_up(up)
    stands = points @ turn[:3, :3].T
    low, high = stands.min(axis=0), stands.max(axis=0)
    edges = high - low
    scale, says = _scale(edges, size_mm, measure)
    notes += [says] if says else []
    whole = np.diag([scale, scale, scale, 1.0]) @ turn
    if floor:
        whole[:3, 3] = -scale * np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]])
    return Posed(whole, up, scale, tuple(notes))


def _scale(edges: Array, size_mm: float, measure: str) -> tuple[float, str]:
    longest = float(edges.max())
    edge = float(edges[2]) if measure == "HEIGHT" else longest
    if size_mm > 0.0:
        if edge <= 1e-12 or edge < 1e-6 * longest:
            raise InputError("It has no height to be scaled by", todo="Give its longest side instead.")
        return size_mm / 1000.0 / edge, ""
    if not LIKELY_M[0] <= longest <= LIKELY_M[1]:
        shown = f"{longest:,.0f} m" if longest > 1 else f"{longest * 1000:.2g} mm"
        return 1.0, f"its longest side is {shown}, which is hardly meant: set its real size"
    return 1.0, ""


def opposite(axis: str) -> str:
    """The other way along."""
    return axis[1:] if axis.startswith("-") else f"-{axis}"


def turned_up(axis: str) -> Array:
    """(4, 4) the turn, by quarters, that brings ``axis`` to Z. Raises InputError for another name."""
    if axis not in AXES:
        raise InputError(f"{axis!r} is no axis", todo=f"Up may be one of {', '.join(AXES)}.")
    turn = np.eye(4)
    rows = {
        "Z": ((1, 0, 0), (0, 1, 0), (0, 0, 1)), "-Z": ((1, 0, 0), (0, -1, 0), (0, 0, -1)),
        "Y": ((1, 0, 0), (0, 0, -1), (0, 1, 0)), "-Y": ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
        "X": ((0, 0, -1), (0, 1, 0), (1, 0, 0)), "-X": ((0, 0, 1), (0, 1, 0), (-1, 0, 0)),
    }  # fmt: skip
    turn[:3, :3] = rows[axis]
    return turn


def up_axis(points: Array, triangles: Triangles, usual: str = "Z") -> str:
    """The side that it most likely stands on: the one with the most flat ground at its end, as a share of the box's.

    ``usual`` wins unless another side is far better; of two ends as flat, the one along a positive axis is up.
    """
    ground = {axis: _ground(points, triangles, np.array(way)) for axis, way in AXES.items()}
    best = max(ground, key=lambda axis: ground[axis])
    return best if ground[best] > SURE * ground[usual] + 0.02 else usual


def _ground(points: Array, triangles: Triangles, up: Array) -> float:
    """Share of the box's floor that flat faces cover at the lower end along ``up``."""
    height = points @ up
    low, span = float(height.min()), float(np.ptp(height))
    a, b, c = (points[triangles[:, k]] for k in range(3))
    area = np.cross(b - a, c - a) / 2.0
    size = np.linalg.norm(area, axis=1)
    flat = np.abs(area @ up) > 0.98 * size
    at_end = height[triangles].max(axis=1) < low + 0.01 * max(span, 1e-12)
    edges = np.ptp(points, axis=0)[np.abs(up) < 0.5]
    return float(size[flat & at_end].sum() / max(float(edges.prod()), 1e-18))


def middle(points: Array, triangles: Triangles, origin: str, name: str) -> Middle:
    """Where the origin of an object goes: its centre of MASS, on its mechanism AXIS, at the middle of its BASE, or where
    the file has it (KEEP: the world's own). The centre of mass is that of the solid that the triangles enclose, exact
    where they close; what is open is estimated, and a surface without an inside has the centre of its area."""
    if origin == "KEEP" or not len(triangles):
        return Middle(np.zeros(3))
    low, high = points.min(axis=0), points.max(axis=0)
    if origin == "BASE":
        return Middle(np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]]))
    if origin == "AXIS":
        return _on_axis(points, triangles, name)
    try:
        weighed = weigh_solid(points, triangles, 1000.0, name)
    except InputError:
        return Middle(
            _centre_of_area(points, triangles),
            f"{name} encloses nothing: its origin is the middle of its surface",
        )
    note = "" if weighed.exact else f"{name} has holes: its centre of mass is estimated"
    return Middle(weighed.mass.com, note)


def _on_axis(points: Array, triangles: Triangles, name: str) -> Middle:
    """On the axis of its peg or bore, at the end that joins; its centre of mass if it has none."""
    for kind in ("peg", "socket"):
        try:
            found = find_cylinder(points, triangles, kind, name)
        except InputError:
            continue
        return Middle(np.asarray(found.origin, np.float64))
    instead = middle(points, triangles, "MASS", name)
    return Middle(instead.point, f"{name} shows no peg or bore: its origin is its centre of mass")


def _centre_of_area(points: Array, triangles: Triangles) -> Array:
    a, b, c = (points[triangles[:, k]] for k in range(3))
    size = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    if not size.sum() > 0.0:
        centre: Array = points.mean(axis=0)
        return centre
    return np.asarray((size[:, None] * (a + b + c) / 3.0).sum(axis=0) / size.sum())


def joined(meshes: Sequence[tuple[Array, Triangles]]) -> tuple[Array, Triangles]:
    """Several meshes as one."""
    starts = np.cumsum([0, *(len(points) for points, _ in meshes)])
    return (
        np.concatenate([points for points, _ in meshes]),
        np.concatenate([triangles + start for (_, triangles), start in zip(meshes, starts, strict=False)]),
    )
